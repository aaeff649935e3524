//! Can I believe it: the machine, its clock, where the cores were, and what was left out.

use std::collections::BTreeMap;

use report_schema::{Host, Placement, Trial};

use crate::format;
use crate::page::RenderError;
use crate::page::section::{Datum, Section, Table};
use crate::page::{evidence, hardware, models};
use crate::summary::Summary;

/// Remarks beyond this number are folded away.
const SHOWN_REMARKS: usize = 8;

pub(super) fn section(summary: &Summary<'_>) -> Result<Section, RenderError> {
    let mut section = Section::new("belief", "Can I believe it?");
    if !summary.cells.is_empty() {
        section.say(quiet(summary));
        section.say(placements(summary));
        section.lead.extend(hardware::nowhere(summary));
    }
    section.lead.extend(summary.suite.comparisons.iter().filter_map(evidence::false_alarms));
    let remarks = remarks(summary);
    if !remarks.is_empty() {
        let remarks = remarks.stacked().folded_beyond(SHOWN_REMARKS, "What weakens the figures");
        section.tables.push(remarks.html()?);
    }
    section.tables.push(host(&summary.suite.host)?);
    let noise = noise(summary);
    if !noise.is_empty() {
        section.tables.push(noise.folded("What else the machine did meanwhile").html()?);
    }
    Ok(section)
}

/// Shares of the measured time and of the trials from which on a machine is called noisy.
const STOLEN: f64 = 0.01;
const MOVED: f64 = 0.2;
/// Times a process may be taken off its core each second.
const SWITCHES: f64 = 100.0;

/// Whether the machine was quiet, and why not, in one line.
fn quiet(summary: &Summary<'_>) -> String {
    // Of those trials that know it; `None` where none does.
    let rate = |value: fn(&Trial) -> Option<u64>| {
        let known = || trials(summary).filter_map(|trial| Some((value(trial)?, trial.duration_ms)));
        let (sum, measured_ms) = known().fold((0_u64, 0_u64), |(sum, all), (value, ms)| {
            (sum.saturating_add(value), all.saturating_add(ms))
        });
        known().next().map(|_| sum as f64 / measured_ms.max(1) as f64)
    };
    let all = trials(summary).count();
    let stolen = rate(|trial| trial.noise.steal_ms);
    let switches = rate(|trial| trial.noise.involuntary_switches).map(|rate| rate * 1e3);
    let moved =
        trials(summary).filter(|trial| trial.calibration.class == Placement::Changed).count();
    let degraded = summary.cells.iter().filter(|each| !each.cell.degraded.is_empty()).count();
    let facts = [
        (
            stolen.is_some_and(|part| part > STOLEN),
            stolen.map_or_else(
                || "what the hypervisor took is unknown".to_owned(),
                |part| format!("the hypervisor took {} % of the time", format::short(part * 100.0)),
            ),
        ),
        (
            moved as f64 > MOVED * all as f64,
            format!("{moved} of {} moved between cores", format::several(all, "trial")),
        ),
        (
            switches.is_some_and(|rate| rate > SWITCHES),
            switches.map_or_else(
                || "how often processes lost their core is unknown".to_owned(),
                |rate| format!("processes lost their core {} times a second", format::short(rate)),
            ),
        ),
        (
            degraded > 0,
            format!(
                "{} did not get all that was asked for (what weakens the figures is said below)",
                format::several(degraded, "cell")
            ),
        ),
    ];
    let (loud, calm): (Vec<_>, Vec<_>) = facts.into_iter().partition(|(bad, _)| *bad);
    let words = |facts: Vec<(bool, String)>| {
        facts.into_iter().map(|(_, fact)| fact).collect::<Vec<_>>().join(", ")
    };
    if loud.is_empty() {
        let calm = calm.into_iter().take(3).collect();
        return format!("The machine was quiet: {}.", words(calm));
    }
    format!("The machine was noisy: {}.", words(loud))
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
                format!("{trials} {} (bare line {} one way)", class.as_str(), format::nanos(level))
            }
            _ => format!("{trials} {}", class.as_str()),
        }
    });
    let all = trials(summary).count();
    let compared: usize = summary.cells.iter().map(|each| each.judged.len()).sum();
    let dropped: u64 = summary.cells.iter().map(|each| u64::from(each.cell.dropped.trials)).sum();
    let dropped = usize::try_from(dropped).unwrap_or(usize::MAX);
    let other = all.saturating_sub(compared).saturating_sub(dropped);
    let left = match (dropped, other) {
        (0, 0) => String::new(),
        (0, other) => format!("; {other} of another class, broken or unsteady are left out"),
        (dropped, 0) => format!("; {dropped} dropped before judging"),
        (dropped, other) => {
            format!(
                "; {dropped} dropped before judging, {other} of another class, broken or unsteady left out"
            )
        }
    };
    format!(
        "{} of {} are compared, within a cell always of one class{left}. Where the cores were: {}.",
        format::count(compared as u64),
        format::several(all, "trial"),
        words.collect::<Vec<_>>().join(", ")
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
    let parts = [
        text(&host.cpu_model),
        text(&host.kernel),
        host.cores_online.map(|cores| format::several(cores as usize, "core")),
    ];
    let line: Vec<String> = parts.into_iter().flatten().collect();
    let line = if line.is_empty() { "unknown".to_owned() } else { line.join(", ") };
    table.folded(format!("The machine: {line}")).html()
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
    for note in suite.notes.iter().filter(|note| !models::blind(note)) {
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
