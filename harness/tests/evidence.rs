//! Stored measurements keep the promises that documents make of them. `harness/evidence/README.md` says
//! how each is made anew.

use std::fs;
use std::path::Path;

use report_schema::{ComparisonKind, CrashResult, Found, SuiteResult, Verdict};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/evidence");

/// What a document says of many comparisons, or why it is no evidence of what it is to show.
fn found(document: &str, kind: ComparisonKind) -> Result<(Found, SuiteResult), String> {
    let result = SuiteResult::from_json(document).map_err(|error| error.to_string())?;
    if result.interrupted || result.verdict >= Verdict::Broken {
        return Err("it did not come to its end".to_owned());
    }
    let first = result.comparisons.first().ok_or("it compares nothing")?;
    if first.kind != kind {
        return Err(format!("it compares something else: {:?}", first.kind));
    }
    let found = first.found.ok_or("it does not say how often")?;
    Ok((found, result))
}

/// At most one false alarm in a hundred; a comparison that could not say is none, and counts for nothing.
fn alike(document: &str) -> Result<(), String> {
    let (found, _) = found(document, ComparisonKind::SelfTest)?;
    let said = found.comparisons.saturating_sub(found.inconclusive);
    let kept = said >= 200 && found.changed * 100 <= said;
    if kept {
        Ok(())
    } else {
        Err(format!("{} false alarms in {said} that said something", found.changed))
    }
}

fn tenth(document: &str) -> Result<(), String> {
    let (Found { comparisons, regressed, .. }, result) = found(document, ComparisonKind::Variants)?;
    let slower = |name: &str| name == "consumer.reader.work=5500 ns";
    if !result.comparisons.iter().all(|one| slower(&one.candidate.name)) {
        return Err("its candidate is not the one that is a tenth slower".to_owned());
    }
    let kept = comparisons >= 100 && regressed * 100 >= comparisons * 95;
    if kept { Ok(()) } else { Err(format!("found in {regressed} of {comparisons}")) }
}

/// Processes that really died, in a whole run of the full profile, and nobody was harmed.
fn kills(document: &str) -> Result<(), String> {
    let result = SuiteResult::from_json(document).map_err(|error| error.to_string())?;
    let killed: u64 = result.crashes.iter().map(|row| row.kills).sum();
    let harmed: u64 = result.crashes.iter().map(CrashResult::violations).sum();
    let whole = result.verdict == Verdict::Pass && !result.interrupted && result.planted.is_none();
    let kept = whole && result.profile == "full" && killed >= 36_000 && harmed == 0;
    let (verdict, profile) = (result.verdict, &result.profile);
    if kept {
        Ok(())
    } else {
        Err(format!("{verdict}, {profile}: {killed} kills, {harmed} harmed"))
    }
}

type Judge = fn(&str) -> Result<(), String>;

#[test]
fn what_is_stored_keeps_the_promises() {
    for (name, judge) in [("alike", alike as Judge), ("tenth", tenth), ("kills", kills)] {
        let file = Path::new(FOLDER).join(format!("{name}.json"));
        let document = fs::read_to_string(&file);
        let document = document.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert_eq!(judge(&document), Ok(()), "{}", file.display());
    }
}

#[test]
fn a_comparison_that_breaks_a_promise_or_shows_something_else_is_refused() {
    let golden = include_str!("../../reports/schema/tests/golden/comparison-1.json");
    let document = |kind, comparisons, changed, inconclusive| {
        let mut result = SuiteResult::from_json(golden).unwrap();
        result.verdict = Verdict::Pass;
        let first = &mut result.comparisons[0];
        first.kind = kind;
        first.candidate.name = "consumer.reader.work=5500 ns".to_owned();
        let (regressed, rate_interval, confidence) = (changed, (0.0, 1.0), 0.95);
        first.found = Some(Found {
            comparisons,
            changed,
            regressed,
            inconclusive,
            rate_interval,
            confidence,
        });
        result
    };
    let text = |result: SuiteResult| result.to_json().unwrap();
    let (own, two) = (ComparisonKind::SelfTest, ComparisonKind::Variants);
    assert_eq!(alike(&text(document(own, 210, 2, 10))), Ok(()));
    assert_eq!(tenth(&text(document(two, 100, 95, 0))), Ok(()));
    let mut faster = document(two, 100, 100, 0);
    faster.comparisons[0].found.as_mut().unwrap().regressed = 0;
    let mut other = document(two, 100, 100, 0);
    other.comparisons[0].candidate.name = "block.slots=2".to_owned();
    for refused in [
        alike(&text(document(own, 200, 3, 0))),
        alike(&text(document(own, 199, 0, 0))),
        alike(&text(document(own, 200, 0, 1))),
        alike(&text(document(two, 200, 0, 0))),
        tenth(&text(document(two, 100, 94, 0))),
        tenth(&text(document(two, 99, 99, 0))),
        tenth(&text(faster)),
        tenth(&text(other)),
        alike(golden),
        alike("{}"),
    ] {
        assert!(refused.is_err());
    }
}

#[test]
fn kills_that_are_too_few_or_harmed_somebody_are_refused() {
    type Damage = fn(&mut SuiteResult);
    let golden = include_str!("../../reports/schema/tests/golden/result-1.json");
    let with = |damage: Damage| {
        let mut result = SuiteResult::from_json(golden).unwrap();
        (result.verdict, result.interrupted, result.profile) =
            (Verdict::Pass, false, "full".to_owned());
        result.crashes.truncate(1);
        let row = &mut result.crashes[0];
        (row.kills, row.torn, row.mislabelled, row.backward) = (36_000, 0, 0, 0);
        (row.lost, row.duplicated, row.stuck, row.leaked) = (0, 0, 0, 0);
        damage(&mut result);
        kills(&result.to_json().unwrap())
    };
    assert_eq!(with(|_| {}), Ok(()));
    let damages: [Damage; 5] = [
        |result| result.crashes[0].kills = 35_999,
        |result| result.crashes[0].torn = 1,
        |result| result.profile = "smoke".to_owned(),
        |result| result.interrupted = true,
        |result| result.verdict = Verdict::Inconclusive,
    ];
    for damage in damages {
        assert!(with(damage).is_err());
    }
}
