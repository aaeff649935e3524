//! C programs, compiled as users compile theirs, against the Rust side in other processes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod toolchain;

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdout, Stdio};
use std::time::Duration;

use datahub::config::{BlockConfig, ConsumerSync};
use datahub::consumer::{Consumer, ReadError};
use datahub::place::Place;
use datahub::producer::Producer;
use datahub::ring::reader::JoinAt;
use datahub::shm::Folder;
use datahub::wait::{Timeout, WaitStrategy};
use toolchain::{Link, Program, STRICT, compile, root};

const PATIENCE: Timeout = Timeout::After(Duration::from_secs(20));
const MESSAGES: u64 = 20_000;
const WORDS_MAX: u64 = 64;

/// The same function of sequence and word as in `stream.c`.
fn keyed(sequence: u64, word: u64) -> u64 {
    let mut z = (sequence * WORDS_MAX + word + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn payload(sequence: u64) -> Vec<u8> {
    (0..=sequence % WORDS_MAX).flat_map(|word| keyed(sequence, word).to_le_bytes()).collect()
}

/// A running program that is killed, however the test ends.
struct Running(Child, BufReader<ChildStdout>);

impl Running {
    fn start(program: &Program, args: &[&str]) -> Self {
        let mut command = program.command();
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self(child, output)
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        assert_ne!(self.1.read_line(&mut line).unwrap(), 0, "the program ended too early");
        line.trim_end().to_owned()
    }

    fn say(&mut self, word: &str) {
        writeln!(self.0.stdin.as_mut().unwrap(), "{word}").unwrap();
    }

    /// Waits for its end, which must be good; returns what else it said.
    fn end(mut self) -> String {
        let mut rest = String::new();
        self.1.read_to_string(&mut rest).unwrap();
        assert!(self.0.wait().unwrap().success());
        rest
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _already_over = self.0.kill();
        let _reaped = self.0.wait();
    }
}

#[test]
fn a_c_producer_is_read_by_a_rust_consumer() {
    let program = Program::build("tests/c/stream.c", Link::Static);
    let mut c = Running::start(&program, &["write", &MESSAGES.to_string()]);
    let path = c.line();
    let mut consumer = Consumer::attach(Place::File(path.into()), JoinAt::Oldest).unwrap();
    consumer.set_wait(WaitStrategy::Yield);
    c.say("go");
    for sequence in 0..MESSAGES {
        let slot = consumer.acquire_consume_slot(PATIENCE).unwrap();
        assert_eq!(slot.sequence(), sequence);
        assert_eq!(&*slot, payload(sequence), "sequence {sequence}");
    }
    let end = consumer.acquire_consume_slot(PATIENCE).map(|slot| slot.sequence());
    assert_eq!(end, Err(ReadError::Ended));
    assert_eq!(c.end().trim_end(), "done");
}

#[test]
fn a_rust_producer_is_read_by_a_c_consumer() {
    let program = Program::build("tests/c/stream.c", Link::Shared);
    let config = BlockConfig::new(ConsumerSync::Sequential, 16, WORDS_MAX * 8).unwrap();
    let mut producer = Producer::create_unnamed(&Folder::default(), config.parking(true)).unwrap();
    producer.set_wait(WaitStrategy::Yield);
    let mut c = Running::start(&program, &["read", producer.path().to_str().unwrap()]);
    assert_eq!(c.line(), "ready");
    for sequence in 0..MESSAGES {
        let bytes = payload(sequence);
        let mut slot = producer.acquire_write_slot(PATIENCE).unwrap();
        slot.payload()[..bytes.len()].copy_from_slice(&bytes);
        assert_eq!(slot.commit(bytes.len()).unwrap(), sequence);
    }
    drop(producer);
    assert_eq!(c.end().trim_end(), format!("read {MESSAGES}"));
}

// The C reader is tested by what it must reject.
#[test]
fn a_c_consumer_refuses_a_payload_with_another_key() {
    let program = Program::build("tests/c/stream.c", Link::Static);
    let config = BlockConfig::new(ConsumerSync::Sequential, 4, WORDS_MAX * 8).unwrap();
    let mut producer = Producer::create_unnamed(&Folder::default(), config).unwrap();
    let mut slot = producer.acquire_write_slot(PATIENCE).unwrap();
    let mut bytes = payload(0);
    bytes[7] ^= 1;
    slot.payload()[..bytes.len()].copy_from_slice(&bytes);
    slot.commit(bytes.len()).unwrap();
    let path = producer.path();
    let output = program.command().args(["read", path.to_str().unwrap()]).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("payload:"), "{output:?}");
}

#[test]
fn two_c_programs_exchange_frames_as_the_readme_shows() {
    let program = Program::build("examples/frames.c", Link::Shared);
    let name = format!("capi-frames-{}", std::process::id());
    let _swept = Swept(format!("/dev/shm/datahub.{name}").into());
    let mut writer = Running::start(&program, &["write", &name, "1000"]);
    writer.line();
    let mut reader = Running::start(&program, &["read", &name]);
    let place = Place::from(datahub::name::BlockName::new(&name).unwrap());
    let mut consumer = Consumer::attach(place, JoinAt::Oldest).unwrap();
    // The reader's first line needs the writer, so its seat in the metrics is what tells.
    let limit = std::time::Instant::now() + Duration::from_secs(20);
    while seats(&consumer) < 2 && std::time::Instant::now() < limit {
        std::thread::yield_now();
    }
    writer.say("");
    for sequence in 0..1000 {
        let slot = consumer.acquire_consume_slot(PATIENCE).unwrap();
        assert_eq!(&*slot, format!("frame {sequence}").as_bytes());
    }
    for sequence in 0..1000 {
        assert_eq!(reader.line(), format!("frame {sequence}"));
    }
    writer.end();
    reader.end();
}

/// A file that is gone afterwards, also when the test fails and its writer was killed.
struct Swept(std::path::PathBuf);

impl Drop for Swept {
    fn drop(&mut self) {
        let _usually_gone = fs::remove_file(&self.0);
    }
}

/// Living heartbeats in the block.
fn seats(consumer: &Consumer) -> usize {
    use std::os::unix::fs::FileExt;
    let live = |seat: &u64| {
        let mut word = [0; 8];
        let offset = datahub::layout::HEARTBEATS as u64 + seat * datahub::layout::LINE as u64;
        consumer.block().file().read_exact_at(&mut word, offset).unwrap();
        u64::from_le_bytes(word) & 0b11 == 2
    };
    (0..8).filter(live).count()
}

#[test]
fn every_code_of_the_blocks_is_provoked() {
    let said = Program::build("tests/c/blocks.c", Link::Static).run(&[]);
    assert!(said.contains("every code as it should be"), "{said}");
}

#[test]
fn every_result_of_a_raw_slot_is_provoked() {
    let said = Program::build("tests/c/slots.c", Link::Static).run(&[]);
    assert!(said.contains("every result as it should be"), "{said}");
}

#[test]
fn the_layout_is_the_same_in_c() {
    let said = Program::build("tests/c/layout.c", Link::Static).run(&[]);
    assert!(said.contains("every number as it should be"), "{said}");
}

/// Whether a compiler takes `header`, included twice, without a warning.
fn accepts(compiler: &str, language: &[&str], header: &str) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("datahub.h"), header).unwrap();
    let source = folder.path().join("source");
    fs::write(
        &source,
        "#include \"datahub.h\"\n#include \"datahub.h\"\nint main(void) { return 0; }\n",
    )
    .unwrap();
    let mut args: Vec<&OsStr> = STRICT[1..].iter().chain(language).map(OsStr::new).collect();
    args.extend([OsStr::new("-fsyntax-only"), OsStr::new("-I"), folder.path().as_os_str()]);
    args.push(source.as_os_str());
    let output = compile(compiler, &args);
    let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(()) } else { Err(complaints) }
}

const C99: [&str; 3] = ["-std=c99", "-x", "c"];

#[test]
fn the_header_is_plain_c99_and_cpp11() {
    let header = fs::read_to_string(root().join("include/datahub.h")).unwrap();
    accepts("cc", &C99, &header).unwrap();
    accepts("cc", &["-std=c17", "-x", "c"], &header).unwrap();
    accepts("c++", &["-std=c++11", "-x", "c++"], &header).unwrap();
}

// The assertions of the header are tested by what they must reject.
#[test]
fn a_header_with_a_moved_field_does_not_compile() {
    let header = fs::read_to_string(root().join("include/datahub.h")).unwrap();
    let defects = [
        ("uint32_t byte_order;", "uint64_t byte_order;"),
        ("uint64_t opaque[8];", "uint64_t opaque[9];"),
        ("uint8_t nonce[16];", "uint8_t nonce[8];"),
        ("uint64_t reserved[4];", "uint64_t reserved[3];"),
        ("uint64_t writer_timeout_count;", ""),
        ("#define DATABLOCK_METRICS_BYTES 256", "#define DATABLOCK_METRICS_BYTES 248"),
    ];
    for (right, wrong) in defects {
        assert!(header.contains(right), "{right} is not in the header");
        let refused = accepts("cc", &C99, &header.replacen(right, wrong, 1));
        assert!(
            refused.is_err_and(|why| why.contains("datablock_assert")),
            "{wrong:?} was accepted"
        );
    }
}
