//! Each drawing of the page as an SVG file of its own, for slides and papers: with title, legend and
//! the light colours of the page inside.

use std::collections::BTreeMap;

use report_schema::SuiteResult;

use super::section::{Figure, LegendKey};
use super::{Beside, RenderError, sections};
use crate::plot::{WIDE, escaped};
use crate::summary::Summary;

const STYLE: &str = include_str!("../../templates/style.css");

/// Families that are there on most machines.
const FONTS: &str = "system-ui, Segoe UI, Roboto, Helvetica Neue, Arial, sans-serif";

/// Room for one line of text.
const LINE: u32 = 22;

/// A drawing and what its file is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawing {
    /// Letters, digits and `-`; the section stands first, and no two are the same.
    pub name: String,
    /// The whole file.
    pub svg: String,
}

/// Every drawing of the page, also those that the page leaves out to stay small.
///
/// # Errors
///
/// As [`render_with`](super::render_with).
pub fn drawings(suite: &SuiteResult, beside: &Beside<'_>) -> Result<Vec<Drawing>, RenderError> {
    let mut drawings = vec![];
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for section in sections(&Summary::of(suite), beside)? {
        for figure in section.figures.iter().filter(|figure| !figure.wide.is_empty()) {
            let mut name = format!("{}-{}", section.id, plain(&figure.title));
            let twins = seen.entry(name.clone()).or_default();
            *twins += 1;
            if *twins > 1 {
                name = format!("{name}--{twins}");
            }
            drawings.push(Drawing { name, svg: alone(figure) });
        }
    }
    Ok(drawings)
}

/// The drawing below its title and above its legend, with colours instead of the page's variables.
fn alone(figure: &Figure) -> String {
    let (width, height) = (WIDE, height(&figure.wide));
    let top = height + 3 * LINE;
    let keys: String =
        (0..).zip(&figure.legend).map(|(row, shown)| key(shown, top + row * LINE)).collect();
    let rows = u32::try_from(figure.legend.len()).unwrap_or(0);
    let whole = top + rows * LINE;
    let placed = format!("<svg y=\"{}\" width=\"{width}\" height=\"{height}\" ", 2 * LINE);
    let drawing = figure.wide.replacen("<svg ", &placed, 1);
    let title = escaped(&figure.title);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {whole}\" \
         font-family=\"{FONTS}\" font-size=\"13\" color=\"var(--ink)\" fill=\"var(--ink)\">\
         <style>.tag {{ paint-order: stroke; stroke: var(--paper); stroke-width: 3px }}</style>\
         <rect width=\"{width}\" height=\"{whole}\" fill=\"var(--paper)\"/>\
         <text x=\"8\" y=\"{LINE}\" font-weight=\"bold\">{title}</text>{drawing}{keys}</svg>\n"
    );
    for (name, colour) in light() {
        svg = svg.replace(&format!("var(--{name})"), colour);
    }
    svg
}

/// How high a drawing is, from its own words; of a low strip less than of a chart.
fn height(drawing: &str) -> u32 {
    let numbers = drawing.split("viewBox=\"").nth(1).and_then(|rest| rest.split('"').next());
    let last = numbers.and_then(|numbers| numbers.split(' ').next_back());
    last.and_then(|number| number.parse().ok()).unwrap_or(WIDE / 2)
}

/// One line of the legend, whose text begins at this height.
fn key(key: &LegendKey, top: u32) -> String {
    let placed = format!("<svg x=\"8\" y=\"{}\" ", top - 11);
    let swatch = key.swatch.replacen("<svg ", &placed, 1);
    format!("{swatch}<text x=\"50\" y=\"{top}\">{}</text>", escaped(&key.label))
}

/// Names and colours of the light theme, from the style sheet.
fn light() -> impl Iterator<Item = (&'static str, &'static str)> {
    let block = STYLE.split('{').nth(1).and_then(|block| block.split('}').next());
    let pairs = block.unwrap_or_default().split(';');
    pairs.filter_map(|pair| pair.trim().strip_prefix("--")?.split_once(": "))
}

/// A title as part of a file's name.
fn plain(title: &str) -> String {
    let letter = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
    let plain: String = title.chars().map(letter).collect();
    let words: Vec<&str> = plain.split('-').filter(|word| !word.is_empty()).collect();
    words.join("-").to_ascii_lowercase()
}
