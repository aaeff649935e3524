//! What several verbs show: policies, users, health.

use comfy_table::Cell;
use datahub::config::{BlockConfig, ChecksumAlgorithm, ChecksumPolicy, ConsumerSync, OnFull};
use datahub::monitor::age;
use datahub::monitor::health::{Finding, Severity, worst};
use datahub::monitor::view::{BlockView, SeatView, Standing};

use crate::output::{BOLD, CYAN, DIM, GREEN, RED, YELLOW, paint};
use crate::table::{Look, cell};
use crate::units;

/// The policy's name.
pub(crate) const fn sync(sync: ConsumerSync) -> &'static str {
    match sync {
        ConsumerSync::LatestOnly => "latest-only",
        ConsumerSync::Sequential => "sequential",
        ConsumerSync::SequentialSync => "sequential-sync",
    }
}

/// What happens when the ring is full.
pub(crate) const fn on_full(on_full: OnFull) -> &'static str {
    match on_full {
        OnFull::Block => "block",
        OnFull::Error => "error",
        OnFull::Overwrite => "overwrite",
        OnFull::Evict => "evict",
    }
}

/// The checksum's name.
pub(crate) const fn algorithm(algorithm: ChecksumAlgorithm) -> &'static str {
    match algorithm {
        ChecksumAlgorithm::Xxh3 => "xxh3",
        ChecksumAlgorithm::Crc32c => "crc32c",
        ChecksumAlgorithm::Blake2b => "blake2b",
    }
}

/// Who sees to checksums.
pub(crate) const fn policy(policy: ChecksumPolicy) -> &'static str {
    match policy {
        ChecksumPolicy::Manual => "manual",
        ChecksumPolicy::Enforced => "enforced",
    }
}

/// `4 × 1.0 KiB`.
pub(crate) fn shape(config: &BlockConfig) -> String {
    format!("{} × {}", config.capacity(), units::bytes(config.payload_bytes()))
}

/// Whether somebody sits in the seat, in one word.
pub(crate) fn seat_state(seat: &SeatView) -> (&'static str, Look) {
    if seat.is_dead() {
        ("dead", Look::Bad)
    } else if !seat.alive {
        ("empty", Look::Weak)
    } else if seat.standing == Standing::Evicted {
        ("evicted", Look::Bad)
    } else if seat.standing == Standing::Awaited {
        ("moving", Look::Odd)
    } else if seat.is_stopped() {
        ("stopped", Look::Odd)
    } else if !seat.occupied {
        // About to sit down, or to leave.
        ("unseated", Look::Odd)
    } else {
        ("alive", Look::Good)
    }
}

/// The process that sits there.
pub(crate) fn process(seat: &SeatView) -> String {
    seat.process_id().map_or_else(|| "–".to_owned(), |id| id.to_string())
}

/// When it last gave a sign.
pub(crate) fn beat(seat: &SeatView) -> String {
    seat.beat_age_ns.map_or_else(|| "–".to_owned(), |ns| format!("{} ago", age::duration(ns)))
}

/// The producer in one cell.
pub(crate) fn producer(view: &BlockView) -> Cell {
    let (word, look) = seat_state(&view.producer);
    if view.moved_to.is_some() {
        return cell("moved", Look::Weak);
    }
    match (view.ended, view.producer.process_id()) {
        (true, _) if !view.producer.alive => cell("ended", Look::Weak),
        (_, Some(id)) => cell(format!("{id} {word}"), look),
        (_, None) => cell(word, look),
    }
}

/// How far the ring is filled.
pub(crate) fn occupancy(view: &BlockView) -> Cell {
    let capacity = view.rules().capacity;
    let Some(used) = view.occupancy() else { return cell("–", Look::Weak) };
    let look = if used >= capacity { Look::Odd } else { Look::Plain };
    cell(format!("{} {used}/{capacity}", units::bar(used as f64 / capacity as f64)), look)
}

/// The worst finding, in one cell.
pub(crate) fn health(findings: &[Finding]) -> Cell {
    match (worst(findings), findings.first()) {
        (Some(severity), Some(first)) if severity > Severity::Info => {
            let look = if severity == Severity::Critical { Look::Bad } else { Look::Odd };
            cell(first.rule, look)
        }
        _ => cell("ok", Look::Good),
    }
}

/// Findings in words: what, why, what to do.
pub(crate) fn findings(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let (mark, style) = match finding.severity {
            Severity::Critical => ("✖", RED),
            Severity::Warning => ("▲", YELLOW),
            Severity::Info => ("•", CYAN),
        };
        let mark = paint(style, mark);
        let rule = paint(DIM, &format!("[{}]", finding.rule));
        let what = paint(BOLD, &finding.what);
        text.push_str(&format_lines(&[
            format!("{mark} {what} {rule}"),
            format!("  {} {}", paint(DIM, "why"), finding.why),
            format!("  {}  {}", paint(DIM, "do"), finding.remedy),
        ]));
    }
    text
}

/// Everything is in order.
pub(crate) fn all_well(text: &str) -> String {
    format!("{} {text}\n", paint(GREEN, "✔"))
}

fn format_lines(lines: &[String]) -> String {
    lines.iter().map(|line| line.clone() + "\n").collect()
}
