//! Can I believe it: the machine, its clock, where the cores were, and what was left out.

use std::collections::BTreeMap;

use report_schema::{Host, Placement, Trial};

use crate::format;
use crate::page::RenderError;
use crate::page::section::{Datum, Section, Table};
use crate::page::{evidence, hardware};
use crate::summary::Summary;

/// Remarks beyond this number are folded away.
const SHOWN_REMARKS: usize = 24;

pub(super) fn section(summary: &Summary<'_>) -> Result<Section, RenderError> {
    let mut section = Section::new("belief", "Can I believe it?");
    if !summary.cells.is_empty() {
        section.say(placements(summary));
        section.say(dropped(summary));
        section.lead.extend(hardware::nowhere(summary));
    }
    section.lead.extend(summary.suite.comparisons.iter().filter_map(evidence::false_alarms));
    section.tables.push(host(&summary.suite.host)?);
    let noise = noise(summary);
    if !noise.is_empty() {
        section.tables.push(noise.html()?);
    }
    let remarks = remarks(summary);
    if !remarks.is_empty() {
        section.tables.push(
            remarks.stacked().folded_beyond(SHOWN_REMARKS, "What weakens the figures").html()?,
        );
    }
    Ok(section)
}

fn trials<'a>(summary: &'a Summary<'_>) -> impl Iterator<Item = &'a Trial> {
    summary.cells.iter().flat_map(|each| &each.cell.trials)
}

fn placements(summary: &Summary<'_>) -> String {
    let mut classes: BTreeMap<Placement, Vec<f64>> = BTreeMap::new();
    for trial in trials(summary) {
        let both = [trial.calibration.before_ns, trial.calibration.after_ns];
        let known = both.into_iter().flatten().map(|value| value as f64);
        classes
            .entry(trial.calibration.class)
            .or_default()
            .push(known.clone().sum::<f64>() / known.count().max(1) as f64);
    }
    if classes.is_empty() {
        return "No trial ran, so nothing was calibrated.".to_owned();
    }
    let words = classes.into_iter().map(|(class, levels)| {
        let trials = format::several(levels.len(), "trial");
        match (class, crate::summary::median(levels).filter(|level| *level > 0.0)) {
            (Placement::Near | Placement::Far, Some(level)) => {
                format!(
                    "{trials} {} (bare cache line {} one way)",
                    class.as_str(),
                    format::nanos(level)
                )
            }
            _ => format!("{trials} {}", class.as_str()),
        }
    });
    format!(
        "Where the cores were: {}. Only trials of one class are compared.",
        words.collect::<Vec<_>>().join(", ")
    )
}

fn dropped(summary: &Summary<'_>) -> String {
    let all = summary.cells.iter().flat_map(|each| &each.cell.trials).count();
    let compared: usize = summary.cells.iter().map(|each| each.judged.len()).sum();
    let dropped: u64 = summary.cells.iter().map(|each| u64::from(each.cell.dropped.trials)).sum();
    format!(
        "{} of {} are compared in the figures below; {} dropped before judging.",
        format::count(compared as u64),
        format::several(all, "trial"),
        format::count(dropped)
    )
}

fn host(host: &Host) -> Result<String, RenderError> {
    let mut table = Table::new("The machine", &["Machine", "Value"]);
    let text = |value: &Option<String>| value.clone();
    let size = |value: Option<u64>| value.map(|value| format::bytes(value as f64));
    let time = |value: Option<u64>| value.map(|value| format::nanos(value as f64));
    let rows = [
        ("Processor", text(&host.cpu_model)),
        ("Cores allowed", host.cores_online.map(|cores| cores.to_string())),
        ("Hypervisor", text(&host.virtualised)),
        ("Kernel", text(&host.kernel)),
        ("Frequency governor", text(&host.governor)),
        ("Clock source", text(&host.clock_source)),
        ("Clock quantum", time(host.clock_quantum_ns)),
        ("Cost of reading the clock", time(host.clock_cost_ns)),
        ("Memory", size(host.memory_bytes)),
        ("Free shared memory", size(host.shm_free_bytes)),
        ("Name", text(&host.hostname)),
        ("Mitigations", (!host.mitigations.is_empty()).then(|| host.mitigations.join("; "))),
    ];
    for (name, value) in rows {
        let value = value.map_or_else(|| Datum::text("unknown"), Datum::wide);
        table.push(vec![Datum::text(name), value]);
    }
    table.html()
}

/// What one trial says about a disturbance.
type Value = fn(&Trial) -> Option<u64>;

/// A disturbance, where it stands, how it is shown.
type Row = (&'static str, Value, fn(u64) -> String);

fn noise(summary: &Summary<'_>) -> Table {
    let mut table =
        Table::new("Noise", &["Disturbance", "In all trials#", "Worst trial#", "Known for#"]);
    let measured = trials(summary).count();
    let rows: [Row; 6] = [
        ("Time measured", |trial| Some(trial.duration_ms), format::millis),
        ("Stolen by the hypervisor", |trial| trial.noise.steal_ms, format::millis),
        ("Taken off the core", |trial| trial.noise.involuntary_switches, format::count),
        ("Gave up the core", |trial| trial.noise.voluntary_switches, format::count),
        ("Minor page faults", |trial| trial.noise.minor_faults, format::count),
        ("Major page faults", |trial| trial.noise.major_faults, format::count),
    ];
    for (name, value, show) in rows {
        let known: Vec<u64> = trials(summary).filter_map(value).collect();
        if known.is_empty() {
            continue;
        }
        table.push(vec![
            Datum::text(name),
            Datum::number(show(known.iter().copied().fold(0, u64::saturating_add))),
            Datum::number(show(known.iter().copied().max().unwrap_or(0))),
            Datum::number(format!("{} of {measured}", known.len())),
        ]);
    }
    table
}

/// Everything that weakens the figures, in words.
fn remarks(summary: &Summary<'_>) -> Table {
    let mut table = Table::new("Remarks", &["About", "What weakens the figures"]);
    let suite = summary.suite;
    for note in &suite.notes {
        table.push(vec![Datum::text("the run"), Datum::wide(note)]);
    }
    for note in &suite.host.notes {
        table.push(vec![Datum::text("the machine"), Datum::wide(note)]);
    }
    let mut degraded: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for each in &summary.cells {
        for reason in &each.cell.degraded {
            degraded.entry(reason).or_default().push(&each.cell.id);
        }
    }
    for (reason, cells) in degraded {
        let about = if let [cell] = cells[..] {
            cell.to_owned()
        } else {
            format::several(cells.len(), "cell")
        };
        table.push(vec![Datum::text(about), Datum::wide(format!("degraded: {reason}"))]);
    }
    for each in &summary.cells {
        for reason in &each.cell.dropped.reasons {
            table.push(vec![Datum::text(&each.cell.id), Datum::wide(format!("dropped: {reason}"))]);
        }
    }
    table
}
