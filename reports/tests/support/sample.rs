//! A believable result, the same on every call: four scenarios, a few models, one gate too slow.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Serializer as _, V2DeflateSerializer};
use report_schema::{
    BlockFacts, Calibration, CellResult, ConsumerSync, Counts, Dropped, FaultWindow, GateResult,
    Host, Interval, Latency, LatencyKind, Noise, Placement, Policy, Role, RoleResult,
    SCHEMA_VERSION, ScenarioResult, SuiteResult, Trial, Verdict, Workload,
};

#[path = "crashes.rs"]
mod crashes;
#[path = "dice.rs"]
mod dice;
#[path = "models.rs"]
mod models;

use dice::{Dice, whole};

const RESIZES: &str = "the histogram grows as needed";

fn new_histogram() -> Histogram<u64> {
    Histogram::new(3).expect("three digits are allowed")
}

pub(crate) fn suite() -> SuiteResult {
    let mut dice = Dice(7);
    let scenarios =
        vec![ping_pong(&mut dice), stream(&mut dice), fan_out(&mut dice), open(&mut dice)];
    SuiteResult {
        verdict: Verdict::Performance,
        exit_code: 3,
        scenarios,
        models: models::sample(),
        crashes: crashes::sample(),
        ..empty()
    }
}

/// A run in which nothing ran.
pub(crate) fn empty() -> SuiteResult {
    SuiteResult {
        schema_version: SCHEMA_VERSION,
        suite: "scenarios".to_owned(),
        profile: "full".to_owned(),
        started_unix_ms: 1_795_438_132_000,
        wall_ms: 754_321,
        commit: Some("3f9c2ab71d".to_owned()),
        command: ["harness", "run", "scenarios", "--profile", "full", "--seed", "7"]
            .map(str::to_owned)
            .to_vec(),
        seed: 7,
        host: host(),
        verdict: Verdict::Inconclusive,
        exit_code: 4,
        scenarios: vec![],
        models: vec![],
        crashes: vec![],
        comparisons: vec![],
        shard: None,
        made: None,
        parts: vec![],
        planted: None,
        interrupted: false,
        notes: vec!["The suite shared its two cores with nothing else.".to_owned()],
    }
}

/// A run of one scenario with this many cells.
pub(crate) fn many(cells: usize) -> SuiteResult {
    let mut dice = Dice(9);
    let cells: Vec<_> = (0..cells)
        .map(|index| {
            let axes = [("slots", format!("{index}")), ("payload-size", "64 B".to_owned())];
            let mut cell = cell("many", &axes, facts(64, 1));
            for repeat in 0..3 {
                cell.trials.push(trial(&mut dice, &shape(100.0, 2_000), repeat, &cell.block));
            }
            judged(cell)
        })
        .collect();
    let scenario = scenario("policies/many.toml", "many", "Does every depth behave?", cells);
    SuiteResult { verdict: Verdict::Pass, exit_code: 0, scenarios: vec![scenario], ..empty() }
}

fn host() -> Host {
    Host {
        hostname: None,
        cpu_model: Some("AMD EPYC 9R45".to_owned()),
        cores_online: Some(2),
        kernel: Some("Linux 6.18.44 x86_64".to_owned()),
        governor: None,
        clock_source: Some("tsc".to_owned()),
        clock_quantum_ns: Some(10),
        clock_cost_ns: Some(23),
        memory_bytes: Some(8 << 30),
        virtualised: Some("kvm".to_owned()),
        mitigations: vec![
            "spectre_v2: Enhanced IBRS".to_owned(),
            "meltdown: Not affected".to_owned(),
        ],
        shm_free_bytes: Some(4 << 30),
        notes: vec!["governor: the hypervisor does not show it".to_owned()],
    }
}

/// How a trial looks: what is measured and how much.
#[derive(Clone, Copy)]
struct Shape {
    base_ns: f64,
    samples: u64,
    kind: LatencyKind,
    rate: f64,
    /// Samples are taken by each consumer rather than by the producer.
    by_consumers: bool,
    intervals: u64,
    service: bool,
}

fn shape(base_ns: f64, samples: u64) -> Shape {
    Shape {
        base_ns,
        samples,
        kind: LatencyKind::RoundTripHalf,
        rate: 1e9 / base_ns,
        by_consumers: false,
        intervals: 0,
        service: false,
    }
}

fn ping_pong(dice: &mut Dice) -> ScenarioResult {
    let mut cells = Vec::new();
    for (bytes, text, base) in [(64, "64 B", 92.0), (1024, "1 KiB", 190.0), (4096, "4 KiB", 340.0)]
    {
        let mut cell = cell("ping-pong", &[("payload-size", text.to_owned())], facts(bytes, 1));
        for repeat in 0..5 {
            let shape = Shape { intervals: 40, ..shape(base, 20_000) };
            cell.trials.push(trial(dice, &shape, repeat, &cell.block));
        }
        cells.push(judged(cell));
    }
    scenario("latency/ping-pong.toml", "ping-pong", "How long does one hop take?", cells)
}

fn stream(dice: &mut Dice) -> ScenarioResult {
    let mut cells = Vec::new();
    for checksum in ["none", "xxh3"] {
        for (bytes, text) in
            [(64, "64 B"), (1024, "1 KiB"), (4096, "4 KiB"), (65_536, "64 KiB"), (1 << 20, "1 MiB")]
        {
            let axes = [("payload-size", text.to_owned()), ("checksum", checksum.to_owned())];
            let mut cell = cell("stream", &axes, facts(bytes, 1));
            cell.workload = Workload::Stream;
            cell.block.checksum = (checksum != "none").then(|| "xxh3, enforced".to_owned());
            let extra = if checksum == "none" { 1.0 } else { 1.3 };
            let cost_ns = (11.0 + bytes as f64 / 36.0) * extra;
            for repeat in 0..3 {
                let shape = Shape { rate: 1e9 / cost_ns, ..shape(cost_ns, 0) };
                cell.trials.push(trial(dice, &shape, repeat, &cell.block));
            }
            cells.push(judged(cell));
        }
    }
    scenario("throughput/stream.toml", "stream", "How much goes through at most?", cells)
}

fn fan_out(dice: &mut Dice) -> ScenarioResult {
    let mut cells = Vec::new();
    for readers in [1_u32, 2, 4, 8] {
        let mut cell = cell("fan-out", &[("readers", readers.to_string())], facts(1024, readers));
        cell.workload = Workload::Stream;
        if readers > 1 {
            cell.degraded.push("more roles than cores: readers share core 1".to_owned());
        }
        for repeat in 0..3 {
            let shape = Shape {
                kind: LatencyKind::EndToEndFromActualStart,
                by_consumers: true,
                rate: 12e6 / f64::from(readers).powf(1.2),
                ..shape(220.0 * f64::from(readers), 4_000)
            };
            cell.trials.push(trial(dice, &shape, repeat, &cell.block));
        }
        cells.push(judged(cell));
    }
    scenario("fanout/readers.toml", "fan-out", "What does each further reader cost?", cells)
}

fn open(dice: &mut Dice) -> ScenarioResult {
    let mut cells = Vec::new();
    for (rate, text, base) in
        [(10e3, "10 kHz", 240.0), (100e3, "100 kHz", 260.0), (1e6, "1 MHz", 900.0)]
    {
        let mut cell = cell("open", &[("rate", text.to_owned())], facts(1024, 1));
        cell.workload = Workload::Open;
        cell.offered_rate_hz = Some(rate);
        for repeat in 0..4 {
            let shape = Shape {
                kind: LatencyKind::EndToEndFromIntendedStart,
                by_consumers: true,
                intervals: 60,
                service: true,
                rate,
                ..shape(base, 12_000)
            };
            let mut trial = trial(dice, &shape, repeat, &cell.block);
            if repeat == 1 {
                trial.faults.push(FaultWindow {
                    name: "stop".to_owned(),
                    what: "consumer 0 stopped".to_owned(),
                    planned_ns: 800_000_000,
                    start_ms: 800,
                    end_ms: Some(1_100),
                    missed: None,
                    failed: false,
                    blocked_ns: Some(2_500_000),
                    blocked: Some("producer".to_owned()),
                });
            }
            cell.trials.push(trial);
        }
        let mut cell = judged(cell);
        if text == "1 MHz" {
            cell.verdict = Verdict::Performance;
            cell.gates.push(GateResult {
                id: "tail".to_owned(),
                check: "p99.9(latency) <= 8 * calibration + 4us".to_owned(),
                file: "scenarios/latency/open.toml".to_owned(),
                line: Some(42),
                value: Some(11_240.0),
                bound: Some(4_448.0),
                unit: "ns".to_owned(),
                verdict: Verdict::Performance,
                reason: "11.2 µs is 2.53 times the bound of 4.45 µs, p = 0.004 over 4 repeats"
                    .to_owned(),
                evidence: None,
            });
        }
        cells.push(cell);
    }
    let mut open =
        scenario("latency/open.toml", "open", "What does a message wait at a given rate?", cells);
    open.verdict = Verdict::Performance;
    open
}

fn facts(payload_bytes: u64, consumers: u32) -> BlockFacts {
    BlockFacts {
        policy: Policy::RingBuffer,
        consumer_sync: if consumers > 1 {
            ConsumerSync::SequentialSync
        } else {
            ConsumerSync::Sequential
        },
        slots: 256,
        physical_slots: 257,
        payload_bytes,
        checksum: None,
        consumers,
        total_bytes: 4096 + 257 * (64 + payload_bytes),
    }
}

fn scenario(file: &str, name: &str, question: &str, cells: Vec<CellResult>) -> ScenarioResult {
    ScenarioResult {
        file: format!("scenarios/{file}"),
        name: name.to_owned(),
        question: question.to_owned(),
        cells,
        verdict: Verdict::Pass,
    }
}

fn cell(name: &str, axes: &[(&str, String)], block: BlockFacts) -> CellResult {
    let id: Vec<_> =
        axes.iter().map(|(key, value)| format!("{key}={}", value.replace(' ', ""))).collect();
    CellResult {
        id: format!("{name}/{}", id.join(",")),
        axes: axes.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect(),
        verdict: Verdict::Pass,
        degraded: vec![],
        block,
        transport: None,
        workload: Workload::PingPong,
        offered_rate_hz: None,
        trials: vec![],
        gates: vec![],
        dropped: Dropped::default(),
    }
}

/// Adds the rules that hold for every scenario, and what was dropped.
fn judged(mut cell: CellResult) -> CellResult {
    let counts: Counts = cell.trials.iter().map(|trial| &trial.counts).sum();
    for (name, value) in counts.named().into_iter().filter(|(name, _)| {
        ["torn", "mislabelled", "backward", "lost", "duplicated", "checksum_failures"]
            .contains(name)
    }) {
        let name = name.replace('_', "-");
        cell.gates.push(GateResult {
            check: format!("{name} == 0"),
            file: String::new(),
            line: None,
            value: Some(value as f64),
            bound: Some(0.0),
            unit: String::new(),
            verdict: if value == 0 { Verdict::Pass } else { Verdict::Correctness },
            reason: format!("{value} in {} deliveries", counts.delivered),
            evidence: None,
            id: name,
        });
    }
    for trial in cell.trials.iter().filter(|trial| trial.calibration.class == Placement::Changed) {
        cell.dropped.trials += 1;
        let reason =
            format!("repeat {}: the cores moved, 56 ns before and 268 ns after", trial.repeat);
        cell.dropped.reasons.push(reason);
    }
    cell
}

fn trial(dice: &mut Dice, shape: &Shape, repeat: u32, block: &BlockFacts) -> Trial {
    let class = match dice.next() {
        rare if rare < 0.08 => Placement::Changed,
        rare if rare < 0.2 => Placement::Far,
        _ => Placement::Near,
    };
    let class = if repeat == 0 { Placement::Near } else { class };
    let slower = if class == Placement::Far { 4.2 } else { 1.0 };
    let shape = Shape { base_ns: shape.base_ns * slower, rate: shape.rate / slower, ..*shape };
    let level = |near: u64, far: u64| if class == Placement::Far { far } else { near };
    let after = if class == Placement::Changed { 268 } else { level(57, 266) };
    let messages = whole(shape.rate * 2.0);
    let mut roles = vec![role(dice, &shape, (Role::Producer, 0), block, messages)];
    for index in 0..block.consumers {
        roles.push(role(dice, &shape, (Role::Consumer, index), block, messages));
    }
    Trial {
        repeat,
        seed: 0x5eed_0000 + u64::from(repeat),
        started_ms: whole(dice.next() * 700_000.0),
        duration_ms: 2_000,
        calibration: Calibration { before_ns: Some(level(55, 262)), after_ns: Some(after), class },
        noise: Noise {
            steal_ms: Some(whole(dice.next() * 20.0)),
            involuntary_switches: Some(whole(dice.next() * 40.0)),
            voluntary_switches: Some(2),
            minor_faults: Some(310),
            major_faults: Some(0),
            frequency_khz: None,
        },
        counts: roles.iter().map(|role| &role.counts).sum(),
        metrics: [
            ("total_slots_written", messages),
            ("writer_timeout_count", 0),
            ("reader_peak_count", 1),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .collect::<BTreeMap<_, _>>(),
        mismatches: vec![],
        faults: vec![],
        broken: vec![],
        interrupted: false,
        stuck: vec![],
        unwatched: vec![],
        warmup: None,
        visits: vec![],
        warmup_ms: Some(200),
        zones: vec![],
        judged: None,
        search: None,
        history: None,
        roles,
    }
}

fn role(
    dice: &mut Dice,
    shape: &Shape,
    (role, index): (Role, u32),
    block: &BlockFacts,
    messages: u64,
) -> RoleResult {
    let counts = match role {
        Role::Producer => Counts { committed: messages, ..Counts::default() },
        Role::Consumer => Counts { delivered: messages, ..Counts::default() },
    };
    let measures = shape.samples > 0 && shape.by_consumers == (role == Role::Consumer);
    let rate = shape.rate * (0.97 + 0.06 * dice.next());
    let service =
        Shape { kind: LatencyKind::Service, base_ns: shape.base_ns * 0.35, intervals: 0, ..*shape };
    RoleResult {
        role,
        index,
        core: Some(u32::from(role == Role::Consumer)),
        pid: 4_000 + index,
        exit: "exit 0".to_owned(),
        counts,
        throughput_msgs_per_s: rate,
        bytes_per_s: rate * block.payload_bytes as f64,
        latency: measures.then(|| latency(dice, shape)),
        service: (measures && shape.service).then(|| latency(dice, &service)),
        longest_wait_ns: None,
        falls: 0,
        cpu_user_ms: 1_990,
        cpu_system_ms: 4,
        hardware: None,
    }
}

fn latency(dice: &mut Dice, shape: &Shape) -> Latency {
    let mut all = new_histogram();
    let mut intervals = Vec::new();
    let parts = shape.intervals.max(1);
    for part in 0..parts {
        let mut histogram = new_histogram();
        // A stop of 300 ms in the middle of an open workload delays everything due meanwhile.
        let stopped =
            shape.kind == LatencyKind::EndToEndFromIntendedStart && (24..33).contains(&part);
        let base_ns = if stopped { shape.base_ns * 30.0 } else { shape.base_ns };
        for _ in 0..shape.samples / parts {
            histogram.record(dice.latency_ns(base_ns).max(1)).expect(RESIZES);
        }
        all.add(&histogram).expect(RESIZES);
        if shape.intervals > 0 {
            intervals.push(interval(&histogram, part * 2_000 / parts));
        }
    }
    let at = |quantile| all.value_at_quantile(quantile);
    Latency {
        kind: shape.kind,
        n: all.len(),
        min_ns: all.min(),
        p50_ns: at(0.5),
        p90_ns: at(0.9),
        p99_ns: at(0.99),
        p99_9_ns: at(0.999),
        p99_99_ns: at(0.9999),
        max_ns: all.max(),
        mean_ns: all.mean(),
        histogram: encoded(&all),
        intervals,
    }
}

fn interval(histogram: &Histogram<u64>, start_ms: u64) -> Interval {
    let buckets = histogram.iter_log(1, 1.3);
    let buckets = buckets.map(|step| (step.value_iterated_to(), step.count_since_last_iteration()));
    Interval {
        start_ms,
        n: histogram.len(),
        p50_ns: histogram.value_at_quantile(0.5),
        p99_ns: histogram.value_at_quantile(0.99),
        max_ns: histogram.max(),
        buckets: buckets.filter(|(_, count)| *count > 0).collect(),
    }
}

/// The text form that result files hold.
fn encoded(histogram: &Histogram<u64>) -> String {
    let mut bytes = Vec::new();
    V2DeflateSerializer::new().serialize(histogram, &mut bytes).expect("memory takes any bytes");
    STANDARD.encode(bytes)
}
