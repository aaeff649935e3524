//! How every table and paragraph looks.
//!
//! On a terminal nothing is wider than it: the widest columns break, between words and inside names,
//! never inside a word or between a number and its unit. Elsewhere a row is a line, so that programs
//! find it. Knows nothing of: what stands in it.

use std::io::{self, IsTerminal as _};

use terminal_size::{Width, terminal_size};

/// Between two columns.
const GAP: usize = 2;
/// A name that is longer than this may break after `/` and `,`.
const NAME: usize = 12;
/// Without a terminal that says otherwise.
const WIDTH: usize = 100;

/// Rows of texts below a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

/// A table without rows.
#[must_use]
pub fn with_header<T: Into<String>>(header: impl IntoIterator<Item = T>) -> Table {
    Table { rows: vec![header.into_iter().map(Into::into).collect()] }
}

impl Table {
    /// A row more; what is missing at its end stays empty.
    pub fn add_row<T: Into<String>>(&mut self, row: impl IntoIterator<Item = T>) {
        self.rows.push(row.into_iter().map(Into::into).collect());
    }
}

/// The width of the terminal that shows results, or what `COLUMNS` says of it; `None` where they go
/// somewhere else, and nothing is to be broken.
#[must_use]
pub fn terminal() -> Option<usize> {
    io::stdout().is_terminal().then(width)
}

/// The width for texts that are always broken: `COLUMNS` where it is set, else that of the terminal.
#[must_use]
pub fn width() -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    let terminal = || terminal_size().map(|(Width(columns), _)| usize::from(columns));
    columns.or_else(terminal).unwrap_or(WIDTH).clamp(40, 200)
}

/// The table as text, as [`terminal`] wants it.
#[must_use]
pub fn text(table: &Table) -> String {
    arranged(table, terminal())
}

/// The table, no wider than that if its words allow it; without a width a line for each row.
#[must_use]
pub fn arranged(table: &Table, width: Option<usize>) -> String {
    let columns = table.rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths = widths(table, columns, width.unwrap_or(usize::MAX));
    let mut text = String::new();
    for (number, row) in table.rows.iter().enumerate() {
        let cells: Vec<Vec<String>> = widths
            .iter()
            .enumerate()
            .map(|(column, width)| broken(row.get(column).map_or("", String::as_str), *width))
            .collect();
        let height = cells.iter().map(Vec::len).max().unwrap_or(0);
        for line in 0..height {
            let mut shown = String::new();
            for (cell, width) in cells.iter().zip(&widths) {
                let part = cell.get(line).map_or("", String::as_str);
                shown.push_str(part);
                shown.extend(std::iter::repeat_n(' ', width - length(part) + GAP));
            }
            text.push_str(shown.trim_end());
            text.push('\n');
        }
        if number == 0 && width.is_some() {
            let whole = widths.iter().map(|width| width + GAP).sum::<usize>().saturating_sub(GAP);
            text.extend(std::iter::repeat_n('─', whole));
            text.push('\n');
        }
    }
    text
}

fn length(text: &str) -> usize {
    text.chars().count()
}

/// The width of each column: what it holds, and less of the widest ones where that is too much.
fn widths(table: &Table, columns: usize, limit: usize) -> Vec<usize> {
    let of = |measure: fn(&str) -> usize| -> Vec<usize> {
        let cells = |column: usize| table.rows.iter().filter_map(move |row| row.get(column));
        (0..columns)
            .map(|column| cells(column).map(|cell| measure(cell)).max().unwrap_or(0))
            .collect()
    };
    let mut widths = of(length);
    let least =
        of(|cell| pieces(cell).iter().map(|piece| length(piece.trim_end())).max().unwrap_or(0));
    let whole = |widths: &[usize]| widths.iter().sum::<usize>() + GAP * columns.saturating_sub(1);
    while whole(&widths) > limit {
        let able = (0..columns).filter(|column| widths[*column] > least[*column]);
        let Some(widest) = able.max_by_key(|column| widths[*column]) else { break };
        widths[widest] -= 1;
    }
    widths
}

/// What stands together: words, with the blank after them; a number with its unit; a long name up to
/// each `/` and `,` in it.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = vec![];
    for word in words(text) {
        let mut rest = word;
        while length(word) > NAME
            && let Some(end) = rest.find(['/', ',']).map(|at| at + 1).filter(|at| *at < rest.len())
        {
            pieces.push(&rest[..end]);
            rest = &rest[end..];
        }
        pieces.push(rest);
    }
    pieces
}

/// Words, each with the blank after it; a number takes the word that follows with it.
fn words(text: &str) -> Vec<&str> {
    let mut words = vec![];
    let mut start = 0;
    for (at, _) in text.match_indices(' ') {
        let word = text[start..at].trim_start();
        let number = word.ends_with(|last: char| last.is_ascii_digit())
            && word.starts_with(|first: char| first.is_ascii_digit())
            && text[at + 1..].starts_with(|next: char| next.is_alphabetic() || next == '%');
        if !number {
            words.push(&text[start..=at]);
            start = at + 1;
        }
    }
    words.push(&text[start..]);
    words.retain(|word| !word.is_empty());
    words
}

/// The lines of one cell.
fn broken(cell: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![];
    for piece in pieces(&cell.replace('\n', " ")) {
        let room =
            lines.last().is_some_and(|line| length(line) + length(piece.trim_end()) <= width);
        match lines.last_mut().filter(|_| room) {
            Some(line) => line.push_str(piece),
            None => lines.push(piece.to_owned()),
        }
    }
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

/// Breaks a text at blanks; `indents` stand before the first line and before all others. A word
/// that is too long has a line of its own.
#[must_use]
pub fn paragraph(text: &str, indents: [&str; 2], width: usize) -> String {
    let [first, other] = indents;
    let mut broken = String::new();
    let mut column = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column == 0 || column + 1 + length > width {
            let indent = if column == 0 { first } else { other };
            broken.push_str(if column == 0 { "" } else { "\n" });
            broken.push_str(indent);
            column = indent.chars().count();
        } else {
            broken.push(' ');
            column += 1;
        }
        broken.push_str(word);
        column += length;
    }
    broken.push('\n');
    broken
}

/// A paragraph on a terminal, one line elsewhere.
#[must_use]
pub fn line(text: &str, indents: [&str; 2]) -> String {
    match terminal() {
        Some(width) => paragraph(text, indents, width),
        None => format!("{}{text}\n", indents[0]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paragraph_keeps_its_words_and_its_width() {
        let broken = paragraph("one  two three four", ["- ", "    "], 12);
        assert_eq!(broken, "- one two\n    three\n    four\n");
        assert_eq!(paragraph("immeasurably so", ["", ""], 5), "immeasurably\nso\n");
    }

    fn wide() -> Table {
        let mut table = with_header(["cell", "verdict", "p99", "reason"]);
        let name = "a-name-that-is-long/slots=4,size=64 B";
        table.add_row([name, "inconclusive", "1.22 µs", "too few trials"]);
        table
    }

    #[test]
    fn in_a_pipe_a_row_is_a_line_of_aligned_columns() {
        let lines = [
            "cell                                   verdict       p99      reason",
            "a-name-that-is-long/slots=4,size=64 B  inconclusive  1.22 µs  too few trials",
        ];
        assert_eq!(arranged(&wide(), None), lines.join("\n") + "\n");
    }

    #[test]
    fn a_narrow_terminal_breaks_names_and_neither_words_nor_quantities() {
        let shown = arranged(&wide(), Some(54));
        assert!(shown.lines().all(|line| length(line) <= 54), "{shown}");
        for word in ["a-name-that-is-long/", "size=64 B", "inconclusive", "1.22 µs", "trials"] {
            assert!(shown.contains(word), "{shown}");
        }
        assert_eq!(shown.matches('─').count(), shown.lines().nth(1).map_or(0, length));
    }

    #[test]
    fn what_cannot_break_is_wider_than_the_terminal() {
        let mut table = with_header(["one"]);
        table.add_row(["immeasurably"]);
        assert_eq!(arranged(&table, Some(5)), "one\n────────────\nimmeasurably\n");
    }
}
