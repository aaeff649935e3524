//! The header says what the source says. `REFRESH_HEADER=1` writes it anew.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

/// In the order in which the header has them.
const SOURCES: [&str; 9] =
    ["status", "failure", "slot", "config", "producer", "consumer", "index", "metrics", "layout"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn written() -> String {
    let config = cbindgen::Config::from_file(root().join("cbindgen.toml")).unwrap();
    let source = |name| root().join("src").join(name).with_extension("rs");
    let builder =
        SOURCES.iter().fold(cbindgen::Builder::new().with_config(config), |builder, name| {
            builder.with_src(source(name))
        });
    let mut text = Vec::new();
    builder.generate().unwrap().write(&mut text);
    String::from_utf8(text).unwrap()
}

#[test]
fn the_header_is_what_the_source_says() {
    let path = root().join("include/datahub.h");
    let wanted = written();
    if std::env::var_os("REFRESH_HEADER").is_some() {
        fs::write(&path, &wanted).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    let differs = found.lines().zip(wanted.lines()).position(|(found, wanted)| found != wanted);
    let line = differs.unwrap_or_else(|| found.lines().count().min(wanted.lines().count())) + 1;
    assert!(
        found == wanted,
        "include/datahub.h differs from the source at line {line}: review the change of the ABI, then \
         run REFRESH_HEADER=1 cargo test -p datahub-capi --test header"
    );
}

/// Every function that the sources export.
fn exported() -> Vec<String> {
    let mut names = Vec::new();
    let entries = fs::read_dir(root().join("src")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let sources: Vec<PathBuf> = paths.filter(|path| path.is_file()).collect();
    for source in sources {
        let text = fs::read_to_string(source).unwrap();
        for exported in text.split("#[unsafe(no_mangle)]").skip(1) {
            let function = exported.split("fn ").nth(1).unwrap();
            names.push(function.split('(').next().unwrap().to_owned());
        }
    }
    names
}

#[test]
fn every_exported_function_is_declared() {
    let header = fs::read_to_string(root().join("include/datahub.h")).unwrap();
    let names = exported();
    assert!(names.len() > 30, "{names:?}");
    for name in names {
        assert!(header.contains(&format!("{name}(")), "{name} is not in the header");
    }
}

#[test]
fn the_readme_shows_the_example_that_is_tested() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let example = fs::read_to_string(root().join("examples/frames.c")).unwrap();
    assert!(
        readme.contains(&format!("```c\n{example}```")),
        "copy examples/frames.c into README.md"
    );
}
