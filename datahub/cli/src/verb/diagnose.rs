//! `datahub diagnose`: what is wrong, why it matters, what to do.

use datahub::monitor::health::{Severity, Thresholds, examine, worst};
use datahub::wait::monotonic_ns;
use serde_json::json;

use super::{Context, pass, show};
use crate::args::Diagnose;
use crate::exit::Exit;
use crate::output::{self, Failure};
use crate::{find, json, units};

pub(super) fn execute(context: &Context, args: &Diagnose) -> Result<Exit, Failure> {
    let monitor = find::one(&context.folder, &args.name)?;
    let earlier = monitor.snapshot(monotonic_ns());
    pass(args.over);
    let now = monitor.snapshot(monotonic_ns());
    let findings = examine(&now, Some(&earlier), Thresholds::default());
    if context.json {
        let findings: Vec<_> = findings.iter().map(json::finding).collect();
        output::json(&json!({ "name": args.name.as_str(), "findings": findings }))?;
    } else if findings.is_empty() {
        let consumers = units::plural(now.consumers.len(), "consumer");
        let commits = units::count(now.commit_index);
        let text = format!("block '{}' is healthy: {consumers}, {commits} commits", args.name);
        output::result(&show::all_well(&text))?;
    } else {
        output::result(&show::findings(&findings))?;
    }
    let wrong = worst(&findings).is_some_and(|severity| severity > Severity::Info);
    Ok(if wrong { Exit::Findings } else { Exit::Fine })
}
