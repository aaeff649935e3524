//! What the derives refuse, where the error stands and what it says.
//!
//! A program in `refused` says `//~ part of a message` on each line that must have an error; every error
//! must have been announced. The compiler judges all files in one run.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A file, a line and what is said there.
#[derive(Debug)]
struct Told {
    file: String,
    line: u64,
    text: String,
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/refused");
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap().to_str().unwrap().to_owned()
}

fn announced(path: &Path) -> Vec<Told> {
    let text = fs::read_to_string(path).unwrap();
    let lines = (1..).zip(text.lines());
    let marked = lines.filter_map(|(line, text)| Some((line, text.split_once("//~ ")?.1)));
    marked.map(|(line, text)| Told { file: stem(path), line, text: text.to_owned() }).collect()
}

/// A crate beside the workspace, with a program for each case.
fn program(cases: &[PathBuf], folder: &Path) {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let datahub = own.parent().unwrap().display();
    let manifest = format!(
        "[package]\nname = \"refused\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
         [dependencies]\ndatahub = {{ path = \"{datahub}\" }}\n[workspace]\n"
    );
    let programs = folder.join("src/bin");
    fs::create_dir_all(&programs).unwrap();
    for case in cases {
        fs::copy(case, programs.join(format!("{}.rs", stem(case)))).unwrap();
    }
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    fs::copy(own.join("../../Cargo.lock"), folder.join("Cargo.lock")).unwrap();
}

/// The line of `file` that a span stands for: where the macros that it comes from were used.
fn line_in(file: &str, span: &Value) -> u64 {
    let mut span = span;
    while !span["file_name"].as_str().unwrap().ends_with(&format!("bin/{file}.rs")) {
        span = &span["expansion"]["span"];
        assert!(span.is_object(), "an error outside of our files");
    }
    span["line_start"].as_u64().unwrap()
}

fn errors(folder: &Path) -> Vec<Told> {
    let output = Command::new(env!("CARGO"))
        .args(["check", "--offline", "--bins", "--keep-going", "--message-format=json"])
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("refused"))
        .env_remove("RUSTFLAGS")
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let lines = String::from_utf8(output.stdout).unwrap();
    let messages = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut told = Vec::new();
    let mut files = BTreeSet::new();
    for message in messages.filter(|message| message["reason"] == "compiler-message") {
        let file = message["target"]["name"].as_str().unwrap().to_owned();
        files.insert(file.clone());
        let spans = message["message"]["spans"].as_array().unwrap();
        let primary = spans.iter().find(|span| span["is_primary"] == true);
        let Some(primary) = primary else { continue };
        if message["message"]["level"] == "error" {
            let line = line_in(&file, primary);
            let text = message["message"]["rendered"].as_str().unwrap().to_owned();
            told.push(Told { file, line, text });
        }
    }
    assert!(!files.is_empty(), "the compiler did not get as far as our files:\n{stderr}");
    told
}

#[test]
fn every_refusal_is_where_it_was_announced_and_no_other() {
    let cases = cases();
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    program(&cases, folder.path());
    let errors = errors(folder.path());
    let announced: Vec<Told> = cases.iter().flat_map(|case| announced(case)).collect();
    assert!(announced.len() > 15, "the announcements were not found");
    let meets = |error: &Told, wanted: &Told| {
        (&error.file, error.line) == (&wanted.file, wanted.line)
            && error.text.contains(&wanted.text)
    };
    for wanted in &announced {
        assert!(
            errors.iter().any(|error| meets(error, wanted)),
            "{wanted:?} is missing in {errors:#?}"
        );
    }
    for error in &errors {
        let line = |wanted: &&Told| (&error.file, error.line) == (&wanted.file, wanted.line);
        assert!(announced.iter().any(|wanted| line(&wanted)), "nobody announced {}", error.text);
    }
}
