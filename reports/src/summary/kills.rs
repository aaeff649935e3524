//! Who noticed what was weakened or planted, engine by engine.

use report_schema::{ModelKind, ModelResult, Verdict};

/// One ordering that was weakened, or one defect.
#[derive(Debug)]
pub struct Kill<'r> {
    /// What was done: `skip-drain`, `W_COMMIT=Relaxed`.
    pub what: &'r str,
    /// The run of each engine of [`Kills::engines`]; none: it was not asked.
    pub runs: Vec<Option<&'r ModelResult>>,
}

impl Kill<'_> {
    /// The model in which it was noticed, or last looked for.
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        self.runs.iter().flatten().next().map(|run| run.scenario.as_str())
    }

    /// Whether any engine noticed.
    #[must_use]
    pub fn noticed(&self) -> bool {
        self.runs.iter().flatten().any(|run| noticed(run))
    }

    /// What the defect is, in one sentence, if anybody noticed it.
    #[must_use]
    pub fn english(&self) -> Option<&str> {
        let mut found = self.runs.iter().flatten().filter_map(|run| run.counterexample.as_ref());
        found.next().map(|found| found.english.as_str())
    }
}

/// All of one kind.
#[derive(Debug)]
pub struct Kills<'r> {
    /// Who was asked.
    pub engines: Vec<&'r str>,
    /// What was done.
    pub rows: Vec<Kill<'r>>,
}

/// Whether `run` noticed what was done in it.
#[must_use]
pub fn noticed(run: &ModelResult) -> bool {
    run.verdict == Verdict::Pass && run.counterexample.is_some()
}

impl<'r> Kills<'r> {
    /// Those of `kind` among `models`, in their order.
    #[must_use]
    pub fn of(models: &'r [ModelResult], kind: ModelKind) -> Self {
        let mut kills = Self { engines: vec![], rows: vec![] };
        for run in models.iter().filter(|run| run.kind == kind) {
            let what = run.memory.split_once(' ').map_or(run.memory.as_str(), |(_, what)| what);
            let engine = position(&mut kills.engines, |known| *known == run.engine, || &run.engine);
            let row =
                position(&mut kills.rows, |row| row.what == what, || Kill { what, runs: vec![] });
            let runs = &mut kills.rows[row].runs;
            runs.resize(runs.len().max(engine + 1), None);
            runs[engine] = Some(run);
        }
        for row in &mut kills.rows {
            row.runs.resize(kills.engines.len(), None);
        }
        kills
    }

    /// `explore 19 of 19, loom 18 of 19`.
    #[must_use]
    pub fn by_engine(&self) -> String {
        let each = self.engines.iter().enumerate().map(|(at, engine)| {
            let runs: Vec<_> = self.rows.iter().filter_map(|row| row.runs[at]).collect();
            let count = runs.iter().filter(|run| noticed(run)).count();
            format!("{engine} {count} of {}", runs.len())
        });
        each.collect::<Vec<_>>().join(", ")
    }

    /// How many of them anybody noticed.
    #[must_use]
    pub fn noticed(&self) -> usize {
        self.rows.iter().filter(|row| row.noticed()).count()
    }
}

/// Where the one that `is` meant stands; it is put at the end if it is not there.
fn position<T>(list: &mut Vec<T>, is: impl Fn(&T) -> bool, make: impl FnOnce() -> T) -> usize {
    list.iter().position(is).unwrap_or_else(|| {
        list.push(make());
        list.len() - 1
    })
}

#[cfg(test)]
mod tests {
    use report_schema::{Counterexample, Coverage};

    use super::*;

    fn run(engine: &str, what: &str, found: bool) -> ModelResult {
        let english = || "The writer takes a slot without looking who is inside.".to_owned();
        ModelResult {
            engine: engine.to_owned(),
            engine_version: "1".to_owned(),
            kind: ModelKind::PlantedDefect,
            scenario: "slot/abort".to_owned(),
            memory: format!("planted {what}"),
            verdict: Verdict::Pass,
            coverage: Coverage::Complete,
            executions: 7,
            executions_before: 0,
            blocked: 0,
            outcomes: vec![],
            elapsed_ms: 1,
            expected_failure: found,
            counterexample: found.then(|| Counterexample {
                message: "torn".to_owned(),
                english: english(),
                steps: vec![],
            }),
            replay: String::new(),
        }
    }

    #[test]
    fn each_engine_is_counted_for_what_it_was_asked() {
        let models = [
            run("explore", "skip-drain", true),
            run("explore", "drop-label", true),
            run("loom", "drop-label", false),
            run("explore", "loses-commit", false),
        ];
        let kills = Kills::of(&models, ModelKind::PlantedDefect);
        assert_eq!(kills.by_engine(), "explore 2 of 3, loom 0 of 1");
        assert_eq!((kills.noticed(), kills.rows.len()), (2, 3));
        assert_eq!(kills.rows[1].runs.iter().flatten().count(), 2);
        assert!(!kills.rows[2].noticed() && kills.rows[2].english().is_none());
        assert!(Kills::of(&models, ModelKind::Mutant).rows.is_empty());
    }

    #[test]
    fn a_run_that_broke_has_noticed_nothing() {
        let mut broken = run("loom", "skip-drain", true);
        broken.verdict = Verdict::Broken;
        assert!(!noticed(&broken));
    }
}
