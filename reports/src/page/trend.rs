//! The same suite in stored runs, oldest first: what became of each cell.

use report_schema::{Placement, SuiteResult};

use crate::format;
use crate::page::RenderError;
use crate::page::figures::percentile_datum;
use crate::page::peers::percentile;
use crate::page::section::{Datum, Figure, Section, Table};
use crate::plot::{self, Course, INKS, SweepSeries};
use crate::summary::Summary;

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
    section.figures.extend(figure(summary, &runs)?);
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

fn figure(summary: &Summary<'_>, runs: &[Summary<'_>]) -> Result<Option<Figure>, RenderError> {
    let title = "median latency over stored runs";
    let columns = ["Cell", "Run#", "Commit", "Cores", "p50#", "p99#", "Trials#"];
    let mut data = Table::new(title, &columns);
    let mut courses = vec![];
    for cell in &summary.cells {
        let id = &cell.cell.id;
        let (mut points, mut far) = (vec![], vec![]);
        for (number, run) in (1_u32..).zip(runs) {
            let Some(there) = run.cells.iter().find(|each| each.cell.id == *id) else { continue };
            let (Some(p50), Some(p99)) = (percentile(there, 0.5), percentile(there, 0.99)) else {
                continue;
            };
            points.push((f64::from(number), p50.ns.max(1) as f64));
            if there.class != Placement::Near {
                far.push(f64::from(number));
            }
            data.push(vec![
                Datum::text(id),
                Datum::number(number.to_string()),
                Datum::code(commit(run.suite)),
                Datum::text(there.class.as_str()),
                percentile_datum(p50),
                percentile_datum(p99),
                Datum::number(there.judged.len().to_string()),
            ]);
        }
        if points.len() > 1 {
            courses.push(Course { line: SweepSeries { label: id.clone(), points }, far });
        }
    }
    let cells = courses.len();
    courses.truncate(INKS);
    let Some(chart) = plot::trend(title, &names(runs), &courses) else { return Ok(None) };
    let left = cells.saturating_sub(courses.len());
    let more =
        if left > 0 { format!(" {left} more cells are in the table.") } else { String::new() };
    let hollow = if courses.iter().any(|each| !each.far.is_empty()) {
        " Hollow: the cores were not near, so that point does not compare with the others."
    } else {
        ""
    };
    let caption = format!(
        "p50 of the compared trials of {}.{hollow}{more}",
        format::several(runs.len(), "run")
    );
    Figure::of(&chart, caption, &data.folded("Data")).map(Some)
}
