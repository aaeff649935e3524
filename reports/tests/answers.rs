//! What the page answers before anybody scrolls, and that its answers agree with the result.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use report_schema::{CellResult, GateResult, SuiteResult, Verdict};
use reports::page::render;

#[path = "support/sample.rs"]
mod sample;

/// The page up to its first section: what a reader sees without scrolling.
fn head(suite: &SuiteResult) -> String {
    let page = render(suite).unwrap();
    page.split_once("<nav ").unwrap().0.split_once("</style>").unwrap().1.to_owned()
}

/// One section of the page.
fn section(page: &str, id: &str) -> String {
    let (_, rest) = page.split_once(&format!("<section id=\"{id}\"")).unwrap();
    rest.split_once("</section>").unwrap().0.to_owned()
}

fn stated(check: &str, value: f64, bound: f64, unit: &str) -> GateResult {
    GateResult {
        id: check.to_owned(),
        check: check.to_owned(),
        file: "scenarios/latency/open.toml".to_owned(),
        line: Some(7),
        value: Some(value),
        bound: Some(bound),
        unit: unit.to_owned(),
        verdict: Verdict::Pass,
        reason: "median of 8 trials of class near".to_owned(),
        evidence: None,
    }
}

/// Makes the cell torn, as the harness would say it.
fn tear(cell: &mut CellResult, torn: u64) {
    cell.trials[0].counts.torn = torn;
    cell.verdict = Verdict::Correctness;
    let gate = cell.gates.iter_mut().find(|gate| gate.id == "torn").unwrap();
    gate.verdict = Verdict::Correctness;
    gate.value = Some(torn as f64);
    gate.reason = format!("torn == 0 does not hold: {torn} (repeat 0, seed 0x1)");
}

/// A run in which messages of two cells were torn.
fn torn() -> SuiteResult {
    let mut suite = sample::many(3);
    suite.verdict = Verdict::Correctness;
    for (cell, count) in [(0, 2), (2, 196)] {
        tear(&mut suite.scenarios[0].cells[cell], count);
    }
    suite
}

#[test]
fn what_a_scenario_states_is_seen_at_once_against_its_bound() {
    let mut suite = sample::many(1);
    let gates = [
        stated("p50(latency) <= 2 * calibration", 90.0, 120.0, "ns"),
        stated("throughput.messages >= 5 M/s", 13.2e6, 5e6, "/s"),
    ];
    suite.scenarios[0].cells[0].gates.extend(gates);
    let head = head(&suite);
    for text in ["p50 latency", ">90 ns<", "≤ 120 ns", "message rate", ">13.2 M/s<", "≥ 5 M/s"]
    {
        assert!(head.contains(text), "{text} in {head}");
    }
    let gates = section(&render(&suite).unwrap(), "gates");
    let (open, folded) = gates.split_once("<details>").unwrap();
    assert!(open.contains("p50(latency)") && !open.contains("torn == 0"), "{open}");
    assert!(folded.contains("torn == 0"));
}

#[test]
fn the_gravest_violation_is_told_in_a_sentence() {
    let head = head(&torn());
    assert!(
        head.contains("196 messages were torn in many/slots=2,payload-size=64B; none may be."),
        "{head}"
    );
    assert!(head.contains("One more gate says the same."), "{head}");
    assert!(head.contains("messages torn") && head.contains(">196<"), "it is a key figure: {head}");
    assert!(!head.contains("0 performance") && !head.contains("0 broken"), "{head}");
}

#[test]
fn the_command_that_repeats_a_violation_keeps_what_decided_it() {
    let mut suite = torn();
    let given = "/opt/x/harness run scenarios -E many --plant corrupt-byte --set block.slots=4 --seed=9 \
                 --out here --progress none";
    suite.command = given.split(' ').map(str::to_owned).collect();
    let worst = section(&render(&suite).unwrap(), "worst");
    let again = "harness run scenarios/policies/many.toml --plant corrupt-byte --set block.slots=4 --seed 9 \
                 --profile full -E many/slots=2,payload-size=64B";
    assert!(worst.contains(again), "{worst}");
    assert!(worst.contains("196 torn"), "{worst}");
}

#[test]
fn what_was_not_reached_has_not_passed_and_what_was_compared_is_counted() {
    let mut crashes = sample::empty();
    crashes.verdict = Verdict::Pass;
    crashes.crashes = sample::suite().crashes;
    let head_of_crashes = head(&crashes);
    assert!(
        head_of_crashes.contains("2 pass") && head_of_crashes.contains("1 not reached"),
        "{head_of_crashes}"
    );
    assert!(head_of_crashes.contains("at 2 of 3 sites"), "{head_of_crashes}");
    let golden = include_str!("../schema/tests/golden/comparison-1.json");
    let compared = SuiteResult::from_json(golden).unwrap();
    let change = compared.comparisons[0].cells[0].change.verdict();
    assert!(head(&compared).contains(&format!(" {change}</li>")), "{}", head(&compared));
}

#[test]
fn models_that_saw_everything_are_never_added_to_those_that_did_not() {
    let mut suite = sample::empty();
    suite.verdict = Verdict::Pass;
    suite.models = sample::suite().models;
    let head = head(&suite);
    assert!(head.contains("2 searched completely, 1 within a bound, 1 sampled"), "{head}");
}

#[test]
fn what_an_engine_cannot_see_stands_beside_its_models_and_not_among_remarks_of_the_machine() {
    let mut suite = sample::suite();
    let spot = "loom cannot see load buffering: values that come from the future";
    suite.notes.push(spot.to_owned());
    let page = render(&suite).unwrap();
    assert!(section(&page, "models").contains(spot));
    assert!(!section(&page, "belief").contains(spot));
}

#[test]
fn the_payload_is_swept_by_what_its_scenario_is_about() {
    let payload = section(&render(&sample::suite()).unwrap(), "payload");
    for title in [
        "ping-pong: latency by payload size",
        "stream: messages by payload size",
        "stream: bytes by payload size",
    ] {
        assert!(payload.contains(&format!("<h3>{title}</h3>")), "{title}");
    }
    assert!(!payload.contains("ping-pong: messages"));
    let mut two = sample::suite();
    two.scenarios[0].cells.truncate(2);
    let payload = section(&render(&two).unwrap(), "payload");
    assert!(
        payload.contains("<caption>ping-pong: latency by payload size</caption>"),
        "two points are a table"
    );
}

#[test]
fn every_trial_that_is_not_compared_is_accounted_for() {
    let suite = sample::suite();
    let belief = section(&render(&suite).unwrap(), "belief");
    assert!(belief.contains("62 of 69 trials are compared"), "{belief}");
    assert!(
        belief
            .contains("6 dropped before judging, 1 of another class, broken or unsteady left out"),
        "{belief}"
    );
}

#[test]
fn kills_that_harmed_somebody_or_were_too_few_are_counted_and_told() {
    let mut suite = sample::empty();
    suite.crashes = sample::suite().crashes;
    suite.verdict = Verdict::Correctness;
    let row = suite.crashes.iter().find(|row| row.kills > 0).unwrap().clone();
    // The scouts saw a violation with nobody dead; and one row came short.
    let mut alive = row.clone();
    (alive.site, alive.kills, alive.torn) = ("Q_ALIVE".to_owned(), 0, 3);
    (alive.verdict, alive.unreached) = (Verdict::Correctness, Some("unknown".to_owned()));
    alive.example = Some("with nobody dead: torn".to_owned());
    let mut short = row;
    (short.site, short.kills) = ("Q_SHORT".to_owned(), 2);
    (short.verdict, short.unreached) = (Verdict::Inconclusive, Some("killed 2 of 3".to_owned()));
    suite.crashes.extend([alive, short]);
    let kills: u64 = suite.crashes.iter().map(|row| row.kills).sum();
    let violations: u64 = suite.crashes.iter().map(report_schema::CrashResult::violations).sum();
    let page = render(&suite).unwrap();
    let found = section(&page, "crashes");
    for told in [
        format!("{kills} processes were killed"),
        format!("Violations: {violations}."),
        "Q_ALIVE".to_owned(),
        "with nobody dead: torn".to_owned(),
        "killed 2 of 3".to_owned(),
    ] {
        assert!(found.contains(&told), "{told}: {found}");
    }
    assert!(!found.contains("recoverer</td><td></td>"));
}

#[test]
fn what_no_trial_knows_is_not_called_quiet() {
    let mut suite = sample::many(2);
    for trial in suite.scenarios[0].cells.iter_mut().flat_map(|cell| &mut cell.trials) {
        trial.noise.steal_ms = None;
    }
    let page = render(&suite).unwrap();
    let found = section(&page, "belief");
    assert!(!found.contains("took 0 %") && found.contains("unknown"), "{found}");
}
