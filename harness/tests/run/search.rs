//! Searches for the highest rate: over real processes, with a limit that is known.

use std::fs;
use std::process::Output;

use report_schema::{Search, Verdict};

use crate::support::{Place, code, said};

/// A search with this bound over a consumer that is busy for so long with each message.
fn search(bound: &str, work: &str, more: &str) -> Place {
    let keys = "from = \"1 kHz\"\nto = \"100 kHz\"\nprecision = \"100%\"";
    let workload = format!("search]\n{keys}\nbound = \"{bound}\"");
    let place = Place::new(&workload, "duration = \"100 ms\"");
    let text = fs::read_to_string(&place.scenario).unwrap();
    let text = text.replace("[[consumer]]", &format!("[[consumer]]\nwork = \"{work}\""));
    fs::write(&place.scenario, format!("{text}{more}")).unwrap();
    place
}

fn found(place: &Place) -> Search {
    let cell = &place.result().scenarios[0].cells[0];
    cell.trials[0].search.clone().unwrap()
}

/// Runs it, again where virtual cores moved while rates were tried; `None` where they always do, and then
/// the run says so.
fn answered(place: &Place) -> Option<(Output, Search)> {
    for _ in 0..5 {
        let output = place.run().output().unwrap();
        let search = found(place);
        match search.undecided.as_deref() {
            None => return Some((output, search)),
            Some(why) => assert_eq!(why, "the cores moved between near and far"),
        }
        assert_eq!(code(&output), 5, "{}", said(&output));
    }
    None
}

#[test]
fn a_consumer_that_takes_100_us_sustains_less_than_10_khz() {
    let more = "[[expect]]\nid = \"rate\"\ncheck = \"sustained-rate < 10_500 /s\"\n";
    let place = search("p50(latency) <= 50 ms", "100 us", more);
    let Some((output, search)) = answered(&place) else { return };
    assert_eq!(code(&output), 0, "{}", said(&output));
    let (held, refused) = (search.sustained_hz.unwrap(), search.refused_hz.unwrap());
    assert!(held < refused && refused / held <= 2.0, "{search:?}");
    assert!(search.steps.iter().any(|step| step.held && step.rate_hz.total_cmp(&held).is_eq()));
    assert!(search.steps.iter().all(|step| step.held == step.why.is_none()), "{search:?}");
}

#[test]
fn a_bound_that_no_rate_keeps_is_never_a_pass() {
    let more = "[[expect]]\nid = \"rate\"\ncheck = \"sustained-rate >= 1 /s\"\n";
    let place = search("p50(latency) <= 1 ns", "0 ns", more);
    let Some((output, search)) = answered(&place) else { return };
    assert_eq!(code(&output), 5, "{}", said(&output));
    assert_eq!(place.result().verdict, Verdict::Inconclusive);
    assert_eq!((search.sustained_hz, search.refused_hz), (None, Some(1_000.0)));
}

#[test]
fn a_defect_in_one_step_is_found() {
    let place = search("p50(latency) <= 10 s", "0 ns", "");
    let output = place.run().args(["--plant", "publish-early"]).output().unwrap();
    assert_eq!(code(&output), 1, "{}", said(&output));
    // No expectation names the rate; the table does.
    let result = place.result();
    let mut searches = result.scenarios[0].cells[0].trials.iter().filter_map(|t| t.search.as_ref());
    let open = searches.any(|search| search.undecided.is_some());
    let told = if open { "no answer" } else { " sustained" };
    assert!(said(&output).contains(told), "{}", said(&output));
}
