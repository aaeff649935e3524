//! Latencies of one role: a histogram over all, and one for each slice of time.
//!
//! Everything is allocated before the first message, and there are so many slices at most however
//! long the run is; recording touches memory of this process only.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Serializer, V2DeflateSerializer};
use report_schema::{Interval, Latency, LatencyKind};

/// The longest latency that is told apart from a longer one.
const MAX_NS: u64 = 60_000_000_000;
/// Slices of a run whose length is known.
const SLICES: u64 = 20;
/// Slices of a long run are this long, or longer where that would be too many.
const LONG_SLICE_NS: u64 = 10_000_000_000;
/// Slices of a long run, at most.
const LONG_SLICES_MAX: u64 = 120;
/// Slices shorter than this are not told while the run goes on.
const TOLD_NS: u64 = 250_000_000;
/// Slices of a run whose length is a number of messages; the last one takes the rest.
const SLICES_MAX: u64 = 100;
/// The length of those.
const SLICE_NS: u64 = 100_000_000;
/// Buckets of one slice in the result.
const BUCKETS_MAX: usize = 40;

/// One slice, told while the run goes on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Glimpse {
    /// When it began, from the start of the measured part.
    pub start_ms: u64,
    /// Samples.
    pub n: u64,
    /// Their median.
    pub p50_ns: u64,
    /// Their 99th percentile.
    pub p99_ns: u64,
    /// The greatest.
    pub max_ns: u64,
}

/// How many slices a run of this length has, and how long each is.
fn slices_of(length_ns: u64) -> (u64, u64) {
    let width_ns = (length_ns / SLICES).max(1);
    if width_ns <= LONG_SLICE_NS {
        return (SLICES, width_ns);
    }
    let width_ns = LONG_SLICE_NS.max(length_ns.div_ceil(LONG_SLICES_MAX));
    (length_ns.div_ceil(width_ns), width_ns)
}

/// Records latencies.
#[derive(Debug)]
pub(super) struct Recorder {
    kind: LatencyKind,
    whole: Histogram<u64>,
    slices: Vec<Histogram<u64>>,
    slice: usize,
    /// The slice that ended last.
    ended: usize,
    /// When the measured part began.
    origin_ns: u64,
    width_ns: u64,
    /// When the present slice ends.
    until_ns: u64,
}

impl Recorder {
    /// A recorder for a measured part of `length_ns`, or of unknown length.
    ///
    /// # Errors
    ///
    /// When the histogram library refuses the bounds.
    pub(super) fn new(
        kind: LatencyKind,
        length_ns: Option<u64>,
    ) -> Result<Self, hdrhistogram::CreationError> {
        let (count, width_ns) = match length_ns {
            Some(length) => slices_of(length),
            None => (SLICES_MAX, SLICE_NS),
        };
        let slices: Result<Vec<_>, _> =
            (0..count).map(|_| Histogram::new_with_bounds(1, MAX_NS, 2)).collect();
        let whole = Histogram::new_with_bounds(1, MAX_NS, 3)?;
        let slices = slices?;
        let (slice, ended, origin_ns) = (0, 0, 0);
        Ok(Self { kind, whole, slices, slice, ended, origin_ns, width_ns, until_ns: width_ns })
    }

    /// Sets when the measured part began.
    pub(super) fn begin(&mut self, origin_ns: u64) {
        self.origin_ns = origin_ns;
        self.until_ns = origin_ns.saturating_add(self.width_ns);
    }

    /// Counts one latency, seen at `now_ns`. Says whether a slice has ended that is worth telling.
    #[inline]
    pub(super) fn record(&mut self, now_ns: u64, latency_ns: u64) -> bool {
        let latency_ns = latency_ns.max(1);
        self.whole.saturating_record(latency_ns);
        let over = now_ns >= self.until_ns;
        if over {
            self.advance(now_ns);
        }
        self.slices[self.slice].saturating_record(latency_ns);
        over && self.width_ns >= TOLD_NS
    }

    /// What the slice that ended last holds.
    pub(super) fn glimpse(&self) -> Glimpse {
        let slice = &self.slices[self.ended];
        Glimpse {
            start_ms: self.ended as u64 * self.width_ns / 1_000_000,
            n: slice.len(),
            p50_ns: slice.value_at_quantile(0.5),
            p99_ns: slice.value_at_quantile(0.99),
            max_ns: slice.max(),
        }
    }

    #[cold]
    fn advance(&mut self, now_ns: u64) {
        let last = self.slices.len() - 1;
        self.ended = self.slice;
        let slice = now_ns.saturating_sub(self.origin_ns) / self.width_ns;
        self.slice = usize::try_from(slice).unwrap_or(last).min(last);
        self.until_ns = if self.slice == last {
            u64::MAX
        } else {
            self.origin_ns + (self.slice as u64 + 1) * self.width_ns
        };
    }

    /// What was recorded; `None` when nothing was.
    pub(super) fn finish(&self) -> Option<Latency> {
        let whole = &self.whole;
        if whole.is_empty() {
            return None;
        }
        let quantile = |quantile| whole.value_at_quantile(quantile);
        Some(Latency {
            kind: self.kind,
            n: whole.len(),
            min_ns: whole.min(),
            p50_ns: quantile(0.5),
            p90_ns: quantile(0.9),
            p99_ns: quantile(0.99),
            p99_9_ns: quantile(0.999),
            p99_99_ns: quantile(0.9999),
            max_ns: whole.max(),
            mean_ns: whole.mean(),
            histogram: encode(whole),
            intervals: self.intervals(),
        })
    }

    fn intervals(&self) -> Vec<Interval> {
        let numbered = (0_u64..).zip(&self.slices).filter(|(_, slice)| !slice.is_empty());
        numbered
            .map(|(number, slice)| Interval {
                start_ms: number * self.width_ns / 1_000_000,
                n: slice.len(),
                p50_ns: slice.value_at_quantile(0.5),
                p99_ns: slice.value_at_quantile(0.99),
                max_ns: slice.max(),
                buckets: buckets(slice),
            })
            .collect()
    }
}

/// What another program has met, and how often each; `None` when it has met nothing.
pub(crate) fn of_samples(kind: LatencyKind, samples: &[(u64, u64)]) -> Option<Latency> {
    let mut recorder = Recorder::new(kind, None).ok()?;
    for (latency_ns, count) in samples {
        recorder.whole.saturating_record_n((*latency_ns).max(1), *count);
    }
    recorder.finish()
}

/// The histogram as text: V2, deflated, base64. Empty when the library cannot write it.
fn encode(histogram: &Histogram<u64>) -> String {
    let mut bytes = Vec::new();
    match V2DeflateSerializer::new().serialize(histogram, &mut bytes) {
        Ok(_) => STANDARD.encode(bytes),
        Err(_) => String::new(),
    }
}

/// Samples by half octaves, or by octaves where those are too many.
fn buckets(histogram: &Histogram<u64>) -> Vec<(u64, u64)> {
    let mut fine = grouped(histogram, |value| {
        let octave = value.next_power_of_two();
        if value <= octave / 4 * 3 { octave / 4 * 3 } else { octave }
    });
    if fine.len() > BUCKETS_MAX {
        fine = grouped(histogram, u64::next_power_of_two);
    }
    fine
}

fn grouped(histogram: &Histogram<u64>, bound: impl Fn(u64) -> u64) -> Vec<(u64, u64)> {
    let mut groups: Vec<(u64, u64)> = Vec::new();
    for step in histogram.iter_recorded() {
        let upper = bound(step.value_iterated_to());
        let count = step.count_since_last_iteration();
        match groups.last_mut() {
            Some((last, total)) if *last == upper => *total += count,
            _ => groups.push((upper, count)),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorder(length_ns: Option<u64>) -> Recorder {
        let mut recorder = Recorder::new(LatencyKind::RoundTripHalf, length_ns).unwrap();
        recorder.begin(1_000);
        recorder
    }

    #[test]
    fn samples_of_another_program_become_a_latency() {
        let latency = of_samples(LatencyKind::RoundTripHalf, &[(0, 1), (100, 98), (9_000, 1)]);
        let latency = latency.unwrap();
        assert_eq!((latency.n, latency.min_ns, latency.p50_ns), (100, 1, 100));
        assert!((9_000..9_010).contains(&latency.max_ns));
    }

    #[test]
    fn nothing_recorded_is_no_latency() {
        assert_eq!(recorder(None).finish(), None);
        assert_eq!(of_samples(LatencyKind::RoundTripHalf, &[]), None);
    }

    #[test]
    fn each_sample_stands_in_the_slice_in_which_it_was_seen() {
        let mut recorder = recorder(Some(20_000_000_000));
        recorder.record(1_000, 100);
        recorder.record(1_000 + 2_500_000_000, 200);
        recorder.record(1_000 + 2_600_000_000, 200);
        recorder.record(1_000 + 999_000_000_000, 300);
        let latency = recorder.finish().unwrap();
        let found: Vec<_> =
            latency.intervals.iter().map(|slice| (slice.start_ms, slice.n, slice.max_ns)).collect();
        assert_eq!(found, [(0, 1, 100), (2_000, 2, 200), (19_000, 1, 301)]);
        assert_eq!((latency.n, latency.min_ns, latency.p50_ns), (4, 100, 200));
    }

    #[test]
    fn however_long_a_run_is_it_has_so_many_slices_at_most() {
        const SECOND: u64 = 1_000_000_000;
        assert_eq!(slices_of(SECOND), (20, SECOND / 20));
        assert_eq!(slices_of(200 * SECOND), (20, 10 * SECOND));
        assert_eq!(slices_of(600 * SECOND), (60, 10 * SECOND));
        assert_eq!(slices_of(24 * 3_600 * SECOND), (120, 720 * SECOND));
        for seconds in 1..5_000 {
            let (count, width_ns) = slices_of(seconds * SECOND);
            assert!((20..=LONG_SLICES_MAX).contains(&count), "{seconds} s: {count}");
            assert!(count * width_ns + SLICES >= seconds * SECOND, "{seconds} s");
        }
    }

    #[test]
    fn a_slice_is_told_when_it_has_ended() {
        let mut recorder = recorder(Some(20_000_000_000));
        assert!(!recorder.record(2_000, 100));
        assert!(!recorder.record(3_000, 300));
        assert!(recorder.record(1_000 + 1_000_000_000, 900));
        let glimpse = Glimpse { start_ms: 0, n: 2, p50_ns: 100, p99_ns: 301, max_ns: 301 };
        assert_eq!(recorder.glimpse(), glimpse);
        let mut short = self::recorder(Some(1_000_000_000));
        assert!(!short.record(1_000 + 900_000_000, 100), "too short to be told");
    }

    #[test]
    fn a_slice_has_few_buckets_and_they_hold_every_sample() {
        let mut recorder = recorder(None);
        for exponent in 0..36 {
            for sample in [1_u64 << exponent, (1 << exponent) + (1 << exponent) / 3] {
                recorder.record(2_000, sample);
            }
        }
        let latency = recorder.finish().unwrap();
        let buckets = &latency.intervals[0].buckets;
        assert!(buckets.len() <= BUCKETS_MAX, "{}", buckets.len());
        assert!(buckets.is_sorted());
        assert_eq!(buckets.iter().map(|bucket| bucket.1).sum::<u64>(), latency.n);
    }

    #[test]
    fn a_latency_beyond_the_range_is_kept_at_its_end() {
        let mut recorder = recorder(None);
        recorder.record(2_000, u64::MAX);
        recorder.record(2_000, 0);
        let latency = recorder.finish().unwrap();
        assert_eq!((latency.n, latency.min_ns), (2, 1));
        assert!(latency.max_ns >= MAX_NS);
    }
}
