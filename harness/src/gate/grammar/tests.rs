//! Facts about the grammar of checks.

use proptest::prelude::*;

use super::*;
use crate::gate::Percentile;

fn refusal(text: &str) -> (String, GrammarError) {
    let error = parse(text).unwrap_err();
    (text[error.at.clone()].to_owned(), error)
}

#[test]
fn a_count_is_compared_with_a_bare_number() {
    let check = parse("torn == 0").unwrap();
    assert_eq!((check.metric, check.op), (Metric::Torn, Op::Equal));
    assert_eq!(check.bound, [Term::Constant(0.0)]);
}

#[test]
fn terms_carry_units_and_factors() {
    let check = parse("p99.9(latency)<=1.5*calibration+2 us + clock-quantum").unwrap();
    assert_eq!(check.metric, Metric::Latency(Percentile::P999));
    let expected = [
        Term::Scaled { factor: 1.5, metric: Metric::Calibration },
        Term::Constant(2_000.0),
        Term::Scaled { factor: 1.0, metric: Metric::ClockQuantum },
    ];
    assert_eq!(check.bound, expected);
}

#[test]
fn rates_have_prefixes() {
    assert_eq!(parse("throughput.messages >= 5 M/s").unwrap().bound, [Term::Constant(5e6)]);
    assert_eq!(parse("throughput.messages >= 7/s").unwrap().bound, [Term::Constant(7.0)]);
    assert_eq!(parse("throughput.bytes >= 1.5 GB/s").unwrap().bound, [Term::Constant(1.5e9)]);
    assert_eq!(parse("throughput.bytes >= 2 KiB/s").unwrap().bound, [Term::Constant(2048.0)]);
}

#[test]
fn a_baseline_is_written_by_its_word_with_or_without_a_factor() {
    let check = parse("p99(latency) <= 1.10 * baseline + 20 ns").unwrap();
    assert_eq!(check.bound, [Term::Baseline(1.10), Term::Constant(20.0)]);
    assert!(check.needs_baseline() && !parse("lost == 0").unwrap().needs_baseline());
    assert_eq!(parse("throughput.bytes >= baseline").unwrap().bound, [Term::Baseline(1.0)]);
}

#[test]
fn a_count_has_no_baseline_and_the_word_is_known_to_the_suggestions() {
    let (at, error) = refusal("lost <= 2 * baseline");
    assert_eq!((at.as_str(), error.message.contains("is a count")), ("baseline", true));
    let (at, error) = refusal("p50(latency) <= 1.1 * basline");
    assert_eq!((at.as_str(), error.help.as_str()), ("basline", "did you mean `baseline`?"));
    assert!(parse("p50(latency) <= 0 * baseline").is_err());
}

#[test]
fn a_misspelt_metric_is_named_with_its_neighbour() {
    let (at, error) = refusal("p99(latncy) <= 1 us");
    assert_eq!(at, "p99(latncy)");
    assert_eq!(error.help, "did you mean `p99(latency)`?");
}

#[test]
fn a_bare_number_is_refused_where_a_unit_is_needed() {
    let (at, error) = refusal("p50(latency) <= 90");
    assert_eq!(at, "90");
    assert_eq!(error.help, "write the unit, as in `90 ns`");
}

#[test]
fn both_sides_measure_the_same_thing() {
    assert_eq!(refusal("lost <= 5 ns").0, "ns");
    assert_eq!(refusal("lost <= 2 * calibration").0, "calibration");
    assert_eq!(refusal("throughput.messages >= 5 MB/s").0, "MB/s");
    assert_eq!(refusal("p99(latency) <= committed").0, "committed");
}

#[test]
fn a_forgotten_times_sign_is_suggested() {
    let (at, error) = refusal("p50(latency) <= 2 calibration");
    assert_eq!(at, "calibration");
    assert_eq!(error.help, "write `2 * calibration`");
}

#[test]
fn what_does_not_fit_is_pointed_at() {
    assert_eq!(refusal("torn = 0").0, "=");
    assert_eq!(refusal("torn != 0").0, "!=");
    assert_eq!(refusal("torn == 0 0").0, "0");
    assert_eq!(refusal("torn").0, "");
    assert_eq!(refusal("").0, "");
    assert_eq!(refusal("0 == torn").0, "0");
    assert_eq!(refusal("torn == 1.2.3").0, "1.2.3");
    assert_eq!(refusal("torn == -1").0, "-");
    assert_eq!(refusal("torn == 0 +").0, "");
    assert_eq!(refusal("p99(latency <= 1 us").0, "p99(latency <= 1 us");
}

#[test]
fn a_measured_figure_cannot_be_demanded_exactly() {
    assert!(parse("p50(latency) == 90 ns").is_err());
}

proptest! {
    #[test]
    fn no_check_panics_and_every_place_is_inside(text in "\\PC{0,40}") {
        if let Err(error) = parse(&text) {
            prop_assert!(text.get(error.at).is_some());
        }
    }

    #[test]
    fn near_misses_do_not_panic(text in "(torn|p99\\(latency\\)|2| |\\*|\\+|<=|==|ns|µs|\\(|\\)|,)*") {
        if let Err(error) = parse(&text) {
            prop_assert!(text.get(error.at).is_some());
        }
    }
}
