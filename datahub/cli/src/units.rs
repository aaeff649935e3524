//! Figures as people read them.

/// Bytes with a binary unit: `64 B`, `4.0 KiB`, `1.5 GiB`.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if count < 1024 {
        return format!("{count} B");
    }
    let mut value = count as f64 / 1024.0;
    let mut unit = 0;
    // 1023.95 would be shown as 1024.0.
    while value >= 1023.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// A count with its thousands set apart: `1 234 567`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// A count with a decimal unit: `12.3 k`, `4.5 M`.
pub(crate) fn short(value: f64) -> String {
    for (limit, unit) in [(1e9, "G"), (1e6, "M"), (1e3, "k")] {
        // 999.95 k would be shown as 1000.0 k.
        if value >= limit * 0.99995 {
            return format!("{:.1} {unit}", value / limit);
        }
    }
    if value > 0.0 && value < 10.0 { format!("{value:.1}") } else { format!("{value:.0}") }
}

/// `1 consumer`, `2 consumers`.
pub(crate) fn plural(number: usize, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", count(number as u64))
}

/// A bar of ten places for a share between 0 and 1.
pub(crate) fn bar(share: f64) -> String {
    const PLACES: usize = 10;
    let filled = (1..=PLACES).filter(|&place| share * PLACES as f64 >= place as f64 - 0.5).count();
    format!("{}{}", "█".repeat(filled), "░".repeat(PLACES - filled))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_carry_the_unit_that_fits() {
        let sizes = [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (12288, "12.0 KiB")];
        for (size, text) in sizes {
            assert_eq!(bytes(size), text);
        }
        assert_eq!(bytes(1024 * 1024 - 1), "1.0 MiB");
        assert_eq!(bytes(u64::MAX), "16384.0 PiB");
        assert_eq!(short(0.0), "0");
        assert_eq!(short(1.5), "1.5");
        assert_eq!(short(999.0), "999");
        assert_eq!(short(999_990.0), "1.0 M");
        assert_eq!(short(2_300_000.0), "2.3 M");
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(plural(1, "slot"), "1 slot");
        assert_eq!(plural(0, "slot"), "0 slots");
    }

    #[test]
    fn a_bar_has_ten_places() {
        assert_eq!(bar(0.0), "░░░░░░░░░░");
        assert_eq!(bar(0.5), "█████░░░░░");
        assert_eq!(bar(1.0), "██████████");
        assert_eq!(bar(f64::NAN).chars().count(), 10);
    }
}
