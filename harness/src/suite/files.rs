//! Where a run's files go: one folder a run, whole or not there.
//!
//! A file that stands alone is written under a temporary name, brought to the disk and renamed. `latest`
//! leads to the newest run.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use report_schema::{CellResult, Latency, SuiteResult, Trial};
use reports::page::Beside;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

pub use super::half::LATEST;
use super::half::{self, HalfFolder};

/// Why a result could not be written.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// The folder or a file in it cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// What was to be written.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The result cannot be expressed.
    #[error("the result cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The page cannot be made.
    #[error("the report cannot be made: {0}")]
    Page(#[from] reports::page::RenderError),
    /// A format of other tools cannot be made.
    #[error(transparent)]
    Hlog(#[from] reports::hlog::HlogError),
    /// A format of other tools cannot be made.
    #[error(transparent)]
    Metrics(#[from] reports::openmetrics::MetricsError),
    /// A format of other tools cannot be made.
    #[error(transparent)]
    Junit(#[from] reports::junit::JunitError),
}

/// The folder of one run, which nobody sees before it is whole.
#[derive(Debug)]
pub struct Folder {
    out: PathBuf,
    name: String,
    half: HalfFolder,
}

/// How the name of a kept history ends.
pub const HISTORY_SUFFIX: &str = ".history";

/// Letters of a cell's id in the name of a file.
const ID_LETTERS: usize = 50;
/// So many histories may have one name.
const TWINS: u32 = 1_000;

/// Proves that results can be written below `out`, and sweeps away what a killed run has left.
///
/// # Errors
///
/// [`FilesError::Write`].
pub fn prove(out: &Path) -> Result<(), FilesError> {
    let proved = fs::create_dir_all(out).and_then(|()| {
        half::sweep(out);
        probe(out)
    });
    proved.map_err(|source| FilesError::Write { path: out.to_owned(), source })
}

/// Proves that one file can be written; makes its folder. Devices and pipes are not touched.
///
/// # Errors
///
/// [`FilesError::Write`].
pub fn prove_file(file: &Path) -> Result<(), FilesError> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    half::sweep_of(file);
    let proved = match fs::metadata(file) {
        Ok(facts) if facts.is_dir() => Err(ErrorKind::IsADirectory.into()),
        Ok(facts) if !facts.is_file() => Ok(()),
        _ => fs::create_dir_all(folder).and_then(|()| probe(folder)),
    };
    proved.map_err(|source| FilesError::Write { path: file.to_owned(), source })
}

fn probe(folder: &Path) -> io::Result<()> {
    let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    // Without a name, so that nothing is left whatever happens.
    match rustix::fs::open(folder, flags, Mode::RUSR | Mode::WUSR) {
        Err(Errno::OPNOTSUPP | Errno::ISDIR) => {}
        proved => return proved.map(drop).map_err(io::Error::from),
    }
    let probe = half::of(&folder.join("probe"));
    fs::create_dir(&probe)?;
    match fs::remove_dir(&probe) {
        // Somebody swept it away.
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

impl Folder {
    /// Begins the folder `out/suite-moment`; dropped before [`Folder::keep`], it has never been there.
    ///
    /// # Errors
    ///
    /// [`FilesError::Write`]; nothing is left.
    pub fn create(out: &Path, suite: &str, moment: &str) -> Result<Self, FilesError> {
        let failed = |source| FilesError::Write { path: out.to_owned(), source };
        fs::create_dir_all(out).map_err(failed)?;
        let name = format!("{suite}-{moment}");
        let half = HalfFolder::create(out, &name).map_err(failed)?;
        Ok(Self { out: out.to_owned(), name, half })
    }

    /// Shows the folder, whole, and lets `latest` lead to it; says where it is.
    ///
    /// # Errors
    ///
    /// [`FilesError::Write`]; nothing is left, or only `latest` is as before.
    pub fn keep(mut self) -> Result<PathBuf, FilesError> {
        let path = self.out.join(&self.name);
        let kept = self.half.keep(&self.out, &self.name);
        let kept = kept.map_err(|source| FilesError::Write { path, source })?;
        let latest = self.out.join(LATEST);
        let half = half::of(&latest);
        let target = kept.file_name().unwrap_or_default();
        let pointed = symlink(target, &half).and_then(|()| fs::rename(&half, &latest));
        if pointed.is_err() {
            // What is left of it is nobody's; a later run sweeps it away.
            let _removed = fs::remove_file(&half);
        }
        pointed.map_err(|source| FilesError::Write { path: latest, source })?;
        Ok(kept)
    }

    /// Writes one file.
    ///
    /// # Errors
    ///
    /// [`FilesError::Write`].
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), FilesError> {
        let path = self.half.path().join(name);
        // Nobody sees it before the whole folder.
        let written = File::create(&path).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
        let shown = self.out.join(&self.name).join(name);
        if written.is_err() {
            // What is left of it is nobody's.
            let _removed = fs::remove_file(&path);
        }
        written.map_err(|source| FilesError::Write { path: shown, source })
    }

    /// Writes the result document, and what people and other tools read, and shows the folder; says where
    /// it is.
    ///
    /// # Errors
    ///
    /// [`FilesError`]. Where the result document could be written, it is there: it cannot be had again, and
    /// everything else can be made from it.
    pub fn write_all(self, result: &SuiteResult, report: bool) -> Result<PathBuf, FilesError> {
        self.write("result.json", result.to_json()?.as_bytes())?;
        let rest = self.write_rest(result, report);
        let kept = self.keep()?;
        rest.map(|()| kept)
    }

    fn write_rest(&self, result: &SuiteResult, report: bool) -> Result<(), FilesError> {
        if !report {
            return Ok(());
        }
        for (name, latency) in latencies(result) {
            if let Ok(histogram) = reports::load::histogram(&latency.histogram) {
                self.write(&name, reports::hgrm::write(&histogram).as_bytes())?;
            }
        }
        for (index, cell) in cells(result).enumerate() {
            if let Some(log) = reports::hlog::write(cell, result.started_unix_ms)? {
                self.write(&format!("{}.hlog", prefix(index, cell)), log.as_bytes())?;
            }
        }
        self.write("metrics.txt", reports::openmetrics::render(result)?.as_bytes())?;
        for scenario in &result.scenarios {
            // One that was changed away meanwhile is not there to be shown.
            if let Ok(text) = fs::read(&scenario.file) {
                self.write(&scenario_copy(&scenario.name), &text)?;
            }
        }
        self.write("summary.md", reports::markdown::render(result).as_bytes())?;
        let page = Neighbours::of(self.half.path(), result).page(result, &[])?;
        self.write("report.html", page.as_bytes())?;
        Ok(())
    }
}

/// What lies in the folder of a run beside its result, for the page.
#[derive(Debug, Default)]
pub struct Neighbours {
    scenarios: Vec<(String, String)>,
    files: Vec<String>,
}

/// A scenario's text beside the result.
fn scenario_copy(name: &str) -> String {
    format!("scenario.{}.toml", name.replace('/', "_"))
}

impl Neighbours {
    /// Reads the folder; what cannot be read is not shown.
    #[must_use]
    pub fn of(folder: &Path, result: &SuiteResult) -> Self {
        let text = |scenario: &report_schema::ScenarioResult| {
            let text = fs::read_to_string(folder.join(scenario_copy(&scenario.name))).ok()?;
            Some((scenario.file.clone(), text))
        };
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        let raw = |name: &String| !half::is_half(name) && name != "report.html";
        let mut files: Vec<String> = names.filter(raw).collect();
        files.sort();
        Self { scenarios: result.scenarios.iter().filter_map(text).collect(), files }
    }

    /// The page of the result, with what lies beside it and with earlier runs.
    ///
    /// # Errors
    ///
    /// When the page cannot be made.
    pub fn page(
        &self,
        result: &SuiteResult,
        history: &[SuiteResult],
    ) -> Result<String, reports::page::RenderError> {
        reports::page::render_with(result, &self.beside(history))
    }

    fn beside<'a>(&'a self, history: &'a [SuiteResult]) -> Beside<'a> {
        Beside { history, scenarios: &self.scenarios, files: &self.files }
    }

    /// Writes each drawing of the page into a folder; returns the files.
    ///
    /// # Errors
    ///
    /// When a drawing cannot be made or written.
    pub fn draw(
        &self,
        result: &SuiteResult,
        history: &[SuiteResult],
        folder: &Path,
    ) -> Result<Vec<PathBuf>, FilesError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| FilesError::Write { path, source }
        };
        fs::create_dir_all(folder).map_err(failed(folder))?;
        let mut files = vec![];
        for drawing in reports::page::drawings(result, &self.beside(history))? {
            let file = folder.join(format!("{}.svg", drawing.name));
            write_whole(&file, drawing.svg.as_bytes()).map_err(failed(&file))?;
            files.push(file);
        }
        Ok(files)
    }
}

/// Writes a file under another name, brings it to the disk and gives it its name.
///
/// # Errors
///
/// When the system refuses; a file that was there is as before. A link stays, and what it names is
/// replaced; a device or a pipe is written to.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let path = &match fs::metadata(path) {
        Ok(facts) if !facts.is_file() && !facts.is_dir() => {
            return File::options().write(true).open(path)?.write_all(bytes);
        }
        Ok(_) => fs::canonicalize(path)?,
        Err(_) => path.to_owned(),
    };
    let half = half::of(path);
    let renamed = write_half(&half, bytes).and_then(|()| fs::rename(&half, path));
    if renamed.is_err() {
        // What is left of it is nobody's; a later run sweeps it away.
        let _removed = fs::remove_file(&half);
    }
    renamed
}

fn write_half(half: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(half)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Writes a file that was not there before, whole; says whether it could. A second name is given
/// only where there is none, so two who write at once do not take the same.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    if path.try_exists()? {
        return Ok(false);
    }
    let half = half::of(path);
    let named = write_half(&half, bytes).and_then(|()| fs::hard_link(&half, path));
    // It has its other name, or is nobody's.
    let _removed = fs::remove_file(&half);
    match named {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        named => named.map(|()| true),
    }
}

/// Keeps one trial's history in a folder, whole and beside all that are there, also those of other
/// runs; returns the file's name.
///
/// # Errors
///
/// When the system refuses.
pub fn keep_history(folder: &Path, cell: &str, tag: &str, bytes: &[u8]) -> io::Result<String> {
    fs::create_dir_all(folder)?;
    let plain = |letter: char| {
        let known = letter.is_ascii_alphanumeric() || "=.,-".contains(letter);
        if known { letter } else { '_' }
    };
    let id: String = cell.chars().map(plain).take(ID_LETTERS).collect();
    for twin in 1..TWINS {
        let suffix = if twin == 1 { String::new() } else { format!("-{twin}") };
        let name = format!("{id}.{tag}{suffix}{HISTORY_SUFFIX}");
        if write_new(&folder.join(&name), bytes)? {
            return Ok(name);
        }
    }
    Err(io::Error::new(
        ErrorKind::AlreadyExists,
        format!("{TWINS} histories are called {id}.{tag}: keep them in another folder"),
    ))
}

fn cells(result: &SuiteResult) -> impl Iterator<Item = &CellResult> {
    result.scenarios.iter().flat_map(|scenario| &scenario.cells)
}

/// Every latency with the name of its file.
fn latencies(result: &SuiteResult) -> Vec<(String, &Latency)> {
    let mut all = vec![];
    for (index, cell) in cells(result).enumerate() {
        for (number, trial) in cell.trials.iter().enumerate() {
            all.extend(of_trial(&prefix(index, cell), number, trial));
        }
    }
    all
}

/// The cell's number, which tells it from the others, and as much of its id as a name has room for.
fn prefix(index: usize, cell: &CellResult) -> String {
    let id = cell.id.chars().map(|letter| if letter == '/' { '_' } else { letter });
    format!("{:03}.{}", index + 1, id.take(ID_LETTERS).collect::<String>())
}

fn of_trial<'a>(prefix: &str, number: usize, trial: &'a Trial) -> Vec<(String, &'a Latency)> {
    let mut found = vec![];
    for role in &trial.roles {
        let end = match role.role {
            report_schema::Role::Producer => "producer",
            report_schema::Role::Consumer => "consumer",
        };
        for (what, latency) in [("latency", &role.latency), ("service", &role.service)] {
            if let Some(latency) = latency {
                let index = role.index;
                found.push((format!("{prefix}.trial-{number}.{end}-{index}.{what}.hgrm"), latency));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_runs_in_one_second_have_two_folders_and_latest_is_the_second() {
        let out = tempfile::tempdir().unwrap();
        let [first, second] = [b"1", b"2"].map(|bytes| {
            let folder = Folder::create(out.path(), "smoke", "now").unwrap();
            folder.write("a", bytes).unwrap();
            folder.keep().unwrap()
        });
        assert_ne!(first, second);
        assert_eq!(fs::read(out.path().join("latest/a")).unwrap(), b"2");
        assert_eq!(fs::read_dir(out.path()).unwrap().count(), 3);
    }

    #[test]
    fn a_folder_that_is_given_up_was_never_there() {
        let out = tempfile::tempdir().unwrap();
        let folder = Folder::create(out.path(), "smoke", "then").unwrap();
        folder.write("result.json", b"{").unwrap();
        drop(folder);
        assert_eq!(fs::read_dir(out.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_in_the_place_of_the_link_is_an_error_and_the_report_is_there() {
        let out = tempfile::tempdir().unwrap();
        fs::create_dir(out.path().join(LATEST)).unwrap();
        let folder = Folder::create(out.path(), "smoke", "now").unwrap();
        let golden = include_str!("../../../reports/schema/tests/golden/result-1.json");
        let written = folder.write_all(&SuiteResult::from_json(golden).unwrap(), true);
        assert!(written.unwrap_err().to_string().contains(LATEST));
        assert!(out.path().join("smoke-now/report.html").exists());
        let names = fs::read_dir(out.path()).unwrap().flatten().map(|entry| entry.file_name());
        assert!(!names.into_iter().any(|name| half::is_half(&name.to_string_lossy())));
    }

    #[test]
    fn a_file_appears_whole_and_replaces_the_old_one() {
        let out = tempfile::tempdir().unwrap();
        let path = out.path().join("a");
        write_whole(&path, b"old").unwrap();
        write_whole(&path, b"new").unwrap();
        assert_eq!(fs::read(path).unwrap(), b"new");
        assert_eq!(fs::read_dir(out.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_link_stays_and_a_device_is_written_to_and_not_replaced() {
        let out = tempfile::tempdir().unwrap();
        let [file, link, device] = ["file", "link", "null"].map(|name| out.path().join(name));
        fs::write(&file, "old").unwrap();
        symlink(&file, &link).unwrap();
        write_whole(&link, b"new").unwrap();
        assert!(link.is_symlink() && fs::read(&file).unwrap() == b"new");
        symlink("/dev/null", &device).unwrap();
        write_whole(&device, b"new").unwrap();
        assert_eq!(fs::read_link(&device).unwrap(), Path::new("/dev/null"));
        assert!(prove_file(&device).is_ok() && prove_file(out.path()).is_err());
        assert_eq!(fs::read_dir(out.path()).unwrap().count(), 3);
    }

    #[test]
    fn histories_of_one_name_are_kept_beside_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let long = "c".repeat(ID_LETTERS);
        let trials = [("one/a", "0001-0ms"), ("one/a", "0001-0ms"), ("one?a", "0001-0ms")];
        let cut = [format!("{long}x"), format!("{long}y")];
        let all = trials.into_iter().chain(cut.iter().map(|id| (id.as_str(), "0001-0ms")));
        // What a killed run has left holds its name and stops nobody.
        let left = format!("{}one_a.0001-0ms-2{HISTORY_SUFFIX}", half::HALF);
        fs::write(folder.path().join(left), "").unwrap();
        let kept: Vec<(String, u8)> = all
            .zip(0_u8..)
            .map(|((cell, tag), byte)| {
                (keep_history(folder.path(), cell, tag, &[byte]).unwrap(), byte)
            })
            .collect();
        for (name, byte) in &kept {
            assert_eq!(fs::read(folder.path().join(name)).unwrap(), [*byte], "{name} of {kept:?}");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), kept.len() + 1);
    }

    #[test]
    fn a_file_where_the_folder_should_be_is_an_error() {
        let out = tempfile::NamedTempFile::new().unwrap();
        assert!(prove(out.path()).is_err());
        assert!(Folder::create(out.path(), "smoke", "now").is_err());
    }
}
