//! Facts about scenario files: what is read, what is refused, what ships.

use harness::scenario::{Scenario, ScenarioError, parse};

/// A small right scenario; tests change a line and see what happens.
const RIGHT: &str = r#"# Is this right?
schema   = 1
name     = "right"
question = "Is this right?"

[block]
policy        = "ring-buffer"
slots         = 8
payload-size  = "4 KiB"
consumer-sync = "sequential-sync"

[[consumer]]
name = "reader"

[workload.stream]

[run]
duration = "1 s"
"#;

/// The right scenario with one text replaced by another.
fn changed(from: &str, to: &str) -> Result<Scenario, ScenarioError> {
    assert!(RIGHT.contains(from), "`{from}` is not in the scenario");
    parse("t.toml", &RIGHT.replacen(from, to, 1), &[])
}

/// The right scenario with more at its end.
fn with(more: &str) -> Result<Scenario, ScenarioError> {
    parse("t.toml", &format!("{RIGHT}{more}"), &[])
}

/// `code line:column` of every problem.
fn problems(result: Result<Scenario, ScenarioError>) -> Vec<String> {
    let problems = result.err().map(|error| error.problems).unwrap_or_default();
    let short = |code: &str| code.trim_start_matches("scenario::").to_owned();
    problems.iter().map(|p| format!("{} {}:{}", short(p.code), p.line, p.column)).collect()
}

/// The help of the only problem.
fn help(result: Result<Scenario, ScenarioError>) -> String {
    let error = result.expect_err("this is refused");
    assert_eq!(error.problems.len(), 1, "{}", error.render(false, 100));
    error.problems[0].help.clone()
}

#[cfg(test)]
mod scenario {
    mod cli;
    mod contradictions;
    mod drift;
    mod faults;
    mod files;
    mod kills;
    mod matrix;
    mod mistakes;
    mod only;
    mod random;
    mod schema;
    mod silent;
    mod transports;
    mod zones;
}
