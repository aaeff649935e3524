//! The whole page: every section that there is, in the order of a reader's questions.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use report_schema::{
    Boundary, Hardware, HardwareCounts, HistoryCheck, Interval, Part, Placement, Search,
    SearchStep, SuiteResult, TransportFacts, Verdict, Visit, WarmUp, ZoneAccount,
};
use reports::page::{Beside, render_with};
use reports::{junit, markdown};

#[path = "support/sample.rs"]
mod sample;

/// Every section by its anchor. A reader asks first whether he may ship, then why, then whether to
/// believe it; what explains a figure stands after it.
const ORDER: [&str; 27] = [
    "gates",
    "comparisons",
    "belief",
    "percentiles",
    "timeline",
    "repeats",
    "drift",
    "payload",
    "load",
    "search",
    "readers",
    "depth",
    "checksum",
    "peers",
    "models",
    "mutants",
    "faults",
    "crashes",
    "counters",
    "history",
    "zones",
    "metrics",
    "hardware",
    "visits",
    "warm-up",
    "worst",
    "trend",
];

/// A second transport beside ours.
fn transport(name: &str) -> TransportFacts {
    TransportFacts {
        name: name.to_owned(),
        boundary: Boundary::Processes,
        lossless: true,
        copies: Some(2),
        consumers_max: 1,
        holds: "what fits".to_owned(),
        death: "nobody is told".to_owned(),
    }
}

/// The sample with everything that a run can have.
fn everything() -> SuiteResult {
    let mut suite = sample::suite();
    "soak".clone_into(&mut suite.profile);
    let golden = include_str!("../schema/tests/golden/comparison-1.json");
    suite.comparisons = SuiteResult::from_json(golden).unwrap().comparisons;
    for (cell, slots) in suite.scenarios[0].cells.iter_mut().zip([4, 64, 1_024]) {
        cell.block.slots = slots;
    }
    let open = &mut suite.scenarios[3];
    let mut pipe = open.cells[0].clone();
    for (cell, name) in [(&mut open.cells[0], "datahub"), (&mut pipe, "pipe")] {
        cell.axes.insert("block.transport".to_owned(), name.to_owned());
        cell.transport = Some(transport(name));
    }
    "open/rate=10kHz,transport=pipe".clone_into(&mut pipe.id);
    open.cells.push(pipe);
    let trial = &mut suite.scenarios[0].cells[0].trials[0];
    trial.calibration.class = Placement::Near;
    let events = [("cycles".to_owned(), 1_000)].into();
    let counts = HardwareCounts { messages: 10, events, enabled_ns: 1_000, counted_ns: 1_000 };
    trial.roles[0].hardware = Some(Hardware::Counted(counts));
    let slice = |start_ms: u64| Interval {
        start_ms,
        n: 1_000,
        p50_ns: 100,
        p99_ns: 200,
        max_ns: 300,
        buckets: vec![(100, 1_000)],
    };
    let slices = (0..30).map(|number| slice(number * 60));
    trial.roles[0].latency.as_mut().unwrap().intervals = slices.collect();
    trial.history = Some(HistoryCheck { records: 7, ..HistoryCheck::default() });
    trial.zones = vec![ZoneAccount { zone: "gains".to_owned(), ..ZoneAccount::default() }];
    trial.warmup = Some(WarmUp {
        ms: 1_500,
        steady: true,
        change: Some(0.005),
        change_max: 0.01,
        interval_ms: 50,
        intervals_ns: vec![100],
    });
    trial.visits = vec![Visit {
        consumer: 1,
        joined_ms: 200,
        left_ms: None,
        first: Some(7),
        next: 900,
        promised_first: (7, 7),
    }];
    let step = SearchStep {
        rate_hz: 1e5,
        committed_hz: 1e5,
        p50_ns: Some(100),
        p99_ns: Some(400),
        held: true,
        why: None,
        class: None,
    };
    trial.search = Some(Search {
        bound: "p99(latency) <= 50 us".to_owned(),
        sustained_hz: Some(1e5),
        refused_hz: None,
        undecided: None,
        steps: vec![step],
    });
    suite
}

#[test]
fn a_page_with_everything_has_every_section_in_the_order_of_the_questions() {
    let suite = everything();
    let mut before = suite.clone();
    before.started_unix_ms -= 86_400_000;
    let beside = Beside { history: &[before], ..Beside::default() };
    let page = render_with(&suite, &beside).unwrap();
    let anchor = |name: &&str| page.find(&format!("<section id=\"{name}\""));
    let missing: Vec<_> = ORDER.iter().filter(|name| anchor(name).is_none()).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let places: Vec<_> = ORDER.iter().filter_map(anchor).collect();
    assert!(places.is_sorted(), "{places:?}");
    assert!(anchor(&"appendix") > places.last().copied(), "how to repeat it comes last");
    assert_eq!(page.matches("<section id=").count(), ORDER.len() + 1, "a section without a place");
}

#[test]
fn runs_that_were_put_together_are_told_with_their_commands_and_verdicts() {
    let mut suite = sample::suite();
    let part = |name: &str, verdict| Part {
        suite: name.to_owned(),
        profile: "smoke".to_owned(),
        command: ["harness", name, "a b"].map(str::to_owned).to_vec(),
        seed: 7,
        started_unix_ms: suite.started_unix_ms,
        wall_ms: 1_000,
        verdict,
    };
    suite.parts = vec![part("models", Verdict::Pass), part("crash", Verdict::Inconclusive)];
    let page = render_with(&suite, &Beside::default()).unwrap();
    let (_, appendix) = page.split_once("<section id=\"appendix\"").unwrap();
    for text in ["Put together from 2 runs", "harness models", "harness crash", "inconclusive"] {
        assert!(appendix.contains(text), "{text} in {appendix}");
    }
    let summary = markdown::render(&suite);
    assert!(summary.contains("harness models 'a b'\nharness crash 'a b'\n"), "{summary}");
    let junit = junit::render(&suite).unwrap();
    assert!(junit.contains("name=\"part.crash\" value=\"inconclusive\""), "{junit}");
}

#[test]
fn an_interrupt_and_a_planted_defect_are_told_in_every_document() {
    let mut suite = sample::many(2);
    assert!(markdown::render(&suite).starts_with("## SHIP"));
    suite.interrupted = true;
    let planted = "The defect lose-commit was planted: this run must be found guilty.";
    suite.notes = vec![report_schema::INTERRUPTED_NOTE.to_owned(), planted.to_owned()];
    let page = render_with(&suite, &Beside::default()).unwrap();
    assert!(page.contains("<h1>INTERRUPTED</h1>") && page.contains("lose-commit"), "{page}");
    let summary = markdown::render(&suite);
    assert!(summary.starts_with("## INTERRUPTED") && summary.contains("lose-commit"), "{summary}");
    let junit = junit::render(&suite).unwrap();
    assert!(junit.contains("lose-commit") && junit.contains("skipped=\"1\""), "{junit}");
    let marks = reports::annotations::github(&suite);
    assert!(marks.starts_with("::warning title=interrupted::"), "{marks}");
    suite.scenarios[0].cells[0].trials.clear();
    suite.scenarios[0].cells.truncate(1);
    let page = render_with(&suite, &Beside::default()).unwrap();
    assert!(page.contains("before the run was interrupted"), "{page}");
}
