//! The same suite in stored runs, oldest first: what became of each cell.

use report_schema::{Placement, Role, SuiteResult, Workload};

use crate::format;
use crate::page::RenderError;
use crate::page::figures::percentile_datum;
use crate::page::peers::{Named, measured_by, percentile};
use crate::page::section::{Datum, Figure, Section, Table};
use crate::plot::{self, Course, INKS, SweepSeries};
use crate::summary::{CellSummary, Summary};

/// Letters of a commit that people read.
const COMMIT_LETTERS: usize = 10;

/// Empty without an earlier run of the same suite and profile.
pub(super) fn section(
    summary: &Summary<'_>,
    history: &[SuiteResult],
) -> Result<Section, RenderError> {
    let mut section = Section::new("trend", "Trend");
    let now = summary.suite;
    let earlier = |run: &&SuiteResult| {
        let before = run.started_unix_ms < now.started_unix_ms;
        before && run.suite == now.suite && run.profile == now.profile
    };
    let mut runs: Vec<&SuiteResult> = history.iter().filter(earlier).collect();
    runs.push(now);
    runs.sort_by_key(|run| run.started_unix_ms);
    if runs.len() < 2 {
        return Ok(section);
    }
    let runs: Vec<Summary<'_>> = runs.into_iter().map(Summary::of).collect();
    let others = runs.iter().filter(|run| run.suite.host.cpu_model != now.host.cpu_model).count();
    section.say(format!(
        "{} of this suite and profile, the last one is this one.",
        format::several(runs.len(), "run")
    ));
    if others > 0 {
        section.say(format!(
            "{} on another processor: such runs do not compare.",
            format::several(others, "run")
        ));
    }
    section.tables.push(table(&runs).html()?);
    for plan in &PLANS {
        section.figures.extend(figure(plan, summary, &runs)?);
    }
    Ok(section)
}

/// The commit as people read it.
pub(super) fn commit(run: &SuiteResult) -> String {
    let commit = run.commit.as_deref().unwrap_or("unknown");
    let (hash, dirty) = commit.strip_suffix("-dirty").map_or((commit, ""), |hash| (hash, "-dirty"));
    hash.chars().take(COMMIT_LETTERS).collect::<String>() + dirty
}

fn table(runs: &[Summary<'_>]) -> Table {
    let mut table =
        Table::new("Runs", &["Run", "Commit", "Started", "Verdict", "Gates passed#", "Processor"]);
    for (number, run) in (1_usize..).zip(runs) {
        let gates = run.gates();
        let passed = gates.iter().filter(|(gate, _)| gate.verdict == report_schema::Verdict::Pass);
        table.push(vec![
            Datum::text(number.to_string()),
            Datum::code(commit(run.suite)),
            Datum::text(format::moment(run.suite.started_unix_ms)),
            run.verdict.map_or_else(|| Datum::text("nothing ran"), Datum::verdict),
            Datum::number(format!("{} of {}", passed.count(), gates.len())),
            Datum::text(run.suite.host.cpu_model.as_deref().unwrap_or("unknown")),
        ]);
    }
    table
}

/// A run on the axis: its commit and its day, or its time where several runs share both.
fn names(runs: &[Summary<'_>]) -> Vec<String> {
    let part = |run: &Summary<'_>, from: usize, to: usize| {
        let moment = format::moment(run.suite.started_unix_ms);
        moment.get(from..to).unwrap_or("?").to_owned()
    };
    let short = |run: &Summary<'_>| commit(run.suite).chars().take(7).collect::<String>();
    let same_day = runs.windows(2).any(|pair| part(&pair[0], 0, 10) == part(&pair[1], 0, 10));
    let (from, to) = if same_day { (11, 19) } else { (5, 10) };
    runs.iter().map(|run| format!("{} {}", short(run), part(run, from, to))).collect()
}

/// A figure, and how it is told.
type Told = (f64, Datum);

/// One line of a cell: what it is called, and what it is in a run.
type Line = (&'static str, fn(&CellSummary<'_>) -> Option<Told>);

/// A rate, told as one.
fn rate(of: Option<f64>) -> Option<Told> {
    of.map(|rate| (rate, Datum::number(format::rate(rate))))
}

/// A percentile; in brackets where too few samples lie beyond.
fn latency(each: &CellSummary<'_>, quantile: f64) -> Option<Told> {
    percentile(each, quantile).map(|told| (told.ns.max(1) as f64, percentile_datum(told)))
}

/// One chart: what its axis shows, and the lines of each cell.
struct Plan {
    title: &'static str,
    what: Named,
    lines: fn(Workload) -> &'static [Line],
}

/// The figures that a comparison looks at, by workload; one chart for each unit.
const PLANS: [Plan; 2] = [
    Plan {
        title: "message rates over stored runs",
        what: ("messages each second", format::rate),
        lines: |workload| match workload {
            Workload::Stream => &[("committed", |each| rate(each.messages_per_s(Role::Producer)))],
            Workload::Search => &[("sustained", |each| rate(each.sustained_hz()))],
            Workload::PingPong | Workload::Open | Workload::Burst => &[],
        },
    },
    Plan {
        title: "latency over stored runs",
        what: ("latency", format::nanos),
        lines: |workload| match workload {
            // In a stream it is the time in the ring, and so the depth of the ring.
            Workload::Stream | Workload::Search => &[],
            Workload::PingPong | Workload::Open | Workload::Burst => {
                &[("p50", |each| latency(each, 0.5)), ("p99", |each| latency(each, 0.99))]
            }
        },
    },
];

fn figure(
    plan: &Plan,
    summary: &Summary<'_>,
    runs: &[Summary<'_>],
) -> Result<Option<Figure>, RenderError> {
    let columns = ["Cell", "Figure", "Run#", "Commit", "Cores", "Value#", "Trials#"];
    let mut data = Table::new(plan.title, &columns);
    let mut courses = vec![];
    // Every cell has its first line before any has its second.
    for rank in 0..2 {
        for cell in &summary.cells {
            if let Some(line) = (plan.lines)(cell.cell.workload).get(rank) {
                let course = course((cell, line), runs, &mut data);
                courses.extend(course);
            }
        }
    }
    let lines = courses.len();
    courses.truncate(INKS);
    let Some(chart) = plot::trend(plan.title, plan.what, &names(runs), &courses) else {
        return Ok(None);
    };
    let left = lines.saturating_sub(courses.len());
    let more =
        if left > 0 { format!(" {left} more lines are in the table.") } else { String::new() };
    let hollow = if courses.iter().any(|each| !each.far.is_empty()) {
        " Hollow: the cores were not near, so that point does not compare with the others."
    } else {
        ""
    };
    let timed = summary.cells.iter().filter(|cell| !(plan.lines)(cell.cell.workload).is_empty());
    let by = if plan.what.0 == "latency" { measured_by(timed) } else { String::new() };
    let runs = format::several(runs.len(), "run");
    let caption = format!("The compared trials of {runs}.{by}{hollow}{more}");
    Figure::of(&chart, caption, &data.folded("Data")).map(Some)
}

/// One line of one cell over all runs that have it; `None` where fewer than two have.
fn course(
    (cell, (name, value)): (&CellSummary<'_>, &Line),
    runs: &[Summary<'_>],
    data: &mut Table,
) -> Option<Course> {
    let id = &cell.cell.id;
    let (mut points, mut far) = (vec![], vec![]);
    for (number, run) in (1_u32..).zip(runs) {
        let Some(there) = run.cells.iter().find(|each| each.cell.id == *id) else { continue };
        let Some((value, told)) = value(there).filter(|(value, _)| *value > 0.0) else { continue };
        points.push((f64::from(number), value));
        if there.class != Placement::Near {
            far.push(f64::from(number));
        }
        data.push(vec![
            Datum::text(id),
            Datum::text(*name),
            Datum::number(number.to_string()),
            Datum::code(commit(run.suite)),
            Datum::text(there.class.as_str()),
            told,
            Datum::number(there.judged.len().to_string()),
        ]);
    }
    let label = format!("{id}, {name}");
    (points.len() > 1).then_some(Course { line: SweepSeries { label, points }, far })
}
