//! `harness doctor`: this machine, and what would make its figures better.

use std::fmt::Write as _;

use serde_json::json;

use super::{Exit, Output};
use crate::host::Host;
use crate::units::Bytes;

/// Arguments of `doctor`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(args: &Args, output: &mut Output) -> Exit {
    let host = Host::read();
    if args.json {
        output.json(&json!({
            "cores": host.cores,
            "host": host.report(),
            "advice": host.advice,
        }));
    } else {
        output.result(&as_text(&host));
    }
    Exit::Pass
}

fn as_text(host: &Host) -> String {
    let facts = &host.facts;
    let unknown = || "unknown".to_owned();
    let named = |text: &Option<String>| text.clone().unwrap_or_else(unknown);
    let size = |bytes: Option<u64>| bytes.map_or_else(unknown, |bytes| Bytes(bytes).rough());
    let time = |ns: Option<u64>| ns.map_or_else(unknown, |ns| format!("{ns} ns"));
    let cores: Vec<String> = host.cores.iter().map(usize::to_string).collect();
    let lines = [
        ("processor", named(&facts.cpu_model)),
        ("cores", format!("{} ({})", host.cores.len(), cores.join(", "))),
        ("kernel", named(&facts.kernel)),
        ("virtual", facts.virtualised.clone().unwrap_or_else(|| "no".to_owned())),
        ("governor", named(&facts.governor)),
        ("clock source", named(&facts.clock_source)),
        ("clock step", time(facts.clock_quantum_ns)),
        ("clock cost", time(facts.clock_cost_ns)),
        ("memory", size(facts.memory_bytes)),
        ("/dev/shm free", size(facts.shm_free_bytes)),
    ];
    let mut text = String::new();
    // A String takes every write.
    for (name, value) in lines {
        let _written = writeln!(text, "{name:<14} {value}");
    }
    let lists = [
        ("mitigations", &facts.mitigations),
        ("not known", &facts.notes),
        ("to improve", &host.advice),
    ];
    for (name, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
        let _written = writeln!(text, "{name}:");
        for line in list {
            let _written = writeln!(text, "  - {line}");
        }
    }
    text
}
