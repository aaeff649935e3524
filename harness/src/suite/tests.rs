//! Suites over a launcher that answers from a list.

use std::path::Path;

use report_schema::Placement;

use super::*;
use crate::history::{Facts, History, Promised};
use crate::plan::{Options, plan};
use crate::run::{Aftermath, RawRole, RawTrial, Report};
use crate::scenario::parse;
use crate::scenario::sample::STREAM;

/// Answers each trial from a list; the last answer stands for all that follow.
struct Fake {
    answers: Vec<fn(&mut RawTrial)>,
    runs: usize,
    interrupted_after: usize,
}

impl Launcher for Fake {
    fn run(&mut self, order: Order<'_>, _watch: &mut dyn Watch) -> io::Result<RawTrial> {
        let mut raw = flawless(order);
        self.answers[self.runs.min(self.answers.len() - 1)](&mut raw);
        self.runs += 1;
        Ok(raw)
    }

    fn interrupted(&mut self) -> bool {
        self.runs >= self.interrupted_after
    }
}

fn flawless(order: Order<'_>) -> RawTrial {
    let metrics = [
        ("total_slots_written", 1),
        ("total_bytes_written", 8),
        ("total_slots_read", 1),
        ("total_bytes_read", 8),
        ("checksum_failures", 0),
        ("writer_timeout_count", 0),
        ("reader_timeout_count", 0),
    ];
    let mut producer = Report { bytes_written: 8, line_ns: [Some(60); 2], ..Report::default() };
    producer.counts.committed = 1;
    let zeros = datahub::metrics::METRICS.iter().map(|(_, name)| ((*name).to_owned(), 0));
    producer.metrics = zeros.collect();
    producer.metrics.extend(metrics.map(|(name, value)| (name.to_owned(), value)));
    let mut consumer = Report { next: 1, bytes_read: 8, ..Report::default() };
    consumer.counts.delivered = 1;
    let roles = order.cell.roles.iter().zip([producer, consumer]);
    let roles = roles.map(|(plan, report)| RawRole {
        plan: plan.clone(),
        pid: 7,
        exit: "exit 0".to_owned(),
        report: Some(report),
        failure: None,
        falls: 0,
        fallen: false,
        left: report_schema::Counts::default(),
    });
    let aftermath = Aftermath::default();
    RawTrial {
        roles: roles.collect(),
        stolen_ms: None,
        frequency_khz: None,
        aftermath,
        history: None,
        leaks: vec![],
        interrupted: false,
    }
}

struct Nobody;

impl Watch for Nobody {
    fn moment(&mut self, _phase: &'static str, _commits: u64) {}
}

impl Observer for Nobody {
    fn begin(&mut self, _step: Step<'_>) {}
    fn end(&mut self, _step: Step<'_>, _recorded: &Recorded) {}
}

fn outcome(answers: Vec<fn(&mut RawTrial)>, interrupted_after: usize) -> (Outcome, usize) {
    let scenario =
        parse("s.toml", &STREAM.replace("seed = 1", "seed = 1\nrepeats = 2"), &[]).unwrap();
    let host = Host { cores: vec![0, 1], ..Host::default() };
    let plans = [plan(&scenario, &host, &Options::default()).unwrap()];
    conduct(&plans, (one_plan_after_another(&plans), None), answers, interrupted_after)
}

/// Two sides in turns, twelve repeats each at most, until four are comparable.
fn contest(answers: Vec<fn(&mut RawTrial)>) -> usize {
    let scenario = parse("s.toml", STREAM, &[]).unwrap();
    let host = Host { cores: vec![0, 1], ..Host::default() };
    let options = Options { repeats: Some(12), ..Options::default() };
    let plans = vec![plan(&scenario, &host, &options).unwrap(); 2];
    conduct(&plans, (in_turns(&plans, 1), Some(4)), answers, usize::MAX).1
}

fn conduct(
    plans: &[Plan],
    (turns, enough): (Vec<Turn>, Option<usize>),
    answers: Vec<fn(&mut RawTrial)>,
    interrupted_after: usize,
) -> (Outcome, usize) {
    let host = Host { cores: vec![0, 1], ..Host::default() };
    let request = Request {
        plans,
        host: &host,
        name: "s".to_owned(),
        profile: "smoke".to_owned(),
        command: vec![],
        seed: 1,
        commit: None,
        plant: None,
        turns,
        enough,
        programs: vec![],
        against: None,
        keep_history: Some(Path::new("/dev/null/kept")),
        made: Made::default(),
    };
    let mut fake = Fake { answers, runs: 0, interrupted_after };
    let outcome = run(&request, &mut fake, &mut Nobody);
    (outcome, fake.runs)
}

fn line(raw: &mut RawTrial, after_ns: u64) {
    raw.roles[0].report.as_mut().unwrap().line_ns = [Some(60), Some(after_ns)];
}

#[test]
fn a_flawless_suite_passes() {
    let (outcome, runs) = outcome(vec![|_| {}], usize::MAX);
    let result = &outcome.result;
    assert_eq!((runs, result.exit_code, result.verdict), (2, 0, Verdict::Pass));
    assert_eq!(result.scenarios[0].cells[0].trials.len(), 2);
    let json = result.to_json().unwrap();
    assert_eq!(SuiteResult::from_json(&json).unwrap(), *result);
}

#[test]
fn a_trial_that_moved_is_run_again_and_counted() {
    let (outcome, runs) = outcome(vec![|raw| line(raw, 300), |_| {}], usize::MAX);
    let cell = &outcome.result.scenarios[0].cells[0];
    assert_eq!((runs, cell.trials.len(), cell.dropped.trials), (3, 3, 1));
    assert_eq!(cell.trials[0].calibration.class, Placement::Changed);
}

#[test]
fn a_machine_that_always_moves_is_given_up() {
    let (outcome, runs) = outcome(vec![|raw| line(raw, 300)], usize::MAX);
    assert_eq!((runs, outcome.result.scenarios[0].cells[0].dropped.trials), (6, 6));
}

#[test]
fn a_long_trial_that_moved_is_not_run_again() {
    let long = STREAM.replace("\"1s\"", "\"60s\"").replace("\"9s\"", "\"90s\"");
    let scenario = parse("s.toml", &long, &[]).unwrap();
    let host = Host { cores: vec![0, 1], ..Host::default() };
    let plans = [plan(&scenario, &host, &Options::default()).unwrap()];
    let turns = one_plan_after_another(&plans);
    let (_, runs) = conduct(&plans, (turns, None), vec![|raw| line(raw, 300)], usize::MAX);
    assert_eq!(runs, 1);
}

#[test]
fn blocks_run_until_enough_repeats_have_a_partner_and_no_longer() {
    assert_eq!(contest(vec![|_| {}]), 8);
    // The first trial is near, all others far: it has no partner, so a block more runs.
    let far = |raw: &mut RawTrial| raw.roles[0].report.as_mut().unwrap().line_ns = [Some(270); 2];
    assert_eq!(contest(vec![|_| {}, far]), 12);
    // Nothing that ever could be compared.
    let broken = |raw: &mut RawTrial| raw.roles[0].failure = Some("no".to_owned());
    assert_eq!(contest(vec![broken]), 8);
}

/// A search between two rates, each of whose trials is answered in turn.
fn searched(answers: Vec<fn(&mut RawTrial)>) -> report_schema::CellResult {
    let keys =
        "from = \"1 kHz\"\nto = \"4 kHz\"\nbound = \"p50(latency) <= 1 ms\"\nprecision = \"50%\"";
    let expect = "[[expect]]\nid = \"rate\"\ncheck = \"sustained-rate >= 1 /s\"\n";
    let text = STREAM.replace("stream]", &format!("search]\n{keys}"));
    let scenario = parse("s.toml", &format!("{text}{expect}"), &[]).unwrap();
    let host = Host { cores: vec![0, 1], ..Host::default() };
    let plans = [plan(&scenario, &host, &Options::default()).unwrap()];
    let turns = one_plan_after_another(&plans);
    let (mut outcome, _) = conduct(&plans, (turns, None), answers, usize::MAX);
    outcome.result.scenarios.remove(0).cells.remove(0)
}

fn timed(raw: &mut RawTrial, samples: u64) {
    let kind = report_schema::LatencyKind::EndToEndFromIntendedStart;
    let report = raw.roles[1].report.as_mut().unwrap();
    report.latency = crate::run::of_samples(kind, &[(1_000, samples)]);
}

fn search_of(cell: &report_schema::CellResult) -> &report_schema::Search {
    cell.trials.iter().find_map(|trial| trial.search.as_ref()).unwrap()
}

#[test]
fn a_search_whose_bound_too_few_samples_stand_behind_has_no_answer() {
    let enough = searched(vec![|raw| timed(raw, 20)]);
    assert_eq!((search_of(&enough).sustained_hz, enough.verdict), (Some(4_000.0), Verdict::Pass));
    let few = searched(vec![|raw| timed(raw, 20), |raw| timed(raw, 19)]);
    let search = search_of(&few);
    assert_eq!((search.steps.len(), search.refused_hz), (2, None));
    let told = "too few samples for p50(latency): there are 19, 20 are needed";
    assert_eq!(search.undecided.as_deref(), Some(told));
    let gate = few.gates.iter().find(|gate| gate.id == "rate").unwrap();
    assert_eq!((gate.verdict, gate.value), (Verdict::Inconclusive, None));
    assert!(gate.reason.contains(told), "{}", gate.reason);
    assert!(few.degraded.iter().any(|why| why.contains(told)), "{:?}", few.degraded);
}

fn near(raw: &mut RawTrial) {
    timed(raw, 20);
}

fn far(raw: &mut RawTrial) {
    timed(raw, 20);
    raw.roles[0].report.as_mut().unwrap().line_ns = [Some(270); 2];
}

#[test]
fn a_step_between_other_cores_than_the_first_is_tried_again_and_decides_nothing() {
    let slow = |raw: &mut RawTrial| {
        far(raw);
        raw.roles[1].report.as_mut().unwrap().latency = None;
    };
    let cell = searched(vec![near, slow, far, slow, near]);
    let search = search_of(&cell);
    assert_eq!((search.sustained_hz, search.refused_hz), (Some(4_000.0), None), "{search:?}");
    let classes: Vec<_> = search.steps.iter().filter_map(|step| step.class).collect();
    let (near, far) = (Placement::Near, Placement::Far);
    assert_eq!(classes, [near, far, far, far, near]);
    let told = "does not count: its cores were far, those of the first step were near";
    assert_eq!(search.steps[2].why.as_deref(), Some(told));
    assert_eq!((search.undecided.as_ref(), cell.verdict), (None, Verdict::Pass));
}

#[test]
fn a_search_whose_cores_stay_elsewhere_has_no_answer_and_keeps_what_was_wrong() {
    let torn = |raw: &mut RawTrial| {
        far(raw);
        raw.roles[1].report.as_mut().unwrap().counts.torn = 1;
    };
    let cell = searched(vec![near, far, torn, far]);
    let search = search_of(&cell);
    assert_eq!(search.undecided.as_deref(), Some("the cores moved between near and far"));
    assert_eq!(search.steps.len(), 5, "one counted, one and three repeats did not");
    assert_eq!(cell.verdict, Verdict::Correctness);
    let cell = searched(vec![near, far]);
    let gate = cell.gates.iter().find(|gate| gate.id == "rate").unwrap();
    assert_eq!((gate.verdict, cell.verdict), (Verdict::Inconclusive, Verdict::Inconclusive));
    assert!(gate.reason.contains("the cores moved between near and far"), "{}", gate.reason);
    // All of them far is as good as all of them near.
    assert_eq!(search_of(&searched(vec![far])).sustained_hz, Some(4_000.0));
}

#[test]
fn one_bad_trial_decides() {
    let (outcome, _) = outcome(
        vec![|_| {}, |raw| raw.roles[1].report.as_mut().unwrap().counts.torn = 1],
        usize::MAX,
    );
    assert_eq!(outcome.result.exit_code, 1);
}

#[test]
fn an_interrupt_keeps_what_is_there_and_says_so() {
    let (outcome, runs) = outcome(vec![|_| {}], 1);
    assert_eq!((runs, outcome.interrupted), (1, true));
    let result = &outcome.result;
    assert_eq!((result.interrupted, result.verdict), (true, Verdict::Inconclusive));
    assert_eq!(result.scenarios[0].cells[0].trials.len(), 1);
    assert_eq!(result.notes.len(), 1);
}

#[test]
fn an_interrupt_after_the_last_trial_cuts_nothing_off() {
    let (outcome, runs) = outcome(vec![|_| {}], 2);
    assert_eq!((runs, outcome.interrupted, outcome.result.interrupted), (2, true, false));
    assert_eq!(outcome.result.verdict, Verdict::Pass);
}

/// Nothing was committed, and nobody says otherwise.
fn empty(raw: &mut RawTrial) {
    for report in raw.roles.iter_mut().filter_map(|role| role.report.as_mut()) {
        (report.counts, report.next) = (report_schema::Counts::default(), 0);
        (report.bytes_written, report.bytes_read) = (0, 0);
        report.metrics.values_mut().for_each(|value| *value = 0);
    }
}

#[test]
fn a_trial_that_was_cut_off_is_inconclusive_unless_it_shows_a_violation() {
    let cut = |raw: &mut RawTrial| {
        empty(raw);
        raw.interrupted = true;
    };
    let (found, runs) = outcome(vec![cut], 1);
    let cell = &found.result.scenarios[0].cells[0];
    assert_eq!((runs, cell.verdict, found.result.exit_code), (1, Verdict::Inconclusive, 5));
    assert!(cell.gates.iter().any(|gate| gate.reason.contains("interrupted")), "{:?}", cell.gates);
    let torn = |raw: &mut RawTrial| {
        raw.interrupted = true;
        raw.roles[1].report.as_mut().unwrap().counts.torn = 1;
    };
    let (found, _) = outcome(vec![torn], 1);
    assert_eq!(found.result.verdict, Verdict::Correctness);
}

#[test]
fn a_run_that_breaks_off_keeps_what_was_finished_and_is_broken() {
    const FACTS: Facts =
        Facts { promised: Promised::Newest, stuck_ns: 1, written: None, read: None };
    let unkept = |raw: &mut RawTrial| {
        empty(raw);
        raw.history = Some(History { facts: FACTS, roles: vec![] });
    };
    let (outcome, runs) = outcome(vec![|_| {}, unkept], usize::MAX);
    let result = &outcome.result;
    assert_eq!((runs, result.verdict, result.exit_code), (2, Verdict::Broken, 6));
    assert_eq!(result.scenarios[0].cells[0].trials.len(), 2, "the trial itself was finished");
    assert!(matches!(outcome.broke_off, Some(BrokeOff::Keep(_))));
    assert!(result.notes[0].contains("/dev/null/kept"));
}

#[test]
fn an_interrupt_before_the_first_trial_is_nothing_ran() {
    let (outcome, runs) = outcome(vec![|_| {}], 0);
    assert_eq!((runs, outcome.result.exit_code), (0, report_schema::EXIT_NOTHING_RAN));
}
