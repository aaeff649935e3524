//! The interval of a rate of events that were counted (Clopper–Pearson: never too narrow).

/// So many halvings find an end to the last bit.
const HALVINGS: u32 = 60;

/// Lower and upper end of the rate behind `events` in `trials`.
#[must_use]
pub fn rate_interval(events: u64, trials: u64, confidence: f64) -> (f64, f64) {
    let tail = (1.0 - confidence) / 2.0;
    let low = match events {
        0 => 0.0,
        // The rate at which so many or more come by chance.
        _ => crossing(|rate| 1.0 - at_most(events - 1, trials, rate) < tail),
    };
    let high = match events {
        events if events >= trials => 1.0,
        // The rate at which so few come by chance.
        _ => crossing(|rate| at_most(events, trials, rate) > tail),
    };
    (low, high)
}

/// Where `below` turns from true to false between 0 and 1.
fn crossing(below: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if below(middle) { low = middle } else { high = middle }
    }
    low
}

/// How likely at most so many events are.
fn at_most(events: u64, trials: u64, rate: f64) -> f64 {
    let odds = (rate / (1.0 - rate)).ln();
    let mut log_share = trials as f64 * (1.0 - rate).ln();
    let mut sum = log_share.exp();
    for event in 1..=events {
        log_share += ((trials - event + 1) as f64 / event as f64).ln() + odds;
        sum += log_share.exp();
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_two_hundred_is_at_most_one_point_eight_percent() {
        let (low, high) = rate_interval(0, 200, 0.95);
        // 1 − 0.025^(1/200)
        assert!(low.abs() < 1e-12 && (high - 0.018_275).abs() < 1e-5, "{low} {high}");
    }

    #[test]
    fn the_interval_is_the_same_from_the_other_side() {
        let (low, high) = rate_interval(3, 50, 0.95);
        let (other_low, other_high) = rate_interval(47, 50, 0.95);
        assert!((low + other_high - 1.0).abs() < 1e-9 && (high + other_low - 1.0).abs() < 1e-9);
        assert!(low < 0.06 && 0.06 < high);
    }

    #[test]
    fn without_a_trial_every_rate_is_possible() {
        assert_eq!(rate_interval(0, 0, 0.95), (0.0, 1.0));
    }
}
