//! Roles in another language: the peer program in C, compiled on demand behind the header that ships,
//! and linked with the library that ships.
//!
//! The compiled program is kept beside the library under a name that depends on everything it was
//! made of, as any other build product.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::UNIX_EPOCH;

use super::calibrate::Side;
use super::payload::mix;
use super::process::VERB;
use super::tally::Promise;
use super::wire::{BlockTask, Full, Function, Pace, Span, Sync, Task, Waiting};

const HEADER: &str = include_str!("../../../datahub/capi/include/datahub.h");
const PEER: &str = include_str!("../../peer/peer.c");
/// Where the library is, if not beside this program.
const LIBRARY: &str = "DATAHUB_LIBRARY";

/// The path of the compiled peer.
///
/// # Errors
///
/// Why there is none, in a sentence: no library, no compiler, or what the compiler said.
pub(super) fn peer() -> Result<PathBuf, String> {
    let library = library()?;
    let source = format!("#define _GNU_SOURCE 1\n{HEADER}\n{PEER}");
    let folder = library.parent().unwrap_or(Path::new("."));
    let program = folder.join(format!("datahub-peer-{:016x}", fingerprint(&source, &library)));
    if program.exists() {
        return Ok(program);
    }
    let half = folder.join(format!(".half-datahub-peer-{}", std::process::id()));
    let compiled = compile(&source, &library, &half)
        .and_then(|()| fs::rename(&half, &program).map_err(|error| error.to_string()));
    // What is left of a program that was not compiled is nobody's.
    let _removed = fs::remove_file(&half);
    compiled.map(|()| program)
}

fn library() -> Result<PathBuf, String> {
    if let Some(path) = env::var_os(LIBRARY) {
        let path = PathBuf::from(path);
        let missing = || format!("{LIBRARY} names {}, which is not there", path.display());
        return path.exists().then(|| path.clone()).ok_or_else(missing);
    }
    let own = env::current_exe().map_err(|error| error.to_string())?;
    let beside = own.with_file_name("libdatahub.a");
    let missing = || {
        "there is no libdatahub.a beside the harness: build it with `cargo build --release -p \
         datahub-capi`"
            .to_owned()
    };
    beside.exists().then(|| beside.clone()).ok_or_else(missing)
}

/// A number that changes with the source and with the library.
fn fingerprint(source: &str, library: &Path) -> u64 {
    let facts = fs::metadata(library).ok();
    let bytes = facts.as_ref().map_or(0, fs::Metadata::len);
    let changed = facts.and_then(|facts| facts.modified().ok());
    let changed = changed.and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    let start = mix(bytes ^ mix(u64::try_from(changed.as_nanos()).unwrap_or(0)));
    source.bytes().fold(start, |hash, byte| mix(hash ^ u64::from(byte)))
}

fn compile(source: &str, library: &Path, program: &Path) -> Result<(), String> {
    let strict = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-pthread", "-x", "c", "-"];
    let mut command = Command::new("cc");
    command.args(strict).arg("-o").arg(program).args([OsStr::new("-x"), OsStr::new("none")]);
    command.arg(library).args(["-lpthread", "-ldl", "-lm"]);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut compiler =
        command.spawn().map_err(|error| format!("there is no C compiler: {error}"))?;
    if let Some(mut stdin) = compiler.stdin.take() {
        // A compiler that does not listen says why below.
        let _written = stdin.write_all(source.as_bytes());
    }
    let output = compiler.wait_with_output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let first = said.lines().find(|line| line.contains("error")).unwrap_or("it does not say why");
    Err(format!("the C compiler refuses the peer: {first}"))
}

/// The task as the peer reads it.
pub(super) fn arguments(task: &Task) -> Vec<String> {
    debug_assert!(matches!(task.pace, Pace::Stream), "the rules admit no other");
    let count = |span: Span| match span {
        Span::TimeNs(_) => 0,
        Span::Messages(count) => count,
    };
    let wait = match task.wait {
        Waiting::Spin => 0,
        Waiting::Yield => 1,
        Waiting::Park => 2,
    };
    let side = match task.side {
        None => 0,
        Some(Side::Ping) => 1,
        Some(Side::Pong) => 2,
    };
    let numbers = [
        ("produce", task.duty.makes().into()),
        ("warm-ns", task.warmup.time_ns().unwrap_or(0)),
        ("warm-count", count(task.warmup)),
        ("run-ns", task.length.time_ns().unwrap_or(0)),
        ("run-count", count(task.length)),
        ("seed", task.seed),
        ("wait", wait),
        ("whole", task.whole.into()),
        ("abort-every", task.abort_every.unwrap_or(0)),
        ("work-ns", task.work_ns),
        ("latest", task.join_latest.into()),
        ("patience-ns", task.patience_ns),
        ("deadline-ns", task.deadline_ns),
        ("side", side),
        // Core 0 is not the same as none.
        ("core", task.core.map_or(0, |core| core as u64 + 1)),
    ];
    let mut arguments = vec![VERB.to_owned(), task.parent.to_string()];
    arguments.push(format!("words={}", task.words.display()));
    let all = numbers.into_iter().chain(shape(&task.block));
    arguments.extend(all.map(|(key, value): (&str, u64)| format!("{key}={value}")));
    arguments
}

/// The block, in the numbers of the C API.
fn shape(block: &BlockTask) -> [(&'static str, u64); 11] {
    let (on_full, block_ms) = match block.on_full {
        Full::Block { timeout_ns } => (0, timeout_ns.div_ceil(1_000_000).max(1)),
        Full::Error => (1, 5),
        Full::Overwrite => (2, 5),
    };
    let algorithm = block.checksum.map_or(0, |checksum| match checksum.function {
        Function::Xxh3 => 1,
        Function::Crc32c => 2,
        Function::Blake2b => 3,
    });
    let sync = match block.sync {
        Sync::Latest => 0,
        Sync::One => 1,
        Sync::All => 2,
    };
    let promise = match block.promise {
        Promise::Everything => 0,
        Promise::Announced => 1,
        Promise::Newest => 2,
    };
    [
        ("sync", sync),
        ("slots", block.slots.into()),
        ("physical", block.physical_slots.into()),
        ("payload", block.payload_bytes),
        ("consumers", block.max_consumers.into()),
        ("notify", block.notify.into()),
        ("on-full", on_full),
        ("block-ms", block_ms),
        ("algorithm", algorithm),
        ("enforced", block.checksum.is_some_and(|checksum| checksum.enforced).into()),
        ("promise", promise),
    ]
}
