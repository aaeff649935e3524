//! The site table: rows that make sense, partners that answer, and sites used in the protocol only.
//!
//! A row is `/// carries` then `NAME: Kind = Ordering -> PARTNER, PARTNER;` inside `sites! { … }`;
//! `-> none` says that no edge is needed.

use crate::finding::Finding;
use crate::house::Sites;
use crate::source::{Source, Token};
use crate::tree::{is_below, is_part_of};
use std::collections::{BTreeMap, BTreeSet};

/// One row of the table.
#[derive(Debug)]
struct Row {
    name: String,
    kind: String,
    ordering: String,
    partners: Vec<String>,
    carries: bool,
    line: usize,
}

impl Row {
    fn releases(&self) -> bool {
        matches!(self.ordering.as_str(), "Release" | "AcqRel" | "SeqCst")
    }

    fn acquires(&self) -> bool {
        matches!(self.ordering.as_str(), "Acquire" | "AcqRel" | "SeqCst")
    }
}

/// Finds rows that cannot be right, edges with one end, and sites used nowhere or out of place.
#[must_use]
pub fn check(sources: &[Source], sites: &Sites) -> Vec<Finding> {
    let Some(table) = sources.iter().find(|source| source.path == sites.table) else {
        let remedy = "name the file with `sites!` in ci/tidy/house.toml";
        return vec![Finding::new(&sites.table, 1, "there is no site table", remedy)];
    };
    let (rows, mut findings) = rows(table);
    if rows.is_empty() && findings.is_empty() {
        let what = "`sites! { … }` has no row that can be read";
        findings.push(Finding::new(
            &table.path,
            1,
            what,
            "write `NAME: Kind = Ordering -> PARTNER;`",
        ));
    }
    let by_name: BTreeMap<&str, &Row> = rows.iter().map(|row| (row.name.as_str(), row)).collect();
    if by_name.len() < rows.len() {
        findings.push(Finding::new(&table.path, 1, "a site stands twice", "give each a name"));
    }
    for row in &rows {
        let judged = shape(row).into_iter().chain(edges(row, &by_name));
        findings.extend(judged.map(|what| {
            let what = format!("`{}` {what}", row.name);
            Finding::new(&table.path, row.line, what, "mend the row, or the operation it names")
        }));
    }
    findings.extend(uses(sources, sites, &rows));
    findings
}

/// What is wrong with a row by itself.
fn shape(row: &Row) -> Vec<String> {
    let mut wrong = Vec::new();
    let fits = match row.kind.as_str() {
        "Load" | "CasFail" => matches!(row.ordering.as_str(), "Relaxed" | "Acquire"),
        "Store" => matches!(row.ordering.as_str(), "Relaxed" | "Release"),
        "Rmw" => matches!(row.ordering.as_str(), "Relaxed" | "Acquire" | "Release" | "AcqRel"),
        "Fence" => matches!(row.ordering.as_str(), "Acquire" | "Release" | "AcqRel" | "SeqCst"),
        _ => false,
    };
    if !fits {
        wrong.push(format!("is a {} with {}, which our engines refuse", row.kind, row.ordering));
    }
    if !row.carries {
        wrong.push("does not say what it carries (`/// …` above it)".into());
    }
    match (row.ordering.as_str(), row.partners.is_empty()) {
        ("Relaxed", false) => wrong.push("is Relaxed and still names a partner".into()),
        ("Relaxed", true) | (_, false) => {}
        (ordering, true) => {
            wrong.push(format!("is {ordering} for no partner: a needless ordering"));
        }
    }
    wrong
}

/// What is wrong between a row and its partners.
fn edges(row: &Row, by_name: &BTreeMap<&str, &Row>) -> Vec<String> {
    let judge = |name: &String| match by_name.get(name.as_str()) {
        None => Some(format!("names the partner `{name}`, which is no site")),
        Some(partner) if !partner.partners.contains(&row.name) => {
            Some(format!("names the partner `{name}`, which does not name it back"))
        }
        Some(partner) => {
            let paired =
                row.releases() && partner.acquires() || row.acquires() && partner.releases();
            let (here, there) = (&row.ordering, &partner.ordering);
            (!paired).then(|| format!("({here}) and `{name}` ({there}) make no edge"))
        }
    };
    row.partners.iter().filter_map(judge).collect()
}

/// Sites that no protocol source uses, and uses outside the protocol.
fn uses(sources: &[Source], sites: &Sites, rows: &[Row]) -> Vec<Finding> {
    let names: BTreeSet<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    let is_protocol = |path: &str| sites.sources.iter().any(|place| is_part_of(path, place));
    let home = sites.table.rsplit_once('/').map_or("", |(folder, _)| folder);
    let (mut used, mut findings) = (BTreeSet::new(), Vec::new());
    for source in sources.iter().filter(|s| is_below(&s.path, home) && s.path != sites.table) {
        for token in operations(source).filter(|token| names.contains(token.text.as_str())) {
            if is_protocol(&source.path) {
                used.insert(token.text.as_str());
                continue;
            }
            let what = format!("`{}` is used outside the protocol", token.text);
            let remedy =
                "call the protocol instead, or add the file to `sites.sources` in house.toml";
            findings.push(Finding::new(&source.path, token.line, what, remedy));
        }
    }
    findings.extend(rows.iter().filter(|row| !used.contains(row.name.as_str())).map(|row| {
        let what = format!("`{}` is used by no protocol source", row.name);
        Finding::new(&sites.table, row.line, what, "remove the row, or name it at its operation")
    }));
    findings
}

/// The tokens of `source` outside its imports and inline tests.
fn operations(source: &Source) -> impl Iterator<Item = &Token> {
    let mut importing = false;
    source.tokens.iter().filter(move |token| {
        importing = match token.text.as_str() {
            "use" => true,
            ";" => false,
            _ => importing,
        };
        !importing && !source.is_test_line(token.line)
    })
}

/// The rows of every `sites! { … }` in the table's file.
fn rows(table: &Source) -> (Vec<Row>, Vec<Finding>) {
    let (mut rows, mut findings) = (Vec::new(), Vec::new());
    for (at, _) in table.occurrences(&["sites", "!", "{"]) {
        let body = &table.tokens[at + 3..];
        let end = closing(body);
        for row in body[..end].split(|token| token.text == ";").filter(|row| !row.is_empty()) {
            match parse_row(row) {
                Some(row) => rows.push(row),
                None => findings.push(Finding::new(
                    &table.path,
                    row[0].line,
                    "this row of `sites!` cannot be read",
                    "write `NAME: Kind = Ordering -> PARTNER;`, or `-> none`",
                )),
            }
        }
    }
    (rows, findings)
}

/// How many tokens stand before the brace that closes the one before `body`.
fn closing(body: &[Token]) -> usize {
    let mut depth = 0_usize;
    for (at, token) in body.iter().enumerate() {
        match token.text.as_str() {
            "{" => depth += 1,
            "}" if depth == 0 => return at,
            "}" => depth -= 1,
            _ => {}
        }
    }
    body.len()
}

fn parse_row(row: &[Token]) -> Option<Row> {
    let mut rest = row;
    let mut carries = false;
    while rest.first()?.text == "#" {
        let end = rest.iter().position(|token| token.text == "]")?;
        carries |= rest[..end].iter().any(|token| token.text == "doc");
        rest = &rest[end + 1..];
    }
    let [name, colon, kind, equals, ordering, dash, arrow, partners @ ..] = rest else {
        return None;
    };
    let signs = [colon, equals, dash, arrow].map(|token| token.text.as_str());
    if signs != [":", "=", "-", ">"] || partners.is_empty() {
        return None;
    }
    let is_name = |text: &str| text.starts_with(|c: char| c.is_alphabetic()) && text != "none";
    let partners = partners.iter().map(|token| token.text.clone()).filter(|text| is_name(text));
    Some(Row {
        name: name.text.clone(),
        kind: kind.text.clone(),
        ordering: ordering.text.clone(),
        partners: partners.collect(),
        carries,
        line: name.line,
    })
}

#[cfg(test)]
mod tests;
