//! Finds scenario files and reads them from disk.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::model::Scenario;
use super::model::kills::KillMatrix;
use super::problem::ScenarioError;
use super::{kills, parse, tree};

/// A scenario is read by people; more than this is something else.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Folders inside folders, so that a link to a parent ends.
const DEPTH_MAX: usize = 8;

/// What a file holds.
#[derive(Debug, Clone, PartialEq)]
pub enum File {
    /// A question, and trials that answer it.
    Scenario(Box<Scenario>),
    /// The blocks in which `harness crash` kills.
    Kills(KillMatrix),
}

/// Reads and checks a scenario; `settings` are `key=value` texts that win over it.
///
/// # Errors
///
/// [`ScenarioError`]: the file cannot be read, everything that is wrong in it, or it is a kill matrix.
pub fn load(path: &Path, settings: &[String]) -> Result<Scenario, ScenarioError> {
    match open(path, settings)? {
        File::Scenario(scenario) => Ok(*scenario),
        File::Kills(matrix) => {
            let message = format!("`{}` is a kill matrix, not a scenario", matrix.file);
            let help = format!("`harness crash {}` runs it", matrix.file);
            Err(ScenarioError::unreadable(&matrix.file, message, &help))
        }
    }
}

/// Reads and checks a file of any kind; `settings` are for scenarios.
///
/// # Errors
///
/// [`ScenarioError`]: the file cannot be read, or everything that is wrong in it.
pub fn open(path: &Path, settings: &[String]) -> Result<File, ScenarioError> {
    let name = path.display().to_string();
    let refuse = |message: String, help: &str| ScenarioError::unreadable(&name, message, help);
    let facts = fs::metadata(path).map_err(|error| refuse(reason(&name, &error), ""))?;
    if facts.is_dir() {
        let message = format!("`{name}` is a folder, not a scenario");
        return Err(refuse(message, "name a file that ends in .toml"));
    }
    if !facts.is_file() {
        return Err(refuse(format!("`{name}` is not a plain file"), ""));
    }
    let mut bytes = vec![];
    let file = fs::File::open(path).map_err(|error| refuse(reason(&name, &error), ""))?;
    let limited = file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes);
    limited.map_err(|error| refuse(reason(&name, &error), ""))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        let message = format!("`{name}` is larger than 1 MiB");
        return Err(refuse(message, "a scenario is a short text"));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        refuse(format!("`{name}` is not UTF-8: byte {at} is wrong"), "save it as UTF-8")
    })?;
    if text.trim().is_empty() {
        return Err(refuse(format!("`{name}` is empty"), "`harness explain` shows the format"));
    }
    // Some editors begin UTF-8 with a mark, which says nothing.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    // One that is not TOML is told so as a scenario.
    match tree::read(text, 0).ok().filter(kills::is_one) {
        Some(root) => kills::parse(&name, text, &root).map(File::Kills),
        None => parse(&name, text, settings).map(|scenario| File::Scenario(Box::new(scenario))),
    }
}

fn reason(name: &str, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => format!("there is no `{name}`"),
        io::ErrorKind::PermissionDenied => format!("`{name}` may not be read"),
        _ => format!("`{name}` cannot be read: {error}"),
    }
}

/// Scenario files at or below the paths, sorted, each once.
///
/// A file is taken as it is named; in a folder, what ends in `.toml` and is not hidden: editors keep
/// their locks there.
///
/// # Errors
///
/// [`ScenarioError`]: a path that is not there or cannot be listed.
pub fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>, ScenarioError> {
    let mut found = vec![];
    let mut folders = BTreeSet::new();
    for path in paths {
        collect(path, 0, (&mut folders, &mut found))?;
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// Each folder is looked into once, by whatever name it is reached.
fn collect(
    path: &Path,
    depth: usize,
    (folders, found): (&mut BTreeSet<PathBuf>, &mut Vec<PathBuf>),
) -> Result<(), ScenarioError> {
    let scenario = path.extension().is_some_and(|extension| extension == "toml");
    let refuse = |error: io::Error| {
        let name = path.display().to_string();
        let help = match error.kind() {
            io::ErrorKind::NotFound if depth == 0 => {
                "name a scenario file or a folder that holds some; `harness explain` shows the format"
            }
            _ => "",
        };
        ScenarioError::unreadable(&name, reason(&name, &error), help)
    };
    let folder = match fs::metadata(path) {
        Ok(facts) => facts.is_dir(),
        // A link that leads nowhere; named only if it would have been read.
        Err(error) if depth > 0 && !scenario && error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => return Err(refuse(error)),
    };
    if !folder {
        found.extend((depth == 0 || scenario).then(|| path.to_owned()));
        return Ok(());
    }
    let real = fs::canonicalize(path).map_err(refuse)?;
    if depth < DEPTH_MAX && folders.insert(real) {
        let entries: io::Result<Vec<_>> = fs::read_dir(path).and_then(Iterator::collect);
        let mut entries = entries.map_err(refuse)?;
        // A folder is known by its own name rather than by a link to it.
        entries.sort_by_key(|entry| {
            (entry.file_type().is_ok_and(|kind| kind.is_symlink()), entry.file_name())
        });
        for entry in entries {
            if !entry.file_name().as_encoded_bytes().starts_with(b".") {
                collect(&entry.path(), depth + 1, (folders, found))?;
            }
        }
    }
    Ok(())
}
