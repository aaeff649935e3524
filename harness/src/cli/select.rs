//! Which scenarios a verb works on.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{Exit, Output};
use crate::scenario::model::kills::KillMatrix;
use crate::scenario::{self, File, Profile, Scenario};

/// Arguments that select scenarios and change them.
#[derive(Debug, Clone, clap::Args)]
pub struct Selection {
    /// Scenario files, or folders that hold some.
    #[arg(value_name = "PATH", default_value = "scenarios")]
    pub paths: Vec<PathBuf>,
    /// How much is run.
    #[arg(long, value_enum, default_value_t, help_heading = "Selection")]
    pub profile: Profile,
    /// Only cells whose id contains this text.
    #[arg(short = 'E', long, value_name = "TEXT", help_heading = "Selection")]
    pub filter: Option<String>,
    /// Sets a key for this run (`block.slots=32`) or an axis (`readers=[1,2]`); repeatable.
    #[arg(long, value_name = "KEY=VALUE", help_heading = "Selection")]
    pub set: Vec<String>,
}

impl Selection {
    /// Every scenario, checked; mistakes are shown, all of them.
    ///
    /// # Errors
    ///
    /// [`Exit::Usage`] if any file is wrong, [`Exit::NothingRan`] if there is none.
    pub fn scenarios(&self, output: &mut Output) -> Result<Vec<Scenario>, Exit> {
        let (scenarios, matrices) = load(&self.paths, &self.set, output)?;
        for matrix in &matrices {
            let file = &matrix.file;
            output.note(&format!("{file} is a kill matrix: `harness crash {file}` runs it"));
        }
        if scenarios.is_empty() { Err(Exit::NothingRan) } else { Ok(scenarios) }
    }

    /// Every file of any kind, checked.
    ///
    /// # Errors
    ///
    /// As [`Selection::scenarios`].
    pub(super) fn files(&self, output: &mut Output) -> Result<Files, Exit> {
        load(&self.paths, &self.set, output)
    }
}

/// Scenarios, and the matrices that `harness crash` runs.
pub(super) type Files = (Vec<Scenario>, Vec<KillMatrix>);

/// Every scenario at or below the paths, checked; mistakes are shown, all of them.
pub(super) fn load(
    paths: &[PathBuf],
    settings: &[String],
    output: &mut Output,
) -> Result<Files, Exit> {
    let files = scenario::find(paths).map_err(|error| {
        output.note(&error.render(output.colour(), output.width()));
        Exit::Usage
    })?;
    let (mut scenarios, mut matrices) = (vec![], vec![]);
    let mut wrong = 0;
    for file in &files {
        match scenario::open(file, settings) {
            Ok(File::Scenario(scenario)) => scenarios.push(*scenario),
            Ok(File::Kills(matrix)) => matrices.push(matrix),
            Err(error) => {
                output.note(&error.render(output.colour(), output.width()));
                wrong += 1;
            }
        }
    }
    wrong += twins(&scenarios, output);
    if wrong > 0 {
        return Err(Exit::Usage);
    }
    if scenarios.is_empty() && matrices.is_empty() {
        let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        output.error(&format!("there is no scenario in {}", paths.join(", ")));
        return Err(Exit::NothingRan);
    }
    Ok((scenarios, matrices))
}

/// Results are told apart by name: two files with one name are a mistake.
pub(super) fn twins(scenarios: &[Scenario], output: &mut Output) -> usize {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    let mut count = 0;
    for scenario in scenarios {
        if let Some(first) = seen.insert(&scenario.name, &scenario.file) {
            let (name, file) = (&scenario.name, &scenario.file);
            output.error(&format!("two scenarios are called `{name}`: {first} and {file}"));
            count += 1;
        }
    }
    count
}
