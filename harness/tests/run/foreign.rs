//! Roles in C: they take part, they see defects, and a machine without a compiler says so aloud.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use report_schema::Verdict;

use crate::support::{Place, code, harness, said, shipped};

/// libdatahub.a, built as a C program's author would.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("c-libraries");
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../datahub/capi/Cargo.toml");
        let built = Command::new(cargo)
            .args(["build", "--offline", "--lib", "--manifest-path"])
            .arg(manifest)
            .arg("--target-dir")
            .arg(&target)
            .env_remove("CARGO_BUILD_TARGET")
            .output()
            .unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        target.join("debug/libdatahub.a")
    })
}

fn run(file: &str, out: &Path, more: &[&str]) -> std::process::Output {
    let mut command = harness();
    command.env("DATAHUB_LIBRARY", library()).arg("run").arg(shipped(file)).args(more);
    command.args(["--progress", "none", "--out"]).arg(out).output().unwrap()
}

#[test]
fn consumers_and_producers_in_c_pass_in_both_directions() {
    for file in ["c-consumer", "c-producer", "c-both"] {
        let out = tempfile::tempdir().unwrap();
        let output = run(&format!("foreign/{file}.toml"), out.path(), &[]);
        assert_eq!(code(&output), 0, "{file}: {}", said(&output));
    }
}

/// A checksum that nobody asks the block for.
const BY_HAND: [&str; 2] = ["--set", "block.checksum.policy=manual"];

#[test]
fn producers_in_c_stamp_by_hand_what_others_verify_by_hand() {
    for file in ["c-producer", "c-both"] {
        let out = tempfile::tempdir().unwrap();
        let filter = ["-E", "sync=sequential-sync,payload=13B", BY_HAND[0], BY_HAND[1]];
        let output = run(&format!("foreign/{file}.toml"), out.path(), &filter);
        assert_eq!(code(&output), 0, "{file}: {}", said(&output));
    }
}

#[test]
fn consumers_in_c_find_what_is_planted() {
    for (defect, effects, more) in [
        ("publish-early", &["torn", "mislabelled", "checksum-failures"][..], &[][..]),
        ("corrupt-byte", &["checksum-failures"], &[]),
        ("corrupt-byte", &["checksum-failures"], &BY_HAND),
        ("lose-commit", &["lost"], &[]),
    ] {
        let out = tempfile::tempdir().unwrap();
        let cell = "sync=sequential-sync,payload=4KiB";
        let filter = ["--plant", defect, "-E", cell, "--set", "run.count=4000"];
        let filter = [&filter[..], more].concat();
        let output = run("foreign/c-consumer.toml", out.path(), &filter);
        assert_eq!(code(&output), 1, "{defect}: {}", said(&output));
        let named = |effect: &&str| said(&output).contains(&format!("{effect} == 0 does not hold"));
        assert!(effects.iter().any(named), "{defect}: {}", said(&output));
    }
}

#[test]
fn a_defect_that_a_program_in_c_cannot_be_given_is_refused() {
    for (group, defect, who) in [
        ("[producer]", "lose-commit", "the producer"),
        ("[[consumer]]", "drop-label", "every consumer"),
        ("[[consumer]]", "hang", "the first consumer"),
    ] {
        let place = Place::new("stream]", "count = 500");
        let text = std::fs::read_to_string(&place.scenario).unwrap();
        std::fs::write(&place.scenario, text.replace(group, &format!("{group}\nprogram = \"c\"")))
            .unwrap();
        let mut command = place.run();
        command.env("DATAHUB_LIBRARY", library());
        let output = command.args(["--progress", "none", "--plant", defect]).output().unwrap();
        assert_eq!(code(&output), 4, "{defect}: {}", said(&output));
        let why = format!("cannot be planted: {who} is a program in C");
        assert!(said(&output).contains(&why), "{defect}: {}", said(&output));
    }
}

#[test]
fn without_a_compiler_nothing_in_c_is_run_and_that_is_said_aloud() {
    let place = Place::new("stream]", "duration = \"50ms\"");
    let text = std::fs::read_to_string(&place.scenario).unwrap();
    let text = text.replace("name = \"reader\"", "name = \"reader\"\nprogram = \"c\"");
    std::fs::write(&place.scenario, text).unwrap();
    let copy = tempfile::tempdir().unwrap();
    let own = copy.path().join("libdatahub.a");
    std::fs::copy(library(), &own).unwrap();
    for (path, library, why) in [
        ("/nowhere", own.as_path(), "there is no C compiler"),
        ("/usr/bin:/bin", Path::new("/nowhere/libdatahub.a"), "which is not there"),
    ] {
        let mut command = place.run();
        command.env("DATAHUB_LIBRARY", library).env("PATH", path);
        let output = command.output().unwrap();
        // Nothing ran, which is never a pass.
        assert_eq!(code(&output), 4, "{}", said(&output));
        assert!(said(&output).contains("tiny: not run: "), "{}", said(&output));
        assert!(said(&output).contains(why), "{}", said(&output));
        assert_eq!(place.result().scenarios[0].cells[0].verdict, Verdict::Inconclusive);
    }
}
