//! Which scenarios a verb works on.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{Exit, Output};
use crate::plan::Filter;
use crate::scenario::{self, Profile, Scenario};

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
    /// No cells whose id contains this text; repeatable.
    #[arg(long, value_name = "TEXT", help_heading = "Selection")]
    pub exclude: Vec<String>,
    /// Only scenarios with this tag; repeatable, and one of them is enough.
    #[arg(long, value_name = "TAG", help_heading = "Selection")]
    pub tag: Vec<String>,
    /// Sets a key for this run (`block.slots=32`), or several values as an axis of the matrix
    /// (`block.slots=[4,8]`, `readers=[1,2]`); repeatable.
    #[arg(long, value_name = "KEY=VALUE", help_heading = "Selection")]
    pub set: Vec<String>,
}

impl Selection {
    /// Which cells are wanted.
    #[must_use]
    pub fn filter(&self) -> Filter {
        let (text, without, tags) = (self.filter.clone(), self.exclude.clone(), self.tag.clone());
        Filter { text, without, tags }
    }

    /// Every scenario, checked; mistakes are shown, all of them.
    ///
    /// # Errors
    ///
    /// [`Exit::Usage`] if any file is wrong, [`Exit::NothingRan`] if there is none.
    pub fn scenarios(&self, output: &mut Output) -> Result<Vec<Scenario>, Exit> {
        load(&self.paths, &self.set, output)
    }
}

/// Every scenario at or below the paths, checked; mistakes are shown, all of them.
pub(super) fn load(
    paths: &[PathBuf],
    settings: &[String],
    output: &mut Output,
) -> Result<Vec<Scenario>, Exit> {
    let files = scenario::find(paths).map_err(|error| {
        output.note(&error.render(output.colour(), output.width()));
        Exit::Usage
    })?;
    let mut scenarios = vec![];
    let mut wrong = 0;
    for file in &files {
        match scenario::load(file, settings) {
            Ok(scenario) => scenarios.push(scenario),
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
    if scenarios.is_empty() {
        let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        output.error(&format!("there is no scenario in {}", paths.join(", ")));
        return Err(Exit::NothingRan);
    }
    Ok(scenarios)
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
