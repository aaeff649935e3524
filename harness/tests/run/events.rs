//! What every verb that runs for long tells as it goes: comparisons, kills, models.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use report_schema::{Event, Happening, SuiteEnded, Verdict};

use crate::support::{Place, code, harness, said, shipped, within};

/// Every line, read back, and valid by the published schema, which refuses a damaged one.
pub(crate) fn events(text: &str) -> Vec<Event> {
    let schema = include_str!("../../../reports/schema/event-1.json");
    let schema = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    let valid = |line: &str| schema.is_valid(&serde_json::from_str(line).unwrap());
    let read = |line: &str| {
        assert!(valid(line), "{line}");
        assert!(!valid(&line.replacen("\"number\":", "\"numb\":", 1)), "{line}");
        Event::from_json(line).unwrap_or_else(|error| panic!("{error}: {line}"))
    };
    text.lines().map(read).collect()
}

/// The file for the events of a run in this folder.
fn file(folder: &Path) -> PathBuf {
    folder.join("events.jsonl")
}

/// What was told, numbered without a gap, and the end of it.
fn told(file: &Path) -> (Vec<Event>, SuiteEnded) {
    let mut events = events(&fs::read_to_string(file).unwrap());
    assert!((0..).zip(&events).all(|(number, event)| event.number == number));
    assert!(matches!(events[0].what, Happening::SuiteBegan(_)), "{:?}", events[0]);
    let Some(Event { what: Happening::SuiteEnded(ended), .. }) = events.pop() else {
        panic!("{events:?}");
    };
    (events, ended)
}

fn crash(folder: &Path, more: &[&str]) -> Command {
    let mut command = harness();
    command.arg("crash").arg(shipped("faults/kills.toml")).args(["--only", "writer/W_COMMIT"]);
    command.args(more).arg("--out").arg(folder).arg("--events").arg(file(folder));
    command
}

fn model(folder: &Path, more: &[&str]) -> Command {
    let mut command = harness();
    command.arg("model").args(more).arg("--no-mutants").arg("--out").arg(folder);
    command.arg("--events").arg(file(folder));
    command
}

#[test]
fn kills_are_told_as_they_are_judged_with_the_verdict_at_the_end() {
    for (more, exit, verdict) in
        [(&[][..], 0, Verdict::Pass), (&["--plant", "skip-one"][..], 1, Verdict::Correctness)]
    {
        let folder = tempfile::tempdir().unwrap();
        let mut command = crash(folder.path(), more);
        let output = command.args(["--kills", "1", "--progress", "jsonl"]).output().unwrap();
        assert_eq!(code(&output), exit, "{}", said(&output));
        let (events, ended) = told(&file(folder.path()));
        let text = fs::read_to_string(file(folder.path())).unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), text, "both listeners hear the same");
        let begun = |event: &&Event| matches!(event.what, Happening::VictimsBegan(_));
        let begun = events.iter().filter(begun).count();
        let rows: Vec<_> = events
            .iter()
            .filter_map(|event| match &event.what {
                Happening::KillsJudged(row) => Some(row),
                _ => None,
            })
            .collect();
        assert!(begun > 0 && rows.iter().any(|row| row.kills > 0), "{events:?}");
        let wrong = rows.iter().any(|row| row.violations > 0 && row.verdict == verdict);
        assert_eq!(wrong, exit == 1, "{rows:?}");
        assert_eq!((ended.verdict, i32::from(ended.exit_code)), (verdict, exit));
        assert!(Path::new(&ended.folder).join("result.json").exists(), "{ended:?}");
    }
}

#[test]
fn models_are_told_as_they_end_with_the_verdict_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let output = model(folder.path(), &["slot/one-reader", "--progress", "none"]).output().unwrap();
    assert_eq!(code(&output), 0, "{}", said(&output));
    let (events, ended) = told(&file(folder.path()));
    let models: Vec<_> = events
        .iter()
        .filter_map(|event| match &event.what {
            Happening::ModelEnded(model) => Some(model),
            _ => None,
        })
        .collect();
    assert!(models.len() > 1 && models.iter().all(|model| model.verdict == Verdict::Pass));
    assert!((1..).zip(&models).all(|(number, model)| model.number == number), "{models:?}");
    assert_eq!((ended.verdict, ended.exit_code, ended.interrupted), (Verdict::Pass, 0, false));
    let nothing = model(folder.path(), &["no/such-model"]).output().unwrap();
    assert_eq!(code(&nothing), 4, "{}", said(&nothing));
    let (_, ended) = told(&file(folder.path()));
    assert_eq!((ended.verdict, ended.exit_code), (Verdict::Inconclusive, 4));
}

#[test]
fn a_comparison_tells_every_trial_of_every_round_in_one_stream() {
    let place = Place::new("stream]", "count = 200");
    let events = place.scenario.with_file_name("events.jsonl");
    let mut command = harness();
    command.arg("ab").arg(&place.scenario).args(["--aa", "2", "--repeats", "6", "--most", "6"]);
    command.args(["--allow-inconclusive", "--out"]).arg(place.out()).arg("--events").arg(&events);
    let output = command.output().unwrap();
    let (events, ended) = told(&events);
    assert_eq!(code(&output), i32::from(ended.exit_code), "{}", said(&output));
    let count = |holds: fn(&Happening) -> bool| events.iter().filter(|e| holds(&e.what)).count();
    let trials = count(|what| matches!(what, Happening::TrialEnded(_)));
    assert_eq!(count(|what| matches!(what, Happening::SuiteBegan(_))), 1);
    let Happening::SuiteBegan(began) = &events[0].what else { panic!("{:?}", events[0]) };
    assert_eq!((began.suite.as_str(), began.trials), ("ab-tiny", 24));
    assert!(trials > 12, "both rounds: {trials}");
}

#[test]
fn an_interrupt_ends_the_stream_with_what_it_was() {
    let kills: fn(&Path) -> Command = |folder| crash(folder, &["--kills", "100000"]);
    let models: fn(&Path) -> Command = |folder| model(folder, &["ring/"]);
    for (begin, first) in [(kills, "victims-began"), (models, "model-ended")] {
        let folder = tempfile::tempdir().unwrap();
        let mut command = begin(folder.path());
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let events = file(folder.path());
        let seen = || fs::read_to_string(&events).is_ok_and(|text| text.contains(first));
        assert!(within(Duration::from_mins(1), seen), "{first}");
        kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(code(&output), 130, "{first}: {}", said(&output));
        let (_, ended) = told(&events);
        assert_eq!((ended.exit_code, ended.interrupted), (130, true), "{first}: {ended:?}");
        assert!(Path::new(&ended.folder).join("report.html").exists(), "{first}: {ended:?}");
    }
}

#[test]
fn a_file_that_cannot_be_written_ends_it_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    let below_a_file = folder.path().join("x");
    fs::write(&below_a_file, "").unwrap();
    for verb in [&["crash", "--kills", "1"][..], &["model", "slot/one-reader"]] {
        let mut command = harness();
        command.current_dir(shipped("..")).args(verb).arg("--out").arg(folder.path());
        let output = command.arg("--events").arg(below_a_file.join("y")).output().unwrap();
        assert_eq!(code(&output), 7, "{verb:?}: {}", said(&output));
        assert!(said(&output).contains("cannot write "), "{}", said(&output));
        assert!(!folder.path().join("latest").exists(), "{verb:?}: it ran");
    }
}
