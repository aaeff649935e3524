//! Settings that are right each for itself and wrong together.

use crate::{changed, problems, with};
use harness::scenario::{Scenario, ScenarioError};

fn contradicts(result: Result<Scenario, ScenarioError>, place: &str) {
    assert_eq!(problems(result), [format!("contradiction {place}")]);
}

#[test]
fn the_policy_fixes_the_number_of_slots() {
    contradicts(changed("\"ring-buffer\"", "\"single\""), "8:17");
    contradicts(changed("\"ring-buffer\"", "\"double-buffer\""), "8:17");
}

#[test]
fn sequential_admits_one_consumer() {
    let count = "\"sequential\"\n[[consumer]]\nname = \"other\"\ncount = 2\n";
    contradicts(changed("\"sequential-sync\"", count), "10:18");
}

#[test]
fn the_latest_cannot_be_read_in_sequence() {
    contradicts(changed("\"reader\"", "\"reader\"\nread = \"latest\""), "14:9");
}

#[test]
fn who_reads_a_latest_only_block_in_line_is_awake_and_not_in_c() {
    let reader = |keys: &str| {
        let text = crate::RIGHT.replace("\"sequential-sync\"", "\"latest-only\"\nnotify = true");
        let text = text.replace("\"reader\"", &format!("\"reader\"\nread = {keys}"));
        harness::scenario::parse("t.toml", &text, &[])
    };
    assert!(reader("\"next\"").is_ok());
    assert!(reader("\"latest\"\nwait = \"park\"").is_ok());
    contradicts(reader("\"next\"\nwait = \"park\""), "15:9");
    contradicts(reader("\"next\"\nprogram = \"c\""), "15:9");
}

#[test]
fn ping_pong_has_one_partner_who_answers_each_message() {
    let two = "[[consumer]]\nname = \"other\"\n[workload.ping-pong]";
    contradicts(changed("[workload.stream]", two), "15:1");
    let latest =
        "\"latest-only\"\n[workload.ping-pong]\n[[consumer]]\nname = \"a\"\nread = \"latest\"";
    let text = crate::RIGHT.replace("\"sequential-sync\"", latest);
    let text = text.replace("[[consumer]]\nname = \"reader\"\n\n[workload.stream]", "");
    contradicts(harness::scenario::parse("t.toml", &text, &[]), "14:9");
}

#[test]
fn one_scenario_has_one_workload() {
    contradicts(with("[workload.ping-pong]"), "19:1");
}

#[test]
fn a_lossy_policy_cannot_promise_that_nothing_is_lost() {
    let lossless = "[[expect]]\nid = \"a\"\ncheck = \"lost == 0\"\n[[consumer]]";
    for lossy in
        ["\"latest-only\"\n", "\"sequential-sync\"\non-full = { action = \"overwrite\" }\n"]
    {
        let text = crate::RIGHT.replace("\"sequential-sync\"\n", lossy);
        let text = text.replace("[[consumer]]", lossless);
        let found = problems(harness::scenario::parse("t.toml", &text, &[]));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("contradiction"), "{found:?}");
    }
    let some = lossless.replace("lost == 0", "lost <= 100");
    let text = crate::RIGHT.replace("\"sequential-sync\"", "\"latest-only\"");
    assert!(harness::scenario::parse("t.toml", &text.replace("[[consumer]]", &some), &[]).is_ok());
}

#[test]
fn consumers_fit_into_their_places() {
    contradicts(changed("\"reader\"", "\"reader\"\ncount = 9"), "14:9");
}

#[test]
fn nobody_sleeps_whom_nobody_wakes() {
    contradicts(changed("\"reader\"", "\"reader\"\nwait = \"park\""), "14:9");
    contradicts(with("[producer]\nwait = \"park\""), "20:9");
}

#[test]
fn only_a_blocking_write_has_a_timeout() {
    let full = "[block]\non-full = { action = \"error\", timeout = \"1 ms\" }";
    contradicts(changed("[block]", full), "7:42");
}

#[test]
fn only_who_waits_evicts_and_only_who_can_come_back_is_evicted() {
    let evict = "on-full = { action = \"evict\", after = \"5 ms\" }";
    let block = |keys: &str| changed("[block]", &format!("[block]\n{keys}"));
    assert!(block(evict).is_ok());
    contradicts(
        block("on-full = { action = \"evict\", after = \"5 ms\", timeout = \"1 ms\" }"),
        "7:58",
    );
    contradicts(block("on-full = { action = \"error\", after = \"5 ms\" }"), "7:40");
    assert_eq!(problems(block("on-full = { action = \"evict\" }")), ["missing-key 7:11"]);
    let long = "on-full = { action = \"evict\", after = \"2 h\" }";
    assert_eq!(problems(block(long)).first().map(String::as_str), Some("out-of-range 7:40"));
    for (from, to) in [
        ("\"sequential-sync\"", "\"latest-only\""),
        ("[workload.stream]", "[workload.ping-pong]"),
        ("\"reader\"", "\"reader\"\nprogram = \"c\""),
        ("\"reader\"", "\"reader\"\njoin-at = \"1 ms\""),
    ] {
        let text = crate::RIGHT.replace("[block]", &format!("[block]\n{evict}")).replace(from, to);
        contradicts(harness::scenario::parse("t.toml", &text, &[]), "7:11");
    }
}

#[test]
fn a_trial_ends_in_one_way_and_in_time() {
    contradicts(with("count = 5"), "19:9");
    contradicts(with("deadline = \"1 s\""), "19:13");
    contradicts(with("warmup = \"60 s\""), "17:1");
    let slow = changed("[workload.stream]", "[workload.open]\nrate = \"1 Hz\"");
    assert!(slow.is_ok());
    let never = crate::RIGHT.replace("[workload.stream]", "[workload.open]\nrate = \"1 Hz\"");
    let never = never.replace("\"1 s\"", "\"100 ms\"");
    contradicts(harness::scenario::parse("t.toml", &never, &[]), "19:13");
}

#[test]
fn an_expectation_that_can_never_be_judged_is_refused() {
    let expect = "[[expect]]\nid = \"a\"\ncheck = \"torn == 0\"\nmin-trials = 5\n";
    contradicts(with(expect), "22:14");
    // The other profiles still have one repeat and judge everything.
    let few = format!("repeats = 5\n{expect}[profile.smoke]\nrun = {{ repeats = 1 }}\n");
    contradicts(with(&few), "23:14");
    assert!(with(&format!("{few}expect = []")).is_ok());
}

#[test]
fn a_warm_up_until_steady_has_time_for_its_window() {
    let warmup = |keys: &str| with(&format!("warmup = {{ until = \"steady\", {keys} }}"));
    assert!(warmup("min = \"20 ms\", window = \"50 ms\", slope = \"1%\", max = \"2 s\"").is_ok());
    contradicts(warmup("window = \"50 ms\", max = \"40 ms\""), "19:55");
    assert_eq!(problems(warmup("max = \"1 s\", slope = \"0%\"")), ["out-of-range 19:52"]);
    contradicts(warmup("max = \"60 s\""), "17:1");
}

#[test]
fn everything_is_written_down_only_where_it_is_known_how_much_that_is() {
    let all = "[record]\nhistory = \"all\"\n";
    contradicts(with(all), "20:12");
    assert!(with("[record]\nhistory = \"ring:64k\"\n").is_ok());
    let counted = crate::RIGHT.replace("duration = \"1 s\"", "count = 500");
    assert!(harness::scenario::parse("t.toml", &format!("{counted}{all}"), &[]).is_ok());
    let c = counted.replace("\"reader\"", "\"reader\"\nprogram = \"c\"");
    contradicts(harness::scenario::parse("t.toml", &format!("{c}{all}"), &[]), "21:12");
    assert_eq!(problems(with("[record]\nhistory = \"ring:5\"")), ["bad-history 20:12"]);
}

const SEARCH: &str = "[workload.search]\nfrom = \"1 kHz\"\nto = \"2 kHz\"\n\
                      bound = \"p99(latency) <= 5 us\"";

#[test]
fn who_comes_and_goes_does_so_in_order_and_in_time() {
    let reader = |keys: &str| changed("\"reader\"", &format!("\"reader\"\n{keys}"));
    assert!(reader("join-at = \"1 ms\"\nleave-at = \"2 ms\"\nrejoin-at = \"3 ms\"").is_ok());
    contradicts(reader("join-at = \"2 ms\"\nleave-at = \"2 ms\""), "15:13");
    contradicts(reader("rejoin-at = \"2 ms\""), "14:14");
    contradicts(reader("join-at = \"1 s\""), "14:12");
    contradicts(reader("program = \"c\"\njoin-at = \"2 ms\""), "15:12");
    let ping_pong = crate::RIGHT
        .replace("[workload.stream]", "[workload.ping-pong]")
        .replace("\"reader\"", "\"reader\"\njoin-at = \"1 ms\"");
    contradicts(harness::scenario::parse("t.toml", &ping_pong, &[]), "14:12");
    let kill = "[[fault]]\nname = \"f\"\nat = \"1 ms\"\nrole = \"reader\"\naction = \"kill\"\n";
    let killed = crate::RIGHT.replace("\"reader\"", "\"reader\"\njoin-at = \"1 ms\"");
    contradicts(harness::scenario::parse("t.toml", &format!("{killed}{kill}"), &[]), "14:12");
}

#[test]
fn a_search_needs_something_to_search_and_steps_of_one_length() {
    assert!(changed("[workload.stream]", SEARCH).is_ok());
    contradicts(changed("[workload.stream]", &SEARCH.replace("2 kHz", "1 kHz")), "17:7");
    let counted = crate::RIGHT.replace("[workload.stream]", SEARCH);
    let counted = counted.replace("duration = \"1 s\"", "count = 500");
    contradicts(harness::scenario::parse("t.toml", &counted, &[]), "21:9");
    let unbounded = changed("[workload.stream]", &SEARCH.replace("<= 5 us", ">= 5 us"));
    assert_eq!(problems(unbounded), ["bad-bound 18:10"]);
}

#[test]
fn only_a_search_finds_a_sustained_rate() {
    let expect = "[[expect]]\nid = \"a\"\ncheck = \"sustained-rate >= 5 /s\"\n";
    contradicts(with(expect), "21:10");
    let text = format!("{}{expect}", crate::RIGHT.replace("[workload.stream]", SEARCH));
    assert!(harness::scenario::parse("t.toml", &text, &[]).is_ok());
}

#[test]
fn cells_cannot_differ_in_the_order_of_all_trials() {
    contradicts(with("[matrix]\nrun.order = [\"sequential\", \"random\"]"), "19:1");
}

#[test]
fn a_program_in_another_language_schedules_itself() {
    let both = "[producer]\nprogram = \"c\"\nsched = \"fifo:9\"";
    contradicts(with(both), "21:10");
}
