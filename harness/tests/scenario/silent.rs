//! What used to be accepted in silence, or refused in a way that helped nobody.

use std::fs;
use std::os::unix::fs::symlink;

use harness::scenario::{find, parse};

use crate::{RIGHT, changed, help, problems, with};

#[test]
fn an_exclusion_that_excludes_nothing_is_refused() {
    let axes = "[matrix]\nblock.slots = [4, 8]\nexclude = [{ block.slots = 16 }]";
    assert_eq!(problems(with(axes)), ["never 21:12"]);
    assert_eq!(help(with(axes)), "values of `block.slots` are: 4, 8");
    let profile = "[matrix]\nblock.slots = [4, 8]\nexclude = [{ block.slots = 16 }]\n\
                   [profile.full.matrix]\nblock.slots = [8, 16]";
    assert!(with(profile).is_ok(), "it excludes something under one profile");
}

#[test]
fn a_value_that_an_axis_hides_is_read_all_the_same() {
    let hidden = |value: &str| {
        let text = RIGHT.replace("\"4 KiB\"", value);
        parse("t.toml", &format!("{text}[matrix]\nblock.payload-size = [\"8 B\"]"), &[])
    };
    assert_eq!(problems(hidden("\"1 parsec\"")), ["wrong-unit 9:18"]);
    assert!(hidden("\"16 B\"").is_ok());
}

#[test]
fn expectations_that_are_never_judged_or_never_hold_are_refused() {
    let expect = |check: &str| with(&format!("[[expect]]\nid = \"x\"\ncheck = \"{check}\""));
    for check in ["p99(blocked) <= 1 ms", "max(producer-wait) <= 1 ms", "sustained-rate >= 1 /s"] {
        assert_eq!(problems(expect(check)), ["contradiction 21:10"], "{check}");
    }
    assert_eq!(problems(expect("torn >= 1")), ["contradiction 21:10"]);
    assert!(expect("lapped >= 1").is_ok() && expect("torn <= 5").is_ok());
}

#[test]
fn times_that_do_nothing_or_never_end_are_refused() {
    let warmup = |table: &str| with(&format!("deadline = \"20 s\"\nwarmup = {{ {table} }}"));
    assert_eq!(problems(warmup("messages = 99999999999")), ["contradiction 19:13"]);
    let steady = "until = \"steady\", max = \"2 s\", slope = \"1000%\"";
    assert_eq!(problems(warmup(steady)), ["out-of-range 20:52"]);
    let stop = "[[fault]]\nname = \"f\"\nat = \"1 ms\"\nrole = \"reader\"\n\
                action = { stop = { for = \"0 s\" } }";
    assert_eq!(problems(with(stop)), ["out-of-range 23:28"]);
}

#[test]
fn a_consumer_that_is_there_twice_hides_no_mistake_of_a_fault() {
    let text = "[[consumer]]\nname = \"reader\"\n\
                [[fault]]\nname = \"f\"\nat = \"1 ms\"\nrole = \"raeder\"\naction = \"kil\"";
    assert_eq!(problems(with(text)), ["duplicate 20:9", "unknown-role 24:9", "unknown-word 25:11"]);
}

#[test]
fn the_way_out_of_a_wrong_quantity_is_one() {
    let duration = |value: &str| help(changed("\"1 s\"", value));
    assert_eq!(duration("\"-5 s\""), "write it without the sign: \"5 s\"");
    assert!(duration("5").starts_with("write \"5 s\";"));
    assert!(duration("\"99999999999999 h\"").starts_with("at most "));
    let date = changed("\"1 s\"", "2026-01-31").unwrap_err();
    assert!(date.problems[0].message.contains("a date"), "{}", date.render(false, 100));
}

#[test]
fn a_history_of_everything_says_that_a_timed_warm_up_is_in_its_way() {
    let text = RIGHT.replace("duration = \"1 s\"", "count = 1000\nwarmup = \"1 s\"");
    let text = format!("{text}[record]\nhistory = \"all\"");
    assert!(help(parse("t.toml", &text, &[])).starts_with("the warm-up is timed"));
}

#[test]
fn a_long_line_is_shown_in_part() {
    let long = format!("\"{}\"", "x".repeat(1_000_000));
    let shown = changed("\"4 KiB\"", &long).unwrap_err().render(false, 100);
    assert!(shown.len() < 5_000, "{} bytes", shown.len());
}

#[test]
fn a_list_from_the_command_line_is_an_axis() {
    let set = |text: &str| parse("t.toml", RIGHT, &[text.to_owned()]);
    for list in ["block.slots=[4,8]", "block.consumer-sync=[latest-only, sequential]"] {
        let cells = set(list).unwrap();
        assert_eq!(cells.cells(harness::scenario::Profile::Full).len(), 2, "{list}");
    }
    assert_eq!(problems(set("block.slots=[4,\"x\"]")).len(), 1);
}

#[test]
fn a_setting_that_is_wrong_is_told_once() {
    let mut told = std::collections::BTreeSet::new();
    let mut counts = vec![];
    for file in ["a.toml", "b.toml"] {
        let mut error = parse(file, RIGHT, &["block.slot=3".to_owned()]).unwrap_err();
        error.drop_told(&mut told);
        counts.push(error.problems.len());
    }
    assert_eq!(counts, [1, 0]);
}

#[test]
fn a_folder_that_leads_back_to_itself_is_looked_into_once() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).unwrap();
    fs::write(folder.path().join("a.toml"), RIGHT).unwrap();
    fs::write(inner.join("b.toml"), RIGHT).unwrap();
    symlink(folder.path(), inner.join("back")).unwrap();
    symlink(&inner, folder.path().join("again")).unwrap();
    let found = find(&[folder.path().to_owned()]).unwrap();
    assert_eq!(found, [folder.path().join("a.toml"), inner.join("b.toml")]);
}
