//! The one file that knows the drawing library: marks in, an SVG element out.
//!
//! The library writes fixed colours. Each [`Ink`] has a colour of its own that is replaced
//! afterwards by a variable of the page's style sheet and, for series, a dash pattern.

use core::ops::Range;

use plotters::coord::Shift;
use plotters::coord::cartesian::Cartesian2d;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::prelude::{
    ChartBuilder, ChartContext, Circle, Color, DrawingArea, EmptyElement, IntoDrawingArea,
    IntoFont, LineSeries, PathElement, Polygon, RGBColor, Rectangle, SVGBackend, TRANSPARENT,
    TextStyle,
};

use crate::plot::{Axis, Chart, INKS, Ink, Mark, Size, Ticks, overlay};

/// The font that the library is told; the page's own takes its place.
const FONT: &str = "sans-serif";

/// The library writes letters smaller than it is told.
const SHRINKS: f64 = 1.24;

/// Dash patterns of the series, told apart without colour.
const DASHES: [&str; INKS] =
    ["", "9 4", "4 3", "12 4 3 4", "6 2", "16 4", "14 3 6 3", "9 3 2 3 2 3"];

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawing<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Coordinate, Coordinate>>;

/// Draws the chart as an SVG element for use inside a page.
pub(super) fn draw(chart: &Chart, size: Size) -> Result<String, String> {
    let (mut text, mut over) = (String::new(), String::new());
    {
        let pixels = size.pixels(chart.form);
        let area = SVGBackend::with_string(&mut text, pixels).into_drawing_area();
        draw_on(chart, size, &area, &mut over).map_err(|error| error.to_string())?;
        area.present().map_err(|error| error.to_string())?;
    }
    Ok(finish(&text, &over, chart, size))
}

type DrawError = Box<dyn core::error::Error>;

fn draw_on(chart: &Chart, size: Size, area: &Area<'_>, over: &mut String) -> Result<(), DrawError> {
    let (x_labels, y_labels) = size.labels(chart.form);
    let x = Coordinate::new(&chart.x, x_labels);
    let y = Coordinate::new(&chart.y, names(&chart.y).map_or(y_labels, |names| names.len() * 20));
    let mut drawing = ChartBuilder::on(area)
        .margin_top(overlay::head_room(chart))
        .margin_right(if size == Size::Wide { 40 } else { 26 })
        .x_label_area_size(if size == Size::Wide { 52 } else { 46 })
        .y_label_area_size(beside(&chart.y, size))
        .build_cartesian_2d(x, y)?;
    // The grid lies below: lines across cells would look like data.
    draw_mesh(&mut drawing, chart, size)?;
    for mark in &chart.marks {
        draw_mark(&mut drawing, mark, chart)?;
    }
    let area = drawing.plotting_area();
    let (left, top) = area.map_coordinate(&(chart.x.from, chart.y.to));
    let (right, bottom) = area.map_coordinate(&(chart.x.to, chart.y.from));
    let frame = overlay::Frame { left, top, right, bottom, size };
    *over = overlay::draw(chart, &frame, |point| area.map_coordinate(&point));
    Ok(())
}

/// The names of an axis that has some.
fn names(axis: &Axis) -> Option<&[(f64, String)]> {
    match &axis.ticks {
        Ticks::Named(names) => Some(names),
        _ => None,
    }
}

/// Room for the labels of the vertical axis.
fn beside(axis: &Axis, size: Size) -> u32 {
    let usual = if size == Size::Wide { 78 } else { 66 };
    let longest =
        names(axis).and_then(|names| names.iter().map(|(_, name)| name.chars().count()).max());
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 150")]
    let room = longest
        .map_or(0.0, |letters| (letters as f64 * size.letters() * 0.62 + 14.0).min(150.0))
        as u32;
    room.max(usual)
}

fn draw_mesh(drawing: &mut Drawing<'_, '_>, chart: &Chart, size: Size) -> Result<(), DrawError> {
    let (x_labels, y_labels) = size.labels(chart.form);
    let points = size.letters() * SHRINKS;
    let ink = rgb(Ink::Text);
    let style = TextStyle::from((FONT, points).into_font()).color(&ink);
    drawing
        .configure_mesh()
        .x_labels(x_labels)
        .y_labels(y_labels)
        .x_label_formatter(&|value| chart.x.name(*value))
        .y_label_formatter(&|value| chart.y.name(*value))
        .x_desc(chart.x.label.as_str())
        .label_style(style.clone())
        .axis_desc_style(style)
        .axis_style(rgb(Ink::Uncounted))
        .bold_line_style(rgb(Ink::Grid))
        .light_line_style(TRANSPARENT)
        .draw()?;
    Ok(())
}

fn draw_mark(drawing: &mut Drawing<'_, '_>, mark: &Mark, chart: &Chart) -> Result<(), DrawError> {
    match mark {
        Mark::Line { points, ink } => {
            let width = if *ink == Ink::Calibration { 1 } else { 2 };
            let line = LineSeries::new(points.iter().copied(), rgb(*ink).stroke_width(width));
            drawing.draw_series(line)?;
        }
        Mark::Dots { points, ink } => {
            let index = match ink {
                Ink::Series(index) | Ink::Outline(index) => *index,
                _ => 0,
            };
            let hollow = matches!(ink, Ink::Outline(_));
            for point in points {
                draw_dot(drawing, *point, (index, hollow))?;
            }
        }
        Mark::Band { from, to, .. } => {
            let corners = [(*from, chart.y.from), (*to, chart.y.to)];
            let style = rgb(Ink::Fault).mix(0.15).filled();
            drawing.draw_series([Rectangle::new(corners, style)])?;
        }
        // What has words or a shape of its own is laid over the drawing.
        Mark::Moment { .. } | Mark::Gap { .. } | Mark::Label { .. } | Mark::Hint { .. } => {}
        Mark::Hatch { from, to } => draw_hatch(drawing, (*from, *to), chart)?,
        Mark::Heat { low, high, strength } => {
            let style =
                rgb(Ink::Heat).mix((strength * 20.0).round().clamp(3.0, 20.0) / 20.0).filled();
            drawing.draw_series([Rectangle::new([*low, *high], style)])?;
        }
    }
    Ok(())
}

/// Draws slanted lines over a span, from its lower left to its upper right.
fn draw_hatch(
    drawing: &mut Drawing<'_, '_>,
    (from, to): (f64, f64),
    chart: &Chart,
) -> Result<(), DrawError> {
    /// Pixels between two lines.
    const STEP: usize = 9;
    let area = drawing.plotting_area();
    let (left, top) = area.map_coordinate(&(from, chart.y.to));
    let (right, bottom) = area.map_coordinate(&(to, chart.y.from));
    let (width, height) = (right - left, bottom - top);
    let style = rgb(Ink::Uncounted).stroke_width(1);
    let lines: Vec<_> = (-height..width)
        .step_by(STEP)
        .map(|foot| {
            // A line rises as much as it goes right; what sticks out of the span is cut off.
            let (begin, end) = (foot.max(0), (foot + height).min(width));
            let path = [(begin, height - (begin - foot)), (end, height - (end - foot))];
            EmptyElement::at((from, chart.y.to)) + PathElement::new(path.to_vec(), style)
        })
        .collect();
    drawing.draw_series(lines)?;
    Ok(())
}

/// Draws one dot; the shape repeats every four series, hollow means another class.
fn draw_dot(
    drawing: &mut Drawing<'_, '_>,
    point: (f64, f64),
    (index, hollow): (usize, bool),
) -> Result<(), DrawError> {
    let outline = rgb(Ink::Outline(index)).stroke_width(2);
    let style = if hollow { outline } else { rgb(Ink::Outline(index)).filled() };
    let place = EmptyElement::at(point);
    match index % 4 {
        0 => drawing.draw_series([place + Circle::new((0, 0), 4, style)])?,
        1 => {
            let corners = vec![(0, -6), (5, 4), (-5, 4)];
            drawing.draw_series([place + Polygon::new(corners, style)])?
        }
        2 => {
            let corners = vec![(0, -6), (6, 0), (0, 6), (-6, 0)];
            drawing.draw_series([place + Polygon::new(corners, style)])?
        }
        _ => drawing.draw_series([place + Rectangle::new([(-4, -4), (4, 4)], style)])?,
    };
    Ok(())
}

/// The colour that stands for an ink until the style sheet's variable replaces it.
const fn rgb(ink: Ink) -> RGBColor {
    match ink {
        Ink::Text => RGBColor(0, 0, 1),
        Ink::Grid => RGBColor(0, 0, 2),
        Ink::Calibration => RGBColor(0, 0, 3),
        Ink::Fault | Ink::Letter(_) => RGBColor(0, 0, 4),
        Ink::Heat => RGBColor(0, 0, 5),
        Ink::Uncounted => RGBColor(0, 0, 6),
        Ink::Bound => RGBColor(0, 0, 7),
        Ink::Strong => RGBColor(0, 0, 8),
        Ink::Second => RGBColor(0, 0, 9),
        Ink::Series(index) => RGBColor(1, 0, series(index)),
        Ink::Tail(index) => RGBColor(2, 0, series(index)),
        Ink::Outline(index) => RGBColor(3, 0, series(index)),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "below INKS, which is 8")]
const fn series(index: usize) -> u8 {
    (index % INKS) as u8
}

/// The style sheet's variable for an ink, and its dash pattern.
pub(crate) fn paint(ink: Ink) -> (String, &'static str) {
    match ink {
        Ink::Text | Ink::Strong => ("currentColor".to_owned(), ""),
        Ink::Calibration => ("var(--calibration)".to_owned(), "2 3"),
        Ink::Bound => ("var(--bound)".to_owned(), ""),
        Ink::Second => ("var(--s1)".to_owned(), "7 3"),
        Ink::Grid => ("var(--grid)".to_owned(), ""),
        Ink::Fault | Ink::Letter(_) => ("var(--fault)".to_owned(), ""),
        Ink::Heat => ("var(--heat)".to_owned(), ""),
        Ink::Uncounted => ("var(--rule)".to_owned(), ""),
        Ink::Series(index) => (format!("var(--s{})", series(index)), DASHES[index % INKS]),
        Ink::Tail(index) => (format!("var(--s{})", series(index)), "1 5"),
        Ink::Outline(index) => (format!("var(--s{})", series(index)), ""),
    }
}

fn every_ink() -> impl Iterator<Item = Ink> {
    let plain = [
        Ink::Text,
        Ink::Grid,
        Ink::Calibration,
        Ink::Fault,
        Ink::Heat,
        Ink::Uncounted,
        Ink::Bound,
        Ink::Strong,
        Ink::Second,
    ];
    let of_series = |index| [Ink::Series(index), Ink::Tail(index), Ink::Outline(index)];
    plain.into_iter().chain((0..INKS).flat_map(of_series))
}

/// Replaces the stand-in colours, drops what is the default anyway, and names the drawing.
fn finish(text: &str, over: &str, chart: &Chart, size: Size) -> String {
    let start = text.find('>').map_or(0, |end| end + 1);
    let mut body = text[start..].replace(&format!(" font-family=\"{FONT}\""), "");
    for needless in [" opacity=\"1\"", " stroke-width=\"1\"", " stroke=\"none\""] {
        body = body.replace(needless, "");
    }
    for ink in every_ink() {
        let RGBColor(red, green, blue) = rgb(ink);
        let stand_in = format!("#{red:02X}{green:02X}{blue:02X}");
        let (colour, dash) = paint(ink);
        let dashed = match dash {
            "" => format!("stroke=\"{colour}\""),
            dash => format!("stroke=\"{colour}\" stroke-dasharray=\"{dash}\""),
        };
        body = body.replace(&format!("stroke=\"{stand_in}\""), &dashed);
        body = body.replace(&format!("fill=\"{stand_in}\""), &format!("fill=\"{colour}\""));
    }
    let (width, height) = size.pixels(chart.form);
    let class = if size == Size::Wide { "wide" } else { "narrow" };
    let (title, about) = (escaped(&chart.title), escaped(&chart.about));
    let body = body.replace(">\n", ">");
    let body = body.trim().strip_suffix("</svg>").unwrap_or_default();
    format!(
        "<svg class=\"{class}\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
         aria-label=\"{title}\"><title>{title}</title><desc>{about}</desc>{body}{over}</svg>"
    )
}

/// Text as it may stand in an SVG file.
pub(crate) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

/// An axis as the drawing library sees it.
struct Coordinate {
    axis: Axis,
    ticks: Vec<f64>,
}

impl Coordinate {
    fn new(axis: &Axis, labels: usize) -> Self {
        Self { axis: axis.clone(), ticks: axis.tick_values(labels) }
    }
}

impl Ranged for Coordinate {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (begin, end): (i32, i32)) -> i32 {
        let distance = self.axis.position(*value) * f64::from(end - begin);
        #[expect(clippy::cast_possible_truncation, reason = "between 0 and the width in pixels")]
        let pixels = distance.round() as i32;
        begin + pixels
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.axis.from..self.axis.to
    }
}

impl ValueFormatter<f64> for Coordinate {
    fn format_ext(&self, value: &f64) -> String {
        self.axis.name(*value)
    }
}
