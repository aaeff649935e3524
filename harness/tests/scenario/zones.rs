//! Flexible zones in scenario files: what is read and what is refused.

use harness::scenario::model::zone::ZoneKind;
use harness::scenario::{Scenario, ScenarioError, parse};

use crate::{RIGHT, help, problems};

const ZONE: &str = "[[block.zone]]\nname = \"z\"\nsize = \"64 B\"\n";

/// The right scenario with zones in its block.
fn zones(zones: &str) -> Result<Scenario, ScenarioError> {
    parse("t.toml", &RIGHT.replace("[[consumer]]", &format!("{zones}[[consumer]]")), &[])
}

/// The kind of the only problem.
fn refused(result: Result<Scenario, ScenarioError>) -> String {
    let found = problems(result);
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].split(' ').next().unwrap_or_default().to_owned()
}

#[test]
fn a_zone_has_a_kind_a_writer_and_a_distance() {
    let scenario = zones(ZONE).unwrap();
    let plain = &scenario.full[0].block.zones[0];
    assert_eq!((plain.kind, plain.every, plain.checksum), (ZoneKind::Seqlock, 1, false));
    assert_eq!(plain.writer, "producer");
    let all = "kind = \"double\"\nwriter = \"reader\"\nevery = 5\n";
    let scenario = zones(&format!("{ZONE}{all}")).unwrap();
    let zone = &scenario.full[0].block.zones[0];
    assert_eq!((zone.kind, zone.every), (ZoneKind::Double, 5));
    assert_eq!(zone.writer, "reader");
}

#[test]
fn keys_and_words_of_zones_are_closed() {
    for (more, wanted) in [
        ("bogus = 1\n", "unknown-key"),
        ("kind = \"mutex\"\n", "unknown-word"),
        ("checksum = \"enforced\"\n", "unknown-word"),
        ("every = 0\n", "out-of-range"),
        ("writer = 3\n", "wrong-type"),
        ("writer = \"readr\"\n", "contradiction"),
    ] {
        assert_eq!(refused(zones(&format!("{ZONE}{more}"))), wanted, "{more}");
    }
    assert_eq!(help(zones(&format!("{ZONE}writer = \"readr\"\n"))), "did you mean \"reader\"?");
    let odd = zones(&ZONE.replace("64 B", "100 B"));
    assert_eq!(help(odd), "sizes are \"64 B\", \"256 B\", \"1 KiB\", \"4 KiB\"");
    assert_eq!(refused(zones(&ZONE.replace("size = \"64 B\"\n", ""))), "missing-key");
    assert_eq!(refused(zones(&format!("{ZONE}{ZONE}"))), "duplicate");
    assert_eq!(refused(zones(&ZONE.repeat(9))), "out-of-range");
}

#[test]
fn a_zone_that_nobody_could_judge_is_refused() {
    let text = RIGHT.replace("[[consumer]]", &format!("{ZONE}[[consumer]]"));
    let with = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        refused(parse("t.toml", &text.replacen(from, to, 1), &[]))
    };
    assert_eq!(with("stream", "ping-pong"), "contradiction");
    assert_eq!(with("\"reader\"", "\"reader\"\nprogram = \"c\""), "contradiction");
    assert_eq!(with("[block]", "[block]\ntransport = \"unix-stream\""), "contradiction");
    let own = "size = \"64 B\"\nwriter = \"reader\"";
    assert_eq!(with("size = \"64 B\"", &format!("{own}\nchecksum = \"manual\"")), "contradiction");
    let many = format!("{own}\n[[consumer]]\ncount = 2");
    assert_eq!(with("size = \"64 B\"\n[[consumer]]", &many), "contradiction");
    let stays = format!("{own}\n[[consumer]]\nleave-at = \"9 ms\"");
    assert_eq!(with("size = \"64 B\"\n[[consumer]]", &stays), "contradiction");
    let dies =
        "[[fault]]\nname = \"f\"\nat = \"1 ms\"\nrole = \"reader\"\naction = \"kill\"\n[run]";
    let killed = text.replace("size = \"64 B\"", own).replace("[run]", dies);
    assert_eq!(refused(parse("t.toml", &killed, &[])), "contradiction");
}
