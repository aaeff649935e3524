//! Kills real processes right before each operation on shared memory, and looks whether those who
//! live on are harmed.
//!
//! The shapes of the blocks come from a kill matrix (`scenarios/faults/kills.toml`).
//!
//! `victim` (a process that dies at a site) ← `driver` (a process that starts victims, lives on, and
//! judges) ← `crash` here (the harness, which hears the driver and ends it). One row a victim, site
//! and shape of block; a scout that nobody kills tells first which sites its kind comes to.
//! Knows nothing of: pages.

mod account;
mod board;
pub mod driver;
mod ledger;
mod reason;
mod replay;
mod rounds;
mod scene;
mod shape;
mod stay;
pub mod victim;

use std::fmt;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::fd::AsFd as _;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use clap::ValueEnum as _;
use datahub::sites::{Site, TABLE};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use report_schema::CrashResult;
use serde::{Deserialize, Serialize};

use crate::plan::Filter;
use crate::run::Interrupts;
use crate::scenario::Profile;
use crate::scenario::model::kills::{Dose, KillMatrix, KillShape};
use account::{Asked, Tried, account};
use rounds::Kind;
use shape::Shape;

/// A driver that says nothing for so long stands still.
const SILENCE: Duration = Duration::from_mins(1);
/// The verbs of the processes; `cli` knows them by the same names.
pub const DRIVER: &str = "__crash-driver";
/// As [`DRIVER`].
pub const VICTIM: &str = "__crash-victim";

/// What is to be killed, and how often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// The process that starts the driver.
    pub parent: u32,
    /// The kill matrix, for whoever repeats a kill.
    pub file: String,
    /// What of it is run, for the same.
    pub profile: Profile,
    /// The blocks and their users.
    shapes: Vec<Shape>,
    /// All randomness comes from it, and from those after it.
    pub seed: u64,
    /// So many seeds.
    pub seeds: u64,
    /// Kills for each victim, site, shape and seed.
    pub kills: u64,
    /// Fewer in all are inconclusive, where everything is asked for.
    pub at_least: u64,
    /// Only rows whose `victim/SITE` or shape contains this.
    pub only: Option<String>,
    /// A defect to run with: the driver must notice it.
    pub plant: Option<Neglect>,
}

/// A defect of the survivors, so that the judge itself can be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
pub enum Neglect {
    /// A reader skips one payload.
    SkipOne,
    /// A reader takes one payload twice.
    TakeTwice,
    /// A reader compares payloads with another label.
    OtherLabel,
    /// A payload is changed behind the block's back.
    ChangeByte,
    /// The dead one's remains are taken for clean.
    LeaveRemains,
}

impl fmt::Display for Neglect {
    /// As it is typed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_possible_value().map_or(Ok(()), |value| f.write_str(value.get_name()))
    }
}

impl Job {
    /// What a profile of the matrix kills.
    #[must_use]
    pub fn of(matrix: &KillMatrix, profile: Profile, seed: u64) -> Self {
        let dose = matrix.dose(profile);
        Self {
            parent: std::process::id(),
            file: matrix.file.clone(),
            profile,
            shapes: matrix.shapes(profile).map(Shape::from).collect(),
            seed,
            seeds: dose.seeds,
            kills: dose.kills,
            at_least: dose.at_least,
            only: None,
            plant: None,
        }
    }

    /// Whether rows of this name, as in `writer/W_COMMIT`, in this shape are wanted.
    fn wants(&self, row: &str, shape: &str) -> bool {
        self.only.as_ref().is_none_or(|only| row.contains(only) || shape.contains(only))
    }

    /// With whom it begins, in which shape.
    fn pairs(&self) -> impl Iterator<Item = (Kind, Shape)> {
        let all = move |kind| self.shapes.iter().map(move |shape| (kind, *shape));
        let begins = move |(kind, shape): &(Kind, Shape)| {
            let (victim, block) = (kind.name(), shape.name());
            let row = |site: &Site| format!("{victim}/{}", site.name);
            kind.fits(*shape) && TABLE.iter().any(|site| self.wants(&row(site), &block))
        };
        Kind::ALL.into_iter().flat_map(all).filter(begins)
    }

    /// How many kinds of victims in how many shapes it begins with.
    #[must_use]
    pub fn begins(&self) -> usize {
        self.pairs().count()
    }

    /// Victims and shapes, as `only` may name them.
    #[must_use]
    pub fn names(&self) -> (Vec<&'static str>, Vec<String>) {
        let shapes = self.shapes.iter().map(|shape| shape.name()).collect();
        (Kind::ALL.iter().map(|kind| kind.name()).collect(), shapes)
    }
}

/// As it is said of a block that a file describes: `sequential-sync, 4 slots, 2 readers`.
#[must_use]
pub fn name_of(shape: &KillShape) -> String {
    Shape::from(shape).name()
}

/// The blocks of a profile, in words, that are wanted by their id: the matrix's name and theirs.
#[must_use]
pub fn selected(matrix: &KillMatrix, profile: Profile, filter: &Filter) -> Vec<String> {
    let names = matrix.shapes(profile).map(name_of);
    let id = |name: &String| format!("{}/{name}", matrix.name);
    names.filter(|name| filter.wants(&id(name), &matrix.tags)).collect()
}

/// What a profile of the matrix kills, in words.
#[must_use]
pub fn told(matrix: &KillMatrix, profile: Profile) -> String {
    use std::fmt::Write as _;
    let KillMatrix { name, question, file, .. } = matrix;
    let Dose { seeds, kills, at_least } = matrix.dose(profile);
    let victims: Vec<&str> = victims().collect();
    let mut text = format!(
        "{name} ({file}): {question}\n  profile {profile}: each of {} dies right before the sites that it \
         comes to and that no other covers, {kills} times with each of {seeds} seeds, in each of these blocks; at least {at_least} \
         kills in all. `harness crash {file}` runs it.\n",
        victims.join(", ")
    );
    for shape in matrix.shapes(profile) {
        // A String takes every write.
        let _written = writeln!(text, "  - {}", name_of(shape));
    }
    text
}

/// The kinds of victims.
pub fn victims() -> impl Iterator<Item = &'static str> {
    Kind::ALL.into_iter().map(Kind::name)
}

/// What the driver tells, a line each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Word {
    /// It begins with these victims in this shape.
    Begin { victim: String, shape: String },
    /// It gets on.
    Alive,
    /// One row is judged.
    Row(Box<Tried>),
    /// It cannot go on.
    Failed { why: String },
    /// It is through.
    End,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Every row, those that were not reached included.
    pub rows: Vec<CrashResult>,
    /// Somebody asked to stop.
    pub interrupted: bool,
    /// Why it did not come to its end.
    pub broken: Option<String>,
    /// What was asked for and is missing in all rows together, one sentence each.
    pub gaps: Vec<String>,
}

/// Told of what happens.
pub trait Watch {
    /// These victims come next.
    fn begin(&mut self, victim: &str, shape: &str);
    /// A row is judged.
    fn row(&mut self, row: &CrashResult);
}

/// The driver's process, ended with this value.
#[derive(Debug)]
struct Driver {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Drop for Driver {
    fn drop(&mut self) {
        // One that has ended is as good.
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Runs the job in a process of its own, and hears it to its end.
///
/// # Errors
///
/// When no process can be started.
pub fn run(job: &Job, watch: &mut dyn Watch) -> io::Result<Outcome> {
    let mut tried = vec![];
    let mut outcome = hear(job, watch, &mut tried)?;
    let ended = !outcome.interrupted && outcome.broken.is_none();
    let whole = ended && job.only.is_none();
    let asked = Asked { whole, shapes: &job.shapes, at_least: job.at_least };
    (outcome.rows, outcome.gaps) = account(tried, asked);
    Ok(outcome)
}

fn hear(job: &Job, watch: &mut dyn Watch, tried: &mut Vec<Tried>) -> io::Result<Outcome> {
    let mut interrupts = Interrupts::watch()?;
    let mut driver = start(job)?;
    let mut outcome = Outcome::default();
    let mut heard = Instant::now();
    loop {
        if interrupts.count() > 0 {
            outcome.interrupted = true;
            return Ok(outcome);
        }
        if driver.lines.buffer().is_empty() && !readable(&driver, &interrupts) {
            if heard.elapsed() > SILENCE {
                let silent = SILENCE.as_secs();
                outcome.broken = Some(format!("the driver has said nothing for {silent} s"));
                return Ok(outcome);
            }
            continue;
        }
        if interrupts.count() > 0 {
            continue;
        }
        heard = Instant::now();
        let mut line = String::new();
        if driver.lines.read_line(&mut line)? == 0 {
            let status = driver.child.wait()?;
            outcome.broken = Some(format!("the driver ended early ({status})"));
            return Ok(outcome);
        }
        match serde_json::from_str(&line) {
            Ok(Word::Begin { victim, shape }) => watch.begin(&victim, &shape),
            Ok(Word::Row(row)) => {
                watch.row(&row.result);
                tried.push(*row);
            }
            Ok(Word::Alive) => {}
            Ok(Word::End) => return Ok(outcome),
            Ok(Word::Failed { why }) => {
                outcome.broken = Some(why);
                return Ok(outcome);
            }
            Err(error) => {
                outcome.broken = Some(format!("the driver says nonsense: {error}"));
                return Ok(outcome);
            }
        }
    }
}

fn start(job: &Job) -> io::Result<Driver> {
    let mut child = Command::new("/proc/self/exe")
        .arg(DRIVER)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let stdout = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let mut stdin = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let driver = Driver { child, lines: BufReader::new(stdout) };
    let mut line = serde_json::to_vec(job)?;
    line.push(b'\n');
    stdin.write_all(&line)?;
    Ok(driver)
}

/// Waits a little for the driver to speak; an interrupt ends the wait.
fn readable(driver: &Driver, interrupts: &Interrupts) -> bool {
    let mut polled = [
        PollFd::new(driver.lines.get_ref().as_fd(), PollFlags::POLLIN),
        PollFd::new(interrupts.descriptor(), PollFlags::POLLIN),
    ];
    let ready = poll(&mut polled, PollTimeout::from(200_u8)).is_ok_and(|ready| ready > 0);
    let [driver, _] = polled;
    ready && driver.revents().is_some_and(|events| !events.is_empty())
}
