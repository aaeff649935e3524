//! A ring of the user's own: it runs, its figures are taken, and its defects are found.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::{Place, code, said};

/// The worked example, compiled as its users do; `plant` defines a defect in it.
fn ring(folder: &Path, plant: &str) -> PathBuf {
    let peer = Path::new(env!("CARGO_MANIFEST_DIR")).join("peer");
    let program = folder.join(format!("my-ring{plant}"));
    let mut command = Command::new("cc");
    command.args(["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", plant]).arg("-I").arg(&peer);
    let compiled = command.arg("-o").arg(&program).arg(peer.join("my-ring.c")).status();
    assert!(compiled.expect("tests of rings in C need a C compiler (cc)").success());
    program
}

fn run(workload: &str, transport: &str) -> (Place, Output) {
    // Each round trip takes two switches, and on a busy machine each switch a time slice.
    over(workload, if workload.starts_with("ping") { 100 } else { 10_000 }, transport)
}

fn over(workload: &str, count: u64, transport: &str) -> (Place, Output) {
    let place = Place::new(workload, &format!("count = {count}"));
    let text = fs::read_to_string(&place.scenario).unwrap();
    let text = text.replace("[block]", &format!("[block]\ntransport = {transport}"));
    fs::write(&place.scenario, text).unwrap();
    let output = place.run().args(["--progress", "none"]).output().unwrap();
    (place, output)
}

#[test]
fn a_ring_of_ones_own_streams_and_answers_and_is_measured() {
    let folder = tempfile::tempdir().unwrap();
    let program = ring(folder.path(), "-DHONEST");
    let (text, table) = (
        format!("\"{}\"", program.display()),
        format!("{{ program = \"{}\" }}", program.display()),
    );
    for (workload, transport) in [("stream]", &text), ("ping-pong]", &table)] {
        let (place, output) = run(workload, transport);
        assert_eq!(code(&output), 0, "{workload}: {}", said(&output));
        let cell = &place.result().scenarios[0].cells[0];
        let trial = &cell.trials[0];
        assert!(trial.counts.committed >= 100 && trial.counts.delivered == trial.counts.committed);
        let latency = trial.roles.iter().find_map(|role| role.latency.as_ref()).unwrap();
        assert!(latency.n > 50 && latency.p50_ns > 0, "{latency:?}");
        assert_eq!(cell.transport.as_ref().unwrap().copies, None);
    }
}

#[test]
fn a_ring_that_publishes_early_or_forgets_is_found_out() {
    let folder = tempfile::tempdir().unwrap();
    for (plant, effects) in
        [("-DPLANT_EARLY", &["torn", "mislabelled", "backward"][..]), ("-DPLANT_LOSE", &["lost"])]
    {
        let program = ring(folder.path(), plant);
        // A reader that lags behind meets few of the payloads that were published early.
        let (_place, output) = over("stream]", 200_000, &format!("\"{}\"", program.display()));
        assert_eq!(code(&output), 1, "{plant}: {}", said(&output));
        let named = |effect: &&str| said(&output).contains(&format!("{effect} == 0 does not hold"));
        assert!(effects.iter().any(named), "{plant}: {}", said(&output));
    }
}

#[test]
fn a_program_that_is_not_there_is_usage_and_nothing_runs() {
    for (transport, why) in [
        ("\"./no-such-ring\"", "cannot be run: No such file"),
        ("\"/dev/null\"", "is not a program"),
    ] {
        let (place, output) = run("stream]", transport);
        assert_eq!(code(&output), 2, "{}", said(&output));
        assert!(said(&output).contains(why), "{}", said(&output));
        assert!(!place.out().join("latest").exists());
    }
}

#[test]
fn a_defect_that_a_program_cannot_be_given_is_refused() {
    for defect in ["lose-commit", "corrupt-byte", "hang"] {
        let place = Place::new("stream]", "count = 500");
        let text = fs::read_to_string(&place.scenario).unwrap();
        let text = text.replace("[block]", "[block]\ntransport = \"/bin/true\"");
        fs::write(&place.scenario, text).unwrap();
        let output = place.run().args(["--progress", "none", "--plant", defect]).output().unwrap();
        assert_eq!(code(&output), 4, "{defect}: {}", said(&output));
        let why = "is a program of the user's own, which knows none of them";
        assert!(said(&output).contains(why), "{defect}: {}", said(&output));
    }
}

#[test]
fn a_program_that_says_nothing_breaks_the_trial_and_not_the_harness() {
    let (_place, output) = run("stream]", "\"/bin/true\"");
    assert_eq!(code(&output), 6, "{}", said(&output));
    assert!(said(&output).contains("ended"), "{}", said(&output));
}
