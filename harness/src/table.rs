//! How every table and paragraph looks.
//!
//! Knows nothing of: what stands in it.

use comfy_table::{ContentArrangement, Row, Table, presets};

/// A table without rows: a line between rows, and on a terminal no wider than that. In a pipe
/// nothing is broken, so that programs find whole words.
#[must_use]
pub fn with_header(header: impl Into<Row>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header);
    table
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

    #[test]
    fn a_table_in_a_pipe_breaks_nothing() {
        let mut table = with_header(["cell"]);
        let long = "word ".repeat(100);
        table.force_no_tty().add_row([long.trim_end()]);
        assert!(table.to_string().contains(long.trim_end()));
        assert!(table.set_width(40).to_string().lines().all(|line| line.chars().count() <= 40));
    }
}
