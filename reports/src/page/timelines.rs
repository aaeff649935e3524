//! Latency over the course of one trial of a scenario.

use report_schema::{Latency, Trial};

use crate::format;
use crate::page::RenderError;
use crate::page::figures::{name, percentile_datum};
use crate::page::section::{Datum, Figure, Section, Table};
use crate::plot::{self, Timeline};
use crate::summary::{CellSummary, Percentile};

/// Fewer slices than this have no course that a drawing could show.
const SLICES: usize = 3;

/// The latency of one role in one trial.
struct Course<'a> {
    cell: &'a CellSummary<'a>,
    trial: &'a Trial,
    latency: &'a Latency,
}

fn courses<'c>(cells: &[&'c CellSummary<'c>]) -> Vec<Course<'c>> {
    let mut courses = Vec::new();
    for cell in cells {
        for trial in &cell.judged {
            let latencies = trial.roles.iter().filter_map(|role| role.latency.as_ref());
            courses.extend(latencies.map(|latency| Course { cell, trial, latency }));
        }
    }
    courses
}

/// Draws the trial that most needs to be looked at: of the worst verdict, with faults if there were
/// any, with the greatest sample.
pub(super) fn add(section: &mut Section, cells: &[&CellSummary<'_>]) -> Result<(), RenderError> {
    let drawable = courses(cells).into_iter().filter(|course| !course.latency.intervals.is_empty());
    let severity = |course: &Course<'_>| {
        (course.cell.cell.verdict, !course.trial.faults.is_empty(), course.latency.max_ns)
    };
    let Some(worst) = drawable.max_by_key(severity) else { return Ok(()) };
    let Course { cell, trial, latency } = worst;
    let title = format!("{}: latency over time", name(cells));
    let of =
        Timeline { title: &title, trial, intervals: &latency.intervals, min_ns: latency.min_ns };
    let Some(chart) = plot::timeline(&of) else { return Ok(()) };
    let trials: usize = cells.iter().map(|cell| cell.judged.len()).sum();
    let chosen = if trials > 1 { ", the trial with the greatest sample" } else { "" };
    let caption = format!(
        "{}, repeat {}{chosen}. {}, {}.",
        cell.cell.id,
        trial.repeat,
        format::several(usize::try_from(latency.n).unwrap_or(usize::MAX), "sample"),
        latency.kind.describe()
    );
    let mut table = Table::new(title.clone(), &["Start#", "n#", "p50#", "p99#", "max#"]);
    for interval in &latency.intervals {
        let times = [(0.5, interval.p50_ns), (0.99, interval.p99_ns), (1.0, interval.max_ns)];
        let mut row = vec![
            Datum::number(format::millis(interval.start_ms)),
            Datum::number(format::count(interval.n)),
        ];
        row.extend(times.map(|(at, ns)| percentile_datum(Percentile::among(interval.n, at, ns))));
        table.push(row);
    }
    if latency.intervals.len() < SLICES {
        section.undrawn.push(table.folded(format!("{title}, data only")).html()?);
    } else {
        section.figures.push(Figure::of(&chart, caption, &table.folded("Data"))?);
    }
    Ok(())
}
