//! Whether figures hold still: a straight line through the last window of levels, one for each
//! interval, changes by no more than a part of their mean.
//!
//! A level is the time of one message where the producer sets the pace itself, and the consumers'
//! median latency where a schedule does. Knows nothing of: clocks, blocks.

use hdrhistogram::Histogram;
use report_schema::WarmUp;

use super::wire::Steady;
use super::words::Words;

/// Intervals of one window.
const INTERVALS: usize = 10;
/// The longest latency that is told apart from a longer one.
const MAX_NS: u64 = 60_000_000_000;
/// Levels that are kept for the result.
const KEPT_MAX: usize = 1_000;

/// The levels of a warm-up, interval by interval.
#[derive(Debug)]
pub(super) struct Levels {
    steady: Steady,
    each_ns: Vec<u64>,
    elapsed_ns: u64,
}

impl Levels {
    pub(super) fn new(steady: Steady) -> Self {
        Self { steady, each_ns: vec![], elapsed_ns: 0 }
    }

    /// How long one interval lasts.
    pub(super) fn interval_ns(&self) -> u64 {
        (self.steady.window_ns / INTERVALS as u64).max(1)
    }

    /// An interval is over; without a level there was nothing to see in it.
    pub(super) fn note(&mut self, level_ns: Option<u64>, elapsed_ns: u64) {
        self.each_ns.extend(level_ns);
        self.elapsed_ns = elapsed_ns;
    }

    /// By how much of its mean the last window changes; `None` before there is a whole one.
    pub(super) fn change(&self) -> Option<f64> {
        let first = self.each_ns.len().checked_sub(INTERVALS)?;
        let window = &self.each_ns[first..];
        let count = INTERVALS as f64;
        let middle = (count - 1.0) / 2.0;
        let mean = window.iter().map(|level| *level as f64).sum::<f64>() / count;
        let (mut along, mut spread) = (0.0, 0.0);
        for (place, level) in window.iter().enumerate() {
            let offset = place as f64 - middle;
            along += offset * (*level as f64 - mean);
            spread += offset * offset;
        }
        (mean > 0.0).then(|| (along / spread * (count - 1.0)).abs() / mean)
    }

    fn change_max(&self) -> f64 {
        self.steady.slope_ppm as f64 / 1e6
    }

    fn is_steady(&self) -> bool {
        self.change().is_some_and(|change| change <= self.change_max())
    }

    /// Whether the warm-up is over: the figures hold still, or time is up.
    pub(super) fn is_over(&self) -> bool {
        let long_enough = self.elapsed_ns >= self.steady.min_ns;
        long_enough && self.is_steady() || self.elapsed_ns >= self.steady.max_ns
    }

    pub(super) fn finish(mut self) -> WarmUp {
        let (steady, change) = (self.is_steady(), self.change());
        let surplus = self.each_ns.len().saturating_sub(KEPT_MAX);
        self.each_ns.drain(..surplus);
        WarmUp {
            ms: self.elapsed_ns / 1_000_000,
            steady,
            change,
            change_max: self.change_max(),
            interval_ms: self.interval_ns() / 1_000_000,
            intervals_ns: self.each_ns,
        }
    }
}

/// A consumer's side: the median of the present interval.
#[derive(Debug)]
pub(super) struct Gauge {
    histogram: Histogram<u64>,
    interval: u64,
    role: usize,
}

impl Gauge {
    /// # Errors
    ///
    /// When the histogram library refuses the bounds.
    pub(super) fn new(role: usize) -> Result<Self, hdrhistogram::CreationError> {
        let histogram = Histogram::new_with_bounds(1, MAX_NS, 3)?;
        Ok(Self { histogram, interval: 0, role })
    }

    /// Counts one latency, and tells the level of an interval that is over.
    pub(super) fn record(&mut self, words: &Words, latency_ns: u64) {
        let interval = words.interval();
        if interval != self.interval {
            if !self.histogram.is_empty() {
                words.tell_level(self.role, self.histogram.value_at_quantile(0.5).max(1));
            }
            self.histogram.clear();
            self.interval = interval;
        }
        self.histogram.saturating_record(latency_ns.max(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(all: impl IntoIterator<Item = u64>) -> Levels {
        let steady = Steady { min_ns: 1_500, window_ns: 1_000, slope_ppm: 50_000, max_ns: 9_000 };
        let mut levels = Levels::new(steady);
        for (number, level) in (1_u64..).zip(all) {
            levels.note(Some(level), number * levels.interval_ns());
        }
        levels
    }

    #[test]
    fn a_level_line_is_steady_once_the_least_time_is_over() {
        assert!(!levels([100; 14]).is_over());
        assert!(levels([100; 15]).is_over());
        let found = levels([100; 15]).finish();
        assert_eq!((found.steady, found.change), (true, Some(0.0)));
    }

    #[test]
    fn a_line_that_still_falls_is_not_steady_until_it_has_fallen() {
        let falling = (0..20).map(|step| 2_000 - 50 * step);
        assert!(!levels(falling.clone()).is_over());
        // Over the window, 9 steps of 50 around a mean of 1275.
        let change = levels(falling.clone()).change().unwrap();
        assert!((change - 450.0 / 1_275.0).abs() < 1e-9, "{change}");
        assert!(levels(falling.chain([1_050; 10])).is_over());
    }

    #[test]
    fn noise_without_a_trend_is_steady() {
        let noisy = (0..20).map(|step| if step % 2 == 0 { 100 } else { 103 });
        assert!(levels(noisy).is_over());
    }

    #[test]
    fn what_never_holds_still_is_given_up_and_said() {
        let rising = levels((1..=90).map(|step| step * 100));
        assert!(rising.is_over());
        assert!(!rising.finish().steady);
    }

    #[test]
    fn intervals_without_messages_are_no_level() {
        let mut empty = levels([]);
        for number in 1..=50 {
            empty.note(None, number * 100);
        }
        assert!(!empty.is_over());
        empty.note(None, 9_000);
        assert_eq!((empty.is_over(), empty.change()), (true, None));
    }

    #[test]
    fn the_highest_level_of_all_consumers_counts_once() {
        let words = Words::create(3).unwrap();
        let mut gauges = [Gauge::new(1).unwrap(), Gauge::new(2).unwrap()];
        for (gauge, latency) in gauges.iter_mut().zip([100, 300]) {
            gauge.record(&words, latency);
        }
        assert_eq!(words.take_level(), None);
        words.enter_interval(1);
        for gauge in &mut gauges {
            gauge.record(&words, 5_000);
        }
        assert_eq!(words.take_level(), Some(300));
        assert_eq!(words.take_level(), None);
    }
}
