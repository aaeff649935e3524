//! Numbers for people: three significant digits, a unit, a thin space between thousands.

/// A narrow space at which lines do not break.
const THIN: char = '\u{202f}';

/// A duration: `65 ns`, `1.25 µs`, `3.4 ms`, `2 s`.
#[must_use]
pub fn nanos(value_ns: f64) -> String {
    scaled(value_ns, &[(1.0, "ns"), (1e3, "µs"), (1e6, "ms"), (1e9, "s")])
}

/// A duration given in milliseconds.
#[must_use]
pub fn millis(value_ms: u64) -> String {
    let nanoseconds = value_ms as f64 * 1e6;
    if value_ms == 0 {
        "0 ms".to_owned()
    } else if value_ms < 120_000 {
        nanos(nanoseconds)
    } else {
        scaled(nanoseconds, &[(6e10, "min"), (3.6e12, "h")])
    }
}

/// A rate of messages: `5.1 M/s`.
#[must_use]
pub fn rate(per_second: f64) -> String {
    scaled(per_second, &[(1.0, "/s"), (1e3, "k/s"), (1e6, "M/s"), (1e9, "G/s")])
}

/// A rate of bytes in powers of ten: `1.2 GB/s`.
#[must_use]
pub fn byte_rate(per_second: f64) -> String {
    scaled(per_second, &[(1.0, "B/s"), (1e3, "kB/s"), (1e6, "MB/s"), (1e9, "GB/s")])
}

/// A size in powers of two: `64 B`, `4 KiB`.
#[must_use]
pub fn bytes(value: f64) -> String {
    scaled(value, &[(1.0, "B"), (1024.0, "KiB"), (1_048_576.0, "MiB"), (1_073_741_824.0, "GiB")])
}

/// A whole number with its thousands set apart.
#[must_use]
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() * 2);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(THIN);
        }
        text.push(digit);
    }
    text
}

/// A number with the unit that a result file names.
#[must_use]
pub fn with_unit(value: f64, unit: &str) -> String {
    match unit {
        "ns" => nanos(value),
        "messages/s" | "/s" => rate(value),
        "bytes/s" | "B/s" => byte_rate(value),
        "" => plain(value),
        other => format!("{} {other}", plain(value)),
    }
}

/// A number without a unit: whole ones exactly, others with three significant digits.
#[must_use]
pub fn plain(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        let sign = if value < 0.0 { "−" } else { "" };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole, not negative and below 2^53"
        )]
        let whole = value.abs() as u64;
        return format!("{sign}{}", count(whole));
    }
    three_digits(value)
}

/// A difference, with its sign and one decimal.
#[must_use]
pub fn signed(value: f64) -> String {
    let sign = if value < 0.0 { '−' } else { '+' };
    format!("{sign}{:.1}", value.abs())
}

/// Text in which a hyphen before a digit is meant as a sign.
#[must_use]
pub fn signs(text: &str) -> String {
    let mut told = String::with_capacity(text.len());
    let mut before = ' ';
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let number = letters.peek().is_some_and(char::is_ascii_digit);
        let sign = letter == '-' && number && matches!(before, ' ' | '(' | '…');
        told.push(if sign { '−' } else { letter });
        before = letter;
    }
    told
}

/// A point in time on an axis that begins at 0.
#[must_use]
pub fn clock(value_ns: f64) -> String {
    if value_ns == 0.0 { "0".to_owned() } else { nanos(value_ns) }
}

/// A number of which only the size matters: at most two significant digits.
#[must_use]
pub fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 9.5 => plain(value.round()),
        size if size >= 0.095 => three_digits((value * 10.0).round() / 10.0),
        size if size > 0.0 => "less than 0.1".to_owned(),
        _ => "0".to_owned(),
    }
}

/// A number of things: `1 trial`, `2 trials`.
#[must_use]
pub fn several(value: usize, noun: &str) -> String {
    let ending = if value == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", count(value as u64))
}

/// The moment in UTC, to the second.
#[must_use]
pub fn moment(unix_ms: u64) -> String {
    let moment =
        i64::try_from(unix_ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    moment.map_or_else(
        || "at an unknown time".to_owned(),
        |moment| moment.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
    )
}

fn scaled(value: f64, units: &[(f64, &str)]) -> String {
    // Rounding may lift a value into the next unit: 999.9 ns is 1 µs.
    let fits = |factor: f64| value.abs() >= factor * 0.9995;
    let (factor, unit) = units
        .iter()
        .rev()
        .find(|(factor, _)| fits(*factor))
        .or(units.first())
        .copied()
        .unwrap_or((1.0, ""));
    format!("{} {unit}", three_digits(value / factor))
}

fn three_digits(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 99.95 || size == 0.0 => 0,
        size if size >= 9.995 => 1,
        size if size >= 0.9995 => 2,
        _ => 3,
    };
    let text = format!("{value:.decimals$}");
    let text = text.replace('-', "−");
    if text.contains('.') {
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_change_their_unit_by_thousands() {
        let shown = [0.0, 65.0, 999.4, 999.9, 1_250.0, 18_300.0, 3.4e6, 2e9].map(nanos);
        assert_eq!(
            shown,
            ["0 ns", "65 ns", "999 ns", "1 µs", "1.25 µs", "18.3 µs", "3.4 ms", "2 s"]
        );
    }

    #[test]
    fn sizes_count_in_powers_of_two_and_rates_in_powers_of_ten() {
        assert_eq!(bytes(4096.0), "4 KiB");
        assert_eq!(bytes(64.0), "64 B");
        assert_eq!(byte_rate(4.096e9), "4.1 GB/s");
        assert_eq!(rate(92e6), "92 M/s");
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(count(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(count(999), "999");
        assert_eq!(plain(-1_000.0), "−1\u{202f}000");
        assert_eq!(plain(0.25), "0.25");
    }

    #[test]
    fn signs_are_signs_and_hyphens_stay() {
        assert_eq!(
            signs("a-1: -25.7 % (-29 … -12.4 %), in-run"),
            "a-1: −25.7 % (−29 … −12.4 %), in-run"
        );
        assert_eq!(
            (signed(-25.66), signed(0.0), nanos(-2e8)),
            ("−25.7".to_owned(), "+0.0".to_owned(), "−200 ms".to_owned())
        );
        assert_eq!((clock(0.0), clock(1e6)), ("0".to_owned(), "1 ms".to_owned()));
        assert_eq!(
            [0.0, 0.02, 0.52, 48.2, 1266.0].map(short),
            ["0", "less than 0.1", "0.5", "48", "1\u{202f}266"]
        );
    }

    #[test]
    fn a_moment_out_of_range_is_no_panic() {
        assert_eq!(moment(0), "1970-01-01 00:00:00 UTC");
        assert_eq!(moment(u64::MAX), "at an unknown time");
    }
}
