//! A short summary in Markdown, for job pages and pull requests.
//!
//! What did not pass comes first, then what was measured.

mod measured;

use report_schema::{CellComparison, Comparison, GateResult, ModelKind, SuiteResult, Verdict};

use crate::format;
use crate::page::{command_line, place};
use crate::summary::{CellSummary, Kills, Summary, noticed};

/// Rows of a table at most; the page has them all.
const ROWS: usize = 20;

/// Renders the result as Markdown: the verdict, whether it can be believed, what did not pass, the figures
/// that were compared, what was measured.
#[must_use]
pub fn render(suite: &SuiteResult) -> String {
    let summary = Summary::of(suite);
    let mut parts = vec![format!(
        "## {}: {}\n\n{}\n\n",
        summary.headline,
        safe(&suite.suite),
        safe(&summary.sentence)
    )];
    parts.push(format!(
        "Commit `{}`, profile {}, {}, took {}.\n",
        code(suite.commit.as_deref().unwrap_or("unknown")),
        safe(&suite.profile),
        format::moment(suite.started_unix_ms),
        format::millis(suite.wall_ms)
    ));
    let tally = summary.tally.worst_first().into_iter().filter(|(_, number)| *number > 0);
    let tally: Vec<_> = tally.map(|(verdict, number)| format!("{number} {verdict}")).collect();
    let unreached = summary.tally.unreached;
    let unreached =
        (unreached > 0).then(|| format!("{} not reached", format::count(unreached as u64)));
    let tally: Vec<_> = tally.into_iter().chain(unreached).collect();
    if !tally.is_empty() {
        parts.push(format!("Gates and models: {}.\n", tally.join(", ")));
    }
    for doubt in &summary.doubts {
        parts.push(format!("\n> The file contradicts itself: {}\n", safe(&doubt.text)));
    }
    parts.extend(suite.notes.iter().map(|note| format!("\n> {}\n", safe(note))));
    parts.push(measured::belief(&summary));
    parts.extend([gates(&summary), comparisons(suite), models(suite), crashes(suite)]);
    parts.push(measured::tables(&summary));
    let mut commands: Vec<_> = suite.parts.iter().map(|part| command_line(&part.command)).collect();
    if commands.is_empty() {
        commands.push(command_line(&suite.command));
    }
    let commands = commands.join("\n").replace("```", "` ` `");
    parts.push(format!("\n```sh\n{commands}\n```\n"));
    parts.concat()
}

fn gates(summary: &Summary<'_>) -> String {
    let failed: Vec<_> =
        summary.gates().into_iter().filter(|(gate, _)| gate.verdict != Verdict::Pass).collect();
    let row = |(gate, cell): &(&GateResult, &CellSummary<'_>)| {
        let quantity = |value: Option<f64>| {
            value.map_or_else(|| "none".to_owned(), |value| format::with_unit(value, &gate.unit))
        };
        [
            format!("`{}`", code(&gate.check)),
            gate.verdict.to_string(),
            safe(&quantity(gate.value)),
            safe(&quantity(gate.bound)),
            safe(&gate.reason),
            safe(&cell.cell.id),
            format!("`{}`", code(&place(gate))),
        ]
    };
    let rows: Vec<_> = failed.iter().map(row).collect();
    table(
        "Gates that did not pass",
        ["Check", "Verdict", "Value", "Bound", "Why", "Cell", "Stated in"],
        &rows,
    )
}

/// Worst first: twenty rows are shown at most.
fn comparisons(suite: &SuiteResult) -> String {
    let all = suite.comparisons.iter();
    let all = all.flat_map(|of| of.cells.iter().map(move |each| (of, each)));
    let mut all: Vec<(&Comparison, &CellComparison)> = all.collect();
    all.sort_by_key(|(_, each)| core::cmp::Reverse(each.change.verdict()));
    let row = |(of, each): &(&Comparison, &CellComparison)| {
        let figure = |value: Option<f64>| {
            value.map_or_else(|| "none".to_owned(), |value| format::with_unit(value, &each.unit))
        };
        let ratio = each.evidence.as_ref().map_or_else(
            || "none".to_owned(),
            |evidence| {
                let (low, high) = evidence.ratio_interval;
                format!("{:.3} ({low:.3} … {high:.3})", evidence.ratio)
            },
        );
        [
            safe(&each.cell),
            format!("`{}`", code(&each.metric)),
            each.change.as_str().to_owned(),
            safe(&format!("{}: {}", of.base.name, figure(each.base_median))),
            safe(&format!("{}: {}", of.candidate.name, figure(each.candidate_median))),
            ratio,
            safe(&each.reason),
        ]
    };
    let rows: Vec<_> = all.iter().map(row).collect();
    table("Compared figures", ["Cell", "Figure", "Says", "A", "B", "B/A", "Why"], &rows)
}

fn models(suite: &SuiteResult) -> String {
    let failed = suite.models.iter().filter(|model| model.verdict != Verdict::Pass);
    let rows: Vec<_> = failed
        .map(|model| {
            let english = model.counterexample.as_ref().map_or("", |example| &example.english);
            [
                safe(&model.scenario),
                model.verdict.to_string(),
                safe(&model.engine),
                safe(english),
                format!("`{}`", code(&model.replay)),
            ]
        })
        .collect();
    let failed = table(
        "Models that did not end as they must",
        ["Model", "Verdict", "Engine", "What", "Run it again"],
        &rows,
    );
    failed + &planted(suite)
}

fn planted(suite: &SuiteResult) -> String {
    let kills = Kills::of(&suite.models, ModelKind::PlantedDefect);
    let rows: Vec<_> = kills
        .rows
        .iter()
        .map(|row| {
            let caught = row.runs.iter().flatten().filter(|run| noticed(run));
            let caught: Vec<_> = caught
                .map(|run| format!("{} {}", safe(&run.engine), format::count(run.executions)))
                .collect();
            let nobody = || "nobody".to_owned();
            let caught = if caught.is_empty() { nobody() } else { caught.join(", ") };
            [safe(row.what), row.model().map_or(String::new(), safe), caught]
        })
        .collect();
    table("Planted defects", ["Defect", "In model", "Caught by, after so many executions"], &rows)
}

fn crashes(suite: &SuiteResult) -> String {
    let failed = suite.crashes.iter().filter(|row| row.verdict != Verdict::Pass);
    let rows: Vec<_> = failed
        .map(|row| {
            let what = row.example.as_deref().or(row.unreached.as_deref()).unwrap_or("");
            [
                safe(&row.victim),
                safe(&row.site),
                safe(&row.shape),
                row.verdict.to_string(),
                safe(what),
                format!("`{}`", code(&row.replay)),
            ]
        })
        .collect();
    table(
        "Kills that somebody did not survive",
        ["Victim", "Site", "Block", "Verdict", "What", "Run it again"],
        &rows,
    )
}

fn table<const COLUMNS: usize>(
    title: &str,
    head: [&str; COLUMNS],
    rows: &[[String; COLUMNS]],
) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let heads = head.join(" | ");
    let mut parts = vec![format!("\n### {title}\n\n| {heads} |\n|{}\n", " --- |".repeat(COLUMNS))];
    parts.extend(rows.iter().take(ROWS).map(|row| format!("| {} |\n", row.join(" | "))));
    if rows.len() > ROWS {
        parts.push(format!("\n{} more are in the full report.\n", rows.len() - ROWS));
    }
    parts.concat()
}

/// Text that neither starts HTML nor leaves its cell nor becomes Markdown.
fn safe(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '\n' | '\r' => safe.push(' '),
            '|' | '`' | '*' | '_' | '[' | ']' | '\\' | '~' | '#' => {
                safe.push('\\');
                safe.push(letter);
            }
            other => safe.push(other),
        }
    }
    safe
}

/// Text inside backquotes in a table.
fn code(text: &str) -> String {
    text.replace('`', "'").replace('|', "\\|").replace(['\n', '\r'], " ")
}
