//! One process for one engine run: loom and shuttle cannot share one.

use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use report_schema::ModelResult;

use crate::replay::Replayed;
use crate::request::{Request, broken, run_told, shorten};
use crate::stop::Stop;

/// The verb that a program answers with [`main_from_args`].
pub const VERB: &str = "__model";

/// What stands before the result on its line: engines print to the same place.
const MARK: &str = "model-result ";

/// How long a run may take beyond its own limit.
const GRACE_SECONDS: u64 = 60;
/// How often it is looked whether somebody asked to stop.
const LOOK: Duration = Duration::from_millis(50);

/// Runs the request that stands in JSON in the first argument after the verb.
///
/// Prints the result as one line. The panic hook of the process is silenced: engines unwind when
/// they find something.
#[must_use]
pub fn main_from_args(mut args: impl Iterator<Item = OsString>) -> ExitCode {
    let text = args.next().and_then(|text| text.into_string().ok()).unwrap_or_default();
    let request: Request = match serde_json::from_str(&text) {
        Ok(request) => request,
        Err(error) => {
            // Nobody is left to tell when the error stream is closed too.
            let _unheard = writeln!(std::io::stderr(), "{VERB}: not a request: {error}");
            return ExitCode::from(2);
        }
    };
    std::panic::set_hook(Box::new(|_| {}));
    let written = serde_json::to_string(&run_told(&request))
        .map_err(std::io::Error::other)
        .and_then(|json| writeln!(std::io::stdout(), "\n{MARK}{json}"));
    if written.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(7) }
}

/// Runs `request` in a process of its own: `exe __model <json>`.
///
/// A process that crashes, hangs or answers nonsense gives a `broken` result.
#[must_use]
pub fn run_in_process_of(exe: &Path, request: &Request) -> ModelResult {
    let mut result = answer_of_process(exe, request).result;
    shorten(&mut result);
    result
}

/// The same; `None` where somebody asked to stop before it had ended.
#[must_use]
pub fn run_unless(stop: &Stop, exe: &Path, request: &Request) -> Option<ModelResult> {
    let mut result = answer_unless(stop, exe, request)?.result;
    shorten(&mut result);
    Some(result)
}

/// The same with the steps of the execution, when the request names one.
pub(crate) fn answer_of_process(exe: &Path, request: &Request) -> Replayed {
    let stopped = || Replayed {
        result: broken(request, "the run was stopped".to_owned()),
        steps: Vec::new(),
    };
    answer_unless(&Stop::default(), exe, request).unwrap_or_else(stopped)
}

/// The same; `None` where somebody asked to stop before the process had ended.
pub(crate) fn answer_unless(stop: &Stop, exe: &Path, request: &Request) -> Option<Replayed> {
    match answer(stop, exe, request) {
        Ok(replayed) => Some(replayed),
        Err(Lost::Stopped) => None,
        Err(Lost::Broken(message)) => {
            Some(Replayed { result: broken(request, message), steps: Vec::new() })
        }
    }
}

/// Why there is no answer.
enum Lost {
    /// Somebody asked to stop.
    Stopped,
    /// What went wrong.
    Broken(String),
}

impl From<String> for Lost {
    fn from(message: String) -> Self {
        Self::Broken(message)
    }
}

fn answer(stop: &Stop, exe: &Path, request: &Request) -> Result<Replayed, Lost> {
    let json = serde_json::to_string(request).map_err(|error| error.to_string())?;
    let mut child = Command::new(exe)
        .arg(VERB)
        .arg(json)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("`{}` cannot be started: {error}", exe.display()))?;
    let seconds = request.limits.seconds.saturating_add(GRACE_SECONDS);
    let text = output(stop, &mut child, seconds)?;
    let status = child.wait().map_err(|error| format!("the run is lost: {error}"))?;
    let line = text.lines().rev().find_map(|line| line.strip_prefix(MARK));
    let line = line.ok_or_else(|| format!("the run ended without a result: {status}"))?;
    let damaged = |error| format!("the run's result is damaged: {error}");
    Ok(serde_json::from_str(line).map_err(damaged)?)
}

/// Everything that `child` prints; it is killed when that takes longer than `seconds`, and when
/// somebody asks to stop.
fn output(stop: &Stop, child: &mut Child, seconds: u64) -> Result<String, Lost> {
    let mut stdout = child.stdout.take().ok_or_else(|| "the run has no output".to_owned())?;
    let (sender, receiver) = mpsc::channel();
    let reading = std::thread::spawn(move || {
        let mut text = Vec::new();
        let result = stdout.read_to_end(&mut text);
        // The receiver may have given up.
        let _unheard = sender.send(result.map(|_| String::from_utf8_lossy(&text).into_owned()));
    });
    let (began, longest) = (Instant::now(), Duration::from_secs(seconds));
    let printed = loop {
        let printed = receiver.recv_timeout(LOOK);
        if printed.is_ok() || stop.is_asked() || began.elapsed() >= longest {
            break printed;
        }
    };
    if printed.is_err() {
        // It may have ended by itself just now; either way it is gone after the wait.
        let _gone = child.kill();
        let _gone = child.wait();
    }
    let _joined = reading.join();
    match printed {
        Ok(text) => Ok(text.map_err(|error| format!("the run's output is lost: {error}"))?),
        Err(_) if stop.is_asked() => Err(Lost::Stopped),
        Err(_) => Err(format!("the run did not end within {seconds} s and was killed").into()),
    }
}
