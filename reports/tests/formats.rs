//! The formats that other tools read, read back; each reader is tested by what it refuses.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus};
use report_schema::{SuiteResult, Verdict};
use reports::{annotations, hlog, junit, openmetrics};

#[path = "support/sample.rs"]
mod sample;

fn cases(suite: &SuiteResult) -> Vec<TestCase> {
    let report = Report::deserialize_from_str(&junit::render(suite).unwrap()).unwrap();
    let parts = report.test_suites.into_iter();
    parts.flat_map(|part| part.test_cases).collect()
}

fn message(case: &TestCase) -> (&str, &str) {
    let (message, description) = match &case.status {
        TestCaseStatus::Success { .. } => return ("", ""),
        TestCaseStatus::NonSuccess { message, description, .. }
        | TestCaseStatus::Skipped { message, description, .. } => (message, description),
    };
    let [message, description] =
        [message, description].map(|text| text.as_ref().map_or("", quick_junit::XmlString::as_str));
    (message, description)
}

#[test]
fn every_cell_model_and_kill_is_a_test_case_and_a_failed_gate_says_where() {
    let suite = sample::suite();
    let cases = cases(&suite);
    let cells: usize = suite.scenarios.iter().map(|scenario| scenario.cells.len()).sum();
    assert_eq!(cases.len(), cells + suite.models.len() + suite.crashes.len() + 1);
    let slow = cases.iter().find(|case| case.name.as_str() == "open/rate=1MHz").unwrap();
    let kind = |case: &TestCase| match case.status {
        TestCaseStatus::NonSuccess { kind, .. } => Some(kind),
        _ => None,
    };
    assert_eq!(kind(slow), Some(NonSuccessKind::Failure));
    let (message, _) = message(slow);
    assert!(message.starts_with("scenarios/latency/open.toml:42: [tail] p99.9(latency) <= "));
    assert!(message.ends_with(", value 11.2 µs, bound 4.45 µs"), "{message}");
    let property = |name: &str| slow.properties.iter().find(|each| each.name.as_str() == name);
    let p99 = property("consumers.EndToEndFromIntendedStart.p99_ns").unwrap();
    assert!(p99.value.as_str().parse::<u64>().unwrap() > 900);
    assert_eq!(cases.iter().filter(|case| kind(case).is_some()).count(), 1);
}

#[test]
fn what_is_broken_undecided_or_missing_is_never_a_passed_case() {
    let mut suite = sample::many(3);
    suite.scenarios[0].cells[0].gates[0].verdict = Verdict::Broken;
    suite.scenarios[0].cells[1].verdict = Verdict::Inconclusive;
    suite.scenarios[0].cells[2].trials.clear();
    let cases = cases(&suite);
    assert!(matches!(
        cases[0].status,
        TestCaseStatus::NonSuccess { kind: NonSuccessKind::Error, .. }
    ));
    assert!(matches!(cases[1].status, TestCaseStatus::Skipped { .. }));
    assert!(matches!(cases[2].status, TestCaseStatus::Skipped { .. }));
    let whole = cases.last().unwrap();
    assert!(matches!(whole.status, TestCaseStatus::NonSuccess { .. }), "a pass without a trial");
    let mut empty = sample::empty();
    empty.verdict = Verdict::Pass;
    let cases = self::cases(&empty);
    assert_eq!(message(&cases[0]).0, "nothing ran; no data is never a pass");
}

#[test]
fn a_damaged_junit_file_is_refused_by_the_reader() {
    let good = junit::render(&sample::suite()).unwrap();
    for (from, to) in
        [("</testsuite>", ""), ("<testcase name=", "<testcase nome="), ("\"open\"", "open")]
    {
        let bad = good.replacen(from, to, 1);
        assert!(bad != good && Report::deserialize_from_str(&bad).is_err(), "{from}");
    }
}

#[test]
fn an_interval_log_gives_every_histogram_back() {
    let suite = sample::suite();
    let cell = &suite.scenarios[3].cells[0];
    let text = hlog::write(cell, suite.started_unix_ms).unwrap().unwrap();
    let mut tags = BTreeSet::new();
    let (mut lines, mut read) = (0, Histogram::<u64>::new(3).unwrap());
    for entry in IntervalLogIterator::new(text.as_bytes()) {
        if let LogEntry::Interval(line) = entry.unwrap() {
            lines += 1;
            let tag = line.tag().unwrap().as_str().to_owned();
            let bytes = base64::Engine::decode(
                &base64::engine::general_purpose::STANDARD,
                line.encoded_histogram(),
            );
            let histogram: Histogram<u64> =
                Deserializer::new().deserialize(&mut bytes.unwrap().as_slice()).unwrap();
            if tag == "consumer-0.latency" {
                read.add(&histogram).unwrap();
            }
            tags.insert(tag);
        }
    }
    assert_eq!(lines, 2 * cell.trials.len());
    assert_eq!(tags.into_iter().collect::<Vec<_>>(), ["consumer-0.latency", "consumer-0.service"]);
    let latencies = cell.trials.iter().filter_map(|trial| trial.roles[1].latency.as_ref());
    assert_eq!(read.len(), latencies.map(|latency| latency.n).sum::<u64>());
    let cut = &text[..text.len() - 40];
    let last = |text: &str| {
        let entry = IntervalLogIterator::new(text.as_bytes()).last().unwrap().ok()?;
        let LogEntry::Interval(line) = entry else { return None };
        reports::load::histogram(line.encoded_histogram()).ok()
    };
    assert!(last(&text).is_some() && last(cut).is_none(), "a cut log is refused");
}

#[test]
fn annotations_point_at_the_line_and_a_gate_of_many_cells_has_one() {
    let mut suite = sample::suite();
    let lines = annotations::github(&suite);
    assert!(
        lines.starts_with(
            "::error file=scenarios/latency/open.toml,line=42,title=performance%3A tail"
        ),
        "{lines}"
    );
    assert_eq!(lines.lines().count(), 1);
    let twin = suite.scenarios[3].cells[2].clone();
    suite.scenarios[3].cells.push(twin);
    suite.models[0].verdict = Verdict::Correctness;
    let lines = annotations::github(&suite);
    let all: Vec<&str> = lines.lines().collect();
    assert!(all[0].starts_with("::error title=model "), "the worst comes first: {lines}");
    assert!(all[0].contains("; again: harness model "));
    assert_eq!(all.iter().filter(|line| line.contains("line=42")).count(), 1);
    assert!(annotations::github(&sample::many(2)).is_empty());
}

/// Reads an exposition strictly; gives the number of samples.
fn check(text: &str) -> Result<usize, String> {
    let body = text.strip_suffix("# EOF\n").ok_or("does not end with # EOF")?;
    let (mut families, mut series) = (BTreeSet::new(), BTreeSet::new());
    let (mut family, mut kind) = (String::new(), String::new());
    for line in body.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            let words: Vec<&str> = comment.splitn(3, ' ').collect();
            let [keyword, name, value] = words[..] else { return Err(format!("cut: {line}")) };
            if *name != family {
                name.clone_into(&mut family);
                kind.clear();
                if !families.insert(family.clone()) {
                    return Err(format!("{name} comes twice"));
                }
            }
            match keyword {
                "TYPE" if ["gauge", "info"].contains(&value) => value.clone_into(&mut kind),
                "UNIT" if name.ends_with(&format!("_{value}")) => {}
                "HELP" => {}
                _ => return Err(format!("wrong: {line}")),
            }
            continue;
        }
        let suffix = if kind == "info" { "_info" } else { "" };
        let rest = line.strip_prefix(&format!("{family}{suffix}")).ok_or(line)?;
        let (labels, value) = labels(rest)?;
        value.parse::<f64>().map_err(|_| format!("no number: {line}"))?;
        if kind.is_empty() || !series.insert((family.clone(), labels)) {
            return Err(format!("untyped or twice: {line}"));
        }
    }
    Ok(series.len())
}

/// The labels, and what follows them.
fn labels(text: &str) -> Result<(String, &str), String> {
    let Some(inside) = text.strip_prefix('{') else {
        return text.strip_prefix(' ').map(|value| (String::new(), value)).ok_or(text.to_owned());
    };
    let mut quoted = false;
    let mut escaped = false;
    for (place, letter) in inside.char_indices() {
        match letter {
            _ if escaped && !"\\\"n".contains(letter) => return Err(format!("escape: {text}")),
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '}' if !quoted => {
                let value = inside[place + 1..].strip_prefix(' ').ok_or("no value")?;
                return Ok((inside[..place].to_owned(), value));
            }
            _ => {}
        }
    }
    Err(format!("open labels: {text}"))
}

#[test]
fn the_exposition_is_openmetrics_and_labels_are_escaped() {
    let mut suite = sample::suite();
    suite.scenarios[0].cells[0].id = "a\"b\\c\nd,e}".to_owned();
    let text = openmetrics::render(&suite).unwrap();
    let samples = check(&text).unwrap();
    assert!(samples > 100, "{samples}");
    for needle in [
        "harness_run_info{suite=\"scenarios\"",
        "# UNIT harness_latency_seconds seconds",
        "cell=\"a\\\"b\\\\c\\nd,e}\"",
        "gate=\"tail\",line=\"42\"} 0",
        "quantile=\"0.99\"",
    ] {
        assert!(text.contains(needle), "{needle} is not in\n{text}");
    }
    check(&openmetrics::render(&sample::empty()).unwrap()).unwrap();
    for (from, to) in [
        ("# EOF\n", ""),
        ("seconds seconds", "seconds minutes"),
        ("_info{", "{"),
        ("\\\"b", "\"b"),
        ("TYPE harness_count gauge", "TYPE harness_count gouge"),
        ("quantile=\"0.99\"", "quantile=\"0.9\""),
        ("gauge\nharness_exit_code ", "gauge\nharness_exit_code no"),
    ] {
        let bad = text.replacen(from, to, 1);
        assert!(bad != text && check(&bad).is_err(), "{from} as {to} was accepted");
    }
}

#[test]
fn the_exposition_of_one_result_is_always_the_same_and_in_order() {
    let suite = sample::suite();
    let text = openmetrics::render(&suite).unwrap();
    assert_eq!(text, openmetrics::render(&suite).unwrap());
    let counts: Vec<&str> =
        text.lines().filter(|line| line.starts_with("harness_count{")).collect();
    assert!(counts.len() > 10 && counts.is_sorted(), "{counts:?}");
}

#[test]
fn a_percentile_with_too_few_samples_beyond_is_marked_everywhere() {
    let golden = include_str!("../schema/tests/golden/result-1.json");
    let suite = SuiteResult::from_json(golden).unwrap();
    let summary = reports::markdown::render(&suite);
    assert!(
        summary.contains("(65 ns)") && summary.contains("In brackets: fewer than 10"),
        "{summary}"
    );
    let text = openmetrics::render(&suite).unwrap();
    let few = "quantile=\"0.999\",samples_beyond=\"too few\"}";
    assert!(text.contains(few) && !text.contains("quantile=\"1\",samples"), "{text}");
    let junit = junit::render(&suite).unwrap();
    assert!(junit.contains("p99.9_ns\" value=\"("), "{junit}");
    assert!(!junit.contains("max_ns\" value=\"("), "{junit}");
}
