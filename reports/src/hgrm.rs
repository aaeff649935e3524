//! The percentile text that `HdrHistogram` tools read: four columns and a footer of comments.

use core::fmt::Write as _;

use hdrhistogram::Histogram;

/// Lines between one halving of the remaining samples and the next.
const TICKS_PER_HALF_DISTANCE: u32 = 5;

/// Writes the distribution as percentile text, values in the histogram's own unit.
///
/// An empty histogram gives the heading and a footer of zeros.
#[must_use]
pub fn write(histogram: &Histogram<u64>) -> String {
    let mut text = format!(
        "{:>12} {:>14} {:>10} {:>14}\n\n",
        "Value", "Percentile", "TotalCount", "1/(1-Percentile)"
    );
    let mut total = 0;
    for step in histogram.iter_quantiles(TICKS_PER_HALF_DISTANCE) {
        total += step.count_since_last_iteration();
        let quantile = step.quantile_iterated_to();
        let value = step.value_iterated_to() as f64;
        line(&mut text, format_args!("{value:>12.3} {quantile:2.12} {total:>10}"));
        if quantile < 1.0 {
            line(&mut text, format_args!(" {:>14.2}", 1.0 / (1.0 - quantile)));
        }
        text.push('\n');
    }
    footer(&mut text, histogram);
    text
}

fn footer(text: &mut String, histogram: &Histogram<u64>) {
    let (mean, deviation) =
        if histogram.is_empty() { (0.0, 0.0) } else { (histogram.mean(), histogram.stdev()) };
    line(text, format_args!("#[Mean    = {mean:>12.3}, StdDeviation   = {deviation:>12.3}]\n"));
    line(
        text,
        format_args!(
            "#[Max     = {:>12.3}, Total count    = {:>12}]\n",
            histogram.max() as f64,
            histogram.len()
        ),
    );
    line(
        text,
        format_args!(
            "#[Buckets = {:>12}, SubBuckets     = {:>12}]\n",
            histogram.buckets(),
            sub_buckets(histogram.sigfig())
        ),
    );
}

/// Sub-buckets of a histogram that keeps this many significant digits: the power of two at or
/// above `2 · 10^digits`.
fn sub_buckets(digits: u8) -> u64 {
    (2 * 10_u64.pow(u32::from(digits))).next_power_of_two()
}

fn line(text: &mut String, arguments: core::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    text.write_fmt(arguments).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_samples_give_the_lines_computed_by_hand() {
        let mut histogram = Histogram::<u64>::new_with_bounds(1, 1_000_000, 3).unwrap();
        for value in [10, 20, 30, 40] {
            histogram.record(value).unwrap();
        }
        let text = write(&histogram);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "       Value     Percentile TotalCount 1/(1-Percentile)");
        assert_eq!(lines[1], "");
        assert_eq!(lines[2], "      10.000 0.000000000000          1           1.00");
        // Five ticks to the half: 10, 20, 30, 40, 50 %; a quarter of the samples is at or below 10.
        assert_eq!(lines[3], "      10.000 0.100000000000          1           1.11");
        assert_eq!(lines[4], "      10.000 0.200000000000          1           1.25");
        assert_eq!(lines[5], "      20.000 0.300000000000          2           1.43");
        assert!(lines.contains(&"      20.000 0.500000000000          2           2.00"), "{text}");
        assert!(lines.contains(&"      40.000 1.000000000000          4"), "{text}");
        let footer = &lines[lines.len() - 3..];
        // Mean 25; deviation of 10, 20, 30, 40 over all four: sqrt(125).
        assert_eq!(footer[0], "#[Mean    =       25.000, StdDeviation   =       11.180]");
        assert_eq!(footer[1], "#[Max     =       40.000, Total count    =            4]");
        assert!(footer[2].ends_with("SubBuckets     =         2048]"), "{}", footer[2]);
    }

    #[test]
    fn totals_never_fall_and_end_at_the_number_of_samples() {
        let mut histogram = Histogram::<u64>::new(3).unwrap();
        for value in 1..10_000_u64 {
            histogram.record(value * value % 7919 + 1).unwrap();
        }
        let text = write(&histogram);
        let rows = text.lines().skip(2).filter(|line| !line.starts_with('#'));
        let totals: Vec<u64> =
            rows.map(|row| row.split_whitespace().nth(2).unwrap().parse().unwrap()).collect();
        assert!(totals.is_sorted());
        assert_eq!(totals.last(), Some(&9_999));
    }

    #[test]
    fn an_empty_histogram_is_no_panic_and_says_zero() {
        let text = write(&Histogram::<u64>::new(3).unwrap());
        assert!(text.contains("Total count    =            0]"), "{text}");
        assert!(!text.contains("NaN"), "{text}");
    }
}
