//! Other transports than the block: each carries messages, each defect over each of them is found.

use std::fs;
use std::process::Output;

use report_schema::{Boundary, SuiteResult, Verdict};

use crate::support::{Place, code, said};

/// Payloads of any length.
const ANY: &[&str] = &["8 B", "13 B", "200 KiB"];

/// What carries messages, with the payloads it can carry.
const TRANSPORTS: &[(&str, &[&str])] = &[
    ("bare-line", &["8 B"]),
    ("pipe", ANY),
    ("unix-stream", ANY),
    ("unix-seqpacket", &["13 B", "60 KiB"]),
    ("rtrb", ANY),
    ("crossbeam", ANY),
    #[cfg(feature = "peers")]
    ("iceoryx2", ANY),
    #[cfg(feature = "peers")]
    ("zeromq", ANY),
];

/// What lets several consumers read the same messages.
const FANS_OUT: &[&str] = &[
    "unix-stream",
    "unix-seqpacket",
    #[cfg(feature = "peers")]
    "iceoryx2",
];

/// What lets who waits sleep, in ways of its own.
const PARKS: &[&str] = &[
    "crossbeam",
    #[cfg(feature = "peers")]
    "zeromq",
];

fn boundary(transport: &str) -> Boundary {
    if ["rtrb", "crossbeam"].contains(&transport) { Boundary::Threads } else { Boundary::Processes }
}

/// Each round trip takes two switches, and on a busy machine each switch a time slice.
fn messages(workload: &str) -> u64 {
    if workload.starts_with("ping") { 100 } else { 500 }
}

/// Runs the tiny scenario over a transport, with payloads of this size.
fn run(workload: &str, transport: &str, payload: &str, more: &[&str]) -> (Place, Output) {
    let place = Place::new(workload, &format!("count = {}", messages(workload)));
    let text = fs::read_to_string(&place.scenario).unwrap();
    let text = text.replace("[block]", &format!("[block]\ntransport = \"{transport}\""));
    fs::write(&place.scenario, text.replace("64 B", payload)).unwrap();
    let output = place.run().args(["--progress", "none"]).args(more).output().unwrap();
    (place, output)
}

fn counts(result: &SuiteResult) -> (u64, u64) {
    let counts = result.scenarios[0].cells[0].trials[0].counts;
    (counts.committed, counts.delivered)
}

#[test]
fn every_transport_carries_every_message() {
    for (transport, payloads) in TRANSPORTS {
        for payload in *payloads {
            for workload in ["stream]", "ping-pong]", "open]\nrate = \"20 kHz\""] {
                let (place, output) = run(workload, transport, payload, &[]);
                assert_eq!(code(&output), 0, "{transport} {payload}: {}", said(&output));
                let result = place.result();
                let (committed, delivered) = counts(&result);
                assert!(committed == delivered, "{transport}: {committed}, {delivered}");
                assert!(committed >= messages(workload), "{transport}: {committed}");
                let facts = result.scenarios[0].cells[0].transport.clone().unwrap();
                let told = (facts.name.as_str(), facts.boundary);
                assert_eq!(told, (*transport, boundary(transport)));
            }
        }
    }
}

#[test]
fn a_message_that_was_begun_is_finished_when_time_is_up() {
    let slow = TRANSPORTS.iter().map(|(name, _)| *name);
    for transport in slow.filter(|name| !["bare-line", "unix-seqpacket"].contains(name)) {
        let place = Place::new("stream]", "duration = \"60ms\"");
        let text = fs::read_to_string(&place.scenario).unwrap();
        let full = "on-full = { action = \"block\", timeout = \"1 ms\" }";
        let text =
            text.replace("[block]", &format!("[block]\ntransport = \"{transport}\"\n{full}"));
        // Too long for the kernel's buffer, and the consumer is slower than the time is long.
        let text =
            text.replace("64 B", "4 MiB").replace("\"reader\"", "\"reader\"\nwork = \"40ms\"");
        fs::write(&place.scenario, text).unwrap();
        let output = place.run().args(["--progress", "none"]).output().unwrap();
        assert_eq!(code(&output), 0, "{transport}: {}", said(&output));
        let (committed, delivered) = counts(&place.result());
        assert!(committed == delivered && committed > 0, "{transport}: {committed}, {delivered}");
        // 60 ms and the warm-up are not the time of 64 messages that take 40 ms each.
        assert!(committed < 40, "{transport}: {committed} messages in a span of three");
    }
}

#[test]
fn what_fans_out_gives_every_message_to_everybody() {
    for transport in FANS_OUT {
        let place = Place::new("stream]", "count = 500");
        let text = fs::read_to_string(&place.scenario).unwrap();
        let text = text.replace("[block]", &format!("[block]\ntransport = \"{transport}\""));
        let text = text.replace("\"sequential\"", "\"sequential-sync\"");
        let text = text.replace("name = \"reader\"", "name = \"reader\"\ncount = 3");
        fs::write(&place.scenario, text).unwrap();
        let output = place.run().args(["--progress", "none"]).output().unwrap();
        assert_eq!(code(&output), 0, "{transport}: {}", said(&output));
        let (committed, delivered) = counts(&place.result());
        assert_eq!(3 * committed, delivered);
    }
}

#[test]
fn who_may_sleep_is_woken() {
    for transport in PARKS {
        let (place, output) =
            run("ping-pong]", transport, "64 B", &["--set", "producer.wait=park"]);
        assert_eq!(code(&output), 0, "{transport}: {}", said(&output));
        assert!(counts(&place.result()).0 >= messages("ping-pong]"), "{transport}");
        let more = ["--set", "producer.wait=park", "--set", "consumer.reader.wait=park"];
        let (_place, output) = run("stream]", transport, "64 B", &more);
        assert_eq!(code(&output), 0, "{transport}: {}", said(&output));
    }
}

#[test]
fn messages_that_are_lost_or_spoilt_are_found_over_every_transport() {
    for (transport, payloads) in TRANSPORTS {
        for (defect, effects) in
            [("lose-commit", &["lost"][..]), ("corrupt-byte", &["torn", "mislabelled"])]
        {
            let (_place, output) = run("stream]", transport, payloads[0], &["--plant", defect]);
            assert_eq!(code(&output), 1, "{transport} {defect}: {}", said(&output));
            let named =
                |effect: &&str| said(&output).contains(&format!("{effect} == 0 does not hold"));
            assert!(effects.iter().any(named), "{transport} {defect}: {}", said(&output));
        }
    }
}

/// The tiny scenario over a pipe and over this.
#[cfg(not(feature = "peers"))]
fn beside_a_pipe(transport: &str) -> Place {
    let place = Place::new("stream]", "count = 500");
    let text = fs::read_to_string(&place.scenario).unwrap();
    let matrix = format!("[matrix]\n\"block.transport\" = [\"pipe\", \"{transport}\"]\n");
    fs::write(&place.scenario, text + &matrix).unwrap();
    place
}

#[cfg(not(feature = "peers"))]
#[test]
fn what_is_not_built_in_is_no_pass_and_leaves_the_rest_alone() {
    for transport in ["iceoryx2", "zeromq"] {
        let (place, output) = run("stream]", transport, "64 B", &[]);
        assert_eq!(code(&output), 4, "{}", said(&output));
        assert!(said(&output).contains("built without it: cargo build"), "{}", said(&output));
        assert_eq!(place.result().scenarios[0].cells[0].verdict, Verdict::Inconclusive);
        let place = beside_a_pipe(transport);
        let output = place.run().args(["--progress", "none"]).output().unwrap();
        assert_eq!(code(&output), 0, "{}", said(&output));
        assert!(said(&output).contains("1 cell did not run"), "{}", said(&output));
        assert_eq!(place.result().scenarios[0].cells.len(), 1);
    }
}

#[test]
fn a_defect_of_blocks_is_not_looked_for_elsewhere() {
    let (place, output) = run("stream]", "pipe", "8 B", &["--plant", "skip-drain"]);
    assert_eq!(code(&output), 4, "{}", said(&output));
    assert!(said(&output).contains("is about blocks"), "{}", said(&output));
    assert_eq!(place.result().scenarios[0].cells[0].verdict, Verdict::Inconclusive);
}
