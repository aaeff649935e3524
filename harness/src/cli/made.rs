//! What a result says of the program that made it: its build, its words, its settings, its commit.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::process::Command;

use report_schema::Made;
use xxhash_rust::xxh3::Xxh3;

/// The program itself, also when its file has been replaced meanwhile.
const SELF: &str = "/proc/self/exe";
const CHUNK_BYTES: usize = 1 << 16;

/// The command line. A word that is no text stands as a shell would read it: `$'\xff'`.
pub(super) fn words() -> Vec<String> {
    std::env::args_os().map(|word| text(&word)).collect()
}

fn text(word: &OsStr) -> String {
    if let Some(text) = word.to_str() {
        return text.to_owned();
    }
    let mut quoted = "$'".to_owned();
    for byte in word.as_bytes() {
        match byte {
            b'\'' | b'\\' => quoted.extend(['\\', char::from(*byte)]),
            b' '..=b'~' => quoted.push(char::from(*byte)),
            // A String takes every write.
            _ => drop(write!(quoted, "\\x{byte:02x}")),
        }
    }
    quoted.push('\'');
    quoted
}

/// This program, and what was set.
pub(super) fn made(set: &[String], repeats: Option<u32>) -> Made {
    Made { build: build().ok(), set: settings(set), repeats }
}

/// Keys with their values; the last one of a key counts.
fn settings(set: &[String]) -> BTreeMap<String, String> {
    let parts = set.iter().map(|set| set.split_once('=').unwrap_or((set, "")));
    parts.map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned())).collect()
}

fn build() -> io::Result<String> {
    let mut file = File::open(SELF)?;
    let (mut digest, mut chunk) = (Xxh3::new(), vec![0; CHUNK_BYTES]);
    loop {
        match file.read(&mut chunk)? {
            0 => break,
            length => digest.update(&chunk[..length]),
        }
    }
    Ok(format!("harness {} xxh3:{:016x}", env!("CARGO_PKG_VERSION"), digest.digest()))
}

/// The commit of the working folder, where there is one.
pub(super) fn commit() -> Option<String> {
    let git = |arguments: &[&str]| {
        let ran = Command::new("git").args(arguments).output().ok()?;
        let text = String::from_utf8(ran.stdout).ok()?;
        ran.status.success().then(|| text.trim().to_owned())
    };
    let head = git(&["rev-parse", "HEAD"])?;
    let changed = git(&["--no-optional-locks", "status", "--porcelain", "-uno"]);
    let dirty = changed.is_some_and(|files| !files.is_empty());
    Some(if dirty { format!("{head}-dirty") } else { head })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_no_text_is_told_as_a_shell_reads_it() {
        assert_eq!(text(OsStr::new("out/ä b")), "out/ä b");
        assert_eq!(text(OsStr::from_bytes(b"o'\xff\\\n")), r"$'o\'\xff\\\x0a'");
    }

    #[test]
    fn the_last_value_of_a_key_counts() {
        let set = ["a.b = 1", "c=x=y", "a.b=2"].map(str::to_owned);
        let found = settings(&set);
        assert_eq!((found["a.b"].as_str(), found["c"].as_str(), found.len()), ("2", "x=y", 2));
    }

    #[test]
    fn the_same_program_has_one_digest() {
        let first = build().unwrap();
        assert!(first.starts_with("harness ") && first == build().unwrap(), "{first}");
    }
}
