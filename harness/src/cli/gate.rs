//! `harness gate`: the expectations of a stored result, judged again; nothing runs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use report_schema::{CellResult, GateResult, SuiteResult, Verdict};

use super::{Exit, Output, baseline, comparison, run, stored, unchecked};
use crate::baseline::{BaselineError, FOLDER, Store};
use crate::compare::differences;
use crate::scenario::{self, Cell, Profile, Scenario};
use crate::verdict::{Against, Evidence, judge, mark};

/// Arguments of `gate`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
With --baseline, checks that name `baseline` are judged by it; where a cell has none, its usual figures
(latency p50 and p99, or the rate) are compared as by `harness compare`, so that no such run passes
without having been held against the baseline.

Examples:
  harness gate
  harness gate --baseline main
  harness gate out/latest --set block.slots=32 --json

Exit codes: 0 all holds, 1 correctness, 2 there is no such result, baseline or scenario, 3 performance,
4 the result holds no scenario, 5 inconclusive, 6 broken, 7 a file could not be read.")]
pub(super) struct Args {
    /// A result document, or the folder of a run.
    #[arg(value_name = "RESULT", default_value = "out/latest")]
    result: PathBuf,
    #[command(flatten)]
    against: AgainstArgs,
    /// Sets a key, as the run did; where it differs from what the run set, the result says so;
    /// repeatable.
    #[arg(long, value_name = "KEY=VALUE", help_heading = "Selection")]
    set: Vec<String>,
    /// Exits with 0 where the verdict is inconclusive.
    #[arg(long, help_heading = "Judging")]
    allow_inconclusive: bool,
    /// Prints the result document with the new judgement.
    #[arg(long, help_heading = "Output")]
    json: bool,
}

/// The stored run that checks with `baseline` compare with.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct AgainstArgs {
    /// The stored run that checks with `baseline` compare with; see `harness baseline`.
    #[arg(long, value_name = "NAME", help_heading = "Judging")]
    pub baseline: Option<String>,
    /// Where baselines are kept.
    #[arg(long, value_name = "DIR", default_value = FOLDER, help_heading = "Judging")]
    pub baselines: PathBuf,
}

impl AgainstArgs {
    /// The stored run, if one was named.
    ///
    /// # Errors
    ///
    /// [`BaselineError`].
    pub(super) fn load(&self) -> Result<Option<SuiteResult>, BaselineError> {
        let store = Store::new(&self.baselines);
        self.baseline.as_deref().map(|name| store.load(name)).transpose()
    }

    /// The stored run beside one that was made on `host`, of which so many figures are held against it
    /// in all its shards.
    pub(super) fn beside<'a>(
        &'a self,
        stored: Option<&'a SuiteResult>,
        host: &report_schema::Host,
        gates: usize,
    ) -> Option<Against<'a>> {
        Some(Against {
            name: self.baseline.as_deref()?,
            result: stored?,
            obstacle: differences(&stored?.host, host),
            gates,
        })
    }
}

pub(super) fn execute(args: &Args, output: &mut Output) -> Exit {
    let mut result = match stored::read(&args.result) {
        Ok(result) => result,
        Err(error) => {
            return stored::refused(&error, output);
        }
    };
    let against = match args.against.load() {
        Ok(against) => against,
        Err(error) => return baseline::refused(&error, output),
    };
    let scenarios = match scenarios(args, &result, output) {
        Ok(scenarios) => scenarios,
        Err(exit) => return exit,
    };
    if let Err(why) = judged_again(args, &mut result, against.as_ref(), &scenarios) {
        output.error(&why);
        return Exit::Usage;
    }
    if let Some(note) = differently_set(&args.set, &result.command) {
        output.note(&note);
        result.notes.push(note);
    }
    show(args, &result, output)
}

/// What is set here and was not set in the run, or the other way round: then what is judged is not
/// quite what ran.
fn differently_set(here: &[String], command: &[String]) -> Option<String> {
    let ran = settings(command);
    let here: BTreeMap<&str, &str> = here.iter().map(|set| parted(set)).collect();
    if ran == here {
        return None;
    }
    let shown = |sets: &BTreeMap<&str, &str>| match sets.len() {
        0 => "no --set".to_owned(),
        _ => sets
            .iter()
            .map(|(key, value)| format!("--set {key}={value}"))
            .collect::<Vec<_>>()
            .join(" "),
    };
    Some(format!(
        "the run was made with {}, and is judged with {}: bounds and cells are those of this judgement, \
         figures those of the run",
        shown(&ran),
        shown(&here)
    ))
}

/// What a command line sets; the last one of a key counts.
fn settings(command: &[String]) -> BTreeMap<&str, &str> {
    let before = std::iter::once("").chain(command.iter().map(String::as_str));
    let sets = before.zip(command).filter_map(|(before, word)| match before {
        "--set" => Some(word.as_str()),
        _ => word.strip_prefix("--set="),
    });
    sets.map(parted).collect()
}

fn parted(set: &str) -> (&str, &str) {
    let (key, value) = set.split_once('=').unwrap_or((set, ""));
    (key.trim(), value.trim())
}

/// The scenarios of the result's cells, by file.
fn scenarios(
    args: &Args,
    result: &SuiteResult,
    output: &mut Output,
) -> Result<BTreeMap<String, Scenario>, Exit> {
    let mut scenarios = BTreeMap::new();
    for part in &result.scenarios {
        match scenario::load(Path::new(&part.file), &args.set) {
            Ok(scenario) => scenarios.insert(part.file.clone(), scenario),
            Err(error) => {
                output.note(&error.render(output.colour(), output.width()));
                output
                    .error("a result is judged by its scenario files, from where they were named");
                return Err(Exit::Usage);
            }
        };
    }
    if scenarios.is_empty() {
        output.error("this result has no scenario to judge");
        return Err(Exit::NothingRan);
    }
    Ok(scenarios)
}

fn judged_again(
    args: &Args,
    result: &mut SuiteResult,
    against: Option<&SuiteResult>,
    scenarios: &BTreeMap<String, Scenario>,
) -> Result<(), String> {
    let profile = Profile::ALL.into_iter().find(|profile| profile.name() == result.profile);
    let profile = profile.ok_or_else(|| format!("there is no profile `{}`", result.profile))?;
    let cells: Vec<&Cell> =
        scenarios.values().flat_map(|scenario| scenario.cells(profile)).collect();
    let ran: Vec<&Cell> = result
        .scenarios
        .iter()
        .flat_map(|part| &part.cells)
        .map(|part| cells.iter().copied().find(|cell| cell.id == part.id).ok_or(&part.id))
        .collect::<Result<_, _>>()
        .map_err(|id| format!("no scenario has the cell {id} any more; was a key --set?"))?;
    // What a shard asked of the baseline, all shards share with it.
    let shared = result.shard.as_ref().and_then(|shard| shard.against).unwrap_or(0);
    let gates = unchecked::questions(&ran).max(shared as usize);
    let against = args.against.beside(against, &result.host, gates);
    let quantum = result.host.clock_quantum_ns;
    // A run that broke off was broken whatever its trials say.
    let broke_off = result.verdict == Verdict::Broken && result.worst_part() != Verdict::Broken;
    let all = ran.clone();
    let mut ran = ran.into_iter();
    for part in &mut result.scenarios {
        for (stored, cell) in part.cells.iter_mut().zip(&mut ran) {
            mark(cell, &mut stored.trials);
            let judgement = judge(&Evidence {
                file: &part.file,
                cell,
                trials: &stored.trials,
                clock_quantum_ns: quantum,
                against: against.as_ref(),
            });
            let gates = judgement.gates.into_iter().map(|gate| no_better(gate, stored)).collect();
            stored.gates = gates;
            let worst = Verdict::worst(stored.gates.iter().map(|gate| gate.verdict));
            stored.verdict = worst.unwrap_or(Verdict::Inconclusive);
        }
        let worst = Verdict::worst(part.cells.iter().map(|cell| cell.verdict));
        part.verdict = worst.unwrap_or(Verdict::Inconclusive);
    }
    result.comparisons.clear();
    result.verdict = result.worst_part();
    if broke_off {
        result.verdict = result.verdict.max(Verdict::Broken);
    }
    if let Some(against) = &against {
        unchecked::compare_rest(against, result, &all);
    }
    result.exit_code = result.verdict.exit_code();
    Ok(())
}

/// A rule of every scenario keeps what the run itself said, if that was worse: older documents do
/// not hold what broke a trial.
fn no_better(gate: GateResult, stored: &CellResult) -> GateResult {
    let before = stored.gates.iter().find(|other| other.line.is_none() && other.id == gate.id);
    before.filter(|before| before.verdict > gate.verdict).cloned().unwrap_or(gate)
}

fn show(args: &Args, result: &SuiteResult, output: &mut Output) -> Exit {
    let exit = match result.verdict {
        Verdict::Inconclusive if args.allow_inconclusive => Exit::Pass,
        verdict => verdict.into(),
    };
    if args.json {
        match result.to_json() {
            Ok(json) => output.result(&json),
            Err(error) => output.error(&format!("the result cannot be written: {error}")),
        }
        return exit;
    }
    for cell in result.scenarios.iter().flat_map(|scenario| &scenario.cells) {
        for gate in cell.gates.iter().filter(|gate| gate.line.is_some()) {
            let (id, verdict, line) = (&cell.id, gate.verdict, gate.line.unwrap_or(0));
            output.result(&format!("{verdict:<12} {}:{line} {id}: {}\n", gate.file, gate.check));
        }
    }
    output.result(&result.comparisons.iter().map(comparison::text).collect::<String>());
    output.result(&run::show::findings(result));
    output.result(&format!("{}\n", run::show::last_line(result, exit)));
    exit
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(here: &[&str], command: &[&str]) -> Option<String> {
        let owned =
            |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        differently_set(&owned(here), &owned(command))
    }

    #[test]
    fn a_run_judged_as_it_was_made_needs_no_note() {
        assert_eq!(note(&[], &["harness", "run", "a.toml"]), None);
        let command = ["harness", "run", "--set", "a.b=1", "--set=c=2", "x", "--set", "c=3"];
        assert_eq!(note(&["c=3", "a.b = 1"], &command), None);
    }

    #[test]
    fn what_differs_is_told_on_both_sides() {
        let told = note(&["a=2"], &["harness", "run", "--set", "a=1", "--set=b=1"]).unwrap();
        assert!(
            told.contains("made with --set a=1 --set b=1, and is judged with --set a=2:"),
            "{told}"
        );
        let told = note(&[], &["harness", "run", "--set", "a=1"]).unwrap();
        assert!(told.contains("judged with no --set"), "{told}");
        let told = note(&["a=1"], &["harness", "run"]).unwrap();
        assert!(told.contains("made with no --set"), "{told}");
    }
}
