//! The format on disk: what is read, what is refused, and with which words.

use report_schema::{
    Event, Hardware, LoadError, Side, SuiteResult, Verdict, event_json_schema, json_schema,
};

const GOLDEN: &str = include_str!("golden/result-1.json");

#[test]
fn the_golden_file_is_still_read_and_written_without_loss() {
    let suite = SuiteResult::from_json(GOLDEN).unwrap();
    assert_eq!(suite.verdict, Verdict::Performance);
    assert_eq!(suite.to_json().unwrap(), GOLDEN);
}

#[test]
fn an_unknown_field_is_refused_by_name_at_every_depth() {
    for anchor in [
        "\"suite\":",
        "\"cpu_model\":",
        "\"question\":",
        "\"degraded\":",
        "\"physical_slots\":",
        "\"repeat\":",
        "\"before_ns\":",
        "\"steal_ms\":",
        "\"pid\":",
        "\"torn\":",
        "\"mean_ns\":",
        "\"buckets\":",
        "\"check\":",
        "\"engine\":",
        "\"bound\": \"3 preemptions\"",
        "\"english\":",
        "\"what\":",
        "\"reasons\":",
        "\"counted_ns\":",
    ] {
        assert!(GOLDEN.contains(anchor), "the golden file lacks {anchor}");
        let text = GOLDEN.replacen(anchor, &format!("\"surprise\": 1, {anchor}"), 1);
        match SuiteResult::from_json(&text) {
            Err(LoadError::Shape { message }) => {
                assert!(message.contains("unknown field `surprise`"), "{anchor} {message}");
                assert!(message.contains("line"), "{message}");
            }
            other => panic!("{anchor}: {other:?}"),
        }
    }
}

#[test]
fn a_missing_field_is_refused_by_name() {
    for (name, from) in [
        ("seed", "  \"seed\": 7,\n"),
        ("question", "      \"question\": \"How fast is one hop?\",\n"),
        ("english", "        \"english\": \"The reader saw the label before the payload.\",\n"),
    ] {
        assert!(GOLDEN.contains(from), "the golden file lacks {from}");
        let error = SuiteResult::from_json(&GOLDEN.replacen(from, "", 1)).unwrap_err();
        assert!(matches!(error, LoadError::Shape { .. }), "{error:?}");
        assert!(error.to_string().contains(&format!("missing field `{name}`")), "{error}");
    }
}

#[test]
fn another_version_has_an_error_of_its_own_even_if_the_rest_differs() {
    let error =
        SuiteResult::from_json(r#"{"schema_version": 2, "all": "else is new"}"#).unwrap_err();
    assert_eq!(error, LoadError::Version { found: 2, supported: 1 });
    assert!(error.to_string().contains("version 2"), "{error}");
}

#[test]
fn a_text_without_a_version_is_not_a_result() {
    for text in ["{}", "[]", "3", r#"{"schema_version": "1"}"#, r#"{"schema_version": -1}"#] {
        assert_eq!(SuiteResult::from_json(text), Err(LoadError::NotAResult), "{text}");
    }
}

#[test]
fn a_text_cut_short_anywhere_is_an_error_and_no_panic() {
    for length in (0..GOLDEN.trim_end().len()).step_by(7) {
        let error = SuiteResult::from_json(&GOLDEN[..length]).unwrap_err();
        assert!(matches!(error, LoadError::Syntax { .. }), "{length}: {error:?}");
    }
}

#[test]
fn a_role_without_hardware_counters_is_an_older_one_and_one_that_says_neither_is_refused() {
    let golden = SuiteResult::from_json(GOLDEN).unwrap();
    let [counted, older] = &golden.scenarios[0].cells[0].trials[0].roles[..] else { panic!() };
    assert!(matches!(&counted.hardware, Some(Hardware::Counted(counts)) if counts.is_scaled()));
    assert_eq!(older.hardware, None);
    let refused = GOLDEN.replacen("\"counted\": {", "\"guessed\": {", 1);
    let error = SuiteResult::from_json(&refused).unwrap_err();
    assert!(error.to_string().contains("unknown variant `guessed`"), "{error}");
}

#[test]
fn an_unknown_verdict_or_a_negative_count_is_refused() {
    for (from, to) in [
        ("\"verdict\": \"performance\"", "\"verdict\": \"fine\""),
        ("\"torn\": 0", "\"torn\": -1"),
        ("\"class\": \"near\"", "\"class\": \"close\""),
    ] {
        assert!(GOLDEN.contains(from), "the golden file lacks {from}");
        let error = SuiteResult::from_json(&GOLDEN.replacen(from, to, 1)).unwrap_err();
        assert!(matches!(error, LoadError::Shape { .. }), "{from}: {error:?}");
    }
}

#[test]
fn an_event_that_is_damaged_unknown_or_of_another_version_is_refused() {
    let good = r#"{"event_version":1,"number":0,"unix_ms":1,"what":{"trial-moved":{"cell":"c","phase":"measured","commits":3}}}"#;
    let event = Event::from_json(good).unwrap();
    assert_eq!(serde_json::to_string(&event).unwrap(), good);
    for (from, to) in [
        ("\"number\":0,", ""),
        ("trial-moved", "trial-flew"),
        ("\"commits\":3", "\"commits\":3,\"surprise\":1"),
    ] {
        let error = Event::from_json(&good.replacen(from, to, 1)).unwrap_err();
        assert!(matches!(error, LoadError::Shape { .. }), "{from}: {error:?}");
    }
    let newer = good.replacen("\"event_version\":1", "\"event_version\":2", 1);
    assert_eq!(Event::from_json(&newer), Err(LoadError::Version { found: 2, supported: 1 }));
    let cut = &good[..good.len() - 1];
    assert!(matches!(Event::from_json(cut), Err(LoadError::Syntax { .. })));
}

#[test]
fn the_published_schemas_are_current() {
    let hint = "refresh it by `REFRESH_SCHEMA=1 cargo test -p report-schema`; if a field was removed or changed its \
                meaning, raise the version too";
    for (name, current) in [("result-1", json_schema()), ("event-1", event_json_schema())] {
        let path = format!("{}/{name}.json", env!("CARGO_MANIFEST_DIR"));
        if std::env::var_os("REFRESH_SCHEMA").is_some() {
            std::fs::write(&path, &current).unwrap();
        }
        let published = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(published == current, "reports/schema/{name}.json is out of date: {hint}");
    }
}

const COMPARED: &str = include_str!("golden/comparison-1.json");

#[test]
fn comparisons_and_evidence_are_read_and_written_without_loss() {
    let suite = SuiteResult::from_json(COMPARED).unwrap();
    let comparison = &suite.comparisons[0];
    assert_eq!(comparison.cells[0].change.verdict(), comparison.verdict);
    let evidence = comparison.cells[0].evidence.as_ref().unwrap();
    assert_eq!((evidence.count(Side::Base), evidence.count(Side::Candidate)), (1, 2));
    assert_eq!(suite.to_json().unwrap(), COMPARED);
}

#[test]
fn a_document_without_comparisons_says_nothing_of_them() {
    let suite = SuiteResult::from_json(GOLDEN).unwrap();
    assert!(suite.comparisons.is_empty());
    let gates = suite.scenarios.iter().flat_map(|scenario| &scenario.cells[0].gates);
    assert!(gates.map(|gate| &gate.evidence).all(Option::is_none));
}

#[test]
fn an_unknown_field_of_a_comparison_is_refused() {
    for anchor in [
        "\"kind\":",
        "\"metric\":",
        "\"ratio\":",
        "\"side\":",
        "\"compared\":",
        "\"alarms\":",
        "\"number\":",
        "\"name\": \"block",
    ] {
        assert!(COMPARED.contains(anchor), "the golden file lacks {anchor}");
        let text = COMPARED.replacen(anchor, &format!("\"surprise\": 1, {anchor}"), 1);
        let error = SuiteResult::from_json(&text).unwrap_err();
        assert!(error.to_string().contains("unknown field `surprise`"), "{anchor} {error}");
    }
}
