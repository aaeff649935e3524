//! One process for one engine run: loom and shuttle cannot share one.

use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use report_schema::ModelResult;

use crate::replay::Replayed;
use crate::request::{Request, broken, run_told, shorten};

/// The verb that a program answers with [`main_from_args`].
pub const VERB: &str = "__model";

/// What stands before the result on its line: engines print to the same place.
const MARK: &str = "model-result ";

/// How long a run may take beyond its own limit.
const GRACE_SECONDS: u64 = 60;

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

/// The same with the steps of the execution, when the request names one.
pub(crate) fn answer_of_process(exe: &Path, request: &Request) -> Replayed {
    answer(exe, request)
        .unwrap_or_else(|message| Replayed { result: broken(request, message), steps: Vec::new() })
}

fn answer(exe: &Path, request: &Request) -> Result<Replayed, String> {
    let json = serde_json::to_string(request).map_err(|error| error.to_string())?;
    let mut child = Command::new(exe)
        .arg(VERB)
        .arg(json)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("`{}` cannot be started: {error}", exe.display()))?;
    let text = output(&mut child, request.limits.seconds.saturating_add(GRACE_SECONDS))?;
    let status = child.wait().map_err(|error| format!("the run is lost: {error}"))?;
    let line = text.lines().rev().find_map(|line| line.strip_prefix(MARK));
    let line = line.ok_or_else(|| format!("the run ended without a result: {status}"))?;
    serde_json::from_str(line).map_err(|error| format!("the run's result is damaged: {error}"))
}

/// Everything that `child` prints; it is killed when that takes longer than `seconds`.
fn output(child: &mut Child, seconds: u64) -> Result<String, String> {
    let mut stdout = child.stdout.take().ok_or("the run has no output")?;
    let (sender, receiver) = mpsc::channel();
    let reading = std::thread::spawn(move || {
        let mut text = Vec::new();
        let result = stdout.read_to_end(&mut text);
        // The receiver may have given up.
        let _unheard = sender.send(result.map(|_| String::from_utf8_lossy(&text).into_owned()));
    });
    let printed = receiver.recv_timeout(Duration::from_secs(seconds));
    if printed.is_err() {
        // It may have ended by itself just now; either way it is gone after the wait.
        let _gone = child.kill();
        let _gone = child.wait();
    }
    let _joined = reading.join();
    match printed {
        Ok(text) => text.map_err(|error| format!("the run's output is lost: {error}")),
        Err(_) => Err(format!("the run did not end within {seconds} s and was killed")),
    }
}
