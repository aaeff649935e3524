//! Shards of a made-up run: put together they are the run; damaged ones are refused.

use proptest::prelude::*;
use report_schema::{SCHEMA_VERSION, Trial};

use super::*;
use crate::scenario::sample::STREAM;

/// A run of scenarios with so many cells, as JSON would give it; every cell passed.
fn run(sizes: &[usize]) -> SuiteResult {
    let trial = |index: usize| -> Trial {
        let json = format!(
            r#"{{"repeat":0,"seed":{index},"started_ms":{index},"duration_ms":5,
            "calibration":{{"before_ns":60,"after_ns":60,"class":"near"}},
            "noise":{{"steal_ms":null,"involuntary_switches":null,"voluntary_switches":null,
            "minor_faults":null,"major_faults":null,"frequency_khz":null}},
            "roles":[],"counts":{{"committed":1,"delivered":1,"torn":0,"mislabelled":0,"backward":0,
            "lost":0,"duplicated":0,"checksum_failures":0,"lapped":0,"timeouts":0}},
            "metrics":{{}},"mismatches":[],"faults":[]}}"#
        );
        serde_json::from_str(&json).unwrap()
    };
    let cell = |id: String, index: usize| -> CellResult {
        let json = format!(
            r#"{{"id":"{id}","axes":{{}},"verdict":"pass","degraded":[],
            "block":{{"policy":"ring-buffer","consumer_sync":"sequential","slots":4,"physical_slots":5,
            "payload_bytes":8,"checksum":null,"consumers":1,"total_bytes":4096}},
            "workload":"stream","offered_rate_hz":null,"trials":[],"gates":[],
            "dropped":{{"trials":0,"reasons":[]}}}}"#
        );
        let mut cell: CellResult = serde_json::from_str(&json).unwrap();
        cell.trials.push(trial(index));
        cell
    };
    let scenario = |(number, size): (usize, &usize)| ScenarioResult {
        file: format!("s{number}.toml"),
        name: format!("s{number}"),
        question: STREAM.lines().next().unwrap().to_owned(),
        cells: (0..*size).map(|index| cell(format!("s{number}/c{index}"), index)).collect(),
        verdict: Verdict::Pass,
    };
    SuiteResult {
        schema_version: SCHEMA_VERSION,
        suite: "s".to_owned(),
        profile: "smoke".to_owned(),
        started_unix_ms: 1_000,
        wall_ms: 50,
        commit: Some("abc".to_owned()),
        command: ["harness", "run", "s"].map(str::to_owned).to_vec(),
        seed: 1,
        host: report_schema::Host::default(),
        verdict: Verdict::Pass,
        exit_code: 0,
        scenarios: sizes.iter().enumerate().map(scenario).collect(),
        models: vec![],
        crashes: vec![],
        comparisons: vec![],
        shard: None,
        made: None,
        parts: vec![],
        planted: None,
        interrupted: false,
        notes: vec![],
    }
}

/// What the shards of this run would have written.
fn split(whole: &SuiteResult, count: u32) -> Vec<Piece> {
    let ids: Vec<String> = cells(whole).map(|cell| cell.id.clone()).collect();
    let piece = |index| {
        let part = Part { index, count };
        let mut result = whole.clone();
        result.shard = Some(Shard { index, count, cells: ids.clone(), against: Some(9) });
        for scenario in &mut result.scenarios {
            let own =
                |id: &String| ids.iter().position(|each| each == id).is_some_and(|p| part.holds(p));
            scenario.cells.retain(|cell| own(&cell.id));
        }
        result.scenarios.retain(|scenario| !scenario.cells.is_empty());
        result.command.extend(["--shard".to_owned(), format!("{index}/{count}")]);
        Piece { file: format!("{index}.json"), result }
    };
    (1..=count).map(piece).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn all_shards_in_any_order_are_the_run(
        sizes in proptest::collection::vec(1_usize..6, 1..4),
        count in 1_u32..7,
        turn in 0_usize..7,
    ) {
        let whole = run(&sizes);
        let mut pieces = split(&whole, count);
        let middle = turn % pieces.len();
        pieces.rotate_left(middle);
        // A shard without a cell wrote nothing.
        pieces.retain(|piece| !piece.result.scenarios.is_empty());
        prop_assert_eq!(merge(pieces, false).unwrap(), whole);
    }
}

fn refused(pieces: Vec<Piece>, partial: bool, why: &str) {
    let error = merge(pieces, partial).unwrap_err();
    assert!(error.reasons.iter().any(|reason| reason.contains(why)), "{why}: {error}");
}

#[test]
fn what_does_not_belong_together_is_refused_with_or_without_partial() {
    type Damage = fn(&mut Vec<Piece>);
    let damages: [(&str, Damage); 13] = [
        ("its suite is other", |pieces| pieces[1].result.suite = "other".to_owned()),
        ("its profile is full", |pieces| pieces[1].result.profile = "full".to_owned()),
        ("its seed is 2", |pieces| pieces[1].result.seed = 2),
        ("its settings is --set a.b=1, 1.json has none", |pieces| {
            let made = pieces[1].result.made.get_or_insert_default();
            made.set.insert("a.b".to_owned(), "1".to_owned());
        }),
        ("its settings is --repeats 3, 1.json has none", |pieces| {
            pieces[1].result.made = Some(Made { repeats: Some(3), ..Made::default() });
        }),
        ("its settings is --plant lose-commit, 1.json has none", |pieces| {
            pieces[1].result.planted = Some("lose-commit".to_owned());
        }),
        ("its commit is unknown", |pieces| pieces[1].result.commit = None),
        ("its plan is 4 shards", |pieces| pieces[1].result.shard.as_mut().unwrap().count = 4),
        ("the cells of its plan", |pieces| {
            pieces[1].result.shard.as_mut().unwrap().cells[0] = "x".to_owned();
        }),
        ("its share of the baseline's false alarms is 1/4 a figure, 1.json has 1/9", |pieces| {
            pieces[1].result.shard.as_mut().unwrap().against = Some(4);
        }),
        ("it is no shard", |pieces| pieces[2].result.shard = None),
        ("is also in", |pieces| {
            let twin = pieces[0].clone();
            pieces.push(twin);
        }),
        ("s0/c0 is not a cell of shard 2", |pieces| {
            let cell = pieces[0].result.scenarios[0].cells[0].clone();
            pieces[1].result.scenarios[0].cells.push(cell);
        }),
    ];
    for (why, damage) in damages {
        for partial in [false, true] {
            let mut pieces = split(&run(&[3, 4]), 3);
            damage(&mut pieces);
            refused(pieces, partial, why);
        }
    }
    refused(vec![], true, "there is no result");
}

#[test]
fn a_missing_shard_is_refused_or_said_in_the_verdict() {
    let mut pieces = split(&run(&[3, 4]), 3);
    pieces.remove(1);
    refused(pieces.clone(), false, "shard 2/3 is missing or not finished: 2 cells did not run");
    let whole = merge(pieces, true).unwrap();
    assert_eq!((whole.verdict, whole.exit_code), (Verdict::Inconclusive, 5));
    assert!(whole.notes.iter().any(|note| note.contains("shard 2/3 is missing")), "{whole:?}");
}

#[test]
fn a_shard_that_was_interrupted_is_not_complete() {
    let mut pieces = split(&run(&[6]), 3);
    let cell = &mut pieces[2].result.scenarios[0].cells[0];
    cell.trials.clear();
    cell.degraded.push("3 processes on 2 cores: 1 not pinned".to_owned());
    refused(pieces.clone(), false, "shard 3/3 is missing or not finished: 1 cell did not run");
    assert_eq!(merge(pieces, true).unwrap().verdict, Verdict::Inconclusive);
}

#[test]
fn the_worst_shard_decides_and_other_machines_are_told() {
    let mut pieces = split(&run(&[3]), 3);
    pieces[1].result.verdict = Verdict::Correctness;
    pieces[1].result.host.cpu_model = Some("another".to_owned());
    pieces[2].result.started_unix_ms = 3_000;
    let whole = merge(pieces, false).unwrap();
    assert_eq!((whole.verdict, whole.exit_code), (Verdict::Correctness, 1));
    assert_eq!(whole.wall_ms, 2_050);
    assert_eq!(whole.scenarios[0].cells[2].trials[0].started_ms, 2_002);
    assert!(whole.notes[0].contains("different machines"), "{:?}", whole.notes);
}

/// A run of another kind than scenarios, with one row.
fn other(kind: &str) -> Piece {
    let mut result = run(&[]);
    kind.clone_into(&mut result.suite);
    result.started_unix_ms = 5_000;
    if kind == "models" {
        let json = r#"{"engine":"loom","engine_version":"1","kind":"protocol","scenario":"m",
            "memory":"shipped","verdict":"pass","coverage":"complete","executions":3,"blocked":0,
            "outcomes":[],"elapsed_ms":1,"expected_failure":false,"counterexample":null,"replay":"r"}"#;
        result.models.push(serde_json::from_str(json).unwrap());
    } else {
        let json = r#"{"victim":"writer","site":"W","shape":"s","visits":1,"kills":2,"unreached":null,
            "torn":0,"mislabelled":0,"backward":0,"lost":0,"duplicated":0,"stuck":0,"leaked":0,
            "blocked_ns_max":1,"example":null,"replay":"r","verdict":"pass"}"#;
        result.crashes.push(serde_json::from_str(json).unwrap());
    }
    result.made = Some(Made { build: Some("b1".to_owned()), ..Made::default() });
    Piece { file: format!("{kind}.json"), result }
}

fn kinds() -> Vec<Piece> {
    let scenarios = Piece { file: "s.json".to_owned(), result: run(&[2]) };
    vec![other("crash"), other("models"), scenarios]
}

#[test]
fn runs_of_different_kinds_make_one_result_with_the_worst_verdict() {
    let mut pieces = kinds();
    // Models have no profile but the whole.
    for piece in pieces.iter_mut().filter(|piece| piece.result.scenarios.is_empty()) {
        piece.result.profile = "full".to_owned();
    }
    let whole = merge(pieces.clone(), false).unwrap();
    assert_eq!(whole.profile, "smoke");
    assert_eq!(
        (whole.suite.as_str(), whole.verdict, whole.exit_code),
        ("s+models+crash", Verdict::Pass, 0)
    );
    assert_eq!((whole.scenarios.len(), whole.models.len(), whole.crashes.len()), (1, 1, 1));
    assert_eq!((whole.parts.len(), whole.wall_ms, whole.started_unix_ms), (3, 150, 1_000));
    for (verdict, worst) in [
        (Verdict::Performance, Verdict::Performance),
        (Verdict::Inconclusive, Verdict::Inconclusive),
        (Verdict::Broken, Verdict::Broken),
        (Verdict::Correctness, Verdict::Correctness),
    ] {
        let worse = pieces.len() - 1;
        pieces[worse].result.verdict = verdict;
        pieces.rotate_left(1);
        let whole = merge(pieces.clone(), false).unwrap();
        assert_eq!((whole.verdict, whole.exit_code), (worst, worst.exit_code()));
    }
}

#[test]
fn shards_and_other_kinds_make_one_result_too_and_what_was_put_together_can_be_added_to() {
    let mut pieces = split(&run(&[3]), 3);
    pieces.push(other("models"));
    let whole = merge(pieces, false).unwrap();
    assert_eq!((whole.scenarios[0].cells.len(), whole.parts.len()), (3, 2));
    let more = vec![Piece { file: "both.json".to_owned(), result: whole }, other("crash")];
    assert_eq!(merge(more, false).unwrap().parts.len(), 3);
}

#[test]
fn runs_that_are_not_of_one_build_machine_and_commit_or_have_the_same_in_them_are_refused() {
    type Damage = fn(&mut Vec<Piece>);
    let damages: [(&str, Damage); 9] = [
        ("its commit is f00", |pieces| pieces[0].result.commit = Some("f00".to_owned())),
        ("its build is b2", |pieces| {
            pieces[0].result.made = Some(Made { build: Some("b2".to_owned()), ..Made::default() });
            pieces[2].result.made = pieces[1].result.made.clone();
        }),
        ("another machine than s.json: its kernel was unknown and is x", |pieces| {
            pieces[1].result.host.kernel = Some("x".to_owned());
        }),
        ("model m (loom, shipped) is also in", |pieces| {
            let twin = pieces[1].result.clone();
            pieces.push(Piece { file: "twin".to_owned(), result: twin });
        }),
        ("model m (loom, shipped) is also in", |pieces| {
            // The same file, named twice.
            pieces.push(pieces[1].clone());
        }),
        ("its build is b2, models.json has b3", |pieces| {
            let of = |build: &str| Some(Made { build: Some(build.to_owned()), ..Made::default() });
            pieces[0].result.made = of("b2");
            pieces[1].result.made = of("b3");
            pieces[2].result.made = None;
        }),
        ("writer killed at W (s) is also in", |pieces| {
            let twin = pieces[0].result.clone();
            pieces.push(Piece { file: "twin".to_owned(), result: twin });
        }),
        ("s0/c0 is also in", |pieces| {
            let twin = Piece { file: "twin".to_owned(), result: run(&[1]) };
            pieces.push(twin);
        }),
        ("it is no shard, but a whole run of s", |pieces| pieces.extend(split(&run(&[3]), 3))),
    ];
    for (why, damage) in damages {
        let mut pieces = kinds();
        damage(&mut pieces);
        refused(pieces, true, why);
    }
}

#[test]
fn what_was_interrupted_stays_so() {
    let mut pieces = kinds();
    (pieces[1].result.interrupted, pieces[1].result.verdict) = (true, Verdict::Inconclusive);
    let whole = merge(pieces, false).unwrap();
    assert_eq!((whole.interrupted, whole.verdict), (true, Verdict::Inconclusive));
    let mut shards = split(&run(&[3]), 3);
    (shards[1].result.interrupted, shards[1].result.verdict) = (true, Verdict::Inconclusive);
    assert!(merge(shards, false).unwrap().interrupted);
}
