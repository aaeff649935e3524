//! Facts about plans.

use super::*;
use crate::scenario::parse;

const TEXT: &str = r#"# How many?
schema = 1
name = "p"
question = "How many?"
[block]
policy = "ring-buffer"
slots = 8
payload-size = "1 MiB"
consumer-sync = "sequential-sync"
[producer]
pin = "core:0"
[[consumer]]
name = "reader"
count = "${readers}"
[workload.stream]
[run]
duration = "1 s"
repeats = 2
seed = 5
[matrix]
readers = [1, 2, 3]
"#;

fn host(cores: usize, free: Option<u64>) -> Host {
    let mut host = Host { cores: (0..cores).collect(), ..Host::default() };
    host.facts.shm_free_bytes = free;
    host
}

fn planned(text: &str, host: &Host, options: &Options) -> Plan {
    plan(&parse("p.toml", text, &[]).unwrap(), host, options).unwrap()
}

#[test]
fn the_same_input_gives_the_same_plan() {
    let (host, options) = (host(4, Some(1 << 30)), Options::default());
    let first = planned(TEXT, &host, &options);
    assert_eq!(first, planned(TEXT, &host, &options));
    assert_eq!(first.to_string(), planned(TEXT, &host, &options).to_string());
}

#[test]
fn repeats_are_interleaved_over_the_cells() {
    let plan = planned(TEXT, &host(4, Some(1 << 30)), &Options::default());
    let order: Vec<(usize, u32)> = plan.trials.iter().map(|t| (t.cell, t.repeat)).collect();
    assert_eq!(order, [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1)]);
}

/// The trials under another order, each as cell and repeat.
fn in_order(order: &str, options: &Options) -> Vec<(usize, u32)> {
    let text = TEXT.replace("repeats = 2", &format!("repeats = 4\norder = \"{order}\""));
    let plan = planned(&text, &host(4, Some(1 << 30)), options);
    plan.trials.iter().map(|trial| (trial.cell, trial.repeat)).collect()
}

#[test]
fn a_sequence_finishes_a_cell_before_the_next() {
    let order = in_order("sequential", &Options::default());
    assert!(order.is_sorted() && order.len() == 12, "{order:?}");
}

#[test]
fn a_random_order_comes_from_the_seed_and_has_every_trial_once() {
    let other = Options { seed: Some(6), ..Options::default() };
    let order = in_order("random", &Options::default());
    assert_eq!(order, in_order("random", &Options::default()));
    assert_ne!(order, in_order("random", &other));
    let mut sorted = order.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, in_order("sequential", &Options::default()));
    assert!(order != sorted && order != in_order("interleaved", &Options::default()));
}

#[test]
fn priority_among_more_processes_than_cores_is_said_aloud() {
    let text = TEXT.replace("\"core:0\"", "\"core:0\"\nsched = \"fifo:5\"");
    let plan = planned(&text, &host(2, Some(1 << 30)), &Options::default());
    let starve = |cell: &CellPlan| cell.degraded.iter().any(|why| why.contains("starve"));
    assert_eq!(plan.cells.iter().map(starve).collect::<Vec<_>>(), [false, true, true]);
    assert!(plan.to_string().contains("producer@0/fifo:5"), "{plan}");
}

#[test]
fn every_trial_has_a_seed_of_its_own_that_a_filter_leaves() {
    let host = host(4, Some(1 << 30));
    let all = planned(TEXT, &host, &Options::default());
    let mut seeds: Vec<u64> = all.trials.iter().map(|trial| trial.seed).collect();
    seeds.sort_unstable();
    seeds.dedup();
    assert_eq!(seeds.len(), all.trials.len());
    let options = Options { filter: Filter::of("readers=2"), ..Options::default() };
    let one = planned(TEXT, &host, &options);
    assert_eq!(one.cells.len(), 1);
    assert_eq!(one.trials[0].seed, all.trials[1].seed);
    let other = Options { seed: Some(6), ..Options::default() };
    assert_ne!(planned(TEXT, &host, &other).trials[0].seed, all.trials[0].seed);
}

#[test]
fn roles_have_cores_of_their_own_while_there_are_some() {
    let plan = planned(TEXT, &host(3, Some(1 << 30)), &Options::default());
    let cores = |cell: usize| -> Vec<Option<usize>> {
        plan.cells[cell].roles.iter().map(|role| role.core).collect()
    };
    assert_eq!(cores(1), [Some(0), Some(1), Some(2)]);
    assert_eq!(plan.cells[1].degraded, [""; 0]);
    assert_eq!(cores(2), [Some(0), Some(1), Some(2), None]);
    assert_eq!(plan.cells[2].degraded.len(), 2, "{:?}", plan.cells[2].degraded);
    assert_eq!(plan.cells[2].roles[3].name, "reader[2]");
    assert_eq!(plan.cells[2].roles[3].index, 2);
}

#[test]
fn a_pin_that_cannot_be_had_is_said_aloud() {
    let text = TEXT.replace("core:0", "core:9");
    let plan = planned(&text, &host(4, Some(1 << 30)), &Options::default());
    assert_eq!(plan.cells[0].roles[0].core, None);
    assert!(plan.cells[0].degraded[0].contains("core 9"), "{:?}", plan.cells[0].degraded);
    let shared = TEXT.replace("name = \"reader\"", "name = \"reader\"\npin = \"core:0\"");
    let plan = planned(&shared, &host(4, Some(1 << 30)), &Options::default());
    assert!(plan.cells[0].degraded[0].contains("shares core 0"), "{:?}", plan.cells[0].degraded);
}

#[test]
fn a_block_that_takes_more_than_half_of_the_memory_is_refused() {
    let scenario = parse("p.toml", TEXT, &[]).unwrap();
    let refused = plan(&scenario, &host(4, Some(18 << 20)), &Options::default());
    assert!(matches!(refused, Err(PlanError::TooLarge { .. })), "{refused:?}");
    assert!(plan(&scenario, &host(4, Some(19 << 20)), &Options::default()).is_ok());
    let unknown = planned(TEXT, &host(4, None), &Options::default());
    assert!(unknown.cells[0].degraded.iter().any(|reason| reason.contains("/dev/shm")));
}

#[test]
fn ping_pong_has_two_blocks() {
    let text = TEXT.replace("[workload.stream]", "[workload.ping-pong]");
    let text = text.replace("[1, 2, 3]", "[1]");
    let host = host(4, Some(1 << 30));
    let two = planned(&text, &host, &Options::default()).shm_max;
    let one = planned(TEXT, &host, &Options::default()).cells[0].shm;
    assert_eq!(two.0, 2 * one.0);
}

#[test]
fn a_filter_that_leaves_nothing_gives_an_empty_plan() {
    let options = Options { filter: Filter::of("nothing"), ..Options::default() };
    let plan = planned(TEXT, &host(4, None), &options);
    assert!(plan.trials.is_empty());
    assert!(plan.to_string().contains("leaves no cell"));
}

#[test]
fn repeats_of_the_caller_win() {
    let options = Options { repeats: Some(7), ..Options::default() };
    let plan = planned(TEXT, &host(4, None), &options);
    assert_eq!(plan.trials.len(), 21);
    let time: u64 = plan.trials.iter().map(|t| plan.cells[t.cell].trial_estimate.0).sum();
    assert_eq!(plan.estimate, Nanos(time));
}

/// The scenario over a pipe and over this, one consumer each.
fn beside_a_pipe(transport: &str) -> String {
    let axis = format!("\"block.transport\" = [\"pipe\", \"{transport}\"]");
    TEXT.replace("readers = [1, 2, 3]", &axis).replace("count = \"${readers}\"", "")
}

#[test]
fn cells_over_what_was_not_built_in_are_left_out_unless_nothing_else_is_left() {
    let host = host(4, Some(1 << 30));
    for transport in ["rtrb", "iceoryx2", "zeromq"] {
        let text = beside_a_pipe(transport);
        let lacking = transport != "rtrb" && !cfg!(feature = "peers");
        let plan = planned(&text, &host, &Options::default());
        let (cells, left_out) = if lacking { (1, 1) } else { (2, 0) };
        assert_eq!((plan.cells.len(), plan.left_out.len()), (cells, left_out), "{transport}");
        assert_eq!(plan.to_string().contains("--features peers"), lacking, "{plan}");
        let only = Options { filter: Filter::of(transport), ..Options::default() };
        let plan = planned(&text, &host, &only);
        assert_eq!((plan.cells.len(), plan.left_out.len()), (1, 0), "{transport}");
    }
}
