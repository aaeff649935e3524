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

use crate::plot::{Axis, Chart, INKS, Ink, Mark, Size};

/// The font of every label.
const FONT: &str = "DejaVu Sans, sans-serif";

/// Dash patterns of the series, told apart without colour.
const DASHES: [&str; INKS] =
    ["", "9 4", "4 3", "12 4 3 4", "6 2", "16 4", "14 3 6 3", "9 3 2 3 2 3"];

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawing<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Coordinate, Coordinate>>;

/// Draws the chart as an SVG element for use inside a page.
pub(super) fn draw(chart: &Chart, size: Size) -> Result<String, String> {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, size.pixels()).into_drawing_area();
        draw_on(chart, size, &area).map_err(|error| error.to_string())?;
        area.present().map_err(|error| error.to_string())?;
    }
    Ok(finish(&text, chart, size))
}

type DrawError = Box<dyn core::error::Error>;

fn draw_on(chart: &Chart, size: Size, area: &Area<'_>) -> Result<(), DrawError> {
    let (x_labels, y_labels) = size.labels();
    let x = Coordinate::new(&chart.x, x_labels);
    let y = Coordinate::new(&chart.y, y_labels);
    let mut drawing = ChartBuilder::on(area)
        .margin_top(8)
        .margin_right(if size == Size::Wide { 40 } else { 30 })
        .x_label_area_size(if size == Size::Wide { 52 } else { 46 })
        .y_label_area_size(if size == Size::Wide { 84 } else { 70 })
        .build_cartesian_2d(x, y)?;
    let (behind, before): (Vec<&Mark>, Vec<&Mark>) =
        chart.marks.iter().partition(|mark| !matches!(mark, Mark::Line { .. } | Mark::Dots { .. }));
    for mark in behind {
        draw_mark(&mut drawing, mark, chart)?;
    }
    draw_mesh(&mut drawing, chart, size)?;
    for mark in before {
        draw_mark(&mut drawing, mark, chart)?;
    }
    Ok(())
}

fn draw_mesh(drawing: &mut Drawing<'_, '_>, chart: &Chart, size: Size) -> Result<(), DrawError> {
    let (x_labels, y_labels) = size.labels();
    let points = if size == Size::Wide { 13 } else { 11 };
    let ink = rgb(Ink::Text);
    let style = TextStyle::from((FONT, points).into_font()).color(&ink);
    drawing
        .configure_mesh()
        .x_labels(x_labels)
        .y_labels(y_labels)
        .x_label_formatter(&|value| (chart.x.format)(*value))
        .y_label_formatter(&|value| (chart.y.format)(*value))
        .x_desc(chart.x.label.as_str())
        .y_desc(chart.y.label.as_str())
        .label_style(style.clone())
        .axis_desc_style(style)
        .axis_style(rgb(Ink::Text))
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
        Mark::Band { from, to } => {
            let corners = [(*from, chart.y.from), (*to, chart.y.to)];
            let style = rgb(Ink::Fault).mix(0.25).filled();
            drawing.draw_series([Rectangle::new(corners, style)])?;
        }
        Mark::Hatch { from, to } => draw_hatch(drawing, (*from, *to), chart)?,
        Mark::Heat { low, high, strength } => {
            let style =
                rgb(Ink::Heat).mix((strength * 20.0).round().clamp(1.0, 20.0) / 20.0).filled();
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
        Ink::Fault => RGBColor(0, 0, 4),
        Ink::Heat => RGBColor(0, 0, 5),
        Ink::Uncounted => RGBColor(0, 0, 6),
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
        Ink::Text | Ink::Calibration => ("currentColor".to_owned(), ""),
        Ink::Grid => ("var(--grid)".to_owned(), ""),
        Ink::Fault => ("var(--fault)".to_owned(), ""),
        Ink::Heat => ("var(--heat)".to_owned(), ""),
        Ink::Uncounted => ("var(--rule)".to_owned(), ""),
        Ink::Series(index) => (format!("var(--s{})", series(index)), DASHES[index % INKS]),
        Ink::Tail(index) => (format!("var(--s{})", series(index)), "1 5"),
        Ink::Outline(index) => (format!("var(--s{})", series(index)), ""),
    }
}

fn every_ink() -> impl Iterator<Item = Ink> {
    let plain = [Ink::Text, Ink::Grid, Ink::Calibration, Ink::Fault, Ink::Heat, Ink::Uncounted];
    let of_series = |index| [Ink::Series(index), Ink::Tail(index), Ink::Outline(index)];
    plain.into_iter().chain((0..INKS).flat_map(of_series))
}

/// Replaces the stand-in colours, drops what is the default anyway, and names the drawing.
fn finish(text: &str, chart: &Chart, size: Size) -> String {
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
    let (width, height) = size.pixels();
    let class = if size == Size::Wide { "wide" } else { "narrow" };
    let title = escaped(&chart.title);
    format!(
        "<svg class=\"{class}\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
         aria-label=\"{title}\" font-family=\"{FONT}\"><title>{title}</title>{}",
        body.replace(">\n", ">").trim()
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
        (self.axis.format)(*value)
    }
}
