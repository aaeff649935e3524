//! Which scenarios a verb works on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::{Exit, Output};
use crate::plan::Filter;
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

    /// Every file, checked, of which at least one is a scenario; mistakes are shown, all of them.
    ///
    /// # Errors
    ///
    /// [`Exit::Usage`] if any file is wrong, [`Exit::NothingRan`] if there is no scenario.
    pub(super) fn scenarios(&self, output: &mut Output) -> Result<Files, Exit> {
        let (scenarios, matrices) = load(&self.paths, &self.set, output)?;
        for matrix in &matrices {
            let file = &matrix.file;
            output.note(&format!("{file} is a kill matrix: `harness crash {file}` runs it"));
        }
        if scenarios.is_empty() { Err(Exit::NothingRan) } else { Ok((scenarios, matrices)) }
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
    let mut told = BTreeSet::new();
    for file in &files {
        match scenario::open(file, settings) {
            Ok(File::Scenario(scenario)) => scenarios.push(*scenario),
            Ok(File::Kills(matrix)) => matrices.push(matrix),
            Err(mut error) => {
                error.drop_told(&mut told);
                if !error.problems.is_empty() {
                    output.note(&error.render(output.colour(), output.width()));
                }
                wrong += 1;
            }
        }
    }
    if !told.is_empty() && wrong > 1 {
        output.note(&format!("what is wrong with --set is so in {wrong} files, and told once"));
    }
    wrong += twins(&scenarios, &matrices, output);
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
pub(super) fn twins(scenarios: &[Scenario], matrices: &[KillMatrix], output: &mut Output) -> usize {
    const KINDS: [&str; 3] =
        ["two scenarios are", "a scenario and a kill matrix are", "two kill matrices are"];
    let scenarios = scenarios.iter().map(|scenario| (&scenario.name, (&scenario.file, 0)));
    let matrices = matrices.iter().map(|matrix| (&matrix.name, (&matrix.file, 1)));
    let mut seen: BTreeMap<&String, (&String, usize)> = BTreeMap::new();
    let mut count = 0;
    for (name, (file, kind)) in scenarios.chain(matrices) {
        if let Some((first, of)) = seen.insert(name, (file, kind)) {
            let who = KINDS[of + kind];
            output.error(&format!("{who} called `{name}`: {first} and {file}"));
            count += 1;
        }
    }
    count
}

/// A seed as it is written in files, or as results print it: `7`, `0x00000000000002a7`.
pub(super) fn seed(text: &str) -> Result<u64, String> {
    let found = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    };
    found.ok_or_else(|| "a seed is a whole number of at most 64 bits, as in 7 or 0x2a".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_taken_as_it_is_written_and_as_it_is_printed() {
        assert_eq!(seed("42"), Ok(42));
        assert_eq!(seed(&format!("{:#018x}", 0x2a7_u64)), Ok(0x2a7));
        assert!(seed("0xg").is_err() && seed("-1").is_err() && seed("1e3").is_err());
    }
}
