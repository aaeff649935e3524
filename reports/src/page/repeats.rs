//! The repeats of a scenario's cells, one strip for all of them.

use report_schema::{Placement, Role, Trial};

use crate::format;
use crate::page::RenderError;
use crate::page::figures::{name, told};
use crate::page::section::{Datum, Figure, Section, Table};
use crate::plot::{self, INKS, Repeats};
use crate::summary::{CellSummary, Summary};

/// A figure of one trial, what it is called and how it reads.
type Figured = (fn(&Trial) -> Option<f64>, &'static str, fn(f64) -> String);

/// What a trial was about: its latency, or where nobody timed it, how much went through.
const FIGURES: [Figured; 2] = [
    (median_ns, "median latency", format::nanos),
    (delivered, "messages each second", format::rate),
];

/// Adds the strip of these cells; nothing below three repeats of a cell.
pub(super) fn add(
    section: &mut Section,
    summary: &Summary<'_>,
    cells: &[&CellSummary<'_>],
) -> Result<(), RenderError> {
    for (figure, what, show) in FIGURES {
        let of_cell = |cell: &&CellSummary<'_>| {
            let trials = cell.cell.trials.iter();
            let told = told(summary, &cell.label());
            let figures = trials.filter_map(|trial| {
                let value = figure(trial).filter(|value| *value > 0.0)?;
                Some((trial.started_ms, trial.calibration.class, value))
            });
            Repeats { label: told, trials: figures.collect() }
        };
        let all: Vec<Repeats> =
            cells.iter().map(of_cell).filter(|each| !each.trials.is_empty()).collect();
        let shown = &all[..all.len().min(INKS)];
        let title = format!("{}: {what} of each repeat", name(cells));
        let Some(chart) = plot::repeats(&title, (what, show), shown) else { continue };
        section.figures.push(Figure::of(&chart, caption(&all), &data(&title, what, show, &all))?);
        return Ok(());
    }
    Ok(())
}

fn caption(all: &[Repeats]) -> String {
    let trials = || all.iter().flat_map(|each| &each.trials);
    let other = trials().filter(|(_, class, _)| *class != Placement::Near).count();
    let mut caption = format!("{}.", format::several(trials().count(), "trial"));
    if other > 0 {
        caption.push_str(
            " Hollow: the cores were not near; near trials and others are not compared with each other.",
        );
    }
    if all.len() > INKS {
        let more = format::several(all.len() - INKS, "more cell");
        caption.extend([" ", &more, " would not fit; the table has all of them."]);
    }
    caption
}

fn data(title: &str, what: &str, show: fn(f64) -> String, all: &[Repeats]) -> Table {
    let mut table = Table::new(title, &["Cell", "Started#", "Cores", &format!("{what}#")]);
    for each in all {
        for (started_ms, class, value) in &each.trials {
            table.push(vec![
                Datum::text(&each.label),
                Datum::number(format::millis(*started_ms)),
                Datum::text(class.as_str()),
                Datum::number(show(*value)),
            ]);
        }
    }
    table.folded("Data")
}

/// The median of its roles' median latencies.
fn median_ns(trial: &Trial) -> Option<f64> {
    let latencies = trial.roles.iter().filter_map(|role| role.latency.as_ref());
    let mut medians: Vec<u64> = latencies.map(|latency| latency.p50_ns).collect();
    medians.sort_unstable();
    Some((*medians.get(medians.len() / 2)?).max(1) as f64)
}

/// What all consumers together took.
fn delivered(trial: &Trial) -> Option<f64> {
    let consumers = trial.roles.iter().filter(|role| role.role == Role::Consumer);
    Some(consumers.map(|role| role.throughput_msgs_per_s).sum::<f64>())
        .filter(|rate| rate.is_finite())
}
