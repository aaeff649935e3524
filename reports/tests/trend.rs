//! Stored runs and sweeps: the figure is the one that a comparison of the workload looks at, and it
//! says whose it is.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use report_schema::{Role, Search, SuiteResult, Workload};
use reports::page::{Beside, render, render_with};

#[path = "support/sample.rs"]
mod sample;

/// One section of a page.
fn section(page: &str, id: &str) -> String {
    let (_, rest) = page.split_once(&format!("<section id=\"{id}\"")).unwrap();
    rest.split_once("</section>").unwrap().0.to_owned()
}

/// The trend of a run after another one like it.
fn trend(suite: &SuiteResult) -> String {
    let mut now = suite.clone();
    now.started_unix_ms += 86_400_000;
    let history = [suite.clone()];
    let page = render_with(&now, &Beside { history: &history, ..Beside::default() }).unwrap();
    section(&page, "trend")
}

#[test]
fn each_workload_is_followed_by_its_own_figure_and_each_unit_has_a_chart() {
    let mut suite = sample::suite();
    let search = &mut suite.scenarios[3].cells[0];
    search.workload = Workload::Search;
    for trial in &mut search.trials {
        trial.search = Some(Search {
            undecided: None,
            bound: "p99(latency) <= 50 us".to_owned(),
            sustained_hz: Some(765_000.0),
            refused_hz: None,
            steps: vec![],
        });
    }
    let trend = trend(&suite);
    let (rates, latencies) = trend.split_once("<h3>latency over stored runs</h3>").unwrap();
    assert!(rates.contains("<h3>message rates over stored runs</h3>"), "{rates}");
    for (cell, figures, there, elsewhere) in [
        ("ping-pong/payload-size=64B", &["p50", "p99"][..], latencies, rates),
        ("open/rate=1MHz", &["p50", "p99"], latencies, rates),
        ("stream/payload-size=64B,checksum=none", &["committed"], rates, latencies),
        // It has latencies, too: the time in the ring.
        ("fan-out/readers=2", &["committed"], rates, latencies),
        ("open/rate=10kHz", &["sustained"], rates, latencies),
    ] {
        let row = |figure: &str| format!("{cell}</th><td>{figure}</td>");
        for figure in figures {
            assert_eq!(there.matches(&row(figure)).count(), 2, "{cell} {figure}: {there}");
        }
        assert!(!elsewhere.contains(&format!("{cell}</th>")), "{cell} in {elsewhere}");
    }
    assert!(rates.contains("765 k/s"), "{rates}");
}

/// As everywhere: fewer than ten samples beyond, and it stands in brackets.
#[test]
fn a_percentile_with_too_few_samples_beyond_is_in_brackets() {
    let golden = include_str!("../schema/tests/golden/result-1.json");
    let trend = trend(&SuiteResult::from_json(golden).unwrap());
    assert_eq!(trend.matches("<td class=\"n dim\">(65 ns)</td>").count(), 2, "{trend}");
}

#[test]
fn one_run_and_one_without_its_cells_have_no_trend() {
    let alone = render(&sample::many(1)).unwrap();
    assert!(!alone.contains("<section id=\"trend\""));
    let mut now = sample::many(1);
    now.started_unix_ms += 1;
    let history = [sample::empty()];
    let page = render_with(&now, &Beside { history: &history, ..Beside::default() }).unwrap();
    assert!(!section(&page, "trend").contains("over stored runs"));
}

/// Where both ends have measured, it is the consumers' figure, and is called so.
#[test]
fn a_cell_that_both_ends_timed_shows_the_consumers_and_says_so() {
    let suite = sample::suite();
    let payload = section(&render(&suite).unwrap(), "payload");
    assert!(payload.contains("Latency as the producer measured it."), "{payload}");
    let mut both = suite;
    let (slow, fast) = {
        let cells = &both.scenarios[0].cells;
        let timed = |cell: usize| cells[cell].trials[0].roles[0].latency.clone();
        (timed(2), timed(0))
    };
    for cell in &mut both.scenarios[3].cells {
        for role in cell.trials.iter_mut().flat_map(|trial| &mut trial.roles) {
            role.latency = if role.role == Role::Producer { slow.clone() } else { fast.clone() };
        }
    }
    let load = section(&render(&both).unwrap(), "load");
    assert!(load.contains("Latency as the consumers measured it."), "{load}");
    let p50_ns = fast.unwrap().p50_ns as f64;
    let shown = format!("<td class=\"n\">{}</td>", reports::format::nanos(p50_ns));
    assert!(load.contains(&shown), "{shown} in {load}");
}
