//! `harness doctor`: whether this machine can be believed, and what would make it better.

use std::path::Path;

use serde_json::{Value, json};

use super::{Exit, Output};
use crate::host::Host;
use crate::host::health::{Finding, Grade, Pair, examine, verdict};
use crate::host::signs::Signs;
use crate::run::{lacks_c, measure_pairs};
use crate::table;
use crate::units::Bytes;

/// Arguments of `doctor`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  harness doctor
      Cores, frequency, clock, steal and limits: what is bad, and what to do about it.
  harness doctor --strict && harness run scenarios --profile full
      Measures only where figures are to be believed.

Exit codes: 0 told, 2 usage, 5 with --strict where figures are not to be believed.")]
pub(super) struct Args {
    /// Prints JSON.
    #[arg(long)]
    json: bool,
    /// Ends with 5 where figures of this machine are not to be believed; without it the verdict is
    /// only told.
    #[arg(long)]
    strict: bool,
}

pub(super) fn execute(args: &Args, output: &mut Output) -> Exit {
    let host = Host::read();
    // The load is read before the measurement adds to it.
    let signs = Signs::read(Path::new("/"), &host.cores);
    let pairs = match measure_pairs(&host.cores) {
        Ok(pairs) => pairs,
        Err(error) => {
            output.error(&format!("the cache line cannot be measured: {error}"));
            vec![]
        }
    };
    let mut findings = examine(&host, &signs, &pairs);
    findings.push(roles_in_c());
    if args.json {
        output.json(&as_json(&host, &findings, &pairs));
    } else {
        output.result(&as_text(&host, &findings, output.width()));
    }
    match verdict(&findings) {
        (Grade::Bad, _) if args.strict => Exit::Inconclusive,
        _ => Exit::Pass,
    }
}

/// Whether scenarios with roles in C can run here; says nothing of figures.
fn roles_in_c() -> Finding {
    let missing = lacks_c();
    let (value, grade) = match missing {
        None => ("compiler and library are there", Grade::Good),
        Some(_) => ("cannot run", Grade::Neutral),
    };
    Finding { name: "roles in C", value: value.to_owned(), grade, advice: missing }
}

fn as_json(host: &Host, findings: &[Finding], pairs: &[Pair]) -> Value {
    let (grade, said) = verdict(findings);
    let finding = |finding: &Finding| {
        json!({
            "name": finding.name,
            "value": finding.value,
            "grade": finding.grade.word(),
            "advice": finding.advice,
        })
    };
    let pair = |pair: &Pair| {
        let classes: Vec<&str> = pair.classes.iter().map(|class| class.as_str()).collect();
        json!({
            "cores": [pair.cores.0, pair.cores.1],
            "one_way_ns": pair.one_way_ns,
            "pinned": pair.pinned,
            "classes": classes,
        })
    };
    json!({
        "grade": grade.word(),
        "verdict": said,
        "findings": findings.iter().map(finding).collect::<Vec<_>>(),
        "pairs": pairs.iter().map(pair).collect::<Vec<_>>(),
        "cores": host.cores,
        "host": host.report(),
    })
}

fn as_text(host: &Host, findings: &[Finding], width: usize) -> String {
    let facts = &host.facts;
    let unknown = || "unknown".to_owned();
    let memory = facts.memory_bytes.map_or_else(unknown, |bytes| Bytes(bytes).rough());
    let known = [
        ("processor", facts.cpu_model.clone().unwrap_or_else(unknown)),
        ("kernel", facts.kernel.clone().unwrap_or_else(unknown)),
        ("memory", memory),
    ];
    let mut text = String::new();
    for (name, value) in known {
        let first = format!("         {name:<15} ");
        text.push_str(&table::paragraph(&value, [&first, &" ".repeat(25)], width));
    }
    for finding in findings {
        let word = if finding.grade == Grade::Neutral { "" } else { finding.grade.word() };
        let first = format!("{word:<8} {:<15} ", finding.name);
        let indents = [first, " ".repeat(25)];
        let indents = indents.each_ref().map(String::as_str);
        text.push_str(&table::paragraph(&finding.value, indents, width));
        if let Some(advice) = &finding.advice {
            let indents = [format!("{:24} → ", ""), " ".repeat(27)];
            text.push_str(&table::paragraph(advice, indents.each_ref().map(String::as_str), width));
        }
    }
    for note in &facts.notes {
        let indents = ["         not known       ", "                         "];
        text.push_str(&table::paragraph(note, indents, width));
    }
    let (grade, said) = verdict(findings);
    text.push_str(&table::paragraph(&format!("{}: {said}", grade.word()), ["", "  "], width));
    text
}
