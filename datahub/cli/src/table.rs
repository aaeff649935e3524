//! Tables: a bold head, a thin rule, figures to the right.

use comfy_table::{
    Attribute, Cell, CellAlignment, Color, ContentArrangement, LineStyle, Table, TableStyle,
};

/// A head, a rule, and no other lines.
const STYLE: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// A column's title; figures stand to the right.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Column {
    Text(&'static str),
    Figure(&'static str),
}

/// How a cell looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    Plain,
    Strong,
    Weak,
    Good,
    Odd,
    Bad,
}

/// A cell.
pub(crate) fn cell(text: impl Into<String>, look: Look) -> Cell {
    let cell = Cell::new_owned(text.into());
    match look {
        Look::Plain => cell,
        Look::Strong => cell.add_attribute(Attribute::Bold),
        Look::Weak => cell.add_attribute(Attribute::Dim),
        Look::Good => cell.fg(Color::Green),
        Look::Odd => cell.fg(Color::Yellow),
        Look::Bad => cell.fg(Color::Red),
    }
}

/// A plain cell.
pub(crate) fn plain(text: impl Into<String>) -> Cell {
    cell(text, Look::Plain)
}

/// Lays rows out below their titles. Styles are written always; the stream drops what is not wanted.
pub(crate) fn render(columns: &[Column], rows: Vec<Vec<Cell>>) -> String {
    let mut table = Table::new();
    table.load_style(STYLE).set_content_arrangement(ContentArrangement::Disabled);
    table.enforce_styling();
    let title = |column: &Column| match column {
        Column::Text(title) | Column::Figure(title) => cell(*title, Look::Strong),
    };
    table.set_header(columns.iter().map(title).collect::<Vec<_>>());
    table.add_rows(rows);
    for (index, kind) in columns.iter().enumerate() {
        let Some(column) = table.column_mut(index) else { continue };
        let gap = if index + 1 == columns.len() { 0 } else { 3 };
        column.set_padding((0, gap));
        if matches!(kind, Column::Figure(_)) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
