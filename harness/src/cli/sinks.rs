//! Where results go, for every verb that has some: folder, standard output, JUnit, the job's page.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use report_schema::SuiteResult;

use super::{Exit, Output};
use crate::suite::files::{self, FilesError, Folder, write_whole};

/// Arguments that say where results go.
#[derive(Debug, Clone, clap::Args)]
pub struct Sinks {
    /// Where results are written.
    ///
    /// Each run has a folder there, which is there whole or not at all, and `latest` leads to the newest.
    /// What is not whole yet has a hidden name (`.half-…`): it goes when the harness is killed, and where
    /// all its processes are killed at once, when the next run begins.
    #[arg(short, long, value_name = "DIR", default_value = "out", help_heading = "Output")]
    pub out: PathBuf,
    /// Prints the result document on standard output.
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Writes the verdicts as JUnit XML, too.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub junit: Option<PathBuf>,
    /// Marks what did not pass at its line in the scenario file; `auto` does so in GitHub jobs.
    #[arg(long, value_enum, value_name = "FOR", default_value_t, help_heading = "Output")]
    pub annotations: Annotations,
}

/// For whom lines are marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, clap::ValueEnum)]
pub enum Annotations {
    /// GitHub where `GITHUB_ACTIONS=true`, else nobody.
    #[default]
    Auto,
    /// Workflow commands on standard error, and the summary at the end of `GITHUB_STEP_SUMMARY`.
    Github,
    /// Nobody.
    None,
}

/// What a verb says at its end.
#[derive(Debug)]
pub(super) struct Told {
    /// The result for people; not with `--json`.
    pub(super) body: String,
    /// The last line but the one that says where the report is.
    pub(super) last: String,
}

impl Sinks {
    /// Proves, before anything runs, that results can be written; says it where not.
    pub(super) fn prove(&self, output: &mut Output) -> Result<(), Exit> {
        // What is to lie in the run's own folder is proved with it.
        let apart = self.junit.as_deref().filter(|file| !self.is_in_latest(file));
        let junit = || apart.map_or(Ok(()), files::prove_file);
        let proved = files::prove(&self.out).and_then(|()| junit());
        proved.map_err(|error| {
            output.error(&error.to_string());
            Exit::Io
        })
    }

    /// Writes everything and says how it ended. `page` false leaves only the result document.
    pub(super) fn deliver(
        &self,
        (result, exit): (&SuiteResult, Exit),
        page: bool,
        told: impl FnOnce(&Path) -> Told,
        output: &mut Output,
    ) -> Exit {
        let written = self.write(result, page);
        let file = written.as_deref().unwrap_or(&self.out).to_owned();
        let told = told(&file);
        if self.json {
            match result.to_json() {
                Ok(json) => output.result(&json),
                Err(error) => output.error(&format!("the result cannot be written: {error}")),
            }
        } else {
            output.result(&told.body);
        }
        let marked = self.annotate(result, output);
        if let Err(error) = written.map(drop).and(marked) {
            output.error(&error.to_string());
            return exit.or_worse(Exit::Io);
        }
        // A path on a line of its own is whole on every terminal.
        let ending = format!("{}\nreport: {}", told.last, file.display());
        if self.json {
            output.note(&ending);
        } else {
            output.result(&format!("{ending}\n"));
        }
        exit
    }

    /// Whether a file is named by way of the link to the newest run: the one that is to be.
    fn is_in_latest(&self, file: &Path) -> bool {
        let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        whole(file).starts_with(whole(&self.out).join(files::LATEST))
    }

    /// Writes the folder and the JUnit file, each also where the other cannot be written; returns
    /// what a person wants to open first.
    fn write(&self, result: &SuiteResult, page: bool) -> Result<PathBuf, FilesError> {
        let folder = self.write_folder(result, page);
        let junit = self.junit.as_deref().map_or(Ok(()), |file| write_junit(file, result));
        folder.and_then(|file| junit.map(|()| file))
    }

    fn write_folder(&self, result: &SuiteResult, page: bool) -> Result<PathBuf, FilesError> {
        let began = i64::try_from(result.started_unix_ms).ok();
        let began = began.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
        let moment = began.unwrap_or_else(jiff::Timestamp::now).strftime("%Y%m%dT%H%M%SZ");
        let folder = Folder::create(&self.out, &result.suite, &moment.to_string())?;
        let kept = folder.write_all(result, page)?;
        Ok(kept.join(if page { "report.html" } else { "result.json" }))
    }

    fn annotate(&self, result: &SuiteResult, output: &mut Output) -> Result<(), FilesError> {
        let github = || std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true");
        let wanted = match self.annotations {
            Annotations::Auto => github(),
            Annotations::Github => true,
            Annotations::None => false,
        };
        if !wanted {
            return Ok(());
        }
        let lines = reports::annotations::github(result);
        if !lines.is_empty() {
            output.note(lines.trim_end());
        }
        let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").map(PathBuf::from) else {
            return Ok(());
        };
        append(&path, &reports::markdown::render(result))
            .map_err(|source| FilesError::Write { path, source })
    }
}

fn write_junit(file: &Path, result: &SuiteResult) -> Result<(), FilesError> {
    let text = reports::junit::render(result)?;
    let made = file.parent().map_or(Ok(()), std::fs::create_dir_all);
    let written = made.and_then(|()| write_whole(file, text.as_bytes()));
    written.map_err(|source| FilesError::Write { path: file.to_owned(), source })
}

/// Other steps of the job have written there before.
fn append(path: &Path, text: &str) -> io::Result<()> {
    OpenOptions::new().create(true).append(true).open(path)?.write_all(text.as_bytes())
}
