//! How every table and paragraph looks.
//!
//! Knows nothing of: what stands in it.

use comfy_table::{ColumnConstraint, ContentArrangement, Row, Table, Width, presets};

/// A table without rows, with a line between them.
#[must_use]
pub fn with_header(header: impl Into<Row>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header);
    table
}

/// Words up to this length are not broken.
const WORD: u16 = 12;

/// The table as text, on a terminal no wider than that: what does not fit stands closer, breaks
/// between words, and long ones inside. In a pipe nothing is broken, so that programs find it.
#[must_use]
pub fn text(mut table: Table) -> String {
    let columns = table.column_max_content_widths();
    let whole: usize = columns.iter().map(|width| usize::from(*width) + 2).sum();
    if table.width().is_some_and(|width| whole > usize::from(width)) {
        let least = (0..columns.len()).map(|column| {
            let cells = table.column_cells_with_header_iter(column).flatten();
            let words = cells.flat_map(|cell| {
                cell.content().split_whitespace().map(|w| w.chars().count()).collect::<Vec<_>>()
            });
            let longest = words.max().unwrap_or(0);
            let whole = u16::try_from(longest).unwrap_or(WORD).min(WORD);
            ColumnConstraint::LowerBoundary(Width::Fixed(whole + 1))
        });
        let least: Vec<ColumnConstraint> = least.collect();
        table.set_constraints(least);
        table.column_iter_mut().for_each(|column| {
            column.set_padding((0, 1));
        });
    }
    format!("{table}\n")
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
        let mut table = with_header(["cell", "verdict", "reason"]);
        table.force_no_tty().add_row(["a-name-that-is-long/slots=4", "inconclusive", "too few"]);
        table
    }

    #[test]
    fn a_table_in_a_pipe_breaks_nothing() {
        assert!(text(wide()).contains(" a-name-that-is-long/slots=4   inconclusive   too few \n"));
    }

    #[test]
    fn a_table_on_a_narrow_terminal_breaks_names_and_no_words() {
        let mut table = wide();
        table.set_width(36);
        let shown = text(table);
        assert!(shown.lines().all(|line| line.chars().count() <= 36), "{shown}");
        for word in ["verdict", "inconclusive", "reason", "few"] {
            assert!(shown.contains(word), "{shown}");
        }
    }
}
