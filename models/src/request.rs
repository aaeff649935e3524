//! What is asked of an engine, and its answer as a result file shows it.

mod judge;
mod search;

use report_schema::{ModelKind, ModelResult};
use serde::{Deserialize, Serialize};

use crate::bounds::{bounded, depth_first};
use crate::catalogue::{self, Entry};
use crate::context::{Crash, Overrides, Setup};
use crate::engine::{Engine, Limits};
use crate::plant;
use crate::replay::Replayed;
use crate::sites;

pub use judge::broken;
pub(crate) use judge::{blank, milliseconds};

/// Stands for every model of the shipped protocol: what a mutant must get past.
pub const EVERY: &str = "every";

/// Most outcomes that are compared.
pub(crate) const OUTCOMES_MAX: usize = 4096;
/// Most outcomes that a result lists for people.
const OUTCOMES_LISTED: usize = 64;

/// Leaves out what nobody would read, and says so.
pub(crate) fn shorten(result: &mut ModelResult) {
    let more = result.outcomes.len().saturating_sub(OUTCOMES_LISTED);
    if more > 0 {
        result.outcomes.truncate(OUTCOMES_LISTED);
        result.outcomes.push(format!("and {more} more"));
    }
}

/// One run of one model by one engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Who runs it.
    pub engine: Engine,
    /// The model's name, or [`EVERY`].
    pub scenario: String,
    /// Orderings to change: `W_COMMIT=Relaxed`, `P_FENCE=none`. Makes the run a mutant's.
    #[serde(default)]
    pub mutant: Vec<String>,
    /// A defect to plant, by name.
    #[serde(default)]
    pub plant: Option<String>,
    /// Who vanishes before which of its steps: `writer:3`, or before each in turn: `writer:*`.
    #[serde(default)]
    pub crash: Option<String>,
    /// Where it stops.
    pub limits: Limits,
}

impl Request {
    /// `scenario` under `engine`, as shipped, without limits of its own.
    #[must_use]
    pub fn new(engine: Engine, scenario: &str) -> Self {
        let (scenario, limits) = (scenario.to_owned(), Limits::default());
        Self { engine, scenario, mutant: Vec::new(), plant: None, crash: None, limits }
    }

    /// The command that repeats this run, and within it the execution `path`.
    fn command(&self, scenario: &str, path: Option<&str>) -> String {
        if let Some(path) = path {
            let limits = Limits { replay: Some(path.to_owned()), ..self.limits.clone() };
            let named = Self { scenario: scenario.to_owned(), limits, ..self.clone() };
            return format!("harness replay {}", crate::replay::text(&named));
        }
        let mut words =
            vec![format!("harness model --engine {} --scenario {scenario}", self.engine)];
        words.extend(self.mutant.iter().map(|row| format!("--mutant {row}")));
        words.extend(self.plant.iter().map(|name| format!("--plant {name}")));
        words.extend(self.crash.iter().map(|crash| format!("--crash '{crash}'")));
        let limits = &self.limits;
        match self.engine {
            Engine::Explore => words.extend(limits.repeats.map(|n| format!("--repeats {n}"))),
            Engine::Loom => words.extend(limits.preemptions.map(|n| format!("--preemptions {n}"))),
            Engine::ShuttleRandom | Engine::ShuttlePct => {
                words.push(format!("--seed {}", limits.seed));
            }
            Engine::ShuttleDfs => {}
        }
        if limits.executions != u64::MAX {
            words.push(format!("--executions {}", limits.executions));
        }
        words.join(" ")
    }

    /// What the run does differently, on top of what `entry` does.
    fn setup(&self, entry: &Entry) -> Result<Setup, String> {
        let mut overrides = Overrides::default();
        for (site, ordering) in entry.overrides {
            let site = sites::by_name(site).ok_or_else(|| format!("there is no site `{site}`"))?;
            overrides.set(site, *ordering);
        }
        for row in &self.mutant {
            let parsed = row.split_once('=').and_then(|(site, ordering)| {
                Some((sites::by_name(site)?, sites::ordering_by_name(ordering)?))
            });
            let (site, ordering) =
                parsed.ok_or_else(|| format!("`{row}` is not a site and an ordering"))?;
            overrides.set(site, ordering);
        }
        let plant = self.plant.as_deref().map(|name| {
            plant::by_name(name).ok_or_else(|| format!("there is no defect called `{name}`"))
        });
        let plant = plant.transpose()?.map(|row| row.plant);
        let crash = self.crash.as_deref().map(|text| {
            let parsed = text.split_once(':').and_then(|(role, step)| {
                let role = entry.model.role_names().iter().find(|name| **name == role)?;
                Some(Crash { role: (*role).to_owned(), step: step.parse().ok()? })
            });
            parsed.ok_or_else(|| format!("`{text}` is not a role and a step"))
        });
        let own = entry.crash.map(|(role, step)| Crash { role: role.to_owned(), step });
        Ok(Setup { overrides, crash: crash.transpose()?.or(own), plant, ..Setup::default() })
    }

    fn kind(&self, entry: &Entry) -> ModelKind {
        match (self.mutant.is_empty(), &self.plant, &self.crash) {
            (_, Some(_), _) => ModelKind::PlantedDefect,
            (false, ..) => ModelKind::Mutant,
            (true, None, Some(_)) => ModelKind::CrashPoint,
            (true, None, None) => entry.kind,
        }
    }
}

/// Runs `request` in this process. Nothing panics: what goes wrong is a `broken` result.
///
/// Loom and shuttle leave their panic hooks behind: give each run a process of its own.
#[must_use]
pub fn run(request: &Request) -> ModelResult {
    search::run(request).result
}

/// The same with the steps of the execution, when the request names one.
#[must_use]
pub(crate) fn run_told(request: &Request) -> Replayed {
    search::run(request)
}

/// The runs that `engines` are asked for, for models whose name contains `filter`.
///
/// Shuttle takes every ordering as the strongest one, so it is not shown the published flaws. Its
/// depth-first search is asked only where it comes to an end.
#[must_use]
pub fn plan(filter: Option<&str>, engines: &[Engine]) -> Vec<Request> {
    let wanted = |entry: &Entry| filter.is_none_or(|filter| entry.name.contains(filter));
    let entries: Vec<_> = catalogue::all().into_iter().filter(wanted).collect();
    let mut requests = Vec::new();
    for &engine in engines {
        for entry in &entries {
            let concerned = match engine {
                Engine::Explore | Engine::Loom => true,
                Engine::ShuttleRandom | Engine::ShuttlePct => {
                    matches!(entry.kind, ModelKind::Protocol | ModelKind::Litmus)
                }
                Engine::ShuttleDfs => depth_first(entry),
            };
            if concerned {
                let mut request = Request::new(engine, entry.name);
                request.limits = bounded(request.limits, engine, entry);
                requests.push(request);
            }
        }
    }
    requests
}

#[cfg(test)]
mod tests {
    use report_schema::Verdict;

    use super::*;

    #[test]
    fn a_model_that_does_not_exist_is_broken() {
        let result = run(&Request::new(Engine::Explore, "slot/nothing"));
        assert_eq!(result.verdict, Verdict::Broken);
        assert!(result.counterexample.unwrap().message.contains("slot/one-reader"));
    }

    #[test]
    fn nonsense_in_a_request_is_broken() {
        let good = Request::new(Engine::Explore, "slot/one-reader");
        for mutant in ["W_COMMIT", "W_COMMIT=Weak", "W_NOTHING=Relaxed"] {
            let request = Request { mutant: vec![mutant.into()], ..good.clone() };
            assert_eq!(run(&request).verdict, Verdict::Broken, "{mutant}");
        }
        for crash in ["writer", "nobody:1", "writer:x"] {
            let request = Request { crash: Some(crash.into()), ..good.clone() };
            assert_eq!(run(&request).verdict, Verdict::Broken, "{crash}");
        }
    }

    #[test]
    fn the_plan_asks_every_engine_what_it_can_answer() {
        let plan = plan(Some("published/"), &Engine::ALL);
        assert!(plan.iter().all(|request| request.engine.sees_orderings()));
        assert!(plan.len() >= 8);
    }
}
