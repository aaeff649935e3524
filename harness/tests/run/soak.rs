//! Long runs: they tell how they go, end as asked, and say whether they end as they began.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use report_schema::{Event, Happening, SliceEnded};

use crate::support::{Place, code, said, within};

/// A scenario whose soak profile lasts so long, with a producer that is slow for a part of it.
fn place(length: &str, slow: &str) -> Place {
    let place = Place::new("open]\nrate = \"200 Hz\"", "duration = \"100ms\"");
    let text = fs::read_to_string(&place.scenario).unwrap();
    let soak = format!("{slow}\n[profile.soak]\nrun = {{ {length} }}\n");
    fs::write(&place.scenario, format!("{text}{soak}")).unwrap();
    place
}

/// Four times slower than messages are due: it falls behind, on any machine.
const SLOW: &str = "[[fault]]\nname = \"tired\"\nat = \"3200 ms\"\nrole = \"producer\"\n\
                    action = { slow = { by = \"20 ms\", for = \"1900 ms\" } }\nonly = [\"soak\"]\n";

/// The slices of latencies that have been told so far.
fn slices(events: &Path) -> Vec<SliceEnded> {
    let text = fs::read_to_string(events).unwrap_or_default();
    // The last line may be half-written while the run goes on.
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let events = whole.lines().map(|line| Event::from_json(line).unwrap().what);
    let slice = |what| if let Happening::SliceEnded(slice) = what { Some(slice) } else { None };
    events.filter_map(slice).collect()
}

#[test]
fn a_soak_run_that_ends_unlike_it_began_says_so_and_was_told_slice_by_slice() {
    let place = place("duration = \"5200 ms\"", SLOW);
    let events = place.out().with_extension("jsonl");
    let mut command = place.run();
    let output = command.args(["--profile", "soak", "--events"]).arg(&events).output().unwrap();
    let said = said(&output);
    assert_eq!(code(&output), 0, "{said}");
    let told = slices(&events);
    // A trial that moved between cores runs again.
    let again = told.iter().rposition(|slice| slice.start_ms == 0).unwrap();
    let last = &told[again..];
    assert!((15..20).contains(&last.len()), "{} slices were told: {told:?}", last.len());
    assert!(last.iter().all(|slice| slice.role == "reader" && slice.n > 0), "{last:?}");
    assert!(last.windows(2).all(|pair| pair[0].start_ms < pair[1].start_ms), "{last:?}");
    let drift = said.lines().find(|line| line.starts_with("drift tiny #0 consumer 0: p99 +"));
    assert!(drift.is_some(), "{said}");
    let page = fs::read_to_string(place.out().join("latest/report.html")).unwrap();
    assert!(page.contains("Does it end as it began?"));
    assert!(page.contains("p99 +"), "the page says something else");
}

#[test]
fn a_soak_run_of_hours_that_is_interrupted_leaves_what_it_has() {
    let place = place("duration = \"3 h\", deadline = \"4 h\"", "");
    // Slices of hours are long; what was measured until then is in the report all the same.
    let mut command = place.run();
    let events = place.out().with_extension("jsonl");
    command.args(["--profile", "soak", "--progress", "plain", "--events"]).arg(&events);
    let harness = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let id = Pid::from_raw(i32::try_from(harness.id()).unwrap());
    let workers = || crate::support::workers_of(harness.id()).len();
    assert!(within(Duration::from_secs(10), || workers() == 2) && crate::support::flows(&events));
    crate::support::pause(Duration::from_millis(500));
    kill(id, Signal::SIGINT).unwrap();
    let output = harness.wait_with_output().unwrap();
    assert_eq!(code(&output), 130, "{}", said(&output));
    let result = place.result();
    let trial = &result.scenarios[0].cells[0].trials[0];
    assert!(trial.counts.committed > 0 && trial.roles[1].latency.is_some());
    assert!(place.out().join("latest/report.html").exists());
}
