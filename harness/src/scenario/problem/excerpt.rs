//! What of a text is shown beside a mistake: the lines around its places, and of long ones a part.

use std::ops::Range;

/// Characters of a line that are shown before and after the beginning of a place.
const BEFORE: usize = 60;
const AFTER: usize = 120;
/// Lines above and below a place.
const AROUND: usize = 2;
/// Characters of a message that are shown.
const MESSAGE: usize = 400;

/// The text with as many lines as it had, all empty but those around the `places`, long ones cut; and
/// where the places are now.
pub(super) fn of(text: &str, places: &[Range<usize>]) -> (String, Vec<Range<usize>>) {
    let starts: Vec<usize> =
        std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let line_of = |offset: usize| starts.partition_point(|start| *start <= offset) - 1;
    let shown: Vec<usize> = places.iter().map(|place| line_of(place.start)).collect();
    let mut moved = vec![0..0; places.len()];
    let mut excerpt = String::new();
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            excerpt.push('\n');
        }
        if !shown.iter().any(|place| place.abs_diff(number) <= AROUND) {
            continue;
        }
        let own = |place: &usize| shown[*place] == number;
        let first = (0..places.len()).filter(own).map(|place| places[place].start).min();
        let (part, dots) = window(line, first.map_or(0, |first| first - starts[number]));
        let base = excerpt.len() + dots.len();
        let inside = |offset: usize| {
            base + offset.saturating_sub(starts[number] + part.start).min(part.end - part.start)
        };
        for place in (0..places.len()).filter(own) {
            moved[place] = inside(places[place].start)..inside(places[place].end);
        }
        excerpt.push_str(dots);
        excerpt.push_str(&line[part.clone()]);
        excerpt.push_str(if part.end < line.len() { "…" } else { "" });
    }
    (excerpt, moved)
}

/// The part of a line around a byte, and what stands before it.
fn window(line: &str, at: usize) -> (Range<usize>, &'static str) {
    let at = line.floor_char_boundary(at.min(line.len()));
    let back = line[..at].char_indices().rev().nth(BEFORE - 1).map_or(0, |(start, _)| start);
    let end = line[at..].char_indices().nth(AFTER).map_or(line.len(), |(end, _)| at + end);
    (back..end, if back > 0 { "…" } else { "" })
}

/// A message without the bulk of a value that it repeats.
pub(super) fn shortened(message: String) -> String {
    match message.char_indices().nth(MESSAGE) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The excerpt around one place, and where that is now.
    fn around(text: &str, place: Range<usize>) -> (String, Range<usize>) {
        let (excerpt, mut places) = of(text, std::slice::from_ref(&place));
        (excerpt, places.remove(0))
    }

    #[test]
    fn a_short_text_stays_as_it_is_around_its_places() {
        let (text, place) = around("a = 1\nb = 2\nc = 3", 6..7);
        assert_eq!((text.as_str(), place), ("a = 1\nb = 2\nc = 3", 6..7));
    }

    #[test]
    fn lines_far_away_are_empty_and_long_ones_are_cut() {
        let long = "é".repeat(1_000);
        let whole = format!("far\n\n\n\n{long}wrong{long}\nnear");
        let at = whole.find("wrong").unwrap();
        let (text, place) = around(&whole, at..at + 5);
        assert_eq!(text.lines().count(), 6);
        assert!(text.starts_with("\n\n\n\n…") && text.ends_with("…\nnear"), "{text}");
        assert!(text.chars().count() < 220, "{text}");
        assert_eq!(&text[place], "wrong");
    }

    #[test]
    fn a_place_that_is_longer_than_what_is_shown_ends_with_it() {
        let whole = format!("key = {}", "x".repeat(5_000));
        let (text, place) = around(&whole, 6..5_006);
        assert!(place.end <= text.len() && place.start == 6);
    }
}
