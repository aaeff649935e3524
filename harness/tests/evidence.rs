//! Stored measurements keep the promises that documents make of them. `ci/self-test` makes them anew.

use std::fs;
use std::path::Path;

use report_schema::{ComparisonKind, Found, SuiteResult, Verdict};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/evidence");

/// What a document says of many comparisons, or why it is no evidence of what it is to show.
fn found(document: &str, kind: ComparisonKind) -> Result<Found, String> {
    let result = SuiteResult::from_json(document).map_err(|error| error.to_string())?;
    if result.interrupted || result.verdict >= Verdict::Broken {
        return Err("it did not come to its end".to_owned());
    }
    let first = result.comparisons.first().ok_or("it compares nothing")?;
    if first.kind != kind {
        return Err(format!("it compares something else: {:?}", first.kind));
    }
    first.found.ok_or_else(|| "it does not say how often".to_owned())
}

fn alike(document: &str) -> Result<(), String> {
    let Found { comparisons, changed, .. } = found(document, ComparisonKind::SelfTest)?;
    let kept = comparisons >= 200 && changed * 100 <= comparisons;
    if kept { Ok(()) } else { Err(format!("{changed} false alarms in {comparisons}")) }
}

fn tenth(document: &str) -> Result<(), String> {
    let Found { comparisons, changed, .. } = found(document, ComparisonKind::Variants)?;
    let kept = comparisons >= 100 && changed * 100 >= comparisons * 95;
    if kept { Ok(()) } else { Err(format!("found in {changed} of {comparisons}")) }
}

type Judge = fn(&str) -> Result<(), String>;

#[test]
fn what_is_stored_keeps_the_promises() {
    for (name, judge) in [("alike", alike as Judge), ("tenth", tenth)] {
        let file = Path::new(FOLDER).join(format!("{name}.json"));
        match fs::read_to_string(&file) {
            Ok(document) => assert_eq!(judge(&document), Ok(()), "{}", file.display()),
            Err(error) => eprintln!("{name}.json is not stored ({error}): ci/self-test makes it"),
        }
    }
}

#[test]
fn a_document_that_breaks_a_promise_or_shows_something_else_is_refused() {
    let golden = include_str!("../../reports/schema/tests/golden/comparison-1.json");
    let document = |kind, comparisons, changed| {
        let mut result = SuiteResult::from_json(golden).unwrap();
        result.verdict = Verdict::Pass;
        let first = &mut result.comparisons[0];
        first.kind = kind;
        first.found = Some(Found {
            comparisons,
            changed,
            regressed: 0,
            inconclusive: 0,
            rate_interval: (0.0, 1.0),
            confidence: 0.95,
        });
        result.to_json().unwrap()
    };
    let (own, two) = (ComparisonKind::SelfTest, ComparisonKind::Variants);
    assert_eq!(alike(&document(own, 200, 2)), Ok(()));
    assert_eq!(tenth(&document(two, 100, 95)), Ok(()));
    for refused in [
        alike(&document(own, 200, 3)),
        alike(&document(own, 199, 0)),
        alike(&document(two, 200, 0)),
        tenth(&document(two, 100, 94)),
        tenth(&document(two, 99, 99)),
        alike(golden),
        alike("{}"),
    ] {
        assert!(refused.is_err());
    }
}
