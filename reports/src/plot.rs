//! Charts: what is drawn, apart from how. Only `plot/svg.rs` knows the drawing library.
//!
//! A chart is a list of marks over two axes. It is drawn twice, for a wide and a narrow page, with
//! colours that the page's style sheet decides, so that one drawing serves light, dark and print.

mod axes;
mod compare;
mod overlay;
mod percentile;
mod repeats;
mod strip;
mod svg;
mod sweep;
mod timeline;
mod trend;

pub(crate) use axes::{Axis, Scale, Ticks};
pub(crate) use compare::{Compared, compare};
pub(crate) use percentile::{Limit, percentile};
pub(crate) use repeats::{Repeats, repeats};
pub(crate) use strip::strip;
pub(crate) use svg::{escaped, paint};
pub(crate) use sweep::{Sweep, SweepSeries, sweep};
pub(crate) use timeline::{Timeline, timeline};
pub(crate) use trend::{Course, trend};

/// Colours and dash patterns for series before they repeat.
pub(crate) const INKS: usize = 8;

/// Why a chart could not be drawn.
#[derive(Debug, thiserror::Error)]
#[error("the chart \"{chart}\" cannot be drawn: {cause}")]
pub struct PlotError {
    chart: String,
    cause: String,
}

/// One chart.
#[derive(Debug)]
pub(crate) struct Chart {
    /// What it shows, for those who hear it and those who point at it.
    pub(crate) title: String,
    /// What can be seen in it, in a sentence, for those who cannot.
    pub(crate) about: String,
    /// How much room it takes.
    pub(crate) form: Form,
    /// The horizontal axis.
    pub(crate) x: Axis,
    /// The vertical axis.
    pub(crate) y: Axis,
    /// What is drawn, from the back to the front.
    pub(crate) marks: Vec<Mark>,
    /// What the marks mean.
    pub(crate) legend: Vec<Key>,
}

/// A line of the legend.
#[derive(Debug)]
pub(crate) struct Key {
    /// How it is drawn.
    pub(crate) ink: Ink,
    /// What it means.
    pub(crate) label: String,
}

/// A place in the units of the two axes.
pub(crate) type Point = (f64, f64);

/// Something drawn.
#[derive(Debug)]
pub(crate) enum Mark {
    /// A line through points.
    Line { points: Vec<Point>, ink: Ink },
    /// A dot at each point.
    Dots { points: Vec<Point>, ink: Ink },
    /// A shaded span of the horizontal axis, with a letter on top that the legend explains.
    Band { from: f64, to: f64, letter: char },
    /// A moment on the horizontal axis, marked on top with a letter that the legend explains.
    Moment { at: f64, letter: char },
    /// A span of the horizontal axis in which nothing was measured.
    Gap { from: f64, to: f64 },
    /// Words beside what they name.
    Label { at: Point, text: String, ink: Ink },
    /// Words for who points at this place.
    Hint { at: Point, text: String },
    /// A hatched span of the horizontal axis.
    Hatch { from: f64, to: f64 },
    /// A shaded rectangle; `strength` between 0 and 1.
    Heat { low: Point, high: Point, strength: f64 },
}

/// How something is drawn. The style sheet gives the colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    /// Text and axes.
    Text,
    /// Grid lines.
    Grid,
    /// The bare cache line, which no transport can beat.
    Calibration,
    /// What a gate allows.
    Bound,
    /// The line that matters most where it crosses a heatmap.
    Strong,
    /// A second line over a heatmap.
    Second,
    /// A moment or a span, by its letter.
    Letter(char),
    /// Spans in which a fault was in force.
    Fault,
    /// Spans that do not count.
    Uncounted,
    /// Cells of a heatmap.
    Heat,
    /// A series with its dash pattern; numbers from [`INKS`] on repeat.
    Series(usize),
    /// A series where it has too few samples to be trusted.
    Tail(usize),
    /// The outline of a dot of a series.
    Outline(usize),
}

/// The size of a drawing in CSS pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    /// For a desktop page.
    Wide,
    /// For a phone.
    Narrow,
}

/// How much room a chart takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A chart to read values from.
    Full,
    /// A low strip that only shows whether something stays as it is.
    Strip,
    /// So many lines, each with a name on its left.
    Rows(u32),
}

impl Size {
    /// Width and height.
    pub(crate) const fn pixels(self, form: Form) -> (u32, u32) {
        match (self, form) {
            (Self::Wide, Form::Full) => (WIDE, 380),
            (Self::Wide, Form::Strip) => (WIDE, 200),
            (Self::Narrow, Form::Full) => (360, 300),
            (Self::Narrow, Form::Strip) => (360, 190),
            (Self::Wide, Form::Rows(rows)) => (WIDE, 84 + 40 * rows),
            (Self::Narrow, Form::Rows(rows)) => (360, 84 + 40 * rows),
        }
    }

    /// How many labels fit on the horizontal and the vertical axis.
    pub(crate) const fn labels(self, form: Form) -> (usize, usize) {
        match (self, form) {
            (Self::Wide, Form::Full) => (12, 8),
            (Self::Wide, Form::Strip) => (24, 3),
            (Self::Narrow, Form::Full) => (5, 7),
            (Self::Narrow, Form::Strip) => (8, 3),
            (Self::Wide, Form::Rows(_)) => (9, 8),
            (Self::Narrow, Form::Rows(_)) => (4, 8),
        }
    }

    /// The size of letters in CSS pixels.
    pub(crate) const fn letters(self) -> f64 {
        match self {
            Self::Wide => 13.0,
            Self::Narrow => 11.5,
        }
    }
}

/// Width of a drawing for a desktop page.
pub(crate) const WIDE: u32 = 960;

impl Chart {
    /// The chart as an SVG element that takes its colours from the page.
    pub(crate) fn svg(&self, size: Size) -> Result<String, PlotError> {
        svg::draw(self, size).map_err(|cause| PlotError { chart: self.title.clone(), cause })
    }
}
