//! What a scenario may ask of a transport, and where it is told that it may not.

use harness::scenario::model::transport::Carrier;
use harness::scenario::{Scenario, ScenarioError, parse};
use serde_json::Value;

use crate::{RIGHT, problems};

/// The smallest scenario over another transport, with one thing changed.
fn over(transport: &str, from: &str, to: &str) -> Result<Scenario, ScenarioError> {
    let block = format!("[block]\ntransport = \"{transport}\"");
    let text = RIGHT.replace("[block]", &block);
    assert!(text.contains(from), "{text}");
    parse("t.toml", &text.replace(from, to), &[])
}

#[test]
fn what_a_transport_cannot_do_is_refused_where_it_is_asked_for() {
    let reader = "name = \"reader\"";
    for (from, to, place) in [
        ("\"sequential-sync\"", "\"latest-only\"", "11:18"),
        ("[block]", "[block]\non-full = { action = \"error\" }", "7:11"),
        ("[block]", "[block]\nchecksum = { algorithm = \"xxh3\", policy = \"enforced\" }", "7:12"),
        ("[block]", "[block]\nphysical-slots = 9", "7:18"),
        (reader, "name = \"reader\"\njoin = \"latest\"", "15:9"),
        (reader, "name = \"reader\"\nprogram = \"c\"", "15:12"),
        (reader, "name = \"reader\"\ncount = 2", "15:9"),
        (reader, "name = \"reader\"\njoin-at = \"1ms\"", "15:12"),
        ("[[consumer]]", "[producer]\nabort-every = 2\n[[consumer]]", "14:15"),
        ("[[consumer]]", "[producer]\nprogram = \"c\"\n[[consumer]]", "14:12"),
    ] {
        assert_eq!(problems(over("pipe", from, to)), [format!("contradiction {place}")], "{to}");
    }
    let fault =
        "[[fault]]\nname = \"f\"\nrole = \"producer\"\naction = \"kill\"\nat = \"1 ms\"\n[run]";
    assert_eq!(problems(over("pipe", "[run]", fault)), ["contradiction 21:11"]);
}

#[test]
fn each_transport_has_limits_of_its_own() {
    let reader = "name = \"reader\"";
    let (parks, two) = ("name = \"reader\"\nwait = \"park\"", "name = \"reader\"\ncount = 2");
    assert_eq!(problems(over("pipe", reader, parks)), [""; 0]);
    assert_eq!(problems(over("unix-stream", reader, two)), [""; 0]);
    let line = |from, to| problems(over("bare-line", from, to));
    assert_eq!(line("4 KiB", "8 B"), [""; 0]);
    assert_eq!(line("4 KiB", "9 B"), ["contradiction 10:18"]);
    assert_eq!(line("4 KiB\"", "8 B\"\non-full = {action = \"error\"}").len(), 1);
    assert_eq!(line(reader, parks), ["contradiction 10:18", "contradiction 15:9"]);
    assert_eq!(problems(over("unix-seqpacket", "4 KiB", "65 KiB")), ["contradiction 10:18"]);
    for one in ["rtrb", "crossbeam", "zeromq"] {
        assert_eq!(problems(over(one, reader, two)), ["contradiction 15:9"], "{one}");
    }
    assert_eq!(problems(over("iceoryx2", reader, two)), [""; 0]);
    for sleeps in ["crossbeam", "zeromq"] {
        assert_eq!(problems(over(sleeps, reader, parks)), [""; 0], "{sleeps}");
    }
    for polls in ["rtrb", "iceoryx2"] {
        assert_eq!(problems(over(polls, reader, parks)), ["contradiction 15:9"], "{polls}");
    }
    assert_eq!(problems(over("./my-ring", reader, two)), [""; 0]);
    for other in ["open]\nrate = \"1 kHz\"", "burst]\nsize = 2\nevery = \"1 ms\""] {
        let other = over("./my-ring", "[workload.stream]", &format!("[workload.{other}"));
        assert_eq!(problems(other).len(), 1, "a program streams and answers");
    }
    let table = |text: &str| {
        let text = format!("[block]\ntransport = {text}");
        problems(parse("t.toml", &RIGHT.replace("[block]", &text), &[]))
    };
    assert_eq!(table("{ program = \"my-ring\" }"), [""; 0]);
    assert_eq!(table("{ programme = \"my-ring\" }").len(), 2);
    assert_eq!(table("7"), ["wrong-type 7:13"]);
    assert_eq!(problems(over("pigeon", "4 KiB", "8 B")), ["unknown-word 7:14"]);
}

#[test]
fn threads_of_one_process_are_not_stopped_or_slowed_down() {
    for action in ["{ stop = { for = \"1 ms\" } }", "{ slow = { by = \"1 us\", for = \"1 ms\" } }"]
    {
        let fault = format!(
            "[[fault]]\nname = \"f\"\nrole = \"producer\"\naction = {action}\nat = \"1 ms\"\n[run]"
        );
        assert_eq!(problems(over("pipe", "[run]", &fault)), [""; 0], "{action}");
        for threads in ["rtrb", "crossbeam"] {
            assert_eq!(
                problems(over(threads, "[run]", &fault)),
                ["contradiction 21:10"],
                "{action}"
            );
        }
    }
}

#[test]
fn the_published_schema_knows_every_transport() {
    let schema: Value = serde_json::from_str(include_str!("../../schema/scenario-1.json")).unwrap();
    let known = &schema["properties"]["block"]["properties"]["transport"]["anyOf"][0]["enum"];
    let names: Vec<&str> = Carrier::ALL.iter().map(|(name, _)| *name).collect();
    assert_eq!(known, &serde_json::json!(names));
}
