//! One self-contained page: styles and drawings inside, no script, nothing fetched.
//!
//! The order of the sections is the order of a reader's questions: may I ship, why, can I believe
//! it, and only then the figures.
//! Checked by: `tests/page.rs`.

mod appendix;
mod belief;
mod counters;
mod course;
mod crashes;
mod drawings;
mod evidence;
mod faults;
mod figures;
mod gates;
mod hardware;
mod history;
mod keys;
mod models;
mod peers;
mod repeats;
mod section;
mod sweeps;
mod timelines;
mod trend;
mod violation;
mod worst;

use std::collections::BTreeMap;

use askama::Template;
use report_schema::{SuiteResult, Verdict};

use crate::format;
use crate::page::keys::Key;
use crate::page::section::Section;
use crate::plot::PlotError;
use crate::summary::Summary;

pub(crate) use appendix::command_line;
pub(crate) use belief::{machine, placements, quiet};
pub use drawings::{Drawing, drawings};
pub(crate) use faults::fault_rows;
pub(crate) use gates::place;
pub(crate) use peers::peer_rows;

/// Why a page could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// A chart could not be drawn.
    #[error(transparent)]
    Plot(#[from] PlotError),
    /// The template could not be filled in.
    #[error("the page cannot be written: {0}")]
    Template(#[from] askama::Error),
}

/// Bytes of drawings at most, so that the whole page can be sent by mail.
const DRAWN_BYTES: usize = 400_000;

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    suite: &'a str,
    headline: &'a str,
    tone: &'a str,
    sentence: &'a str,
    /// Class and words.
    tally: Vec<(&'static str, String)>,
    keys: Vec<Key>,
    keys_left: usize,
    /// Name, value, and the whole of it where that was shortened.
    facts: Vec<(&'static str, String, String)>,
    doubts: Vec<&'a str>,
    sections: Vec<Section>,
    footer: String,
}

/// What lies beside a result and is shown with it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Beside<'a> {
    /// Earlier runs, in any order; those of another suite or profile are left out.
    pub history: &'a [SuiteResult],
    /// Scenario files with their text.
    pub scenarios: &'a [(String, String)],
    /// Names of raw files in the same folder.
    pub files: &'a [String],
}

/// Renders the result as one HTML file, with nothing beside it.
///
/// # Errors
///
/// As [`render_with`].
pub fn render(suite: &SuiteResult) -> Result<String, RenderError> {
    render_with(suite, &Beside::default())
}

/// Renders the result as one HTML file.
///
/// The same result always gives the same page. All text from the result is escaped.
///
/// # Errors
///
/// [`RenderError`] when a chart or the page cannot be written; no result file is known to cause it.
pub fn render_with(suite: &SuiteResult, beside: &Beside<'_>) -> Result<String, RenderError> {
    let summary = Summary::of(suite);
    let mut sections = sections(&summary, beside)?;
    sections.retain(|section| !section.is_empty());
    fit(&mut sections);
    let (keys, keys_left) = keys::keys(&summary);
    let page = Page {
        suite: &suite.suite,
        headline: summary.headline,
        tone: summary.verdict.map_or("none", Verdict::as_str),
        sentence: &summary.sentence,
        tally: tally(&summary),
        keys,
        keys_left,
        facts: facts(&summary),
        doubts: summary.doubts.iter().map(|doubt| doubt.text.as_str()).collect(),
        sections,
        footer: format!(
            "Result format {}. This page is complete in itself: it holds no script and loads nothing.",
            suite.schema_version
        ),
    };
    Ok(unique(&page.render()?))
}

/// Regions that scroll are landmarks, so no two may have one name; tables of two sections can.
fn unique(page: &str) -> String {
    const LABEL: &str = "aria-label=\"Table: ";
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut parts = page.split(LABEL);
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('"').unwrap_or((part, ""));
        let times = seen.entry(name).or_default();
        *times += 1;
        let number = if *times == 1 { String::new() } else { format!(" ({times})") };
        text.extend([LABEL, name, &number, "\"", rest]);
    }
    text
}

/// Everything that there is to show, also what is empty, in the order of a reader's questions.
fn sections(summary: &Summary<'_>, beside: &Beside<'_>) -> Result<Vec<Section>, RenderError> {
    let mut sections = vec![gates::section(summary)?, evidence::comparisons(summary)?];
    let belief = belief::section(summary)?;
    // Without figures the machine matters little.
    let (first, last) =
        if summary.cells.is_empty() { (None, Some(belief)) } else { (Some(belief), None) };
    sections.extend(first);
    sections.extend(figures::sections(summary)?);
    let [drift, searches, visits, warm_ups] = course::sections(summary)?;
    sections.push(drift);
    let [payload, load, readers, depth] = sweeps::sections(summary)?;
    sections.extend([payload, load, searches, readers, depth]);
    sections.extend([peers::checksums(summary)?, peers::section(summary)?]);
    sections.extend(models::sections(summary)?);
    sections.extend([faults::section(summary)?, crashes::section(summary)?]);
    let [counters, zones, metrics] = counters::sections(summary)?;
    sections.extend([counters, history::section(summary)?, zones, metrics]);
    sections.extend([hardware::section(summary)?, visits, warm_ups]);
    sections.extend([worst::section(summary)?, trend::section(summary, beside.history)?]);
    sections.extend(last);
    sections.push(appendix::section(summary, beside)?);
    Ok(sections)
}

/// Takes out drawings beyond [`DRAWN_BYTES`]; their data stay. Every section keeps its first
/// drawing before any has its second, and the worst scenario comes first in each.
fn fit(sections: &mut [Section]) {
    let ranks = sections.iter().map(|section| section.figures.len()).max().unwrap_or(0);
    let mut drawn_bytes = 0;
    for rank in 0..ranks {
        for figure in sections.iter_mut().filter_map(|section| section.figures.get_mut(rank)) {
            drawn_bytes += figure.drawn_bytes();
            if drawn_bytes > DRAWN_BYTES {
                drawn_bytes -= figure.drawn_bytes();
                figure.leave_out();
            }
        }
    }
}

/// How many gave each verdict, worst first, and what was not reached.
fn tally(summary: &Summary<'_>) -> Vec<(&'static str, String)> {
    let verdicts = summary.tally.worst_first().into_iter().filter(|(_, number)| *number > 0);
    let mut words: Vec<_> = verdicts
        .map(|(verdict, number)| {
            (verdict.as_str(), format!("{} {verdict}", format::count(number as u64)))
        })
        .collect();
    if summary.tally.unreached > 0 {
        let number = format::count(summary.tally.unreached as u64);
        words.push(("none", format!("{number} not reached, each for a written reason")));
    }
    words
}

fn facts(summary: &Summary<'_>) -> Vec<(&'static str, String, String)> {
    let suite = summary.suite;
    let whole = suite.commit.clone().unwrap_or_else(|| "unknown".to_owned());
    let fact = |name, value: String| (name, value, String::new());
    vec![
        ("Commit", trend::commit(suite), whole),
        fact("Profile", suite.profile.clone()),
        fact("Started", format::moment(suite.started_unix_ms)),
        fact("Took", format::millis(suite.wall_ms)),
        fact("Ran", ran(summary)),
        fact("Exit code", suite.exit_code.to_string()),
    ]
}

/// What there was of each kind.
fn ran(summary: &Summary<'_>) -> String {
    let suite = summary.suite;
    let kills: u64 = suite.crashes.iter().map(|row| row.kills).sum();
    let kinds = [
        (suite.scenarios.len(), "scenario"),
        (summary.cells.len(), "cell"),
        (summary.cells.iter().map(|each| each.cell.trials.len()).sum(), "trial"),
        (suite.models.len(), "model"),
        (usize::try_from(kills).unwrap_or(usize::MAX), "kill"),
    ];
    let some = kinds.into_iter().filter(|(number, _)| *number > 0);
    let some: Vec<String> = some.map(|(number, noun)| format::several(number, noun)).collect();
    let ran = if some.is_empty() { "nothing".to_owned() } else { some.join(", ") };
    if suite.interrupted { format!("{ran}; interrupted") } else { ran }
}
