//! A percentile, and whether enough samples lie beyond it: one rule for every output.

use hdrhistogram::Histogram;

use crate::format;

/// Fewer samples beyond a percentile say little about it.
pub const SAMPLES_BEYOND: f64 = 10.0;
/// What brackets mean, in a sentence.
pub const IN_BRACKETS: &str = "In brackets: fewer than 10 samples lie beyond.";

/// One percentile of a distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Percentile {
    /// Its value.
    pub ns: u64,
    /// Whether [`SAMPLES_BEYOND`] lie beyond it. The greatest sample is what it is.
    pub sure: bool,
}

impl Percentile {
    /// The percentile of this distribution.
    #[must_use]
    pub fn of(histogram: &Histogram<u64>, quantile: f64) -> Self {
        Self::among(histogram.len(), quantile, histogram.value_at_quantile(quantile))
    }

    /// A percentile that was taken elsewhere, among so many samples.
    #[must_use]
    pub fn among(samples: u64, quantile: f64, ns: u64) -> Self {
        Self { ns, sure: samples >= Self::needed(quantile) }
    }

    /// How many samples there must be for [`SAMPLES_BEYOND`] to lie beyond this quantile; the greatest
    /// one needs no other.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count")]
    pub fn needed(quantile: f64) -> u64 {
        if quantile >= 1.0 { 0 } else { ((SAMPLES_BEYOND - 1e-9) / (1.0 - quantile)).ceil() as u64 }
    }

    /// For people: with its unit, in brackets where it is not sure.
    #[must_use]
    pub fn shown(self) -> String {
        self.bracketed(format::nanos(self.ns as f64))
    }

    /// This text of it, in brackets where it is not sure.
    #[must_use]
    pub fn bracketed(self, text: String) -> String {
        if self.sure { text } else { format!("({text})") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_sure_from_ten_samples_beyond_it_on() {
        let histogram = |samples: u64| {
            let mut histogram = Histogram::new(3).unwrap();
            (0..samples).for_each(|_| histogram.record(70).unwrap());
            histogram
        };
        let shown = |samples, quantile| Percentile::of(&histogram(samples), quantile).shown();
        assert_eq!([shown(999, 0.99), shown(1_000, 0.99)], ["(70 ns)", "70 ns"]);
        assert_eq!([shown(1_146, 0.999), shown(10_000, 0.999)], ["(70 ns)", "70 ns"]);
        assert_eq!(shown(1, 1.0), "70 ns");
        assert_eq!([0.5, 0.99, 0.999, 1.0].map(Percentile::needed), [20, 1_000, 10_000, 0]);
    }
}
