//! Durations as people read them.

/// A duration with the unit that fits: `850 ns`, `3.2 s`, `4 min 10 s`, `3 h 5 min`, `2 d 7 h`.
#[must_use]
pub fn duration(ns: u64) -> String {
    const SECOND: u64 = 1_000_000_000;
    let tenths = |unit: u64| format!("{}.{}", ns / unit, ns % unit * 10 / unit);
    let seconds = ns / SECOND;
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..1_000_000 => format!("{} µs", tenths(1_000)),
        1_000_000..SECOND => format!("{} ms", tenths(1_000_000)),
        _ if seconds < 60 => format!("{} s", tenths(SECOND)),
        _ if seconds < 3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ if seconds < 86_400 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_carry_the_unit_that_fits() {
        let shown = [
            (0, "0 ns"),
            (999, "999 ns"),
            (1_500, "1.5 µs"),
            (20_050_000, "20.0 ms"),
            (3_299_999_999, "3.2 s"),
            (250_000_000_000, "4 min 10 s"),
            (11_100_000_000_000, "3 h 5 min"),
            (198_000_000_000_000, "2 d 7 h"),
            (u64::MAX, "213503 d 23 h"),
        ];
        for (ns, text) in shown {
            assert_eq!(duration(ns), text);
        }
    }
}
