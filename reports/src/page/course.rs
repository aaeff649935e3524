//! How trials went beyond their figures: the rates that a search tried, who came and left while
//! messages flowed, and whether the figures held still before they were taken and while they were.

use report_schema::{Placement, Search, SearchStep, Trial, Visit, WarmUp};

use crate::format;
use crate::page::RenderError;
use crate::page::figures::CHARTED;
use crate::page::section::{Datum, Figure, Section, Table};
use crate::plot::{self, Scale, Sweep, SweepSeries};
use crate::summary::{CellSummary, Drift, Summary, Thirds, drifts};

/// Rows shown before a table is folded.
const ROWS: usize = 12;

/// Each is empty where no trial has such a thing.
pub(super) fn sections(summary: &Summary<'_>) -> Result<[Section; 4], RenderError> {
    Ok([drift(summary)?, searches(summary)?, visits(summary)?, warm_ups(summary)?])
}

/// Of a soak run: whether trials end as they began.
fn drift(summary: &Summary<'_>) -> Result<Section, RenderError> {
    let mut section = Section::new("drift", "Does it end as it began?");
    let columns = [
        "Cell",
        "Repeat#",
        "Process",
        "p99, first third#",
        "Last third#",
        "Samples a slice, first third#",
        "Last third#",
        "In words",
    ];
    let mut table = Table::new("The first and the last third of each trial", &columns);
    let all = drifts(summary.suite);
    for drift in &all {
        table.push(drifted(drift));
    }
    if !table.is_empty() {
        let unlike = all.iter().filter(|drift| drift.differs()).count();
        section.say(format!(
            "{} of {} ended unlike it began. Two thirds differ when their medians differ by more than a \
             tenth and the middle halves of their slices do not touch; the last slice is left out.",
            format::count(unlike as u64),
            format::several(all.len(), "course")
        ));
        section.tables.push(table.folded_beyond(ROWS, "Courses").html()?);
    }
    Ok(section)
}

fn drifted(drift: &Drift<'_>) -> Vec<Datum> {
    let thirds = |thirds: Thirds, show: fn(f64) -> String| {
        let last = show(thirds.last);
        let last = if thirds.differ { Datum::bad_number(last) } else { Datum::number(last) };
        [Datum::number(show(thirds.first)), last]
    };
    let head = [
        Datum::code(drift.cell),
        Datum::number(drift.repeat.to_string()),
        Datum::text(drift.role.clone()),
    ];
    let samples = thirds(drift.samples, |samples| format!("{samples:.0}"));
    let words = drift.to_string();
    let words = if drift.differs() { Datum::bad(words) } else { Datum::text(words) };
    let figures = thirds(drift.p99_ns, format::nanos).into_iter().chain(samples);
    head.into_iter().chain(figures).chain([words]).collect()
}

/// Every trial with its cell.
fn trials<'s, 'a>(
    summary: &'s Summary<'a>,
) -> impl Iterator<Item = (&'s CellSummary<'a>, &'a Trial)> {
    summary.cells.iter().flat_map(|cell| cell.cell.trials.iter().map(move |trial| (cell, trial)))
}

fn searches(summary: &Summary<'_>) -> Result<Section, RenderError> {
    let mut section = Section::new("search", "The highest rate that holds");
    for (cell, trial) in trials(summary) {
        let Some(search) = &trial.search else { continue };
        let title = format!("{}, repeat {}: rates that were tried", cell.cell.id, trial.repeat);
        section.say(format!("{}, repeat {}: {}", cell.cell.id, trial.repeat, found(search)));
        let table = steps(&title, search);
        let chart = plot::sweep(&tried(&title, search), &lines(search));
        match chart.filter(|_| section.figures.len() < CHARTED) {
            Some(chart) => {
                let n = format::several(search.steps.len(), "rate");
                let caption = format!("{} n = {n}, a whole trial each.", cell.scenario.question);
                section.figures.push(Figure::of(&chart, caption, &table.folded("Data"))?);
            }
            None => section.tables.push(table.html()?),
        }
    }
    Ok(section)
}

/// The bracket in words.
fn found(search: &Search) -> String {
    let bound = &search.bound;
    if let Some(why) = &search.undecided {
        return format!("the search ended without an answer for {bound}: {why}.");
    }
    match (search.sustained_hz, search.refused_hz) {
        (Some(held), Some(broke)) => {
            let (held, broke) = (format::rate(held), format::rate(broke));
            format!("{held} kept {bound}, {broke} did not.")
        }
        (Some(held), None) => {
            format!("even the highest rate tried, {}, kept {bound}.", format::rate(held))
        }
        (None, Some(broke)) => {
            format!("not even the lowest rate tried, {}, kept {bound}.", format::rate(broke))
        }
        (None, None) => format!("no rate was tried to its end for {bound}."),
    }
}

fn tried<'t>(title: &'t str, search: &Search) -> Sweep<'t> {
    let held = |rate: f64| (rate, format!("{} is the highest that held", format::rate(rate)));
    Sweep {
        title,
        x_label: "messages offered each second",
        x_scale: Scale::Log,
        x_format: format::rate,
        y_label: "latency from the intended start",
        y_format: format::nanos,
        knee: search.sustained_hz.map(held),
    }
}

fn lines(search: &Search) -> Vec<SweepSeries> {
    let line = |label: &str, value: fn(&SearchStep) -> Option<u64>| {
        let mut points: Vec<(f64, f64)> = search
            .steps
            .iter()
            .filter(|step| counts(search, step))
            .filter_map(|step| Some((step.rate_hz, value(step)?.max(1) as f64)))
            .collect();
        points.sort_by(|left, right| left.0.total_cmp(&right.0));
        SweepSeries { label: label.to_owned(), points }
    };
    vec![line("p50", |step| step.p50_ns), line("p99", |step| step.p99_ns)]
}

/// Whether its cores were where those of the first step were that held still.
fn counts(search: &Search, step: &SearchStep) -> bool {
    let moved = |step: &&SearchStep| step.class == Some(Placement::Changed);
    let first = search.steps.iter().find(|step| !moved(step));
    first.is_some_and(|first| first.class == step.class)
}

fn steps(title: &str, search: &Search) -> Table {
    let columns = ["Offered#", "Committed#", "p50#", "p99#", "Cores", "Kept", "Why not"];
    let mut table = Table::new(title, &columns);
    let nanos = |value: Option<u64>| match value {
        Some(value) => Datum::number(format::nanos(value as f64)),
        None => Datum::dim_number("–"),
    };
    for step in &search.steps {
        table.push(vec![
            Datum::number(format::rate(step.rate_hz)),
            Datum::number(format::rate(step.committed_hz)),
            nanos(step.p50_ns),
            nanos(step.p99_ns),
            Datum::text(step.class.map_or("–", Placement::as_str)),
            Datum::text(if step.held { "yes" } else { "no" }),
            Datum::wide(step.why.clone().unwrap_or_default()),
        ]);
    }
    table
}

fn visits(summary: &Summary<'_>) -> Result<Section, RenderError> {
    let mut section = Section::new("visits", "Who came and left");
    let columns =
        ["Cell", "Repeat#", "Consumer#", "Joined#", "Left#", "First#", "Owed from", "Next#"];
    let mut table = Table::new("Stays of consumers", &columns);
    for (cell, trial) in trials(summary) {
        for visit in &trial.visits {
            table.push(stay(cell, trial, visit));
        }
    }
    if !table.is_empty() {
        section.say(
            "Consumers joined and left while messages flowed. The first sequence each was given must \
             lie in what was owed to it; from there on it is counted as everybody.",
        );
        section.tables.push(table.folded_beyond(ROWS, "Stays").html()?);
    }
    Ok(section)
}

fn stay(cell: &CellSummary<'_>, trial: &Trial, visit: &Visit) -> Vec<Datum> {
    let (from, to) = visit.promised_first;
    let first = match visit.first {
        Some(first) if (from..=to).contains(&first) => Datum::number(format::count(first)),
        Some(first) => Datum::bad_number(format::count(first)),
        None => Datum::dim_number("none"),
    };
    let left = visit
        .left_ms
        .map_or_else(|| Datum::dim_number("stayed"), |ms| Datum::number(format::millis(ms)));
    vec![
        Datum::code(&cell.cell.id),
        Datum::number(trial.repeat.to_string()),
        Datum::number(visit.consumer.to_string()),
        Datum::number(format::millis(visit.joined_ms)),
        left,
        first,
        Datum::text(format!("{} to {}", format::count(from), format::count(to))),
        Datum::number(format::count(visit.next)),
    ]
}

fn warm_ups(summary: &Summary<'_>) -> Result<Section, RenderError> {
    let mut section = Section::new("warm-up", "Warm-ups until the figures held still");
    let columns = ["Cell", "Repeat#", "Lasted#", "Last change#", "Allowed#", "Steady"];
    let mut table = Table::new("Warm-ups", &columns);
    let mut unsteady = 0;
    for (cell, trial) in trials(summary) {
        let Some(warm_up) = &trial.warmup else { continue };
        unsteady += usize::from(!warm_up.steady);
        table.push(warmed(cell, trial, warm_up));
    }
    if unsteady > 0 {
        section.say(format!(
            "{} never became steady: no performance gate looks at them.",
            format::several(unsteady, "trial")
        ));
    }
    if !table.is_empty() {
        section.tables.push(table.folded_beyond(ROWS, "Warm-ups").html()?);
    }
    Ok(section)
}

fn warmed(cell: &CellSummary<'_>, trial: &Trial, warm_up: &WarmUp) -> Vec<Datum> {
    let percent = |part: f64| format!("{:.1} %", part * 100.0);
    let change = warm_up.change.map_or_else(
        || Datum::dim_number("–"),
        |change| {
            let text = percent(change);
            if warm_up.steady { Datum::number(text) } else { Datum::bad_number(text) }
        },
    );
    vec![
        Datum::code(&cell.cell.id),
        Datum::number(trial.repeat.to_string()),
        Datum::number(format::millis(warm_up.ms)),
        change,
        Datum::number(percent(warm_up.change_max)),
        if warm_up.steady { Datum::text("yes") } else { Datum::bad("no") },
    ]
}
