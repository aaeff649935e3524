//! `harness model`: the shipped protocol under every engine, and the published flaws in theirs.

mod hardware;
pub(super) mod show;

use std::path::Path;
use std::time::Instant;

use models::request::Request;
use models::{Engine, Found, Options};
use report_schema::{EXIT_NOTHING_RAN, ModelResult, SCHEMA_VERSION, SuiteResult, Verdict};

use super::sinks::{Sinks, Told};
use super::{Exit, Output, made};
use crate::host::Host;

/// Arguments of `model`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only models whose name contains this.
    filter: Option<String>,
    /// Only this engine; may be given several times.
    #[arg(long, value_name = "ENGINE", value_parser = engine)]
    engine: Vec<Engine>,
    /// Leaves out mutants, planted defects and crash points.
    #[arg(long)]
    no_mutants: bool,
    /// Longest run of one model, in seconds; one that takes longer has come to no result.
    #[arg(long, value_name = "N", default_value_t = models::engine::SECONDS,
        value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Models at once; as many as there are cores, if not given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: Option<u16>,
    /// Where random schedules begin.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    sinks: Sinks,
    #[command(flatten)]
    instead: Instead,
    #[command(flatten)]
    one: One,
}

/// What says which models run and how; where none runs, it would say nothing.
const SELECTING: [&str; 7] =
    ["filter", "engine", "scenario", "no_mutants", "seconds", "jobs", "seed"];

/// What is done instead of running models.
#[derive(Debug, clap::Args)]
struct Instead {
    /// Lists the models and what each asks; runs nothing.
    #[arg(long, conflicts_with = "hardware", conflicts_with_all = SELECTING)]
    list: bool,
    /// Samples pairs of operations on two real cores instead, with and without their fences: always
    /// all of them, for as long as each takes.
    #[arg(long, conflicts_with_all = SELECTING)]
    hardware: bool,
}

/// One run, as a result names it.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "One run again")]
struct One {
    /// Exactly this model, under the one engine that is named.
    #[arg(long, value_name = "NAME", conflicts_with = "filter", requires = "engine")]
    scenario: Option<String>,
    /// A site with another ordering, or `none` for a fence; may be given several times.
    #[arg(long, value_name = "SITE=ORDERING", requires = "scenario")]
    mutant: Vec<String>,
    /// A defect planted in the protocol, by name.
    #[arg(long, value_name = "DEFECT", requires = "scenario")]
    plant: Option<String>,
    /// A role vanishes before one of its steps, or, with `*`, before each in turn.
    #[arg(long, value_name = "ROLE:STEP", requires = "scenario")]
    crash: Option<String>,
    /// How often in a row a role may read one stale value (explore).
    #[arg(long, value_name = "N", requires = "scenario")]
    repeats: Option<u32>,
    /// Most preemptions in one execution (loom).
    #[arg(long, value_name = "N", requires = "scenario")]
    preemptions: Option<usize>,
    /// Most executions, or, of a sample, so many schedules.
    #[arg(long, value_name = "N", requires = "scenario", value_parser = clap::value_parser!(u64).range(1..))]
    executions: Option<u64>,
}

fn engine(name: &str) -> Result<Engine, String> {
    let names: Vec<&str> = Engine::ALL.iter().map(|engine| engine.name()).collect();
    let engine = Engine::by_name(name)
        .ok_or_else(|| format!("there is no such engine; use one of {}", names.join(", ")))?;
    // A run without an engine that was asked for must not look like a run with it.
    if engine.compiled_in() { Ok(engine) } else { Err(format!("{name} is not compiled in")) }
}

pub(super) fn execute(args: &Args, output: &mut Output) -> Exit {
    if args.instead.list {
        output.result(&show::list());
        return Exit::Pass;
    }
    let (started, began) = (jiff::Timestamp::now(), Instant::now());
    // An hour of models must not end at a folder that cannot be written to.
    if let Err(exit) = args.sinks.prove(output) {
        return exit;
    }
    let found = match results(args, output) {
        Ok(found) => found,
        Err(exit) => return exit,
    };
    let mut notes = show::times(&found);
    let results = found.results;
    let exit = Exit::from(worst(&results));
    notes.extend(show::kills(&results));
    notes.extend(blind_spots(&results));
    let result = SuiteResult {
        schema_version: SCHEMA_VERSION,
        suite: "models".to_owned(),
        profile: "full".to_owned(),
        started_unix_ms: u64::try_from(started.as_millisecond()).unwrap_or(0),
        wall_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        commit: made::commit(),
        command: made::words(),
        seed: args.seed,
        host: Host::read().report(),
        verdict: worst(&results),
        exit_code: if results.is_empty() { EXIT_NOTHING_RAN } else { exit.code() },
        scenarios: vec![],
        models: results,
        crashes: vec![],
        comparisons: vec![],
        shard: None,
        made: Some(made::made(&[], None)),
        parts: vec![],
        planted: None,
        interrupted: false,
        notes,
    };
    let told = |page: &Path| Told {
        body: show::body(&result),
        last: show::last_line(&result.models, exit, page),
    };
    args.sinks.deliver((&result, exit), true, told, output)
}

/// Runs what was asked for, and says of each how it went.
fn results(args: &Args, output: &mut Output) -> Result<Found, Exit> {
    let exe = std::env::current_exe().map_err(|error| {
        output.error(&format!("this program cannot find itself: {error}"));
        Exit::Bug
    })?;
    if args.instead.hardware {
        let results = hardware::run(&mut |result| output.note(&show::line(result)));
        return Ok(Found { results, ..Found::default() });
    }
    if let Some(scenario) = &args.one.scenario {
        let [engine] = args.engine.as_slice() else {
            output.error("one run has one --engine");
            return Err(Exit::Usage);
        };
        let results = vec![models::run_in_process_of(&exe, &one(args, *engine, scenario))];
        return Ok(Found { results, ..Found::default() });
    }
    let mut options = Options::new(exe);
    if !args.engine.is_empty() {
        let named = |engine: &Engine| args.engine.contains(engine);
        options.engines.retain(named);
    }
    options.filter.clone_from(&args.filter);
    options.mutants = !args.no_mutants;
    (options.seconds, options.seed) = (args.seconds, args.seed);
    options.jobs = args.jobs.map_or(options.jobs, usize::from);
    let found = models::gate(&options, &mut |result, (done, all)| {
        output.note(&format!("[{done}/{all}] {}", show::line(result)));
    });
    if found.results.is_empty() {
        output.error("no model has such a name: see `harness model --list`");
        return Err(Exit::NothingRan);
    }
    Ok(found)
}

fn one(args: &Args, engine: Engine, scenario: &str) -> Request {
    let mut request = Request::new(engine, scenario);
    request.mutant.clone_from(&args.one.mutant);
    request.plant.clone_from(&args.one.plant);
    request.crash.clone_from(&args.one.crash);
    request.limits.seconds = args.seconds;
    request.limits.seed = args.seed;
    request.limits.repeats = args.one.repeats;
    request.limits.preemptions = args.one.preemptions;
    request.limits.executions = args.one.executions.unwrap_or(u64::MAX);
    request
}

/// What the engines that ran cannot see: their silence about it is no proof.
fn blind_spots(results: &[ModelResult]) -> Vec<String> {
    let ran = |engine: &Engine| results.iter().any(|result| result.engine == engine.name());
    let spots = |engine: Engine| models::litmus::blind_spots(engine).into_iter();
    let engines = Engine::ALL.into_iter().filter(ran);
    engines
        .flat_map(|engine| spots(engine).map(move |s| format!("{engine} cannot see {s}")))
        .collect()
}

fn worst(results: &[ModelResult]) -> Verdict {
    Verdict::worst(results.iter().map(|result| result.verdict)).unwrap_or(Verdict::Inconclusive)
}
