//! The page as a reader meets it: complete, escaped, honest about what is missing.

use report_schema::{
    CrashResult, ModelKind, Placement, Search, SearchStep, SuiteResult, Verdict, Visit, WarmUp,
};
use reports::page::render;

#[path = "support/sample.rs"]
mod sample;

const GOLDEN: &str = include_str!("../schema/tests/golden/result-1.json");

/// Everything a page must keep to, whatever it shows.
fn check_page(page: &str) {
    assert!(page.len() < 1_000_000, "{} bytes", page.len());
    let small = page.to_lowercase();
    for forbidden in ["<script", "http:", "https:", "javascript:", "@import", "url(", " src="] {
        assert_eq!(small.find(forbidden), None, "{forbidden}");
    }
    assert!(!page.contains("NaN") && !page.contains(" inf "), "a number that is none");
    assert!(
        page.contains("<main ") && page.contains("class=\"skip\"") && page.contains("lang=\"en\"")
    );
    let drawings = page.matches("role=\"img\"").count();
    assert_eq!(page.matches("</title><desc>").count(), drawings, "every drawing is described");
    assert!(!page.contains("<desc></desc>"), "a description says something");
    for tag in ["section", "table", "details", "figure", "svg", "ul", "ol", "tr"] {
        let opened =
            page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "<{tag}>");
    }
    for stand_in in ["#00000", "#01000", "#02000", "#03000"] {
        assert!(!page.contains(&format!("\"{stand_in}")), "{stand_in} was not replaced");
    }
}

#[test]
fn the_sample_has_every_section_in_the_order_of_the_questions() {
    let page = render(&sample::suite()).unwrap();
    check_page(&page);
    let order = [
        "DO NOT SHIP",
        "id=\"gates\"",
        "id=\"belief\"",
        "id=\"percentiles\"",
        "id=\"timeline\"",
        "id=\"repeats\"",
        "id=\"payload\"",
        "id=\"load\"",
        "id=\"readers\"",
        "id=\"checksum\"",
        "id=\"models\"",
        "id=\"mutants\"",
        "id=\"faults\"",
        "id=\"crashes\"",
        "id=\"counters\"",
        "id=\"metrics\"",
        "id=\"worst\"",
        "id=\"appendix\"",
    ];
    let places: Vec<_> = order.iter().map(|part| page.find(part).unwrap()).collect();
    assert!(places.is_sorted(), "{places:?}");
    assert!(!page.contains("contradicts itself"), "the sample is sound");
    assert!(page.contains("fault: consumer 0 stopped"));
}

#[test]
fn the_page_of_one_result_is_always_the_same() {
    let suite = sample::suite();
    assert_eq!(render(&suite).unwrap(), render(&suite.clone()).unwrap());
}

#[test]
fn every_gate_has_its_row() {
    let suite = sample::many(100);
    let page = render(&suite).unwrap();
    check_page(&page);
    let gates: usize = suite.scenarios[0].cells.iter().map(|cell| cell.gates.len()).sum();
    assert_eq!(gates, 600);
    let (_, section) = page.split_once("id=\"gates\"").unwrap();
    let (section, _) = section.split_once("</section>").unwrap();
    assert_eq!(section.matches("<tr><th scope=\"row\"").count(), gates);
    for cell in &suite.scenarios[0].cells {
        assert!(section.contains(&cell.id), "{}", cell.id);
    }
}

#[test]
fn what_did_not_run_has_one_row_with_its_reason() {
    let mut suite = sample::suite();
    let cell = &mut suite.scenarios[0].cells[0];
    cell.trials.clear();
    for gate in &mut cell.gates {
        gate.verdict = Verdict::Inconclusive;
        "no trial ran: there is no library".clone_into(&mut gate.reason);
    }
    let page = render(&suite).unwrap();
    check_page(&page);
    let (_, section) = page.split_once("id=\"gates\"").unwrap();
    let (section, _) = section.split_once("</section>").unwrap();
    assert_eq!(section.matches("no trial ran: there is no library").count(), 1);
    assert!(section.contains(&format!("and {} more", cell_gates(&suite) - 1)));
}

/// Expectations of the first cell.
fn cell_gates(suite: &SuiteResult) -> usize {
    suite.scenarios[0].cells[0].gates.len()
}

#[test]
fn many_scenarios_are_all_named_and_the_page_stays_small() {
    let mut suite = sample::suite();
    let scenarios = suite.scenarios.clone();
    for round in 1..6 {
        suite.scenarios.extend(scenarios.iter().cloned().map(|mut scenario| {
            scenario.name = format!("{} {round}", scenario.name);
            scenario
        }));
    }
    let page = render(&suite).unwrap();
    check_page(&page);
    for scenario in suite.scenarios.iter().filter(|scenario| scenario.name.starts_with("open")) {
        assert!(page.contains(&format!("{}: latency by percentile", scenario.name)));
    }
    assert!(page.contains("Not drawn, so that the page stays small"));
    let (_, curves) = page.split_once("id=\"percentiles\"").unwrap();
    assert!(curves.find("<figure>") < curves.find("data only"), "drawings come first");
    let (_, worst) = page.split_once("id=\"timeline\"").unwrap();
    assert!(worst.find("<svg class=\"wide\"") < worst.find("Not drawn"), "the first is drawn");
}

#[test]
fn a_failed_gate_stands_first_with_its_line() {
    let page = render(&sample::suite()).unwrap();
    let failed = page.find("scenarios/latency/open.toml:42").unwrap();
    assert!(failed < page.find("implies: all passed").unwrap());
    assert!(page.contains("p99.9(latency) &#60;= 8 * calibration + 4us"));
}

#[test]
fn an_empty_run_says_that_nothing_ran_and_never_pass() {
    let mut suite = sample::empty();
    for verdict in [Verdict::Inconclusive, Verdict::Pass] {
        suite.verdict = verdict;
        let page = render(&suite).unwrap();
        check_page(&page);
        assert!(page.contains("<h1>NOTHING RAN</h1>"), "{verdict}");
        assert!(!page.contains("id=\"payload\"") && !page.contains("id=\"models\""));
        assert!(reports::markdown::render(&suite).starts_with("## NOTHING RAN"));
    }
}

/// Every text of a row of kills.
fn spoil(crash: &mut CrashResult, evil: &str) {
    let text = || evil.to_owned();
    (crash.victim, crash.site, crash.shape) = (text(), text(), text());
    (crash.unreached, crash.example) = (Some(text()), Some(text()));
}

#[test]
fn text_from_the_result_never_becomes_markup() {
    let evil = "</script><script>alert(1)</script><img src=x onerror=\"y\">'&";
    let mut suite = sample::suite();
    let text = || evil.to_owned();
    suite.suite = text();
    suite.profile = text();
    suite.commit = Some(text());
    suite.command = vec![text()];
    suite.notes = vec![text()];
    suite.host.cpu_model = Some(text());
    suite.host.notes = vec![text()];
    for scenario in &mut suite.scenarios {
        scenario.name = text();
        scenario.question = text();
        scenario.file = text();
        for cell in &mut scenario.cells {
            cell.id = text();
            cell.degraded = vec![text()];
            cell.dropped.reasons = vec![text()];
            cell.block.checksum = Some(text());
            cell.axes = cell
                .axes
                .iter()
                .map(|(name, value)| (format!("{name}{evil}"), format!("{value}{evil}")))
                .collect();
            for gate in &mut cell.gates {
                gate.check = text();
                gate.reason = text();
                gate.unit = text();
                gate.file = text();
            }
            for trial in &mut cell.trials {
                trial.mismatches = vec![text()];
                trial.metrics.insert(text(), 1);
                trial.roles[0].exit = text();
                for fault in &mut trial.faults {
                    fault.what = text();
                    fault.name = text();
                    fault.missed = Some(text());
                    fault.blocked = Some(text());
                }
            }
        }
    }
    suite.crashes.iter_mut().for_each(|crash| spoil(crash, evil));
    for model in &mut suite.models {
        model.scenario = text();
        model.replay = text();
        if let Some(example) = &mut model.counterexample {
            example.steps = vec![text()];
            example.english = text();
        }
    }
    let page = render(&suite).unwrap();
    assert!(
        !page.contains("<script") && !page.contains("<img") && !page.contains("</script"),
        "markup came through"
    );
    assert!(!page.contains("onerror=\""), "an attribute came through");
    let markdown = reports::markdown::render(&suite);
    let (prose, _) = markdown.split_once("```sh").unwrap();
    for line in prose.lines() {
        let outside: String = line.split('`').step_by(2).collect();
        assert!(!outside.contains('<'), "{line}");
    }
}

#[test]
fn a_violation_under_a_pass_is_shown_as_what_it_is() {
    let mut suite = sample::many(2);
    suite.scenarios[0].cells[1].trials[0].counts.torn = 1;
    let page = render(&suite).unwrap();
    assert!(page.contains("<h1>DO NOT SHIP</h1>") && page.contains("The file contradicts itself"));
    assert!(page.contains("class=\"n bad\">1<"), "the counter is marked");
}

#[test]
fn a_pass_without_trials_values_or_executions_is_inconclusive() {
    let mut without_trials = sample::many(1);
    let whole = without_trials.scenarios[0].cells[0].clone();
    without_trials.scenarios[0].cells.push(whole);
    without_trials.scenarios[0].cells[0].trials.clear();
    let mut moved = sample::many(1);
    for trial in &mut moved.scenarios[0].cells[0].trials {
        trial.calibration.class = Placement::Changed;
    }
    let mut without_value = sample::many(1);
    without_value.scenarios[0].cells[0].gates[0].value = None;
    let mut without_gates = sample::many(1);
    without_gates.scenarios[0].cells[0].gates.clear();
    let mut idle_model = sample::many(1);
    idle_model.models = sample::suite().models;
    idle_model.models[0].executions = 0;
    let mut blind_model = sample::many(1);
    blind_model.models = sample::suite().models;
    blind_model.models[2].counterexample = None;
    for suite in [without_trials, moved, without_value, without_gates, idle_model, blind_model] {
        assert_eq!(suite.verdict, Verdict::Pass);
        assert!(render(&suite).unwrap().contains("<h1>INCONCLUSIVE</h1>"));
    }
    assert!(render(&sample::many(1)).unwrap().contains("<h1>SHIP</h1>"));
}

#[test]
fn a_gate_worse_than_its_file_decides() {
    let mut suite = sample::many(3);
    suite.scenarios[0].cells[2].gates[0].verdict = Verdict::Broken;
    assert!(render(&suite).unwrap().contains("<h1>BROKEN RUN</h1>"));
}

#[test]
fn a_damaged_histogram_is_named_and_the_rest_is_shown() {
    let mut suite = sample::many(2);
    for trial in &mut suite.scenarios[0].cells[0].trials {
        trial.roles[0].latency.as_mut().unwrap().histogram = "broken!".to_owned();
    }
    let page = render(&suite).unwrap();
    check_page(&page);
    assert!(
        page.contains("the histogram of many/slots=0,payload-size=64B, producer: it is not base64")
    );
    assert!(page.contains("many: latency by percentile"));
}

#[test]
fn extreme_figures_are_drawn_without_panic() {
    let mut suite = sample::suite();
    for cell in suite.scenarios.iter_mut().flat_map(|scenario| &mut scenario.cells) {
        cell.block.payload_bytes = u64::MAX;
        cell.offered_rate_hz = Some(f64::INFINITY);
        for trial in &mut cell.trials {
            trial.started_ms = u64::MAX;
            trial.duration_ms = u64::MAX;
            trial.counts.torn = u64::MAX;
            trial.calibration.before_ns = Some(0);
            for role in &mut trial.roles {
                role.throughput_msgs_per_s = f64::NAN;
                if let Some(latency) = &mut role.latency {
                    latency.p50_ns = 0;
                    for interval in &mut latency.intervals {
                        interval.start_ms = u64::MAX;
                        interval.n = u64::MAX;
                        interval.buckets = vec![(u64::MAX, u64::MAX), (0, u64::MAX)];
                    }
                }
            }
        }
    }
    check_page(&render(&suite).unwrap());
    assert!(reports::markdown::render(&suite).starts_with("## DO NOT SHIP"));
}

#[test]
fn counterexamples_are_numbered_steps_with_the_command_that_repeats_them() {
    let page = render(&sample::suite()).unwrap();
    let (_, models) = page.split_once("id=\"models\"").unwrap();
    assert_eq!(models.matches("<details class=\"example\" id=\"example-").count(), 2);
    assert!(models.contains("<ol><li>producer: W_ACQUIRE slot 1 := WRITING</li>"));
    assert!(models.contains("harness model label-and-payload --engine explore"));
    let mut suite = sample::suite();
    let mut unwanted = suite.models[2].clone();
    (unwanted.expected_failure, unwanted.verdict) = (false, Verdict::Correctness);
    suite.models.push(unwanted);
    let page = render(&suite).unwrap();
    check_page(&page);
    assert_eq!(page.matches("<b>COUNTEREXAMPLE: ").count(), 1);
    assert_eq!(page.matches(" open=\"open\">").count(), 2, "it and the fold around it");
}

#[test]
fn a_planted_defect_is_shown_with_who_noticed_it_and_one_that_nobody_noticed_too() {
    let mut suite = sample::suite();
    let mut found = suite.models[2].clone();
    found.kind = ModelKind::PlantedDefect;
    found.memory = "planted skip-drain".to_owned();
    (found.executions, found.executions_before) = (4_711, 90_000);
    let mut missed = found.clone();
    missed.memory = "planted drop-label".to_owned();
    (missed.counterexample, missed.verdict) = (None, Verdict::Correctness);
    suite.models.extend([found, missed]);
    let page = render(&suite).unwrap();
    check_page(&page);
    let (_, models) = page.split_once("id=\"models\"").unwrap();
    let before = "Counts are executions of the model that is named";
    for shown in ["explore", "skip-drain", "nobody noticed", "1 of 2 noticed", before] {
        assert!(models.contains(shown), "{shown}");
    }
    let summary = reports::markdown::render(&suite);
    assert!(summary.contains("### Planted defects"), "{summary}");
    assert!(
        summary.contains("| skip-drain | label-and-payload | explore 4\u{202f}711 |"),
        "{summary}"
    );
    assert!(summary.contains("| drop-label | label-and-payload | nobody |"), "{summary}");
}

#[test]
fn the_golden_result_of_the_format_can_be_shown() {
    let suite = SuiteResult::from_json(GOLDEN).unwrap();
    let page = render(&suite).unwrap();
    check_page(&page);
    assert!(!page.contains("the histogram of"), "its histogram is read");
    assert!(
        reports::markdown::render(&suite).contains("| ping-pong/payload-size=64B | 4 | (65 ns) |")
    );
}

#[test]
fn other_transports_are_held_against_ours_and_a_bend_in_the_load_is_marked() {
    let mut suite = sample::suite();
    let open = &mut suite.scenarios[3];
    let mut pipe = open.cells[0].clone();
    for (cell, transport) in [(&mut open.cells[0], "datahub"), (&mut pipe, "pipe")] {
        cell.axes.insert("block.transport".to_owned(), transport.to_owned());
        cell.transport = Some(report_schema::TransportFacts {
            name: transport.to_owned(),
            boundary: report_schema::Boundary::Processes,
            lossless: true,
            copies: (transport == "pipe").then_some(2),
            consumers_max: 1,
            holds: "the kernel's buffer".to_owned(),
            death: "nobody is told".to_owned(),
        });
    }
    pipe.id = "open/rate=10kHz,transport=pipe".to_owned();
    open.cells.push(pipe);
    let page = render(&suite).unwrap();
    check_page(&page);
    let (_, peers) = page.split_once("id=\"peers\"").unwrap();
    let (peers, _) = peers.split_once("</section>").unwrap();
    assert!(peers.contains("<td>pipe</td>") && peers.contains("1.00 ×"), "{peers}");
    for promise in ["processes", "delivered, in order", "not known", "nobody is told"] {
        assert!(peers.contains(promise), "{promise} in {peers}");
    }
    assert!(page.contains("knee: p99 is three times as long from 1 M/s on"));
    assert!(!render(&sample::suite()).unwrap().contains("id=\"peers\""), "there is one only");
}

#[test]
fn evidence_shows_effect_interval_p_and_every_repeat() {
    let golden = include_str!("../schema/tests/golden/comparison-1.json");
    let suite = SuiteResult::from_json(golden).unwrap();
    let page = render(&suite).unwrap();
    check_page(&page);
    let cells = suite.scenarios.iter().flat_map(|scenario| &scenario.cells);
    let evidence = cells.flat_map(|cell| &cell.gates).find_map(|gate| gate.evidence.as_ref());
    let evidence = evidence.unwrap();
    let (_, gates) = page.split_once("id=\"gates\"").unwrap();
    for shown in [
        format!("{:.3}", evidence.ratio),
        format!("{:.4}", evidence.p_value),
        format!("n = {} repeats", evidence.repeats.len()),
    ] {
        assert!(gates.contains(&shown), "{shown}");
    }
    let (_, compared) = page.split_once("id=\"comparisons\"").unwrap();
    assert!(compared.contains(suite.comparisons[0].cells[0].change.as_str()));
    assert!(compared.contains("Comparisons that erred"), "{compared}");
}

#[test]
fn a_search_without_an_answer_says_so_whatever_held() {
    let mut suite = sample::suite();
    suite.scenarios[0].cells[0].trials[0].search = Some(Search {
        bound: "p99(latency) <= 50 us".to_owned(),
        sustained_hz: Some(1e5),
        refused_hz: None,
        undecided: Some("the cores moved between near and far".to_owned()),
        steps: vec![],
    });
    let page = render(&suite).unwrap();
    let told =
        "without an answer for p99(latency) &#60;= 50 us: the cores moved between near and far.";
    assert!(page.contains(told), "{page}");
    assert!(!page.contains("the highest rate tried"), "{page}");
}

#[test]
fn a_search_a_late_joiner_and_an_unsteady_warm_up_are_shown_with_what_is_wrong() {
    let mut suite = sample::suite();
    let trial = &mut suite.scenarios[0].cells[0].trials[0];
    let step = |rate_hz: f64, p99_ns: u64, why: Option<&str>| SearchStep {
        rate_hz,
        committed_hz: rate_hz,
        p50_ns: Some(100),
        p99_ns: Some(p99_ns),
        held: why.is_none(),
        why: why.map(str::to_owned),
        class: Some(Placement::Far),
    };
    trial.search = Some(Search {
        bound: "p99(latency) <= 50 us".to_owned(),
        sustained_hz: Some(1e5),
        refused_hz: Some(2e5),
        undecided: None,
        steps: vec![step(1e5, 400, None), step(2e5, 90_000, Some("p99 is <90> us"))],
    });
    trial.visits = vec![Visit {
        consumer: 1,
        joined_ms: 200,
        left_ms: None,
        first: Some(7),
        next: 900,
        promised_first: (3, 5),
    }];
    trial.warmup = Some(WarmUp {
        ms: 1_500,
        steady: false,
        change: Some(0.25),
        change_max: 0.01,
        interval_ms: 50,
        intervals_ns: vec![100],
    });
    let page = render(&suite).unwrap();
    check_page(&page);
    assert!(page.contains("100 k/s kept p99(latency) &#60;= 50 us, 200 k/s did not."), "{page}");
    assert!(page.contains("100 k/s is the highest that held"), "{page}");
    assert!(page.contains("<td>far</td><td>no</td>"), "where the cores were: {page}");
    assert!(page.contains("p99 is &#60;90&#62; us"), "{page}");
    assert!(page.contains("3 to 5") && page.contains("<td class=\"n bad\">7</td>"), "{page}");
    assert!(page.contains("1 trial never became steady") && page.contains("25.0 %"), "{page}");
}
