//! A checked scenario in sentences.

use super::promises;
use crate::gate::Metric;
use crate::scenario::model::fault::{FaultSpec, Target};
use crate::scenario::model::transport::Carrier;
use crate::scenario::model::zone::{ZoneKind, ZoneSpec};
use crate::scenario::model::{
    Arrival, BlockSpec, Cell, ChecksumPolicy, ConsumerSpec, ConsumerSync, Fill, History, Join,
    Length, OnFull, Pin, ProducerSpec, Program, Quest, Read, RunSpec, Sched, Stay, Steady,
    TrialOrder, Wait, Warmup, Workload,
};
use crate::scenario::{Profile, Scenario};
use crate::table;
use crate::units::Nanos;

/// The whole scenario under one profile.
pub(super) fn scenario(scenario: &Scenario, profile: Profile, width: usize) -> String {
    let cells = scenario.cells(profile);
    let mut text = format!("{} — {}\n{}\n", scenario.name, scenario.file, scenario.question);
    let Some(cell) = cells.first() else {
        return text;
    };
    let mut paragraphs = vec![block(&cell.block), workload(cell), producer(&cell.producer)];
    paragraphs.extend(cell.consumers.iter().map(consumer));
    paragraphs.extend(cell.block.zones.iter().map(zone));
    paragraphs.push(run(&cell.run));
    paragraphs.extend(history(cell.history));
    paragraphs.extend(faults(cells));
    paragraphs.extend(matrix(cells));
    for paragraph in paragraphs {
        text.push_str(&table::paragraph(&paragraph, ["  ", "    "], width));
    }
    text.push_str("\nWhat must hold:\n");
    for promise in promises::all(cells) {
        text.push_str(&table::paragraph(&promise, ["  ", "      "], width));
    }
    text.push('\n');
    text
}

/// The faults of all cells, each once, and in how many of them it stands.
fn faults(cells: &[Cell]) -> Vec<String> {
    let told = cells.iter().map(|cell| {
        let told = cell.faults.iter().map(|spec| fault(spec, &cell.consumers));
        told.collect::<Vec<_>>()
    });
    promises::counted(told.collect())
}

fn matrix(cells: &[Cell]) -> Option<String> {
    let first = cells.first().filter(|_| cells.len() > 1)?;
    let mut axes = vec![];
    for (index, (key, _)) in first.axes.iter().enumerate() {
        let mut values: Vec<&str> = vec![];
        for cell in cells {
            let value = cell.axes.get(index).map_or("", |(_, value)| value.as_str());
            if !values.contains(&value) {
                values.push(value);
            }
        }
        if values.len() > 1 {
            axes.push(format!("{key} in {}", values.join(", ")));
        }
    }
    let (count, axes) = (cells.len(), axes.join("; "));
    Some(format!("All of this describes the first of {count} cells; they vary {axes}."))
}

fn plural(count: impl Into<u64>, word: &str) -> String {
    let count = count.into();
    if count == 1 { format!("one {word}") } else { format!("{count} {word}s") }
}

/// What carries the messages, if not a block: whose promises these are.
fn carrier(block: &BlockSpec) -> String {
    let promises = block.transport.promises();
    let name = block.program.as_deref().unwrap_or_else(|| block.transport.name());
    let copies = match promises.copies {
        Some(copies) => format!("copies each payload {}", plural(copies, "time")),
        None => "does with payloads what it does".to_owned(),
    };
    let (payload, holds, death) = (block.payload, promises.holds, promises.death);
    let threads = if block.transport.joins_threads() {
        " Producer and consumer are threads of one process: nothing protects one from the other."
    } else {
        ""
    };
    let missing = block.transport.missing();
    let missing = missing.map_or(String::new(), |why| format!(" It does not run: {why}."));
    format!(
        "Messages of {payload} go over `{name}` instead of a block. It {copies}, delivers every \
         message in order, and holds what is under way in {holds}. When one end dies: {death}.\
         {threads}{missing}"
    )
}

fn block(block: &BlockSpec) -> String {
    if block.transport != Carrier::DataHub {
        return carrier(block);
    }
    let slots = plural(block.slots, "slot");
    let (payload, physical) = (block.payload, block.physical_slots);
    let sync = match block.consumer_sync {
        ConsumerSync::LatestOnly => "Consumers see the latest payload and may skip earlier ones.",
        ConsumerSync::Sequential => "One consumer sees every payload, in order.",
        ConsumerSync::SequentialSync => {
            "Every consumer sees every payload, in order; the slowest holds the producer back."
        }
    };
    let full = match block.on_full {
        OnFull::Block { timeout } => {
            format!("A producer without room waits at most {timeout}, then tries again.")
        }
        OnFull::Error => {
            "A producer without room gets an error at once and tries again.".to_owned()
        }
        OnFull::Overwrite => "A producer without room takes the oldest payload's place.".to_owned(),
        OnFull::Evict { after } => format!(
            "A producer that waited {after} for the same consumer goes on without it; the consumer is \
             told, and comes back. All reads and writes are copies."
        ),
    };
    let checksum = match block.checksum {
        None => "Payloads carry no checksum.".to_owned(),
        Some(spec) => {
            let who = match spec.policy {
                ChecksumPolicy::Manual => "the workers stamp each commit and verify each read",
                ChecksumPolicy::Enforced => "the block stamps each commit and verifies each read",
            };
            format!("Payloads carry {} checksums; {who}.", spec.algorithm.name())
        }
    };
    let policy = block.policy.name();
    format!(
        "The block ({policy}) promises {slots} of {payload} and has {physical} in memory, with \
         places for {}. {sync} {full} {checksum}",
        plural(block.max_consumers, "consumer")
    )
}

fn workload(cell: &Cell) -> String {
    match cell.workload {
        Workload::PingPong => "Ping-pong: one message goes over one block and its answer comes \
                               back over a second; latency is half the round trip."
            .to_owned(),
        Workload::Stream => "Stream: the producer writes as fast as it can.".to_owned(),
        Workload::Open { rate, arrival } => {
            let spaced = match arrival {
                Arrival::Uniform => "evenly spaced",
                Arrival::Poisson => "at random moments (Poisson)",
            };
            format!(
                "Open loop: {rate}, {spaced}, whether the consumers keep up or not; latency counts \
                 from the moment at which a message was due."
            )
        }
        Workload::Burst { size, every } => format!(
            "Bursts: {} back to back every {every}, whether the consumers keep up or not; \
             latency counts from the start of the burst.",
            plural(size, "message")
        ),
        Workload::Search(Quest { from, to, percentile, at_most, precision, .. }) => format!(
            "Search: the highest rate between {from} and {to} at which {} stays within {at_most} \
             and nothing is lost, to within {precision}. Each rate is a trial of its own; one that \
             fails is tried twice.",
            Metric::Latency(percentile)
        ),
    }
}

fn placed(pin: Pin, sched: Sched, wait: Wait) -> String {
    let pin = match pin {
        Pin::Core(core) => format!("runs on core {core}"),
        Pin::Spread => "has a core of its own while there are some".to_owned(),
        Pin::None => "runs where the kernel puts it".to_owned(),
    };
    let wait = match wait {
        Wait::Spin => "polls without pause while it waits",
        Wait::Yield => "polls and gives its core away while it waits",
        Wait::Park => "sleeps while it waits",
    };
    match sched {
        Sched::Other => format!("{pin} and {wait}"),
        Sched::Fifo(priority) => format!(
            "{pin}, goes before everybody below real-time priority {priority} if that is \
             permitted, and {wait}"
        ),
    }
}

fn producer(producer: &ProducerSpec) -> String {
    let fill = match producer.fill {
        Fill::Full => "writes every word of a payload, and every word is verified",
        Fill::Header => "writes only the stamp at the start of a payload",
    };
    let aborts = match producer.abort_every {
        Some(n) => format!(" It aborts one write in {n} instead of committing it."),
        None => String::new(),
    };
    let (placed, written) =
        (placed(producer.pin, producer.sched, producer.wait), written(producer.program));
    format!("The producer {placed}. It {fill}.{aborts}{written}")
}

fn consumer(group: &ConsumerSpec) -> String {
    let who = if group.count == 1 {
        format!("The consumer `{}`", group.name)
    } else {
        format!("Each of {} consumers `{}`", group.count, group.name)
    };
    let read = match group.read {
        Read::Next => "the next payload",
        Read::Latest => "the latest payload",
    };
    let join = match group.join {
        Join::Oldest => "oldest",
        Join::Latest => "newest",
    };
    let work = if group.work.0 == 0 {
        String::new()
    } else {
        format!(" It is busy for {} with each message.", group.work)
    };
    let (placed, written) = (placed(group.pin, group.sched, group.wait), written(group.program));
    let stay = group.stay.map_or(String::new(), stay);
    format!(
        "{who} {placed}. It starts at the {join} payload and asks for {read}.{work}{stay}{written}"
    )
}

fn zone(zone: &ZoneSpec) -> String {
    let ZoneSpec { name, size, writer, every, .. } = zone;
    let how = match zone.kind {
        ZoneKind::Seqlock => "who looks while it is written looks again",
        ZoneKind::Double => "the last value can be read while the next is written",
    };
    let beside =
        if *every == 1 { "each message".to_owned() } else { format!("one message in {every}") };
    let checksum = if zone.checksum {
        " Its checksum is stamped when its writer ends, and compared."
    } else {
        ""
    };
    format!(
        "Zone `{name}` holds a value of {size}; {how}. `{writer}` writes it beside {beside}; \
         everybody else looks as often, and must find a whole value, never an older one than \
         before, nor one older than the message beside it.{checksum}"
    )
}

fn stay(stay: Stay) -> String {
    let moment = |what: &str, at: Option<Nanos>| at.map(|at| format!("{what} at {at}"));
    let moments = [
        moment("joins", stay.join_at),
        moment("leaves", stay.leave_at),
        moment("joins again", stay.rejoin_at),
    ];
    let moments: Vec<String> = moments.into_iter().flatten().collect();
    format!(" It {}, counted from the start of the measured part.", moments.join(", "))
}

fn written(program: Program) -> &'static str {
    match program {
        Program::Rust => "",
        Program::C => " It is written in C, over the C API.",
    }
}

fn run(run: &RunSpec) -> String {
    let length = match run.length {
        Length::Time(time) => format!("lasts {time}"),
        Length::Messages(messages) => format!("ends after {messages} messages"),
    };
    let warmup = match run.warmup {
        Warmup::Time(time) if time.0 == 0 => "without a warm-up".to_owned(),
        Warmup::Time(time) => format!("after a warm-up of {time}"),
        Warmup::Messages(messages) => format!("after {messages} messages of warm-up"),
        Warmup::Steady(Steady { min, window, slope, max }) => format!(
            "after a warm-up of {min} to {max} that ends when the last {window} change by at most \
             {slope} (else performance is not judged)"
        ),
    };
    let trials = plural(run.repeats, "trial");
    let (seed, deadline) = (run.seed, run.deadline);
    let order = match (run.repeats, run.order) {
        (1, _) | (_, TrialOrder::Interleaved) => "",
        (_, TrialOrder::Sequential) => ", all of one cell before the next",
        (_, TrialOrder::Random) => ", in an order drawn from the seed",
    };
    format!(
        "A trial {length}, {warmup}; {trials}{order}, seed {seed}. After {deadline} it is broken."
    )
}

fn history(history: History) -> Option<String> {
    let what = match history {
        History::None => return None,
        History::All => "everything".to_owned(),
        History::Ring(records) => format!("its last {records} acts"),
    };
    Some(format!("Each process writes down {what}, and the independent checker reads that."))
}

fn fault(spec: &FaultSpec, consumers: &[ConsumerSpec]) -> String {
    let when = match spec.within {
        Nanos(0) => format!("{} after the measured part begins", spec.at),
        within => {
            let at = spec.at;
            format!("at a random moment within {within} from {at} after the measured part begins")
        }
    };
    let again = spec.every.map_or(String::new(), |every| format!(", and again every {every}"));
    let who = match spec.target {
        Target::Producer => "the producer".to_owned(),
        Target::Consumer { group, member } => {
            let name = consumers.get(group).map_or("?", |group| group.name.as_str());
            match member {
                Some(member) => format!("the consumer `{name}[{member}]`"),
                None => format!("a consumer `{name}`"),
            }
        }
    };
    format!("Fault `{}`: {when}{again}, {who} {}.", spec.name, spec.action)
}
