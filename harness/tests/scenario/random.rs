//! No bytes make the reader panic.

use harness::scenario::{ScenarioError, parse};
use proptest::prelude::*;

const EXAMPLE: &str = include_str!("../../schema/example.toml");

/// Pieces that mean something in a scenario.
const PIECES: [&str; 24] = [
    "[",
    "]",
    "[[",
    "\n",
    "=",
    "\"",
    "${readers}",
    "${",
    "{",
    "}",
    ",",
    ".",
    "-1",
    "0",
    "1e300",
    "true",
    "inf",
    "\u{1F600}",
    "µs",
    "9223372036854775807",
    "'''",
    "\\u00e9",
    "\r",
    "#",
];

fn survives(text: &str) {
    if let Err(error) = parse("t.toml", text, &[]) {
        shows(&error);
    }
}

fn shows(error: &ScenarioError) {
    assert!(!error.problems.is_empty());
    assert!(!error.render(true, 80).is_empty());
}

/// Cuts at the nearest character.
fn at(text: &str, place: usize) -> usize {
    text.floor_char_boundary(place % (text.len() + 1))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_mutated_scenario_never_panics(
        edits in prop::collection::vec((any::<usize>(), 0_usize..6, 0..PIECES.len()), 1..6)
    ) {
        let mut text = EXAMPLE.to_owned();
        for (place, cut, piece) in edits {
            let start = at(&text, place);
            let end = text.ceil_char_boundary((start + cut).min(text.len()));
            text.replace_range(start..end, PIECES[piece]);
        }
        survives(&text);
    }

    #[test]
    fn a_scenario_cut_anywhere_never_panics(place: usize) {
        survives(&EXAMPLE[..at(EXAMPLE, place)]);
        survives(&EXAMPLE[at(EXAMPLE, place)..]);
    }

    #[test]
    fn swapped_lines_never_panic(first: prop::sample::Index, second: prop::sample::Index) {
        let mut lines: Vec<&str> = EXAMPLE.lines().collect();
        let (first, second) = (first.index(lines.len()), second.index(lines.len()));
        lines.swap(first, second);
        survives(&lines.join("\n"));
    }

    #[test]
    fn arbitrary_text_never_panics(text in "\\PC{0,200}") {
        survives(&text);
    }

    #[test]
    fn arbitrary_settings_never_panic(
        key in "(block|run|consumer|matrix|x)(\\.(slots|reader|seed|y|checksum|-)){0,3}",
        value in "\\PC{0,12}",
    ) {
        if let Err(error) = parse("t.toml", EXAMPLE, &[format!("{key}={value}")]) {
            shows(&error);
        }
    }
}
