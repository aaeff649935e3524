//! `harness model`: the shipped protocol under every engine, and the published flaws in theirs.

mod hardware;
mod named;
pub(super) mod show;

use std::io;
use std::path::Path;
use std::time::Instant;

use models::request::Request;
use models::{Engine, Found, Options, Stop};
use report_schema::{
    Happening, INTERRUPTED_NOTE, ModelEnded, ModelResult, SCHEMA_VERSION, SuiteBegan, SuiteResult,
    Verdict,
};

use super::listeners::{Listeners, Steps};
use super::run::events::Events;
use super::sinks::{Sinks, Told};
use super::{Exit, Output, made, select};
use crate::host::Host;
use crate::run::Interrupts;

/// Arguments of `model`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  harness model
      Everything, as ci/models runs it: five to ten minutes on two cores.
  harness model ring/ --engine loom --no-mutants
      The models of the ring under one engine, as shipped.
  harness model --engine explore --scenario slot/abort --mutant W_COMMIT=Relaxed
      Does this model notice the weaker ordering?
  harness model --hardware
      Do the orderings hold on these very cores?

Exit codes: 0 every run went as it must, 1 a model was violated, or a mutant or defect that must be
noticed was not, 2 usage, also an unknown engine, model, site or defect, 4 no model's name contains
FILTER, 5 a search came to no result in its time, 6 an engine broke, 7 a file could not be written,
130 interrupted: what had ended is in the report.")]
pub(super) struct Args {
    /// Only models whose name contains this.
    filter: Option<String>,
    /// Only this engine; may be given several times.
    #[arg(long, value_name = "ENGINE", value_parser = named::engine)]
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
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = select::seed)]
    seed: u64,
    #[command(flatten)]
    sinks: Sinks,
    #[command(flatten)]
    listeners: Listeners,
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
    #[arg(long, conflicts_with_all = ["hardware", "events", "progress"], conflicts_with_all = SELECTING)]
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
    #[arg(long, value_name = "NAME", conflicts_with = "filter", requires = "engine",
        value_parser = named::scenario)]
    scenario: Option<String>,
    /// A site with another ordering, or `none` for a fence; may be given several times.
    #[arg(long, value_name = "SITE=ORDERING", requires = "scenario", value_parser = named::mutation)]
    mutant: Vec<String>,
    /// A defect planted in the protocol, by name.
    #[arg(long, value_name = "DEFECT", requires = "scenario", value_parser = named::defects())]
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

pub(super) fn execute(args: &Args, output: &mut Output) -> Exit {
    if args.instead.list {
        if args.sinks.json {
            output.json(&show::list_as_json());
        } else {
            output.result(&show::list());
        }
        return Exit::Pass;
    }
    let (started, began) = (jiff::Timestamp::now(), Instant::now());
    // An hour of models must not end at a folder that cannot be written to.
    if let Err(exit) = args.sinks.prove(output) {
        return exit;
    }
    let stop = match stoppable() {
        Ok(stop) => stop,
        Err(error) => {
            output.error(&format!("interrupts cannot be heard: {error}"));
            return Exit::Broken;
        }
    };
    let (found, events) = match followed(args, &stop, output) {
        Ok(found) => found,
        Err(exit) => return exit,
    };
    let interrupted = stop.is_asked();
    let mut notes = show::times(&found);
    let results = found.results;
    let verdict = worst(&results, interrupted);
    let exit = if interrupted { Exit::Interrupted } else { Exit::from(verdict) };
    notes.extend(show::kills(&results));
    let (said, spots) = (notes.len(), blind_spots(&results));
    notes.extend(spots);
    if interrupted {
        notes.insert(0, INTERRUPTED_NOTE.to_owned());
    }
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
        verdict,
        exit_code: exit.code(),
        scenarios: vec![],
        models: results,
        crashes: vec![],
        comparisons: vec![],
        shard: None,
        made: Some(made::made(&[], None)),
        parts: vec![],
        planted: None,
        interrupted,
        notes,
    };
    let mut folder = String::new();
    let told = |file: &Path| {
        folder = file.parent().unwrap_or(file).display().to_string();
        let body = show::body(&result, said + usize::from(interrupted));
        Told { body, last: show::last_line(&result.models, exit) }
    };
    let exit = args.sinks.deliver((&result, exit), true, told, output);
    args.listeners.close(events, (&result, exit, folder), output)
}

/// Runs what was asked for, and tells who listens.
fn followed(args: &Args, stop: &Stop, output: &mut Output) -> Result<(Found, Events), Exit> {
    let events = args.listeners.open(output)?;
    let mut steps = Steps::begin(args.listeners.progress, events, begins(args));
    let found = results(args, stop, &mut steps, output);
    let events = steps.end();
    match found {
        Ok(found) => Ok((found, events)),
        Err(exit) => Err(args.listeners.give_up(events, exit, output)),
    }
}

/// The first event: there are no trials.
fn begins(args: &Args) -> SuiteBegan {
    SuiteBegan {
        suite: "models".to_owned(),
        profile: "full".to_owned(),
        commit: made::commit(),
        seed: args.seed,
        trials: 0,
    }
}

/// Says of a model how it went; so many have ended, of so many as far as that is known.
fn ended(steps: &mut Steps, result: &ModelResult, (done, all): (usize, Option<usize>), line: &str) {
    steps.say((done, all), line);
    steps.events.tell(Happening::ModelEnded(ModelEnded {
        number: done as u64,
        of: all.map(|all| all as u64),
        engine: result.engine.clone(),
        kind: result.kind,
        scenario: result.scenario.clone(),
        memory: result.memory.clone(),
        executions: result.executions,
        elapsed_ms: result.elapsed_ms,
        verdict: result.verdict,
    }));
}

/// From now on Ctrl-C and a polite kill end what runs, and what had ended is kept.
fn stoppable() -> io::Result<Stop> {
    let mut interrupts = Interrupts::watch()?;
    let stop = Stop::default();
    let asked = stop.clone();
    std::thread::spawn(move || {
        interrupts.wait();
        asked.ask();
    });
    Ok(stop)
}

/// Runs what was asked for, and says of each how it went.
fn results(
    args: &Args,
    stop: &Stop,
    steps: &mut Steps,
    output: &mut Output,
) -> Result<Found, Exit> {
    let exe = std::env::current_exe().map_err(|error| {
        output.error(&format!("this program cannot find itself: {error}"));
        Exit::Bug
    })?;
    if args.instead.hardware {
        let mut done = 0;
        let results = hardware::run(stop, &mut |result| {
            done += 1;
            ended(steps, result, (done, None), &show::line(result));
        });
        return Ok(Found { results, ..Found::default() });
    }
    if let Some(scenario) = &args.one.scenario {
        let [engine] = args.engine.as_slice() else {
            output.error("one run has one --engine");
            return Err(Exit::Usage);
        };
        let result = models::run_unless(stop, &exe, &one(args, *engine, scenario));
        if let Some(result) = &result {
            ended(steps, result, (1, Some(1)), &show::line(result));
        }
        return Ok(Found { results: result.into_iter().collect(), ..Found::default() });
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
    options.stop = stop.clone();
    let found = models::gate(&options, &mut |result, (done, all)| {
        let line = format!("[{done}/{all}] {}", show::line(result));
        ended(steps, result, (done, Some(all)), &line);
    });
    if found.results.is_empty() && !stop.is_asked() {
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

/// What was interrupted has not shown everything.
fn worst(results: &[ModelResult], interrupted: bool) -> Verdict {
    let lacking = interrupted.then_some(Verdict::Inconclusive);
    let all = results.iter().map(|result| result.verdict).chain(lacking);
    Verdict::worst(all).unwrap_or(Verdict::Inconclusive)
}
