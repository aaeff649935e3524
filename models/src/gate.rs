//! The gate: everything that models say, engine by engine, each run in a process of its own.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError, mpsc};

use report_schema::ModelResult;

use crate::engine::Engine;
use crate::request::{Request, plan};
use crate::{agree, crash, mutant, table, worker};

/// What the gate runs.
#[derive(Debug, Clone)]
pub struct Options {
    /// The program that answers [`worker::VERB`].
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
}

impl Options {
    /// Everything, with the engines that are compiled in.
    #[must_use]
    pub fn new(exe: PathBuf) -> Self {
        let engines = Engine::ALL.into_iter().filter(|engine| engine.compiled_in()).collect();
        let jobs = std::thread::available_parallelism().map_or(1, usize::from);
        Self { exe, filter: None, engines, mutants: true, seconds: 30, seed: 1, jobs }
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

/// Runs everything; `progress` hears of each result as it comes. The results are in plan order; where
/// the explorer and loom ran, a comparison of the two stands last.
pub fn gate(options: &Options, progress: &mut dyn FnMut(&ModelResult)) -> Vec<ModelResult> {
    let requests = options.requests();
    let next = Mutex::new(0..requests.len());
    let (sender, receiver) = mpsc::channel();
    let mut results: Vec<Option<ModelResult>> = vec![None; requests.len()];
    std::thread::scope(|scope| {
        for _ in 0..options.jobs.max(1) {
            let (sender, next, requests) = (sender.clone(), &next, &requests);
            scope.spawn(move || {
                while let Some(index) = take(next) {
                    let result = worker::run_in_process_of(&options.exe, &requests[index]);
                    if sender.send((index, result)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        for (index, result) in receiver {
            progress(&result);
            results[index] = Some(result);
        }
    });
    let mut results: Vec<ModelResult> = results.into_iter().flatten().collect();
    if let Some(agreement) = agree::compare(&results) {
        progress(&agreement);
        results.push(agreement);
    }
    results
}

fn take(next: &Mutex<core::ops::Range<usize>>) -> Option<usize> {
    next.lock().unwrap_or_else(PoisonError::into_inner).next()
}
