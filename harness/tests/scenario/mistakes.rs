//! Each kind of mistake is found, named, and shown where it stands.

use crate::{RIGHT, changed, help, problems, with};
use harness::scenario::{load, parse};

#[test]
fn the_right_scenario_is_right() {
    assert_eq!(problems(with("")), [""; 0]);
}

#[test]
fn five_mistakes_are_shown_together_each_with_line_and_caret() {
    let text = RIGHT
        .replace("slots         = 8", "slotz         = 8")
        .replace("\"4 KiB\"", "4096")
        .replace("\"sequential-sync\"", "\"sequential-sink\"")
        .replace("name = \"reader\"", "name = \"reader\"\nwork = \"5 lightyears\"")
        .replace("[run]", "[run]\nrepeats = 0");
    let error = parse("five.toml", &text, &[]).unwrap_err();
    let shown = error.render(false, 100);
    let expected = [
        ("scenario::missing-key", 6, "[block]"),
        ("scenario::unknown-key", 8, "did you mean `slots`?"),
        ("scenario::bare-number", 9, "write \"4096 B\""),
        ("scenario::unknown-word", 10, "did you mean \"sequential-sync\"?"),
        ("scenario::wrong-unit", 14, "units are ns, us"),
        ("scenario::out-of-range", 19, "the nearest is 1"),
    ];
    assert_eq!(error.problems.len(), expected.len(), "{shown}");
    for (problem, (code, line, text)) in error.problems.iter().zip(expected) {
        assert_eq!((problem.code, problem.line), (code, line), "{shown}");
        assert!(shown.contains(&format!("[five.toml:{line}:{}]", problem.column)), "{shown}");
        assert!(shown.contains(text), "{text} is not in\n{shown}");
    }
    assert!(shown.contains("╰── a bare number"), "{shown}");
    assert!(shown.ends_with("five.toml: 6 problems\n"), "{shown}");
}

#[test]
fn unknown_keys_are_refused_everywhere() {
    for (section, line) in [("[block]", 7), ("[[consumer]]", 13), ("[workload.stream]", 16)] {
        let result = changed(section, &format!("{section}\nbogus = 1"));
        assert_eq!(problems(result), [format!("unknown-key {line}:1")], "{section}");
    }
    assert_eq!(problems(changed("[run]", "[run]\nbogus = 1")), ["unknown-key 18:1"]);
    assert_eq!(problems(changed("schema ", "bogus = 1\nschema ")), ["unknown-key 2:1"]);
    assert_eq!(problems(with("[producer]\nbogus = 1")), ["unknown-key 20:1"]);
    assert_eq!(problems(with("[workload.brust]")), ["unknown-key 19:11"]);
    assert_eq!(problems(with("[profile.smok]")), ["unknown-key 19:10"]);
    assert_eq!(problems(with("[profile.smoke]\nblock = {}")), ["unknown-key 20:1"]);
    assert_eq!(problems(with("[profile.smoke.run]\nbogus = 1")), ["unknown-key 20:1"]);
    let expect = "[[expect]]\nid = \"a\"\ncheck = \"torn == 0\"\nbogus = 1";
    assert_eq!(problems(with(expect)), ["unknown-key 22:1"]);
    for table in ["checksum = { bogus = 1 }", "on-full = { bogus = 1 }"] {
        let found = problems(changed("[block]", &format!("[block]\n{table}")));
        assert!(found.iter().any(|problem| problem.starts_with("unknown-key")), "{table}");
    }
}

#[test]
fn known_keys_are_listed_once() {
    let help = help(changed("[block]", "[block]\nqqqqqqqqqq = 1"));
    let keys: Vec<&str> = help.trim_start_matches("keys are: ").split(", ").collect();
    assert!(keys.contains(&"policy") && keys.contains(&"zone"), "{help}");
    assert_eq!(keys.iter().filter(|key| **key == "policy").count(), 1, "{help}");
}

#[test]
fn missing_keys_are_each_named() {
    let found = problems(parse("t.toml", "# What is missing?\nschema = 1", &[]));
    assert_eq!(found.len(), 6, "{found:?}");
    assert!(found.iter().all(|problem| problem.starts_with("missing-key")), "{found:?}");
    assert_eq!(help(changed("payload-size  = \"4 KiB\"", "")), "add `payload-size = \"4 KiB\"`");
    assert_eq!(help(changed("duration = \"1 s\"", "")), "add `duration = \"2s\"`");
    assert_eq!(problems(changed("[workload.stream]", "[workload]")), ["no-workload 15:1"]);
    assert_eq!(problems(changed("[workload.stream]", "[workload.open]")), ["missing-key 15:1"]);
    let burst = problems(changed("[workload.stream]", "[workload.burst]"));
    assert_eq!(burst, ["missing-key 15:1"; 2]);
    let search = problems(changed("[workload.stream]", "[workload.search]"));
    assert_eq!(search, ["missing-key 15:1"; 3]);
}

#[test]
fn wrong_types_are_refused() {
    for (from, to) in [
        ("\"4 KiB\"", "true"),
        ("= 8", "= \"eight\""),
        ("= 8", "= 8.5"),
        ("\"ring-buffer\"", "3"),
        ("\"right\"", "[]"),
        ("schema   = 1", "schema = \"1\""),
        ("\"1 s\"", "[1]"),
    ] {
        let found = problems(changed(from, to));
        assert!(found[0].starts_with("wrong-type"), "{to}: {found:?}");
    }
    assert_eq!(problems(changed("[[consumer]]", "[consumer]")), ["wrong-type 12:1"]);
    assert_eq!(problems(with("[profile.smoke]\nexpect = 1")), ["wrong-type 20:10"]);
    assert_eq!(problems(with("[profile.smoke]\nrun = 1"))[0], "wrong-type 20:7");
    assert_eq!(problems(with("[expect]\nid = \"a\"")), ["wrong-type 19:1"]);
}

#[test]
fn quantities_need_their_own_unit() {
    assert_eq!(problems(changed("\"4 KiB\"", "\"4096\"")), ["bare-number 9:18"]);
    assert_eq!(problems(changed("\"4 KiB\"", "\"4 ms\"")), ["wrong-unit 9:18"]);
    assert_eq!(problems(changed("\"1 s\"", "\"1 KiB\"")), ["wrong-unit 18:13"]);
    assert_eq!(problems(changed("\"1 s\"", "1")), ["bare-number 18:12"]);
    assert_eq!(problems(changed("\"1 s\"", "\"0.1 ns\"")), ["bad-quantity 18:13"]);
}

#[test]
fn impossible_values_name_the_nearest_allowed() {
    assert!(help(changed("= 8", "= 0")).ends_with("the nearest is 1"));
    assert!(help(changed("= 8", "= -5")).ends_with("the nearest is 1"));
    assert!(help(changed("= 8", "= 100_000")).ends_with("the nearest is 65536"));
    assert!(help(changed("\"4 KiB\"", "\"1 GiB\"")).ends_with("the nearest is \"64 MiB\""));
    assert!(help(changed("\"4 KiB\"", "\"4 B\"")).ends_with("the nearest is \"8 B\""));
    assert!(help(changed("\"1 s\"", "\"1 ns\"")).ends_with("the nearest is \"1 ms\""));
    assert!(help(changed("[run]", "[run]\nrepeats = 101")).ends_with("the nearest is 100"));
    assert!(help(with("[producer]\nabort-every = 1")).ends_with("the nearest is 2"));
    let physical = changed("[block]", "[block]\nphysical-slots = 8");
    assert!(help(physical).ends_with("the nearest is 9"));
}

#[test]
fn lists_have_a_bound() {
    let consumers = "[[consumer]]\nname = \"a\"\n".repeat(20_000);
    let found = problems(with(&consumers));
    assert_eq!(found.len(), 1, "{found:?}");
    let expects = "[[expect]]\nid = \"a\"\n".repeat(20_000);
    assert_eq!(problems(with(&expects)).len(), 1);
}

#[test]
fn names_are_safe_and_unique() {
    assert_eq!(problems(changed("\"right\"", "\"../right\"")), ["bad-name 3:13"]);
    assert_eq!(problems(changed("\"reader\"", "\"\"")).len(), 1);
    assert_eq!(problems(with("[[consumer]]\nname = \"reader\"")), ["duplicate 20:9"]);
    let twice = "[[expect]]\nid = \"a\"\ncheck = \"torn == 0\"\n".repeat(2);
    assert_eq!(problems(with(&twice)), ["duplicate 23:7"]);
}

#[test]
fn the_first_line_asks_a_question() {
    for line in ["# Is this right", "Is = 1", "#?", ""] {
        let found = problems(changed("# Is this right?", line));
        assert_eq!(found[0], "first-line 1:1", "{line}");
    }
    assert_eq!(problems(changed("\"Is this right?\"", "\"  \"")), ["bad-question 4:13"]);
}

#[test]
fn another_format_is_refused() {
    assert_eq!(problems(changed("schema   = 1", "schema = 2")), ["schema 2:10"]);
}

#[test]
fn text_that_is_not_toml_is_shown_where_it_breaks() {
    assert_eq!(problems(changed("= 8", "= ")).len(), 1);
    assert_eq!(problems(changed("= 8", "= 8\nslots = 9")), ["syntax 9:1"]);
    assert_eq!(problems(changed("\"right\"", "\"right")).len(), 1);
    assert_eq!(problems(changed("[run]", "[block]")).len(), 1);
    assert_eq!(problems(changed("[run]", "[run")).len(), 1);
}

#[test]
fn a_bad_check_is_pointed_at_inside_its_string() {
    let expect = "[[expect]]\nid = \"a\"\ncheck = \"p99(latency) <= 5 parsec\"";
    assert_eq!(problems(with(expect)), ["bad-check 21:28"]);
    assert_eq!(problems(with("[profile.smoke]\nexpect = [\"a\"]")), ["unknown-id 20:12"]);
}

#[test]
fn pins_are_closed() {
    for pin in ["core:", "core:-1", "core:99999", "Core:1", "everywhere"] {
        let found = problems(with(&format!("[producer]\npin = \"{pin}\"")));
        assert_eq!(found, ["bad-pin 20:8"], "{pin}");
    }
}

#[test]
fn schedules_and_orders_are_closed() {
    for sched in ["fifo", "fifo:0", "fifo:100", "fifo:-1", "rr:5", "Other"] {
        let found = problems(with(&format!("[producer]\nsched = \"{sched}\"")));
        assert_eq!(found, ["bad-sched 20:10"], "{sched}");
    }
    let found = changed("[run]", "[run]\norder = \"sequentially\"");
    assert_eq!(help(found).split('?').next(), Some("did you mean \"sequential\""));
}

#[test]
fn settings_of_the_command_line_are_pointed_at_themselves() {
    let parse = |setting: &str| parse("t.toml", RIGHT, &[setting.to_owned()]);
    assert_eq!(parse("block.slots=32").unwrap().smoke[0].block.slots, 32);
    assert_eq!(parse("block.payload-size=1 KiB").unwrap().full[0].block.payload.0, 1024);
    assert_eq!(parse("consumer.reader.count = 3").unwrap().full[0].consumer_count(), 3);
    assert!(parse("run.count=5").is_ok());
    for setting in ["block.slots", "=1", "blok.slots=1", "consumer.nobody.count=1", "block.slots=x"]
    {
        let error = parse(setting).unwrap_err();
        assert_eq!(error.problems.len(), 1, "{setting}: {}", error.render(false, 80));
        assert_eq!(error.problems[0].place, "--set");
    }
}

#[test]
fn unreadable_files_say_why() {
    let folder = tempfile::tempdir().unwrap();
    let cases: [(&str, Vec<u8>, &str); 4] = [
        ("empty.toml", b"  \n".to_vec(), "is empty"),
        ("bytes.toml", vec![b'#', 0xff, 0xfe], "is not UTF-8: byte 1"),
        ("huge.toml", vec![b'#'; (1 << 20) + 1], "is larger than 1 MiB"),
        ("nul.toml", b"# What?\n\0".to_vec(), "not TOML"),
    ];
    for (name, bytes, message) in cases {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let error = load(&path, &[]).unwrap_err();
        assert!(error.problems[0].message.contains(message), "{name}: {error:?}");
        assert!(!error.render(true, 10).is_empty());
    }
    let message = |path: &std::path::Path| load(path, &[]).unwrap_err().problems[0].message.clone();
    assert!(message(folder.path()).contains("is a folder"));
    assert!(message(&folder.path().join("none.toml")).starts_with("there is no"));
    assert!(message(std::path::Path::new("/dev/null")).contains("not a plain file"));
}
