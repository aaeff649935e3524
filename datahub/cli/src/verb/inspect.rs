//! `datahub inspect`: everything about one block.

use datahub::config::BlockConfig;
use datahub::metrics::{METRICS, Metric};
use datahub::monitor::age;
use datahub::monitor::health::{Thresholds, examine};
use datahub::monitor::view::{BlockView, SlotView};
use datahub::name::BlockName;
use datahub::recovery::diagnosis::state_name;
use datahub::slot::SlotState;
use datahub::wait::monotonic_ns;

use super::{Context, show};
use crate::args::Inspect;
use crate::exit::Exit;
use crate::output::{self, BOLD, DIM, Failure, Page, paint};
use crate::table::{Column, Look, cell, plain, render};
use crate::{find, json, units};

/// Slots that are shown unless all are asked for.
const SLOTS: usize = 16;

pub(super) fn execute(context: &Context, args: &Inspect) -> Result<Exit, Failure> {
    let monitor = find::one(&context.folder, &args.name)?;
    let view = monitor.snapshot(monotonic_ns());
    let findings = examine(&view, None, Thresholds::default());
    if context.json {
        output::json(&json::block(&args.name, &view, &findings))?;
        return Ok(Exit::Fine);
    }
    let mut text = Page(head(context, &args.name, &view));
    if !view.consumers.is_empty() {
        text.add(format!("\n{}", consumers(&view)));
    }
    text.add(format!("\n{}", slots(&view, if args.all_slots { usize::MAX } else { SLOTS })));
    text.add(format!("\n{}", counters(&view)));
    if !findings.is_empty() {
        text.add(format!("\n{}", show::findings(&findings)));
    }
    output::result(&text.0)?;
    Ok(Exit::Fine)
}

fn line(label: &str, text: &str) -> String {
    format!("{} {text}\n", paint(DIM, &format!("{label:<10}")))
}

/// The block, its rules, its producer, its progress.
fn head(context: &Context, name: &BlockName, view: &BlockView) -> String {
    let (config, layout) = (&view.geometry.config, &view.geometry.layout);
    let made = match view.metrics.get(Metric::UptimeSeconds) {
        0 => "just now".to_owned(),
        seconds => format!("{} ago", age::duration(seconds.saturating_mul(1_000_000_000))),
    };
    let mut text = Page::default();
    text.add(format!(
        "{}  {}, {}, made {made}\n\n",
        paint(BOLD, name.as_str()),
        context.folder.file_of(name).display(),
        units::bytes(layout.total as u64)
    ));
    let parking = if config.parks() { "waiters may sleep" } else { "waiters never sleep" };
    text.add(line(
        "policy",
        &format!(
            "{}, {} when full, {parking}",
            show::sync(config.consumer_sync()),
            when_full(config)
        ),
    ));
    text.add(line(
        "ring",
        &format!(
            "{} payloads of up to {} promised, in {} slots of {}",
            config.capacity(),
            units::bytes(config.payload_bytes()),
            config.physical_slots(),
            units::bytes(layout.stride as u64)
        ),
    ));
    let algorithm = show::algorithm(config.checksum_algorithm());
    text.add(line(
        "checksums",
        &format!("{algorithm}, {}", show::policy(config.checksum_policy())),
    ));
    let nonce = format!("{:032x}", u128::from_be_bytes(view.geometry.nonce));
    text.add(line("nonce", &nonce));
    text.add(stream(view));
    text.add(line("producer", &producer(view)));
    text.add(line("progress", &progress(view)));
    text.0
}

/// The rule for a full ring, with its patience.
fn when_full(config: &BlockConfig) -> String {
    let rule = show::on_full(config.when_full());
    config.patience().map_or_else(
        || rule.to_owned(),
        |after| {
            let after_ns = u64::try_from(after.as_nanos()).unwrap_or(u64::MAX);
            format!("{rule} after {}", age::duration(after_ns))
        },
    )
}

/// Where the stream comes from, and where it goes on.
fn stream(view: &BlockView) -> String {
    let mut text = Page::default();
    if let Some(predecessor) = view.geometry.origin.predecessor {
        let nonce = u128::from_be_bytes(predecessor.nonce);
        let coming = match view.moving.count_ones() {
            0 => String::new(),
            1 => "; 1 consumer has still to come".to_owned(),
            count => format!("; {count} consumers have still to come"),
        };
        let first = view.geometry.first;
        text.add(line("follows", &format!("block {nonce:032x} from sequence {first} on{coming}")));
    }
    if let Some(place) = &view.moved_to {
        text.add(line("moved to", &output::printable(place)));
    }
    text.0
}

fn producer(view: &BlockView) -> String {
    let (word, look) = show::seat_state(&view.producer);
    let word = match look {
        Look::Bad => paint(output::RED, word),
        Look::Odd => paint(output::YELLOW, word),
        Look::Good => paint(output::GREEN, word),
        Look::Plain | Look::Strong | Look::Weak => word.to_owned(),
    };
    let ended = if view.ended { "; the stream has ended" } else { "" };
    match view.producer.process_id() {
        Some(id) => {
            format!("process {id}, {word}, last heartbeat {}{ended}", show::beat(&view.producer))
        }
        None => format!("{word}{ended}"),
    }
}

fn progress(view: &BlockView) -> String {
    let commits = units::count(view.commit_index);
    if view.commit_index == view.geometry.first {
        return "nothing committed yet".to_owned();
    }
    let newest = view.commit_index.saturating_sub(1);
    let text = format!("{commits} commits, the newest is sequence {newest}");
    match view.occupancy() {
        Some(unread) => {
            let capacity = view.rules().capacity;
            let bar = units::bar(unread as f64 / capacity as f64);
            format!("{text}; {unread} of {capacity} unread by the slowest consumer {bar}")
        }
        None => text,
    }
}

fn consumers(view: &BlockView) -> String {
    let columns = [
        Column::Figure("CONSUMER"),
        Column::Figure("PROCESS"),
        Column::Text("STATE"),
        Column::Text("HEARTBEAT"),
        Column::Figure("CURSOR"),
        Column::Figure("LAG"),
        Column::Figure("READ"),
        Column::Text("GATES"),
        Column::Text("INSIDE"),
    ];
    let row = |consumer: &datahub::monitor::view::ConsumerView| {
        let (word, look) = show::seat_state(&consumer.seat);
        let gates = match (consumer.registered, consumer.gates) {
            (false, _) => cell("not joined", Look::Weak),
            (true, true) => plain("yes"),
            (true, false) => cell("no", Look::Weak),
        };
        let inside: Vec<String> = consumer.pins.iter().map(ToString::to_string).collect();
        vec![
            plain(consumer.number.to_string()),
            plain(show::process(&consumer.seat)),
            cell(word, look),
            plain(show::beat(&consumer.seat)),
            plain(units::count(consumer.cursor)),
            plain(units::count(consumer.lag)),
            plain(units::count(consumer.slots_read)),
            gates,
            plain(inside.join(" ")),
        ]
    };
    render(&columns, view.consumers.iter().map(row).collect())
}

fn slots(view: &BlockView, shown: usize) -> String {
    let columns = [
        Column::Figure("SLOT"),
        Column::Text("STATE"),
        Column::Figure("SEQUENCE"),
        Column::Figure("GENERATION"),
        Column::Figure("BYTES"),
        Column::Figure("INSIDE"),
        Column::Text("WHO"),
    ];
    let row = |slot: &SlotView| {
        let look = match slot.state {
            SlotState::Free => Look::Weak,
            SlotState::Committed => Look::Plain,
            SlotState::Writing | SlotState::Draining => Look::Odd,
        };
        let holds = slot.sequence().is_some();
        vec![
            plain(slot.index.to_string()),
            cell(state_name(slot.state), look),
            plain(slot.sequence().map(units::count).unwrap_or_default()),
            plain(units::count(slot.generation)),
            plain(if holds { units::bytes(slot.payload_bytes) } else { String::new() }),
            plain(slot.reader_count().to_string()),
            users(view, slot),
        ]
    };
    let rows = view.slots.iter().take(shown).map(row).collect();
    let mut text = Page(render(&columns, rows));
    let hidden = view.slots.len().saturating_sub(shown);
    if hidden > 0 {
        text.add(paint(DIM, &format!("… and {hidden} more: --all-slots shows them\n")));
    }
    text.0
}

/// Who is inside a slot, or writes it.
fn users(view: &BlockView, slot: &SlotView) -> comfy_table::Cell {
    let inside = (0..u32::BITS).filter(|bit| slot.readers & (1 << bit) != 0);
    let names: Vec<String> = inside
        .map(|bit| {
            let dead = slot.dead_readers & (1 << bit) != 0;
            if dead { format!("{bit} (dead)") } else { bit.to_string() }
        })
        .collect();
    let written = slot.writer_waiting() || slot.state == SlotState::Writing;
    let writer = view.producer.process_id().filter(|_| written);
    let text = match writer {
        Some(id) if view.producer.alive && slot.writer_waiting() => {
            format!("{}, {id} waits for them", names.join(" "))
        }
        Some(id) if view.producer.alive => format!("{} written by {id}", names.join(" ")),
        Some(id) => format!("{} left by dead {id}", names.join(" ")),
        None => names.join(" "),
    };
    cell(text.trim(), if slot.dead_readers == 0 { Look::Plain } else { Look::Bad })
}

/// Every counter that is not zero, and those that nothing counts yet.
fn counters(view: &BlockView) -> String {
    let counted = view.metrics.iter().filter(|&(_, value)| value != 0);
    let row = |(name, value): (&'static str, u64)| vec![plain(name), plain(counter(name, value))];
    let columns = [Column::Text("COUNTER"), Column::Figure("VALUE")];
    let idle = METRICS.iter().filter(|(metric, _)| !metric.is_counted());
    let idle = idle.map(|&(_, name)| vec![plain(name), cell("not counted", Look::Weak)]);
    render(&columns, counted.map(row).chain(idle).collect())
}

/// A counter's value with its unit. Points in time mean nothing to people, ages do.
fn counter(name: &str, value: u64) -> String {
    if name.ends_with("_timestamp_ns") || name == "last_heartbeat_ns" {
        let ago = monotonic_ns().saturating_sub(value);
        return format!("{} ago", age::duration(ago));
    }
    if name == "last_error" {
        return format!("code {}, {} in all", value & 0xffff_ffff, value >> 32);
    }
    match name.rsplit_once('_') {
        Some((_, "ns")) => age::duration(value),
        Some((_, "seconds")) => age::duration(value.saturating_mul(1_000_000_000)),
        _ if name.starts_with("total_bytes") => units::bytes(value),
        _ => units::count(value),
    }
}
