//! What is laid over a drawing: words beside what they name, letters of faults, spans without data,
//! and what a place says to who points at it.

use core::fmt::Write as _;

use crate::plot::svg::{escaped, paint};
use crate::plot::{Chart, Ink, Mark, Point, Size};

/// The inner part of a drawing, in its pixels.
pub(super) struct Frame {
    pub(super) left: i32,
    pub(super) top: i32,
    pub(super) right: i32,
    pub(super) bottom: i32,
    pub(super) size: Size,
}

/// Pixels from one line of words to the next.
const LINE: i32 = 17;

/// Pixels between two letters of faults at least.
const LETTER_ROOM: i32 = 15;

impl Frame {
    /// How wide a text is about; fonts differ, so it is a generous guess.
    fn width(&self, text: &str) -> i32 {
        #[expect(clippy::cast_possible_truncation, reason = "a few hundred pixels")]
        let pixels = (text.chars().count() as f64 * self.size.letters() * 0.66) as i32;
        pixels
    }
}

/// Room above the plotting area: for the name of the vertical axis, and for letters of faults.
pub(super) fn head_room(chart: &Chart) -> u32 {
    let letters =
        chart.marks.iter().any(|mark| matches!(mark, Mark::Band { .. } | Mark::Moment { .. }));
    if letters { 46 } else { 26 }
}

/// The name of the vertical axis, level and above it: nobody has to turn their head.
fn y_name(chart: &Chart, frame: &Frame) -> String {
    let (letters, name) = (frame.size.letters(), escaped(&chart.y.label));
    format!("<text x=\"2\" y=\"14\" font-size=\"{letters}\" fill=\"var(--soft)\">{name}</text>")
}

/// Everything that the drawing library does not draw, as SVG.
pub(super) fn draw(chart: &Chart, frame: &Frame, place: impl Fn(Point) -> (i32, i32)) -> String {
    let mut svg = y_name(chart, frame);
    let mut last_letter = i32::MIN / 2;
    let mut lettered = |at: i32| {
        let room = at - last_letter >= LETTER_ROOM;
        if room {
            last_letter = at;
        }
        room
    };
    let mut taken: Vec<(i32, i32, i32)> = vec![];
    for mark in &chart.marks {
        match mark {
            Mark::Band { from, to, letter } => {
                let (left, right) = (place((*from, chart.y.from)).0, place((*to, chart.y.from)).0);
                let middle = i32::midpoint(left, right);
                edges(&mut svg, frame, (left, right));
                let shown = lettered(middle).then_some(*letter);
                head(&mut svg, frame, middle, shown);
            }
            Mark::Moment { at, letter } => {
                let x = place((*at, chart.y.from)).0;
                moment(&mut svg, frame, x);
                let shown = lettered(x).then_some(*letter);
                head(&mut svg, frame, x, shown);
            }
            Mark::Gap { from, to } => {
                let (left, right) = (place((*from, chart.y.from)).0, place((*to, chart.y.from)).0);
                gap(&mut svg, frame, (left, right));
            }
            Mark::Label { at, text, ink } => {
                label(&mut svg, frame, &mut taken, (place(*at), text, *ink));
            }
            // Who points has a wide page; twice would only make it longer.
            Mark::Hint { at, text } if frame.size == Size::Wide => hint(&mut svg, place(*at), text),
            _ => {}
        }
    }
    svg
}

/// A mark above the plotting area, with its letter where there is room.
fn head(svg: &mut String, frame: &Frame, x: i32, letter: Option<char>) {
    let (tip, colour) = (frame.top, paint(Ink::Fault).0);
    let _ = write!(svg, "<path d=\"M{} {}h8l-4 6z\" fill=\"{colour}\"/>", x - 4, tip - 7);
    if let Some(letter) = letter {
        let letter = escaped(&letter.to_string());
        let _ = write!(
            svg,
            "<text class=\"letter\" x=\"{x}\" y=\"{}\" font-size=\"12\" fill=\"{colour}\" text-anchor=\"middle\">{letter}</text>",
            tip - 10
        );
    }
}

/// Where a span begins and ends: spans of several faults may lie over one another.
fn edges(svg: &mut String, frame: &Frame, (left, right): (i32, i32)) {
    let (top, height, colour) = (frame.top, frame.bottom - frame.top, paint(Ink::Fault).0);
    let _ = write!(
        svg,
        "<path d=\"M{left} {top}v{height}M{right} {top}v{height}M{left} {top}H{right}\" stroke=\"{colour}\" stroke-opacity=\"0.6\" fill=\"none\"/>"
    );
}

/// A line through the whole height at one moment.
fn moment(svg: &mut String, frame: &Frame, x: i32) {
    let (top, height, colour) = (frame.top, frame.bottom - frame.top, paint(Ink::Fault).0);
    let _ = write!(
        svg,
        "<path d=\"M{x} {top}v{height}\" stroke=\"{colour}\" stroke-dasharray=\"1 3\" fill=\"none\"/>"
    );
}

/// Words in the middle of a span without data, if they fit; a rule at its foot in any case.
fn gap(svg: &mut String, frame: &Frame, (left, right): (i32, i32)) {
    const WORDS: &str = "no messages";
    let foot = frame.bottom - 4;
    let _ = write!(
        svg,
        "<path d=\"M{left} {foot}H{right}\" stroke=\"var(--soft)\" stroke-width=\"3\" stroke-dasharray=\"2 2\"/>"
    );
    if right - left < frame.width(WORDS) {
        return;
    }
    let letters = frame.size.letters();
    let _ = write!(
        svg,
        "<text class=\"tag\" x=\"{}\" y=\"{}\" font-size=\"{letters}\" fill=\"var(--soft)\" text-anchor=\"middle\">{WORDS}</text>",
        i32::midpoint(left, right),
        foot - 8
    );
}

/// Words just above their place, moved so that they neither leave the drawing nor cover others.
fn label(
    svg: &mut String,
    frame: &Frame,
    taken: &mut Vec<(i32, i32, i32)>,
    ((x, y), text, ink): ((i32, i32), &str, Ink),
) {
    let width = frame.width(text);
    let x = x.min(frame.right - width).max(frame.left + 2);
    let mut y = (y - 6).max(frame.top + 12);
    let met = |taken: &[(i32, i32, i32)], y: i32| {
        let beside = |(left, right, line): &&(i32, i32, i32)| {
            *left < x + width && x < *right && (line - y).abs() < LINE
        };
        taken.iter().find(beside).map(|(_, _, line)| *line)
    };
    // Each step may meet another one, so there are as many steps as there are labels.
    for _ in 0..=taken.len() {
        let Some(line) = met(taken, y) else { break };
        let above = line - LINE;
        y = if above < frame.top + 12 { line + LINE } else { above };
    }
    if met(taken, y).is_some() {
        // The table has it: two labels in one place are none.
        return;
    }
    taken.push((x, x + width, y));
    let (letters, text, colour) = (frame.size.letters(), escaped(text), paint(ink).0);
    let _ = write!(
        svg,
        "<text class=\"tag\" x=\"{x}\" y=\"{y}\" font-size=\"{letters}\" fill=\"{colour}\">{text}</text>"
    );
}

/// Something to point at that is larger than what it stands for.
fn hint(svg: &mut String, (x, y): (i32, i32), text: &str) {
    let text = escaped(text);
    let _ = write!(
        svg,
        "<circle cx=\"{x}\" cy=\"{y}\" r=\"8\" fill-opacity=\"0\"><title>{text}</title></circle>"
    );
}
