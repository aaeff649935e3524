//! Runs that nothing disturbs, and requests that cannot be met.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Output;

use report_schema::{Hardware, SuiteResult, Verdict};

use crate::support::{Place, code, harness, said};

const LENGTH: &str = "duration = \"200ms\"";

fn passes(workload: &str, length: &str) -> SuiteResult {
    let place = Place::new(workload, length);
    let output = place.run().output().unwrap();
    assert_eq!(code(&output), 0, "{}", said(&output));
    let result = place.result();
    assert_eq!((result.verdict, result.exit_code), (Verdict::Pass, 0));
    let latest = place.out().join("latest");
    for file in ["result.json", "report.html", "summary.md"] {
        assert!(fs::metadata(latest.join(file)).unwrap().len() > 0, "{file}");
    }
    let names = fs::read_dir(&latest).unwrap().flatten().map(|entry| entry.file_name());
    let histograms = names.filter(|name| name.to_string_lossy().ends_with(".hgrm")).count();
    assert!(histograms > 0);
    assert!(said(&output).contains("pass: all "), "{}", said(&output));
    every_role_was_counted_or_none_was(&result);
    every_latency_is_that_of_its_workload(&result);
    result
}

/// All roles run on the same machine, so that none has a reason of its own.
fn every_role_was_counted_or_none_was(result: &SuiteResult) {
    let cells = result.scenarios.iter().flat_map(|scenario| &scenario.cells);
    let mut reasons = BTreeSet::new();
    for role in cells.flat_map(|cell| &cell.trials).flat_map(|trial| &trial.roles) {
        match role.hardware.as_ref().unwrap() {
            Hardware::Counted(counts) => {
                let handled = role.counts.committed.max(role.counts.delivered);
                assert!((1..=handled).contains(&counts.messages), "{counts:?} of {handled}");
                assert!(counts.events.values().any(|events| *events > 0), "{counts:?}");
                reasons.insert("counted");
            }
            Hardware::Uncounted(why) => {
                assert!(!why.contains("began") && !why.contains("program"), "{why}");
                reasons.insert(why);
            }
        }
    }
    assert_eq!(reasons.len(), 1, "{reasons:?}");
}

/// What explain and the page say of a latency is what was timed.
fn every_latency_is_that_of_its_workload(result: &SuiteResult) {
    for cell in result.scenarios.iter().flat_map(|scenario| &scenario.cells) {
        let roles = cell.trials.iter().flat_map(|trial| &trial.roles);
        let kinds: Vec<_> =
            roles.filter_map(|role| role.latency.as_ref()).map(|l| l.kind).collect();
        let told = cell.workload.latency_kind();
        assert!(!kinds.is_empty() && kinds.iter().all(|kind| *kind == told), "{kinds:?}");
    }
}

fn messages(result: &SuiteResult) -> (u64, u64) {
    let counts = result.scenarios[0].cells[0].trials[0].counts;
    (counts.committed, counts.delivered)
}

#[test]
fn a_ping_pong_passes_and_every_ping_has_a_pong() {
    let (committed, delivered) = messages(&passes("ping-pong]", LENGTH));
    assert!(committed > 100 && committed % 2 == 0, "{committed}");
    assert_eq!(committed, delivered);
}

#[test]
fn a_stream_passes_and_everything_arrives() {
    let result = passes("stream]", LENGTH);
    let (committed, delivered) = messages(&result);
    assert!(committed > 100, "{committed}");
    assert_eq!(committed, delivered);
    let trial = &result.scenarios[0].cells[0].trials[0];
    assert_eq!(trial.metrics["total_slots_read"], delivered);
    assert!(
        trial.roles.iter().all(|role| role.exit == "exit 0" && role.throughput_msgs_per_s > 0.0)
    );
}

#[test]
fn an_open_workload_passes_and_times_both_starts() {
    let result = passes("open]\nrate = \"5 kHz\"\narrival = \"poisson\"", LENGTH);
    let trial = &result.scenarios[0].cells[0].trials[0];
    let reader = &trial.roles[1];
    let (latency, service) = (reader.latency.as_ref().unwrap(), reader.service.as_ref().unwrap());
    assert_eq!(latency.n, service.n);
    assert!(latency.p50_ns >= service.p50_ns);
    assert!((500..1_500).contains(&latency.n), "{}", latency.n);
}

#[test]
fn a_number_of_messages_is_kept_exactly() {
    let result = passes("stream]", "count = 5000");
    let producer = &result.scenarios[0].cells[0].trials[0].roles[0];
    let rate = producer.throughput_msgs_per_s;
    assert!(rate > 0.0 && producer.counts.committed > 5_000, "{producer:?}");
}

#[test]
fn json_alone_stands_on_standard_output() {
    let place = Place::new("stream]", "duration = \"50ms\"");
    let output = place.run().args(["--json", "--progress", "plain"]).output().unwrap();
    assert_eq!(code(&output), 0, "{}", said(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(SuiteResult::from_json(&text).unwrap().suite, "tiny");
}

#[test]
fn the_report_is_made_again_from_the_result() {
    let place = Place::new("stream]", "duration = \"50ms\"");
    let output = place.run().arg("--no-report").output().unwrap();
    assert_eq!(code(&output), 0, "{}", said(&output));
    let latest = place.out().join("latest");
    assert!(!latest.join("report.html").exists());
    let output = harness().arg("report").arg(&latest).output().unwrap();
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert!(fs::read_to_string(latest.join("report.html")).unwrap().contains("</html>"));
}

#[test]
fn a_page_shows_the_scenario_the_raw_files_and_the_trend_over_stored_runs() {
    let place = Place::new("ping-pong]", "duration = \"50ms\"");
    for _ in 0..2 {
        let output = place.run().output().unwrap();
        assert_eq!(code(&output), 0, "{}", said(&output));
    }
    let latest = place.out().join("latest");
    let page = fs::read_to_string(latest.join("report.html")).unwrap();
    for shown in ["payload-size = &#34;64 B&#34;", "001.tiny.hlog", "result.json"] {
        assert!(page.contains(shown), "{shown}");
    }
    assert!(!page.contains("id=\"trend\""), "nobody asked");
    let drawings = place.out().join("drawings");
    let output = harness().arg("report").arg(&latest).arg("--drawings").arg(&drawings).output();
    let output = output.unwrap();
    assert_eq!(code(&output), 0, "{}", said(&output));
    let drawn = fs::read_dir(&drawings).unwrap().count();
    assert_eq!(drawn, page.matches("<figure>").count());
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), drawn + 1);
    let damaged = place.out().join("damaged");
    fs::create_dir(&damaged).unwrap();
    fs::write(damaged.join("result.json"), "{").unwrap();
    let output = harness().arg("report").arg(&latest).arg("--trend").arg(place.out()).output();
    let output = output.unwrap();
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert!(said(&output).contains("left out of the trend: "), "{}", said(&output));
    let page = fs::read_to_string(latest.join("report.html")).unwrap();
    assert!(page.contains("id=\"trend\"") && page.contains("2 runs of this suite and profile"));
    let empty = tempfile::tempdir().unwrap();
    let output = harness().arg("report").arg(&latest).arg("--trend").arg(empty.path()).output();
    assert_eq!(code(&output.unwrap()), 4);
}

#[test]
fn results_that_cannot_be_written_end_the_run_before_it_begins() {
    let place = Place::new("stream]", LENGTH);
    let blocked = place.scenario.join("out");
    let output = harness().arg("run").arg(&place.scenario).arg("--out").arg(blocked).output();
    let output = output.unwrap();
    assert_eq!(code(&output), 7, "{}", said(&output));
    assert!(said(&output).contains("cannot write"), "{}", said(&output));
}

#[test]
fn a_scenario_that_is_not_there_is_a_mistake_of_the_caller() {
    let output = harness().args(["run", "no/such/scenario.toml"]).output().unwrap();
    assert_eq!(code(&output), 2, "{}", said(&output));
}

#[test]
fn a_filter_that_leaves_nothing_is_never_a_pass() {
    let place = Place::new("stream]", LENGTH);
    let output = place.run().args(["-E", "no-such-cell"]).output().unwrap();
    assert_eq!(code(&output), 4, "{}", said(&output));
    assert!(!Path::new(&place.out()).exists());
}

/// A run that warms up until figures hold still within these bounds.
fn warmed(workload: &str, warmup: &str, expect: &str) -> (Place, Output) {
    let place = Place::new(workload, LENGTH);
    let text = fs::read_to_string(&place.scenario).unwrap();
    let text = text.replace("\"20ms\"", &format!("{{ until = \"steady\", {warmup} }}"));
    fs::write(&place.scenario, format!("{text}{expect}")).unwrap();
    let output = place.run().output().unwrap();
    (place, output)
}

#[test]
fn a_warm_up_ends_when_figures_hold_still() {
    for workload in ["ping-pong]", "stream]", "open]\nrate = \"5 kHz\""] {
        // A bound that any level keeps: what is seen here is that it is asked and recorded.
        let bounds = "window = \"50 ms\", slope = \"500%\", max = \"5 s\"";
        let (place, output) = warmed(workload, bounds, "");
        assert_eq!(code(&output), 0, "{}", said(&output));
        let trial = place.result().scenarios[0].cells[0].trials[0].clone();
        let warmup = trial.warmup.unwrap();
        assert!(warmup.steady && warmup.ms >= 50, "{warmup:?}");
        assert!(warmup.intervals_ns.len() >= 10, "{warmup:?}");
        let timed = trial.roles.iter().find_map(|role| role.latency.as_ref()).unwrap();
        assert!(timed.n > 0 && (!workload.starts_with("open") || timed.n <= 1_000), "{}", timed.n);
    }
}

#[test]
fn figures_that_never_hold_still_are_not_judged() {
    let expect = "[[expect]]\nid = \"rate\"\ncheck = \"throughput.messages >= 1 /s\"\n";
    let bounds = "window = \"50 ms\", slope = \"1ppm\", max = \"100 ms\"";
    let (place, output) = warmed("stream]", bounds, expect);
    assert_eq!(code(&output), 5, "{}", said(&output));
    let cell = place.result().scenarios[0].cells[0].clone();
    assert!(cell.degraded.iter().any(|why| why.contains("never held still")), "{cell:?}");
    assert!(!cell.trials[0].warmup.as_ref().unwrap().steady);
}
