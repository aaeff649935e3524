//! The gate: everything that models say, engine by engine, each run in a process of its own.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Instant;

use report_schema::ModelResult;

use crate::engine::{Engine, SECONDS};
use crate::request::{Request, milliseconds, plan, shorten};
use crate::stop::Stop;
use crate::worker::answer_unless;
use crate::{agree, crash, mutant, second, table, whole};

/// What is said about all runs together, when they are through.
const LATE: [&str; 2] = [agree::AGREEMENT, whole::WHOLE];

/// What the gate runs.
#[derive(Debug, Clone)]
pub struct Options {
    /// The program that answers [`crate::worker::VERB`].
    pub exe: PathBuf,
    /// Only models whose name contains this.
    pub filter: Option<String>,
    /// Who runs them.
    pub engines: Vec<Engine>,
    /// Whether the explorer also tries every crash point, every mutant and every planted defect.
    pub mutants: bool,
    /// Longest run of one model, in seconds.
    pub seconds: u64,
    /// Where random schedules begin.
    pub seed: u64,
    /// How many runs go on at once; at least one.
    pub jobs: usize,
    /// Ends everything early, where somebody asks.
    pub stop: Stop,
}

impl Options {
    /// Everything. An engine that is not compiled in gives broken results, never none.
    #[must_use]
    pub fn new(exe: PathBuf) -> Self {
        let engines = Engine::ALL.to_vec();
        let jobs = std::thread::available_parallelism().map_or(1, usize::from);
        let (filter, mutants, seconds, seed) = (None, true, SECONDS, 1);
        Self { exe, filter, engines, mutants, seconds, seed, jobs, stop: Stop::default() }
    }

    /// Whether nothing is left out, so that everything must be there in the end.
    fn is_whole(&self) -> bool {
        let all = Engine::ALL.iter().all(|engine| self.engines.contains(engine));
        all && self.mutants && self.filter.is_none()
    }

    /// The runs, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        let mut requests = plan(self.filter.as_deref(), &self.engines);
        if self.mutants && self.filter.is_none() && self.engines.contains(&Engine::Explore) {
            requests.extend(crash::plan(Engine::Explore));
            requests.extend(mutant::plan(Engine::Explore));
            requests.extend(mutant::plan_of_plants(Engine::Explore));
            requests.push(Request::new(Engine::Explore, table::EDGES));
        }
        for request in &mut requests {
            request.limits.seconds = self.seconds;
            request.limits.seed = self.seed;
        }
        requests
    }
}

/// What the gate found.
#[derive(Debug, Default)]
pub struct Found {
    /// Every run, engine by engine; second opinions and the comparison of the engines stand last.
    pub results: Vec<ModelResult>,
    /// How long each engine took, in milliseconds.
    pub took: Vec<(Engine, u64)>,
}

/// Told of each result as it comes, with how many there are so far, and how many there will be.
pub type Progress<'p> = &'p mut dyn FnMut(&ModelResult, (usize, usize));

/// Runs everything, one engine after the other, so that each has a time of its own; then asks the
/// other engines about what the explorer noticed, compares all of them with it, and, where nothing was
/// left out, accounts for the whole. What somebody stops is not compared: what had ended is there.
pub fn gate(options: &Options, progress: Progress<'_>) -> Found {
    gate_on(options, &options.requests(), progress)
}

/// The same of these requests.
pub fn gate_on(options: &Options, requests: &[Request], progress: Progress<'_>) -> Found {
    let mut found = Found::default();
    let first = batches(options, requests, (&mut found.took, &mut *progress));
    if options.stop.is_asked() {
        found.results = first.into_iter().map(|(_, result)| result).collect();
        found.results.iter_mut().for_each(shorten);
        return found;
    }
    let asked = second::plan(&first, &options.engines);
    let opinions = batches(options, &asked, (&mut found.took, &mut *progress));
    found.results = first.into_iter().map(|(_, result)| result).collect();
    let whole = !options.stop.is_asked();
    let agreement = if whole { agree::compare(&found.results) } else { None };
    found.results.extend(opinions.into_iter().map(|(_, result)| result));
    found.results.extend(agreement);
    if whole && options.is_whole() {
        found.results.push(whole::judge(&found.results));
    }
    let runs = found.results.len();
    let late = found.results.iter().filter(|result| LATE.contains(&&*result.scenario));
    late.for_each(|result| progress(result, (runs, runs)));
    found.results.iter_mut().for_each(shorten);
    found
}

/// Runs `requests` engine by engine, and adds up how long each engine took.
fn batches(
    options: &Options,
    requests: &[Request],
    (took, progress): (&mut Vec<(Engine, u64)>, Progress<'_>),
) -> Vec<(Request, ModelResult)> {
    let total = requests.len();
    let mut done = Vec::with_capacity(total);
    for &engine in &options.engines {
        let own: Vec<_> = requests.iter().filter(|request| request.engine == engine).collect();
        let (began, before) = (Instant::now(), done.len());
        let mut heard = 0;
        let results = batch(options, &own, &mut |result| {
            heard += 1;
            progress(result, (before + heard, total));
        });
        let with = |(request, result): (&Request, Option<ModelResult>)| {
            result.map(|result| (request.clone(), result))
        };
        done.extend(own.into_iter().zip(results).filter_map(with));
        let took_ms = milliseconds(began);
        match took.iter_mut().find(|(known, _)| *known == engine) {
            Some((_, sum)) => *sum += took_ms,
            None => took.push((engine, took_ms)),
        }
    }
    done
}

/// Runs `requests`, several at once; the results are in their order, `None` where it was stopped.
fn batch(
    options: &Options,
    requests: &[&Request],
    heard: &mut dyn FnMut(&ModelResult),
) -> Vec<Option<ModelResult>> {
    let next = Mutex::new(0..requests.len());
    let (sender, receiver) = mpsc::channel();
    let mut results: Vec<Option<ModelResult>> = vec![None; requests.len()];
    std::thread::scope(|scope| {
        for _ in 0..options.jobs.max(1) {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                while let Some(index) = take(next).filter(|_| !options.stop.is_asked()) {
                    let request = requests[index];
                    let Some(answer) = answer_unless(&options.stop, &options.exe, request) else {
                        return;
                    };
                    let result = second::judge(answer.result);
                    if sender.send((index, result)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        for (index, result) in receiver {
            heard(&result);
            results[index] = Some(result);
        }
    });
    results
}

fn take(next: &Mutex<core::ops::Range<usize>>) -> Option<usize> {
    next.lock().unwrap_or_else(PoisonError::into_inner).next()
}
