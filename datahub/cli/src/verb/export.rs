//! `datahub export`: OpenMetrics text.
//!
//! Counters are those of the block since their last reset; a scraper takes a fall for a restart.
//! Source: OpenMetrics 1.0: families in one piece, `_total` on counters, units last, `# EOF`.

mod family;

use datahub::monitor::health::{Severity, Thresholds, examine};
use datahub::monitor::view::BlockView;
use datahub::name::BlockName;
use datahub::slot::SlotState;

use super::{Context, show};
use crate::exit::Exit;
use crate::find::{self, Found};
use crate::output::{self, Failure};
use family::{COUNTERS, Families, Kind};

pub(super) fn execute(context: &Context, names: &[BlockName]) -> Result<Exit, Failure> {
    let mut found = Vec::new();
    for name in names {
        found.push(Found { name: name.clone(), block: Ok(find::one(&context.folder, name)?) });
    }
    if names.is_empty() {
        found = find::all(&context.folder)?;
    }
    let mut families = Families::default();
    for block in &found {
        export(&mut families, block);
    }
    if context.json {
        output::json(&families.json())?;
    } else {
        output::result(&families.text())?;
    }
    Ok(Exit::Fine)
}

fn export(families: &mut Families, found: &Found) {
    let block = [("block", found.name.to_string())];
    let view = found.view();
    let usable = f64::from(u8::from(view.is_some()));
    families.gauge("datahub_usable", "Whether the block's file can be used.", &block, usable);
    let Some(view) = view else { return };
    info(families, &found.name, &view);
    progress(families, &block, &view);
    users(families, &found.name, &view);
    health(families, &found.name, &view);
    for (metric, family, help, scale) in COUNTERS {
        let value = view.metrics.get(metric);
        // Whole numbers stay whole.
        let text = if scale == 1 {
            value.to_string()
        } else {
            format!("{}", value as f64 / f64::from(scale))
        };
        families.add((family, Kind::Counter, help), &block, text);
    }
}

fn info(families: &mut Families, name: &BlockName, view: &BlockView) {
    let config = &view.geometry.config;
    let labels = [
        ("block", name.to_string()),
        ("consumer_sync", show::sync(config.consumer_sync()).to_owned()),
        ("on_full", show::on_full(config.when_full()).to_owned()),
        ("capacity", config.capacity().to_string()),
        ("payload_bytes", config.payload_bytes().to_string()),
        ("checksum_algorithm", show::algorithm(config.checksum_algorithm()).to_owned()),
        ("checksum_policy", show::policy(config.checksum_policy()).to_owned()),
    ];
    let family = ("datahub_block", Kind::Info, "Shape and rules of the block.");
    families.add(family, &labels, "1".to_owned());
}

fn progress(families: &mut Families, block: &[(&str, String)], view: &BlockView) {
    let whole = |families: &mut Families, family, help, value: u64| {
        families.add((family, Kind::Gauge, help), block, value.to_string());
    };
    whole(
        families,
        "datahub_commit_index",
        "Commits over the block's life; never reset.",
        view.commit_index,
    );
    whole(
        families,
        "datahub_memory_bytes",
        "Size of the segment.",
        view.geometry.layout.total as u64,
    );
    if let Some(unread) = view.occupancy() {
        let share = unread as f64 / view.rules().capacity as f64;
        let help = "Share of the ring that the slowest gating consumer has not read.";
        families.gauge("datahub_ring_occupancy_ratio", help, block, share);
    }
    let states = [
        ("free", SlotState::Free),
        ("writing", SlotState::Writing),
        ("committed", SlotState::Committed),
        ("draining", SlotState::Draining),
    ];
    for (word, state) in states {
        let count = view.slots.iter().filter(|slot| slot.state == state).count();
        let labels = [block[0].clone(), ("state", word.to_owned())];
        let family = ("datahub_slots", Kind::Gauge, "Slots by state.");
        families.add(family, &labels, count.to_string());
    }
}

fn users(families: &mut Families, name: &BlockName, view: &BlockView) {
    let block = [("block", name.to_string())];
    let alive = f64::from(u8::from(view.producer.alive));
    let help = "Whether the kernel says that the producer lives.";
    families.gauge("datahub_producer_alive", help, &block, alive);
    let age = "Time since the last heartbeat.";
    if let Some(age_ns) = view.producer.beat_age_ns {
        let family = "datahub_producer_heartbeat_age_seconds";
        families.gauge(family, age, &block, age_ns as f64 / 1e9);
    }
    for consumer in &view.consumers {
        let labels = [("block", name.to_string()), ("consumer", consumer.number.to_string())];
        let alive = f64::from(u8::from(consumer.seat.alive));
        let help = "Whether the kernel says that the consumer lives.";
        families.gauge("datahub_consumer_alive", help, &labels, alive);
        if let Some(age_ns) = consumer.seat.beat_age_ns {
            let family = "datahub_consumer_heartbeat_age_seconds";
            families.gauge(family, age, &labels, age_ns as f64 / 1e9);
        }
        if consumer.registered {
            let help = "Commits that the consumer has not read.";
            let family = ("datahub_consumer_lag_payloads", Kind::Gauge, help);
            families.add(family, &labels, consumer.lag.to_string());
        }
    }
}

fn health(families: &mut Families, name: &BlockName, view: &BlockView) {
    let findings = examine(view, None, Thresholds::default());
    let block = [("block", name.to_string())];
    let wrong = findings.iter().any(|finding| finding.severity > Severity::Info);
    let help = "Whether no health rule has a warning or worse.";
    families.gauge("datahub_healthy", help, &block, f64::from(u8::from(!wrong)));
    for severity in [Severity::Info, Severity::Warning, Severity::Critical] {
        let count = findings.iter().filter(|finding| finding.severity == severity).count();
        let labels = [("block", name.to_string()), ("severity", severity.name().to_owned())];
        let family = ("datahub_findings", Kind::Gauge, "Findings of the health rules.");
        families.add(family, &labels, count.to_string());
    }
}
