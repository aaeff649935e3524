//! The parts a page is made of: sections, tables, figures.

use askama::Template;
use report_schema::Verdict;

use crate::format;
use crate::page::RenderError;
use crate::plot::{Chart, Ink, Size, paint};

/// One section. One without anything to show does not appear.
#[derive(Debug, Default)]
pub(super) struct Section {
    /// The anchor.
    pub(super) id: &'static str,
    /// The heading.
    pub(super) title: &'static str,
    /// Paragraphs before everything else.
    pub(super) lead: Vec<String>,
    /// Tables, rendered.
    pub(super) tables: Vec<String>,
    /// Drawings.
    pub(super) figures: Vec<Figure>,
    /// Tables of what was not drawn, rendered.
    pub(super) undrawn: Vec<String>,
    /// The line behind which the examples that somebody wanted are folded.
    pub(super) examples_title: String,
    /// Counterexamples; those that nobody wanted come first and are open.
    pub(super) examples: Vec<Example>,
    /// Text to be copied as it stands.
    pub(super) blocks: Vec<String>,
    /// Longer text, folded away.
    pub(super) texts: Vec<Text>,
}

impl Section {
    pub(super) fn new(id: &'static str, title: &'static str) -> Self {
        Self { id, title, ..Self::default() }
    }

    /// Whether there is nothing to show; such a section does not appear.
    pub(super) fn is_empty(&self) -> bool {
        self.lead.is_empty()
            && self.tables.is_empty()
            && self.figures.is_empty()
            && self.undrawn.is_empty()
            && self.examples.is_empty()
            && self.blocks.is_empty()
            && self.texts.is_empty()
    }

    /// Whether an example must be seen without asking for it.
    pub(super) fn examples_open(&self) -> bool {
        self.examples.iter().any(|example| example.open)
    }

    pub(super) fn say(&mut self, line: impl Into<String>) {
        self.lead.push(line.into());
    }
}

/// Text behind a line that opens it.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) title: String,
    pub(super) text: String,
}

/// A failing execution of a model.
#[derive(Debug)]
pub(super) struct Example {
    /// The anchor that a table leads to.
    pub(super) id: String,
    pub(super) title: String,
    /// Nobody wanted it: it is not folded away.
    pub(super) open: bool,
    pub(super) english: String,
    pub(super) message: String,
    pub(super) steps: Vec<String>,
    pub(super) replay: String,
}

/// A drawing with everything that makes it readable without eyes or colours.
#[derive(Debug)]
pub(super) struct Figure {
    pub(super) title: String,
    pub(super) legend: Vec<LegendKey>,
    pub(super) wide: String,
    pub(super) narrow: String,
    pub(super) caption: String,
    pub(super) table: String,
}

/// One line of a legend.
#[derive(Debug)]
pub(super) struct LegendKey {
    pub(super) swatch: String,
    pub(super) label: String,
}

impl Figure {
    /// Draws the chart in both sizes and puts its data below it.
    pub(super) fn of(chart: &Chart, caption: String, table: &Table) -> Result<Self, RenderError> {
        let legend = chart
            .legend
            .iter()
            .map(|key| LegendKey { swatch: swatch(key.ink), label: key.label.clone() });
        Ok(Self {
            title: chart.title.clone(),
            legend: legend.collect(),
            wide: chart.svg(Size::Wide)?,
            narrow: chart.svg(Size::Narrow)?,
            caption,
            table: table.html()?,
        })
    }

    /// The size of the drawing, both forms.
    pub(super) fn drawn_bytes(&self) -> usize {
        self.wide.len() + self.narrow.len()
    }

    /// Takes the drawing out and says so; the data stay.
    pub(super) fn leave_out(&mut self) {
        self.wide.clear();
        self.narrow.clear();
        self.legend.clear();
        self.caption.push_str(" Not drawn, so that the page stays small; the data follow.");
    }
}

fn swatch(ink: Ink) -> String {
    let (colour, dash) = paint(ink);
    let body = match ink {
        Ink::Fault => {
            format!("<rect y=\"1\" width=\"34\" height=\"10\" fill=\"{colour}\" opacity=\"0.25\"/>")
        }
        Ink::Heat => {
            let step = |x: u32, opacity: &str| {
                format!(
                    "<rect x=\"{x}\" y=\"1\" width=\"12\" height=\"10\" fill=\"{colour}\" opacity=\"{opacity}\"/>"
                )
            };
            [step(0, "0.22"), step(11, "0.5"), step(22, "0.85")].concat()
        }
        Ink::Letter(letter) => format!(
            "<path d=\"M13 5h8l-4 6z\" fill=\"{colour}\"/><text x=\"25\" y=\"11\" font-size=\"12\" fill=\"{colour}\">{letter}</text>"
        ),
        Ink::Text => {
            "<path d=\"M0 6H34\" stroke=\"var(--soft)\" stroke-width=\"3\" stroke-dasharray=\"2 2\"/>".to_owned()
        }
        // The colour of the hatching is too faint for three strokes.
        Ink::Uncounted => {
            "<path d=\"M0 12L12 0M11 12L23 0M22 12L34 0\" stroke=\"var(--soft)\" fill=\"none\"/>"
                .to_owned()
        }
        Ink::Outline(index) => match index % 4 {
            0 => format!("<circle cx=\"17\" cy=\"6\" r=\"4\" fill=\"{colour}\"/>"),
            1 => format!("<polygon points=\"17,0 22,10 12,10\" fill=\"{colour}\"/>"),
            2 => format!("<polygon points=\"17,0 23,6 17,12 11,6\" fill=\"{colour}\"/>"),
            _ => format!("<rect x=\"13\" y=\"2\" width=\"8\" height=\"8\" fill=\"{colour}\"/>"),
        },
        _ => format!(
            "<line x2=\"34\" y1=\"6\" y2=\"6\" stroke=\"{colour}\" stroke-width=\"2\" stroke-dasharray=\"{dash}\"/>"
        ),
    };
    format!("<svg width=\"34\" height=\"12\" aria-hidden=\"true\">{body}</svg>")
}

/// Columns that fit on a phone.
const NARROW: usize = 3;

/// A table; the first datum of a row is its heading.
#[derive(Debug, Template)]
#[template(path = "table.html")]
pub(super) struct Table {
    label: String,
    fold: Option<String>,
    /// On a phone each row becomes a block of its own.
    stacked: bool,
    /// Small fields whose colour says most.
    grid: bool,
    columns: Vec<Datum>,
    rows: Vec<Vec<Datum>>,
}

/// One datum of a table.
#[derive(Debug, Clone)]
pub(super) struct Datum {
    text: String,
    class: &'static str,
    /// The anchor that it leads to.
    link: Option<String>,
}

impl Table {
    /// A table with these columns; a name that ends in `#` is a column of numbers.
    pub(super) fn new(label: impl Into<String>, columns: &[&str]) -> Self {
        let columns = columns.iter().map(|name| match name.strip_suffix('#') {
            Some(name) => Datum::number(name),
            None => Datum::text(name.to_owned()),
        });
        Self {
            label: label.into(),
            fold: None,
            stacked: false,
            grid: false,
            columns: columns.collect(),
            rows: vec![],
        }
    }

    /// Hides the table behind a line that opens it.
    pub(super) fn folded(mut self, line: impl Into<String>) -> Self {
        self.fold = Some(line.into());
        self
    }

    /// Turns each row into a block of its own where the page is narrow.
    pub(super) fn stacked(mut self) -> Self {
        self.stacked = true;
        self
    }

    /// Makes the fields small.
    pub(super) fn grid(mut self) -> Self {
        self.grid = true;
        self
    }

    /// Whether it fits on a phone, so that nobody needs to reach it in order to scroll.
    fn narrow(&self) -> bool {
        self.stacked || self.columns.len() <= NARROW
    }

    /// The element's class.
    fn class(&self) -> &'static str {
        match (self.stacked, self.grid) {
            (_, true) => "grid",
            (true, _) => "stacked",
            _ => "",
        }
    }

    /// Adds a row; what has no column is dropped.
    pub(super) fn push(&mut self, mut row: Vec<Datum>) {
        row.truncate(self.columns.len());
        self.rows.push(row);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Hides the table if it has more rows than this.
    pub(super) fn folded_beyond(self, rows: usize, line: &str) -> Self {
        if self.rows.len() <= rows {
            return self;
        }
        let line = format!("{line} ({} rows)", format::count(self.rows.len() as u64));
        self.folded(line)
    }

    pub(super) fn html(&self) -> Result<String, RenderError> {
        Ok(self.render()?)
    }
}

impl Datum {
    fn of(text: impl Into<String>, class: &'static str) -> Self {
        Self { text: text.into(), class, link: None }
    }

    /// The same, leading to an anchor of the page.
    pub(super) fn leading_to(mut self, id: impl Into<String>) -> Self {
        self.link = Some(id.into());
        self
    }

    /// One field of a grid.
    pub(super) fn field(text: impl Into<String>, class: &'static str) -> Self {
        Self::of(text, class)
    }

    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::of(text, "")
    }

    /// A sentence: the column gets room for it.
    pub(super) fn wide(text: impl Into<String>) -> Self {
        Self::of(text, "w")
    }

    pub(super) fn code(text: impl Into<String>) -> Self {
        Self::of(text, "code")
    }

    pub(super) fn number(text: impl Into<String>) -> Self {
        Self::of(text, "n")
    }

    /// A number that must not be what it is.
    pub(super) fn bad_number(text: impl Into<String>) -> Self {
        Self::of(text, "n bad")
    }

    /// A number that says little.
    pub(super) fn dim_number(text: impl Into<String>) -> Self {
        Self::of(text, "n dim")
    }

    /// A sentence that must not be needed.
    pub(super) fn bad(text: impl Into<String>) -> Self {
        Self::of(text, "w bad")
    }

    pub(super) fn verdict(verdict: Verdict) -> Self {
        Self::said(verdict.as_str(), verdict)
    }

    /// Words in the colour of a verdict.
    pub(super) fn said(words: &str, verdict: Verdict) -> Self {
        Self::of(words, verdict.as_str())
    }
}
