//! A build that lacks an engine is found out: `ci/subset` makes one and has it judged here.

use models::{Engine, Options, gate};
use report_schema::Verdict;

/// Names the worker of a build without loom.
const WORKER: &str = "MODELS_WORKER_WITHOUT_LOOM";

#[test]
#[ignore = "ci/subset builds the worker that it needs"]
fn a_gate_over_a_build_without_an_engine_is_broken_where_that_engine_is_asked() {
    let worker = std::env::var_os(WORKER).expect("ci/subset says where the worker is");
    let filter = Some("zone/word".to_owned());
    let found = gate(&Options { filter, ..Options::new(worker.into()) }, &mut |_, _| ());
    for engine in Engine::ALL {
        let mut own = found.results.iter().filter(|result| result.engine == engine.name());
        let first = own.next().expect("every engine is asked");
        if engine == Engine::Loom {
            assert_eq!((first.verdict, first.executions), (Verdict::Broken, 0));
            let message = &first.counterexample.as_ref().unwrap().message;
            assert_eq!(message, "the engine `loom` is not compiled in");
        } else {
            assert_eq!(first.verdict, Verdict::Pass, "{engine}");
        }
    }
    let worst = Verdict::worst(found.results.iter().map(|result| result.verdict));
    assert_eq!(worst, Some(Verdict::Broken));
}
