//! What a run leaves for other tools: JUnit, annotations, events, interval logs, metrics.

use std::fs;
use std::process::Command;

use quick_junit::{NonSuccessKind, Report, TestCaseStatus};
use report_schema::{Happening, SuiteEnded, Verdict};

use crate::events::events;
use crate::support::{Place, code, harness, said};

const LENGTH: &str = "duration = \"50ms\"";
/// No message needs less than this.
const IMPOSSIBLE: &str = "\n[[expect]]\nid = \"too-fast\"\ncheck = \"delivered <= 1\"\n";

/// A scenario whose last expectation cannot hold, and the line of that expectation.
fn impossible() -> (Place, usize) {
    let place = Place::new("stream]", LENGTH);
    let text = fs::read_to_string(&place.scenario).unwrap() + IMPOSSIBLE;
    fs::write(&place.scenario, &text).unwrap();
    let line = 1 + text.lines().position(|line| line.starts_with("check = ")).unwrap();
    (place, line)
}

fn github(place: &Place) -> Command {
    let mut command = place.run();
    command.env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", summary(place));
    command
}

fn summary(place: &Place) -> std::path::PathBuf {
    place.scenario.with_file_name("job.md")
}

#[test]
fn a_failed_expectation_is_marked_at_its_line_everywhere() {
    let (place, line) = impossible();
    fs::write(summary(&place), "what another step said\n").unwrap();
    let junit = place.scenario.with_file_name("new/junit.xml");
    let output = github(&place).arg("--junit").arg(&junit).output().unwrap();
    assert_eq!(code(&output), 1, "{}", said(&output));
    let stderr = String::from_utf8_lossy(&output.stderr);
    let mark = format!("tiny.toml,line={line},title=correctness%3A too-fast");
    let marked = stderr.lines().find(|text| text.starts_with("::error file=")).unwrap();
    assert!(marked.contains(&mark), "{marked}");
    let job = fs::read_to_string(summary(&place)).unwrap();
    assert!(job.starts_with("what another step said\n## DO NOT SHIP"), "{job}");
    let report = Report::deserialize_from_str(&fs::read_to_string(&junit).unwrap()).unwrap();
    let case = &report.test_suites[0].test_cases[0];
    let TestCaseStatus::NonSuccess { kind, message, .. } = &case.status else {
        panic!("{case:?}");
    };
    assert_eq!(*kind, NonSuccessKind::Failure);
    let place_said = format!("tiny.toml:{line}: [too-fast] delivered <= 1");
    assert!(message.as_ref().unwrap().as_str().contains(&place_said), "{message:?}");
}

#[test]
fn nobody_is_told_where_nobody_asked() {
    let (place, _) = impossible();
    let output = github(&place).args(["--annotations", "none"]).output().unwrap();
    assert!(!said(&output).contains("::error") && !summary(&place).exists());
    let output = place.run().output().unwrap();
    assert!(!said(&output).contains("::error"), "{}", said(&output));
}

#[test]
fn events_are_numbered_and_tell_the_run_from_its_beginning_to_its_end() {
    let place = Place::new("ping-pong]", LENGTH);
    let file = place.scenario.with_file_name("events.jsonl");
    let output =
        place.run().args(["--progress", "jsonl", "--repeats", "2", "--events"]).arg(&file).output();
    let output = output.unwrap();
    assert_eq!(code(&output), 0, "{}", said(&output));
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), text, "both listeners hear the same");
    let events = events(&text);
    assert!((0..).zip(&events).all(|(number, event)| event.number == number));
    let Happening::SuiteBegan(began) = &events[0].what else { panic!("{:?}", events[0]) };
    assert_eq!((began.suite.as_str(), began.trials), ("tiny", 2));
    let ended = events.iter().filter_map(|event| match &event.what {
        Happening::TrialEnded(ended) => Some(ended),
        _ => None,
    });
    let ended: Vec<_> = ended.collect();
    assert!(ended.len() >= 2 && ended.iter().all(|trial| trial.p50_ns.is_some()), "{ended:?}");
    let Happening::SuiteEnded(SuiteEnded { verdict, exit_code, folder, .. }) =
        &events.last().unwrap().what
    else {
        panic!("{:?}", events.last());
    };
    assert_eq!((*verdict, *exit_code), (Verdict::Pass, 0));
    for file in ["metrics.txt", "result.json", "001.tiny.hlog"] {
        assert!(fs::metadata(format!("{folder}/{file}")).unwrap().len() > 0, "{file}");
    }
}

#[test]
fn a_file_that_cannot_be_written_ends_the_run_before_it_begins_or_with_its_own_code() {
    let place = Place::new("stream]", LENGTH);
    let below_a_file = place.scenario.join("x/y");
    for option in ["--events", "--junit"] {
        let output = place.run().arg(option).arg(&below_a_file).output().unwrap();
        assert_eq!(code(&output), 7, "{option}: {}", said(&output));
        assert!(said(&output).contains("cannot write "), "{}", said(&output));
        assert!(!place.out().join("latest").exists(), "{option}: it ran");
    }
    for option in ["--events", "--junit"] {
        let file = "/dev/full";
        let output = place.run().args([option, file]).output().unwrap();
        assert_eq!(code(&output), 7, "{option}: {}", said(&output));
        assert!(said(&output).contains(&format!("cannot write {file}")), "{}", said(&output));
        assert!(place.out().join("latest/result.json").exists(), "the result is there");
    }
}

/// What a verb prints for programs.
fn json(command: &mut Command, wanted: i32) -> serde_json::Value {
    let output = command.output().unwrap();
    assert_eq!(code(&output), wanted, "{}", said(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn baselines_words_and_pages_are_told_to_programs_and_a_file_that_cannot_be_read_is_an_error() {
    let place = Place::new("stream]", LENGTH);
    let output = place.run().output().unwrap();
    assert_eq!(code(&output), 0, "{}", said(&output));
    let (latest, kept) = (place.out().join("latest"), place.out().join("kept"));
    let baseline = |words: &[&str]| {
        let mut command = harness();
        command.arg("baseline").args(words).arg("--dir").arg(&kept);
        command
    };
    let saved = baseline(&["save", "good"]).arg(&latest).output().unwrap();
    assert_eq!(code(&saved), 0, "{}", said(&saved));
    let planted = place.run().args(["--plant", "lose-commit"]).output().unwrap();
    assert_eq!(code(&planted), 1, "{}", said(&planted));
    let refused = baseline(&["save", "bad"]).arg(&latest).output().unwrap();
    assert_eq!(code(&refused), 2, "{}", said(&refused));
    assert!(said(&refused).contains("planted defect"), "{}", said(&refused));
    assert_eq!(json(&mut baseline(&["list", "--json"]), 0)[0]["name"], "good");
    fs::write(kept.join("damaged.json"), "{").unwrap();
    let listed = json(&mut baseline(&["list", "--json"]), 7);
    assert_eq!((listed[0]["cells"].as_u64(), listed.as_array().unwrap().len()), (Some(1), 1));
    assert_eq!(code(&baseline(&["list"]).output().unwrap()), 7);
    let told = json(harness().args(["explain", "--json"]).arg(&place.scenario), 0);
    assert!(told["scenarios"][0]["text"].as_str().unwrap().contains("Does it run?"), "{told}");
    let page = json(harness().args(["report", "--json"]).arg(&latest), 0);
    assert!(page["page"].as_str().unwrap().ends_with("report.html"), "{page}");
}
