//! `harness crash`: kills real processes at every site of the protocol.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use datahub::sites::TABLE;
use report_schema::{CrashResult, INTERRUPTED_NOTE, SCHEMA_VERSION, SuiteResult, Verdict};
use reports::format;

use super::left::Left;
use super::output::coloured;
use super::sinks::{Sinks, Told};
use super::{Exit, Output, made, select};
use crate::crash::{self, Job, Neglect, Outcome, Watch};
use crate::host::Host;
use crate::scenario::model::kills::KillMatrix;
use crate::scenario::{self, File, Profile};
use crate::suggest::nearest;
use crate::table;

/// Arguments of `crash`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  harness crash
      The smoke profile: two kills with each of two seeds, for each victim, site and block: a minute or
      two on two cores.
  harness crash --only writer/W_COMMIT --kills 100
      Is anybody harmed when the producer is killed right before its commit?
  harness crash --only evict --profile full
      All that has to do with eviction, more often.

Exit codes: 0 nobody was harmed, 1 a survivor was, 2 usage, 4 nothing was killed, 5 fewer
kills than asked for, at a site or in all, 6 a process broke or a written reason is no longer so, 7 a
file could not be written, 130 interrupted: what
was judged before is in the report.")]
pub(super) struct Args {
    /// A kill matrix: the blocks, and how much each profile kills.
    #[arg(value_name = "FILE", default_value = "scenarios/faults/kills.toml")]
    file: PathBuf,
    /// How much is killed.
    #[arg(long, value_enum, default_value_t, help_heading = "Selection")]
    profile: Profile,
    /// Only victims, sites and shapes whose name contains this, as in `writer/W_COMMIT`.
    #[arg(long, value_name = "TEXT", help_heading = "Selection")]
    only: Option<String>,
    /// Kills for each victim, site, shape and seed, instead of the profile's; then no total is asked for.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000),
        help_heading = "Selection")]
    kills: Option<u64>,
    /// All randomness comes from it.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = select::seed, help_heading = "Execution")]
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
    let matrix = match matrix(&args.file, output) {
        Ok(matrix) => matrix,
        Err(exit) => return exit,
    };
    let mut job = Job::of(&matrix, args.profile, args.seed);
    if let Some(kills) = args.kills {
        (job.kills, job.at_least) = (kills, 0);
    }
    job.only.clone_from(&args.only);
    job.plant = args.plant;
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let started = Instant::now();
    let mut show = Show { left: Left::new(), begun: 0, all: job.begins() };
    let outcome = match crash::run(&job, &mut show) {
        Ok(outcome) => outcome,
        Err(error) => {
            output.error(&format!("no process can be started: {error}"));
            return Exit::Broken;
        }
    };
    let (verdict, exit) = judged(&outcome);
    let notes = notes(args, &outcome);
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
        notes,
    };
    let told = |_: &Path| Told {
        body: table(&result) + &findings(&result, exit == Exit::Interrupted),
        last: said(&result, exit, &job),
    };
    args.sinks.deliver((&result, exit), true, told, output)
}

/// The matrix; where there is none, what to do.
fn matrix(file: &Path, output: &mut Output) -> Result<KillMatrix, Exit> {
    if !file.exists() {
        let shown = file.display();
        output.error(&format!(
            "there is no kill matrix at {shown}: run `harness crash` where `scenarios` lies, or name one, \
             as in `harness crash path/to/kills.toml`"
        ));
        return Err(Exit::Usage);
    }
    match scenario::open(file, &[]) {
        Ok(File::Kills(matrix)) => Ok(matrix),
        Ok(File::Scenario(scenario)) => {
            let file = scenario.file;
            let help = "a kill matrix says `kind = \"kills\"`";
            output.error(&format!("{file} is a scenario, which `harness run {file}` runs; {help}"));
            Err(Exit::Usage)
        }
        Err(error) => {
            output.note(&error.render(output.colour(), output.width()));
            Err(Exit::Usage)
        }
    }
}

/// The worst of all rows, and of what is missing in all of them; no row at all is never a pass.
fn judged(outcome: &Outcome) -> (Verdict, Exit) {
    let rows = Verdict::worst(outcome.rows.iter().map(|row| row.verdict));
    let broken = outcome.broken.as_ref().map(|_| Verdict::Broken);
    let missing = outcome.gaps.first().map(|_| Verdict::Inconclusive);
    let cut = outcome.interrupted.then_some(Verdict::Inconclusive);
    let all = rows.into_iter().chain(broken).chain(missing).chain(cut);
    let verdict = Verdict::worst(all).unwrap_or(Verdict::Inconclusive);
    let killed = outcome.rows.iter().any(|row| row.kills > 0);
    let exit = match verdict {
        _ if outcome.interrupted => Exit::Interrupted,
        Verdict::Pass | Verdict::Inconclusive if !killed => Exit::NothingRan,
        verdict => verdict.into(),
    };
    (verdict, exit)
}

fn notes(args: &Args, outcome: &Outcome) -> Vec<String> {
    let mut notes: Vec<String> =
        outcome.gaps.iter().map(|gap| format!("Inconclusive: {gap}.")).collect();
    if outcome.interrupted {
        notes.push(INTERRUPTED_NOTE.to_owned());
    }
    if let Some(why) = &outcome.broken {
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
    table::text(&table)
}

/// What is to be told of the rows, and the notes.
fn findings(result: &SuiteResult, interrupted: bool) -> String {
    let notes = result.notes.iter().map(|note| format!("{note}\n"));
    rows(result, interrupted) + &notes.collect::<String>()
}

/// A line for each row that did not pass; one for all that an interrupt kept from being reached.
pub(super) fn rows(result: &SuiteResult, interrupted: bool) -> String {
    let cut =
        |row: &CrashResult| interrupted && row.kills == 0 && row.verdict == Verdict::Inconclusive;
    let missed = result.crashes.iter().filter(|row| cut(row)).count();
    let missed = match missed {
        0 => String::new(),
        _ => format!("not reached before the interrupt: {}\n", format::several(missed, "site")),
    };
    let failed = result.crashes.iter().filter(|row| row.verdict != Verdict::Pass && !cut(row));
    let lines = failed.map(|row| {
        let what = row.example.as_deref().or(row.unreached.as_deref()).unwrap_or("?");
        let CrashResult { victim, site, shape, replay, .. } = row;
        let verdict = coloured(row.verdict);
        format!("{verdict} {victim} killed at {site} ({shape}): {what}\n  again: {replay}\n")
    });
    lines.chain([missed]).collect()
}

fn said(result: &SuiteResult, exit: Exit, job: &Job) -> String {
    let kills: u64 = result.crashes.iter().map(|row| row.kills).sum();
    let kills = format::count(kills);
    match exit {
        Exit::Pass => format!("pass: {kills} processes were killed and harmed nobody"),
        Exit::Interrupted => format!("interrupted after {kills} kills"),
        Exit::NothingRan => match job.only.as_deref().filter(|_| result.crashes.is_empty()) {
            Some(only) => unknown(only, job),
            None => "nothing was killed".to_owned(),
        },
        _ => format!("{}: {kills} processes were killed", result.verdict),
    }
}

/// That no row is called so, and what there is.
fn unknown(only: &str, job: &Job) -> String {
    let (victims, shapes) = job.names();
    let site = nearest(only.rsplit('/').next().unwrap_or(only), TABLE.iter().map(|site| site.name));
    let near = site.map(|site| format!("; did you mean `{site}`?")).unwrap_or_default();
    format!(
        "nothing was killed: no victim, site or shape contains `{only}`{near}\nvictims: {}\n\
         shapes: {}\nsites are named as in writer/W_COMMIT",
        victims.join(", "),
        shapes.join("; ")
    )
}

/// Progress for people: one line for each kind of victim and shape.
struct Show {
    left: Left,
    begun: usize,
    all: usize,
}

impl Watch for Show {
    fn begin(&mut self, victim: &str, shape: &str) {
        let left = self.left.after(self.begun, self.all);
        self.begun += 1;
        let (number, all) = (self.begun, self.all);
        let line = format!("[{number}/{all}] killing: {victim} in {shape}{left}");
        // Standard error that cannot be written is nobody's loss.
        let _unwritten = writeln!(io::stderr(), "{line}").is_err();
    }

    fn row(&mut self, _row: &CrashResult) {}
}
