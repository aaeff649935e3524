//! Models of the sample: two that hold, two that must fail and do.

use report_schema::{Counterexample, Coverage, ModelKind, ModelResult, Verdict};

pub(crate) fn sample() -> Vec<ModelResult> {
    let model = |engine: &str, kind, scenario: &str, memory: &str| ModelResult {
        engine: engine.to_owned(),
        engine_version: if engine == "loom" { "0.7.3" } else { "0.1.0" }.to_owned(),
        kind,
        scenario: scenario.to_owned(),
        memory: memory.to_owned(),
        verdict: Verdict::Pass,
        coverage: Coverage::Complete,
        executions: 18_240,
        executions_before: 0,
        blocked: 312,
        outcomes: vec!["both read 1".to_owned(), "one read 0".to_owned()],
        elapsed_ms: 1_840,
        expected_failure: false,
        counterexample: None,
        replay: format!("harness model {scenario} --engine {engine} --memory '{memory}'"),
    };
    let found = Counterexample {
        message: "label 3 holds payload 1".to_owned(),
        english: "The reader was admitted to slot 1 while the writer had already come round once."
            .to_owned(),
        steps: [
            "producer: W_ACQUIRE slot 1 := WRITING",
            "consumer: R_LOOK commit_index = 3",
            "producer: W_COMMIT slot 1 := COMMITTED, sequence 3",
            "consumer: R_ADMIT slot 1, reader_count 0 -> 1",
            "consumer: read payload = 1",
        ]
        .map(str::to_owned)
        .to_vec(),
    };
    vec![
        model("loom", ModelKind::Protocol, "two-readers-lapped", "shipped"),
        ModelResult {
            coverage: Coverage::Sampled { schedules: 100_000, seed: 7 },
            executions: 100_000,
            ..model("shuttle", ModelKind::Protocol, "two-readers-lapped", "shipped")
        },
        ModelResult {
            expected_failure: true,
            counterexample: Some(found.clone()),
            coverage: Coverage::Bounded { bound: "3 preemptions".to_owned() },
            ..model("explore", ModelKind::PublishedFlaw, "label-and-payload", "published F4")
        },
        ModelResult {
            expected_failure: true,
            counterexample: Some(found),
            ..model("explore", ModelKind::Mutant, "label-and-payload", "mutant W_COMMIT -> Relaxed")
        },
    ]
}
