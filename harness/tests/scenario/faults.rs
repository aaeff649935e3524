//! Faults in scenario files: what is read, what is refused, and with which help.

use crate::{changed, help, problems, with};
use harness::scenario::model::fault::{Action, Target};
use harness::units::Nanos;

const FAULT: &str =
    "[[fault]]\nname = \"f\"\nat = \"100 ms\"\nrole = \"reader\"\naction = \"kill\"";

fn fault(from: &str, to: &str) -> String {
    assert!(FAULT.contains(from), "`{from}` is not in the fault");
    FAULT.replacen(from, to, 1)
}

#[test]
fn every_action_is_read() {
    let millis = |time: u64| Nanos(time * 1_000_000);
    let site = datahub::sites::by_name("R_NEXT").unwrap();
    for (text, action) in [
        ("\"kill\"", Action::Kill),
        ("\"restart\"", Action::Restart),
        ("{ stop = { for = \"50 ms\" } }", Action::Stop { time: millis(50) }),
        (
            "{ slow = { by = \"2 ms\", for = \"5 ms\" } }",
            Action::Slow { by: millis(2), time: millis(5) },
        ),
        ("{ kill-at-site = { site = \"R_NEXT\", hit = 3 } }", Action::KillAtSite { site, hit: 3 }),
    ] {
        let scenario = with(&fault("\"kill\"", text)).unwrap();
        let spec = &scenario.smoke[0].faults[0];
        assert_eq!(spec.action, action);
        assert_eq!(spec.target, Target::Consumer { group: 0, member: None });
    }
    for (text, action) in [
        ("\"scribble-header\"", Action::ScribbleHeader),
        ("\"scribble-slots\"", Action::ScribbleSlots),
        ("{ fill-shm = { for = \"5 ms\" } }", Action::FillShm { time: millis(5) }),
    ] {
        let text = fault("\"reader\"", "\"producer\"").replace("\"kill\"", text);
        let spec = &with(&text).unwrap().smoke[0].faults[0];
        assert_eq!((spec.action, spec.target), (action, Target::Producer));
    }
}

#[test]
fn faults_have_closed_keys_and_every_mistake_is_shown_in_place() {
    assert_eq!(problems(with(FAULT)), [""; 0]);
    for (from, to, problem) in [
        ("at = ", "att = ", "missing-key 19:1"),
        ("at = ", "late = 1\nat = ", "unknown-key 21:1"),
        ("\"f\"", "\"F\"", "bad-name 20:9"),
        ("\"100 ms\"", "100", "bare-number 21:6"),
        ("\"100 ms\"", "\"1 s\"", "contradiction 21:7"),
        ("\"reader\"", "\"raeder\"", "unknown-role 22:9"),
        ("\"reader\"", "\"reader[1]\"", "unknown-role 22:9"),
        ("\"kill\"", "\"kil\"", "unknown-word 23:11"),
        ("\"kill\"", "{}", "missing-key 23:10"),
        ("\"kill\"", "7", "wrong-type 23:10"),
        ("\"kill\"", "{ stop = {} }", "missing-key 23:19"),
        ("\"kill\"", "{ stop = { by = \"1 ms\" } }", "missing-key 23:19"),
        ("\"kill\"", "{ kill-at-site = { site = \"W_COMIT\" } }", "unknown-site 23:37"),
        ("\"kill\"", "\"corrupt-byte\"", "contradiction 22:9"),
        ("\"kill\"", "\"kill\"\nevery = \"1 us\"", "out-of-range 24:10"),
        ("\"kill\"", "\"kill\"\nwithin = \"20 ms\"\nevery = \"10 ms\"", "out-of-range 25:10"),
    ] {
        let found = problems(with(&fault(from, to)));
        assert_eq!(found.first().map(String::as_str), Some(problem), "{to}: {found:?}");
    }
    let twice = format!("{FAULT}\n{FAULT}");
    assert_eq!(problems(with(&twice)), ["duplicate 25:9"]);
}

#[test]
fn mistakes_come_with_a_way_out() {
    assert_eq!(help(with(&fault("\"reader\"", "\"raeder\""))), "did you mean \"reader\"?");
    assert_eq!(help(with(&fault("\"kill\"", "\"kil\""))), "did you mean \"kill\"?");
    let stop = help(with(&fault("\"kill\"", "\"stop\"")));
    assert_eq!(stop, "\"stop\" needs settings: write { stop = { for = \"50 ms\" } }");
    let site = "{ kill-at-site = { site = \"W_COMIT\" } }";
    assert_eq!(help(with(&fault("\"kill\"", site))), "did you mean \"W_COMMIT\"?");
}

#[test]
fn faults_that_cannot_be_seen_or_contradict_each_other_are_refused() {
    let unseen = fault("\"reader\"", "\"producer\"").replace("\"kill\"", "\"corrupt-byte\"");
    assert_eq!(problems(with(&unseen)), ["contradiction 23:11"]);
    for policy in ["manual", "enforced"] {
        let table = format!("\nchecksum = {{ algorithm = \"xxh3\", policy = \"{policy}\" }}\n");
        let text = crate::RIGHT.replace("[block]\n", &format!("[block]{table}"));
        let seen = harness::scenario::parse("t.toml", &format!("{text}{unseen}"), &[]);
        assert_eq!(problems(seen), [""; 0], "{policy}");
    }
    let scribbled = fault("\"reader\"", "\"producer\"").replace("\"kill\"", "\"scribble-header\"");
    let again = fault("\"f\"", "\"g\"").replace("\"kill\"", "\"restart\"");
    assert_eq!(problems(with(&format!("{scribbled}\n{again}"))), ["contradiction 28:11"]);
    let loops = changed("[workload.stream]", &format!("{FAULT}\n[workload.ping-pong]"));
    assert_eq!(problems(loops), ["contradiction 19:11"]);
}

#[test]
fn a_death_at_a_site_that_the_role_never_reaches_is_refused() {
    let at = |role: &str, site: &str| {
        let action = format!("{{ kill-at-site = {{ site = \"{site}\" }} }}");
        fault("\"reader\"", &format!("\"{role}\"")).replace("\"kill\"", &action)
    };
    for (role, site) in [
        ("reader", "W_COMMIT"),
        ("producer", "R_ADMIT"),
        ("producer", "W_MOVED"),
        ("reader", "H_AGE"),
        ("reader", "P_SLEEP"),
        ("producer", "Z_SEQ_END"),
        ("producer", "W_LATEST"),
        ("producer", "E_RETIRE"),
        ("reader", "R_VALIDATE"),
    ] {
        let found = problems(with(&at(role, site)));
        assert_eq!(found, ["contradiction 23:10"], "{role} {site}");
    }
    for (role, site) in [("reader", "R_NEXT"), ("producer", "W_COMMIT"), ("producer", "R_LABEL")] {
        assert_eq!(problems(with(&at(role, site))), [""; 0], "{role} {site}");
    }
    let evict = "[block]\non-full = { action = \"evict\", after = \"5 ms\" }";
    for (role, site) in [("producer", "E_RETIRE"), ("reader", "E_COPY")] {
        let text = crate::RIGHT.replace("[block]", evict);
        let evicting =
            harness::scenario::parse("t.toml", &format!("{text}{}", at(role, site)), &[]);
        assert_eq!(problems(evicting), [""; 0], "{role} {site}");
    }
    let said = help(with(&at("reader", "W_COMMIT")));
    assert_eq!(said, "only the producer comes there: name a site that it passes, or another role");
}

#[test]
fn where_a_role_comes_follows_from_the_block() {
    const LATEST: &str = "\"latest-only\"";
    const OVERWRITE: &str = "\"sequential-sync\"\non-full = { action = \"overwrite\" }";
    const ZONE: &str = "\"sequential-sync\"\n[[block.zone]]\nname = \"z\"\nsize = \"64 B\"";
    for (block, role, site, why) in [
        (LATEST, "reader", "C_CURSOR", None),
        (LATEST, "reader", "C_REGISTRY", None),
        (LATEST, "reader", "C_JOIN", None),
        (LATEST, "reader", "C_LEAVE", None),
        (LATEST, "reader", "C_ACK", Some("no cursor holds back the producer")),
        (LATEST, "producer", "G_READ_INDEX", Some("no cursor holds back the producer")),
        (LATEST, "producer", "W_DRAIN", Some("looks for another slot")),
        (OVERWRITE, "reader", "C_CURSOR", None),
        (OVERWRITE, "reader", "C_ACK", Some("no cursor holds back the producer")),
        (OVERWRITE, "producer", "G_REGISTRY", Some("no cursor holds back the producer")),
        (OVERWRITE, "producer", "W_DRAIN", None),
        (ZONE, "producer", "Z_SEQ_END", None),
        (ZONE, "reader", "Z_SEQ_READ", None),
        (ZONE, "producer", "Z_TWO_FLIP", Some("writes no zone of this kind")),
        (ZONE, "reader", "Z_SEQ_END", Some("writes no zone of this kind")),
        (ZONE, "producer", "Z_SEQ_READ", Some("looks into no zone of this kind")),
        (ZONE, "reader", "Z_TWO_READ", Some("looks into no zone of this kind")),
        (ZONE, "producer", "Z_RAW_WRITE", Some("stamps no checksum")),
        (ZONE, "reader", "Z_RAW_READ", Some("compares no checksum")),
    ] {
        let action = format!("{{ kill-at-site = {{ site = \"{site}\" }} }}");
        let fault = fault("\"reader\"", &format!("\"{role}\"")).replace("\"kill\"", &action);
        let text = crate::RIGHT.replacen("\"sequential-sync\"", block, 1) + &fault;
        let found = harness::scenario::parse("t.toml", &text, &[]);
        match why {
            None => assert_eq!(problems(found), [""; 0], "{role} {site} {block}"),
            Some(why) => assert!(help(found).contains(why), "{role} {site} {block}"),
        }
    }
}
