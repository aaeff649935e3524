//! `harness crash`: kills real processes at every site of the protocol.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use report_schema::{CrashResult, INTERRUPTED_NOTE, SCHEMA_VERSION, SuiteResult, Verdict};
use reports::format;

use super::output::coloured;
use super::sinks::{Sinks, Told};
use super::{Exit, Output, made};
use crate::crash::{self, Job, Neglect, Outcome, Watch};
use crate::host::Host;
use crate::scenario::Profile;
use crate::table;

/// Arguments of `crash`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How much is killed.
    #[arg(long, value_enum, default_value_t, help_heading = "Selection")]
    profile: Profile,
    /// Only victims, sites and shapes whose name contains this, as in `writer/W_COMMIT`.
    #[arg(long, value_name = "TEXT", help_heading = "Selection")]
    only: Option<String>,
    /// Kills for each victim, site and shape, instead of the profile's.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000),
        help_heading = "Selection")]
    kills: Option<u64>,
    /// All randomness comes from it.
    #[arg(long, value_name = "N", default_value_t = 1, help_heading = "Execution")]
    seed: u64,
    #[command(flatten)]
    sinks: Sinks,
    /// Lets the survivors misbehave on purpose: the run must then be found guilty.
    #[arg(long, value_enum, value_name = "DEFECT", help_heading = "Testing")]
    plant: Option<Neglect>,
}

pub(super) fn execute(args: &Args, output: &mut Output) -> Exit {
    if let Err(exit) = args.sinks.prove(output) {
        return exit;
    }
    let mut job = Job::of(args.profile, args.seed);
    job.kills = args.kills.unwrap_or(job.kills);
    job.only.clone_from(&args.only);
    job.plant = args.plant;
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let started = Instant::now();
    let outcome = match crash::run(&job, &mut Show) {
        Ok(outcome) => outcome,
        Err(error) => {
            output.error(&format!("no process can be started: {error}"));
            return Exit::Broken;
        }
    };
    let (verdict, exit) = judged(&outcome);
    let result = SuiteResult {
        schema_version: SCHEMA_VERSION,
        suite: "crash".to_owned(),
        profile: args.profile.name().to_owned(),
        started_unix_ms: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
        wall_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        commit: made::commit(),
        command: made::words(),
        seed: args.seed,
        host: Host::read().report(),
        verdict,
        exit_code: exit.code(),
        scenarios: vec![],
        models: vec![],
        crashes: outcome.rows,
        comparisons: vec![],
        shard: None,
        made: Some(made::made(&[], None)),
        parts: vec![],
        planted: args.plant.map(|plant| plant.to_string()),
        interrupted: outcome.interrupted,
        notes: notes(args, outcome.interrupted, outcome.broken.as_deref()),
    };
    let told = |page: &Path| Told {
        body: table(&result) + &findings(&result),
        last: format!("{}; see {}", said(&result, exit), page.display()),
    };
    args.sinks.deliver((&result, exit), true, told, output)
}

/// The worst of all rows; no row at all is never a pass.
fn judged(outcome: &Outcome) -> (Verdict, Exit) {
    let rows = Verdict::worst(outcome.rows.iter().map(|row| row.verdict));
    let broken = outcome.broken.as_ref().map(|_| Verdict::Broken);
    let cut = outcome.interrupted.then_some(Verdict::Inconclusive);
    let all = rows.into_iter().chain(broken).chain(cut);
    let verdict = Verdict::worst(all).unwrap_or(Verdict::Inconclusive);
    let killed = outcome.rows.iter().any(|row| row.kills > 0);
    let exit = match verdict {
        _ if outcome.interrupted => Exit::Interrupted,
        Verdict::Pass | Verdict::Inconclusive if !killed => Exit::NothingRan,
        verdict => verdict.into(),
    };
    (verdict, exit)
}

fn notes(args: &Args, interrupted: bool, broken: Option<&str>) -> Vec<String> {
    let mut notes = vec![];
    if interrupted {
        notes.push(INTERRUPTED_NOTE.to_owned());
    }
    if let Some(why) = broken {
        notes.push(format!("The run broke: {why}."));
    }
    if let Some(plant) = args.plant {
        notes.push(format!("The defect {plant} was planted: this run must be found guilty."));
    }
    notes
}

/// One row for each kind of victim and shape of block.
pub(super) fn table(result: &SuiteResult) -> String {
    let mut table =
        table::with_header(["victim", "block", "sites", "kills", "violations", "blocked, max"]);
    let mut sums: BTreeMap<(&str, &str), Vec<&CrashResult>> = BTreeMap::new();
    for row in &result.crashes {
        sums.entry((&row.victim, &row.shape)).or_default().push(row);
    }
    for ((victim, shape), rows) in sums {
        let sum = |part: fn(&CrashResult) -> u64| rows.iter().map(|row| part(row)).sum::<u64>();
        let blocked = rows.iter().map(|row| row.blocked_ns_max).max().unwrap_or(0);
        table.add_row([
            victim.to_owned(),
            shape.to_owned(),
            rows.iter().filter(|row| row.kills > 0).count().to_string(),
            format::count(sum(|row| row.kills)),
            format::count(sum(CrashResult::violations)),
            format::nanos(blocked as f64),
        ]);
    }
    table::text(table)
}

/// A line for each row that did not pass, and the notes.
fn findings(result: &SuiteResult) -> String {
    let notes = result.notes.iter().map(|note| format!("{note}\n"));
    rows(result) + &notes.collect::<String>()
}

/// A line for each row that did not pass.
pub(super) fn rows(result: &SuiteResult) -> String {
    let failed = result.crashes.iter().filter(|row| row.verdict != Verdict::Pass);
    let lines = failed.map(|row| {
        let what = row.example.as_deref().or(row.unreached.as_deref()).unwrap_or("?");
        let CrashResult { victim, site, shape, replay, .. } = row;
        let verdict = coloured(row.verdict);
        format!("{verdict} {victim} killed at {site} ({shape}): {what}\n  again: {replay}\n")
    });
    lines.collect()
}

fn said(result: &SuiteResult, exit: Exit) -> String {
    let kills: u64 = result.crashes.iter().map(|row| row.kills).sum();
    let kills = format::count(kills);
    match exit {
        Exit::Pass => format!("pass: {kills} processes were killed and harmed nobody"),
        Exit::Interrupted => format!("interrupted after {kills} kills"),
        Exit::NothingRan => "nothing was killed".to_owned(),
        _ => format!("{}: {kills} processes were killed", result.verdict),
    }
}

/// Progress for people: one line for each kind of victim and shape.
struct Show;

impl Watch for Show {
    fn begin(&mut self, victim: &str, shape: &str) {
        // Standard error that cannot be written is nobody's loss.
        let _unwritten = writeln!(io::stderr(), "killing: {victim} in {shape}").is_err();
    }

    fn row(&mut self, _row: &CrashResult) {}
}
