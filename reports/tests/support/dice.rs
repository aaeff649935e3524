//! Chance that is the same on every call.

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "small and positive here"
)]
pub(super) fn whole(value: f64) -> u64 {
    value.round() as u64
}

/// Numbers that look random and are the same on every call.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// One latency around `base_ns`, with the tail of a machine that is sometimes elsewhere.
    pub(super) fn latency_ns(&mut self, base_ns: f64) -> u64 {
        let body = base_ns * (1.0 + 0.12 * -self.next().ln());
        let rare = self.next();
        let tail = match rare {
            rare if rare < 0.000_05 => 2e6 * self.next(),
            rare if rare < 0.002 => 20_000.0 * self.next(),
            rare if rare < 0.01 => 600.0 * self.next(),
            _ => 0.0,
        };
        whole((body + tail) / 10.0) * 10
    }
}
