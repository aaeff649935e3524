//! Roles in another language, and users' own rings: the peer program in C, compiled on demand behind the header that ships,
//! and linked with the library that ships.
//!
//! The compiled program is kept beside the library under a name that depends on everything it was
//! made of, as any other build product.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::UNIX_EPOCH;

use super::calibrate::Side;
use super::payload::mix;
use super::process::VERB;
use super::tally::Promise;
use super::wire::{BlockTask, Duty, Full, Function, Pace, Span, Sync, Task, Waiting};
use crate::scenario::Cell;

const HEADER: &str = include_str!("../../../datahub/capi/include/datahub.h");
/// What a role in C is made of: the payload, the role, and DataHub's calls.
const PEER: [&str; 3] = [
    include_str!("../../peer/payload.h"),
    include_str!("../../peer/peer.h"),
    include_str!("../../peer/peer.c"),
];
/// Where the library is, if not beside this program.
const LIBRARY: &str = "DATAHUB_LIBRARY";

/// The path of the compiled peer.
///
/// # Errors
///
/// Why there is none, in a sentence: no library, no compiler, or what the compiler said.
pub(super) fn peer() -> Result<PathBuf, String> {
    let library = library()?;
    let source = source();
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

fn source() -> String {
    let [payload, role, calls] = PEER;
    format!("#define _GNU_SOURCE 1\n{HEADER}\n{payload}\n{role}\n{calls}")
}

/// Why a cell that needs more than this program cannot be run here; compiles nothing.
#[must_use]
pub fn lacks(cell: &Cell) -> Option<String> {
    if let Some(program) = &cell.block.program {
        return unfit(Path::new(program));
    }
    cell.is_foreign().then(lacks_c).flatten()
}

/// What roles in C would need and is not there.
#[must_use]
pub fn lacks_c() -> Option<String> {
    let path = env::var_os("PATH").unwrap_or_default();
    let compiler = env::split_paths(&path).any(|folder| folder.join("cc").is_file());
    let missing = "there is no C compiler: install one that is called `cc`";
    library().err().or_else(|| (!compiler).then(|| missing.to_owned()))
}

/// Why this program of the user's cannot be run.
#[must_use]
pub fn unfit(program: &Path) -> Option<String> {
    let shown = program.display();
    match fs::metadata(program) {
        Err(error) => Some(format!("the program {shown} cannot be run: {error}")),
        Ok(facts) if !facts.is_file() || facts.permissions().mode() & 0o111 == 0 => {
            Some(format!("{shown} is not a program"))
        }
        Ok(_) => None,
    }
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
    debug_assert!(!matches!(task.pace, Pace::Open { .. }), "the rules admit no other");
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
        ("produce", matches!(task.duty, Duty::Produce | Duty::Initiate).into()),
        ("answer", matches!(task.duty, Duty::Initiate | Duty::Echo).into()),
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
        // The rules admit none.
        Full::Evict { .. } => (3, 5),
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

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;

    use super::*;
    use crate::run::payload::{Keyed, Stamp};
    use crate::run::tally::Tally;
    use crate::run::wire::Event;
    use report_schema::Counts;

    /// The peer without its library, which its account does not need.
    fn peer_alone(folder: &Path) -> PathBuf {
        let program = folder.join("peer");
        let source = source();
        let file = folder.join("peer.c");
        fs::write(&file, source).unwrap();
        let compiled = Command::new("cc")
            .args(["-std=c11", "-O1", "-Wall", "-Wextra", "-Werror"])
            .args(["-no-pie", "-Wl,--unresolved-symbols=ignore-all", "-o"])
            .args([&program, &file])
            .status();
        assert!(compiled.expect("tests of roles in C need a C compiler (cc)").success());
        program
    }

    /// What the peer counts for these labels and payloads.
    fn counted(program: &Path, seed: u64, promise: u64, given: &[(u64, Vec<u8>)]) -> Counts {
        let mut command = Command::new(program);
        command.arg("--account").arg(promise.to_string()).args(["1", &seed.to_string()]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut text = String::new();
        for (label, payload) in given {
            write!(text, "{label} ").unwrap();
            for byte in payload {
                write!(text, "{byte:02x}").unwrap();
            }
            text.push('\n');
        }
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        match serde_json::from_slice(&output.stdout).unwrap() {
            Event::Done(report) => report.counts,
            other => panic!("{other:?}"),
        }
    }

    /// What the harness's own consumers count.
    fn expected(seed: u64, promise: Promise, given: &[(u64, Vec<u8>)]) -> Counts {
        let (keyed, mut tally) = (Keyed::new(seed, true), Tally::new(promise));
        for (label, payload) in given {
            tally.delivered(*label, payload.len(), &keyed.check(payload, *label));
        }
        tally.counts
    }

    /// A delivery: its label, the sequence in its payload, its length, and a byte to spoil.
    fn delivery() -> impl Strategy<Value = (u64, u64, usize, Option<usize>)> {
        let label = 0..12_u64;
        let bytes = prop::sample::select(vec![1, 7, 8, 9, 13, 16, 17, 24, 31, 32, 33, 64, 200]);
        (label, 0..3_u64, bytes, prop::option::weighted(0.2, 0..200_usize))
    }

    #[test]
    fn the_peer_in_c_counts_what_the_harness_counts() {
        let folder = tempfile::tempdir().unwrap();
        let program = peer_alone(folder.path());
        let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
            cases: 60,
            ..ProptestConfig::default()
        });
        let all = (any::<u64>(), 0..3_usize, prop::collection::vec(delivery(), 0..60));
        let mut seen = Counts::default();
        let judged = runner.run(&all, |(seed, promise, deliveries)| {
            let keyed = Keyed::new(seed, true);
            let given: Vec<(u64, Vec<u8>)> = deliveries
                .into_iter()
                .map(|(label, shift, bytes, spoilt)| {
                    let sequence = if shift == 2 { label + 1 } else { label };
                    let mut payload = vec![0; bytes];
                    let stamp = Stamp { sequence, intended_ns: label * 7, actual_ns: label * 9 };
                    keyed.fill(&mut payload, &stamp);
                    if let Some(place) = spoilt {
                        payload[place % bytes] ^= 0x10;
                    }
                    (label, payload)
                })
                .collect();
            let promised = [Promise::Everything, Promise::Announced, Promise::Newest];
            let found = counted(&program, seed, promise as u64, &given);
            prop_assert_eq!(found, expected(seed, promised[promise], &given));
            Ok(())
        });
        judged.unwrap();
        // And each kind of defect is one that it sees.
        let keyed = Keyed::new(5, true);
        let of = |sequence| {
            let mut payload = vec![0; 64];
            keyed.fill(&mut payload, &Stamp { sequence, intended_ns: 0, actual_ns: 0 });
            payload
        };
        let mut torn = of(6);
        torn[40] ^= 1;
        let given =
            [(0, of(0)), (0, of(0)), (3, of(3)), (1, of(1)), (4, of(5)), (6, torn), (7, of(7))];
        seen += counted(&program, 5, 0, &given);
        let Counts { torn, mislabelled, backward, lost, duplicated, .. } = seen;
        assert_eq!((torn, mislabelled, backward, lost, duplicated), (1, 1, 1, 3, 1));
    }
}
