//! Processes that were killed at the sites of the protocol: which sites of which blocks were reached,
//! and what became of the survivors.

use core::fmt::Write as _;
use std::collections::{BTreeMap, BTreeSet};

use report_schema::{CrashResult, Verdict};

use crate::format;
use crate::page::RenderError;
use crate::page::section::{Datum, Section, Table};
use crate::plot::escaped;
use crate::summary::Summary;

pub(super) fn section(summary: &Summary<'_>) -> Result<Section, RenderError> {
    let mut section = Section::new("crashes", "Kills at the sites of the protocol");
    let rows = &summary.suite.crashes;
    if rows.is_empty() {
        return Ok(section);
    }
    let reached: Vec<&CrashResult> = rows.iter().filter(|row| says_something(row)).collect();
    let kills: u64 = reached.iter().map(|row| row.kills).sum();
    let violations: u64 = reached.iter().map(|row| row.violations()).sum();
    let worst = reached.iter().map(|row| row.blocked_ns_max).max().unwrap_or(0);
    let (sites, all) = summary.sites();
    section.say(format!(
        "{} processes were killed, each right before one operation on shared memory, at {sites} of {}. Violations: {}. The \
         longest that a survivor waited: {}.",
        format::count(kills),
        format::several(all, "site"),
        format::count(violations),
        format::nanos(worst as f64)
    ));
    section.tables.push(by_victim(&reached).html()?);
    let bad: Vec<&CrashResult> =
        reached.iter().filter(|row| row.verdict != Verdict::Pass).copied().collect();
    if !bad.is_empty() {
        section.tables.push(matrix("Kills that did not end as they must", &bad).html()?);
    }
    let blocks: BTreeSet<&str> = reached.iter().map(|row| row.shape.as_str()).collect();
    let blocks: Vec<&str> = blocks.into_iter().collect();
    let mut key = Table::new("Blocks of the fault matrix", &["No.#", "Block and its users"]);
    for (number, block) in (1_u32..).zip(&blocks) {
        key.push(vec![Datum::number(number.to_string()), Datum::text(*block)]);
    }
    section.say(
        "The fault matrix, one for each victim: a field is a site in a block. Green: somebody was killed there and the \
         survivors were unharmed. Red: somebody was harmed, or too few were killed there. Grey: nobody of this kind was \
         killed there, for the reason given below.",
    );
    let victims: BTreeSet<&str> = reached.iter().map(|row| row.victim.as_str()).collect();
    for victim in victims {
        section.tables.push(grid(victim, rows, &blocks)?);
    }
    section.tables.push(key.folded("The numbers of the blocks").html()?);
    let unreached = unreached(rows);
    if !unreached.is_empty() {
        section.tables.push(unreached.stacked().html()?);
    }
    Ok(section)
}

/// Whether somebody was killed there, harmed there, or the row is no pass for another reason than that nobody came.
fn says_something(row: &CrashResult) -> bool {
    row.kills > 0 || row.violations() > 0 || row.verdict >= Verdict::Broken
}

/// Kills of one kind of victim, site by block.
fn grid(victim: &str, rows: &[CrashResult], blocks: &[&str]) -> Result<String, RenderError> {
    let numbers: Vec<String> = (1..=blocks.len()).map(|number| number.to_string()).collect();
    let mut columns = vec!["Site"];
    columns.extend(numbers.iter().map(String::as_str));
    let mut table = Table::new(format!("Fault matrix: {victim}"), &columns);
    let own = || rows.iter().filter(|row| row.victim == victim);
    let mut sites: BTreeMap<&str, Vec<Option<&CrashResult>>> = BTreeMap::new();
    for row in own().filter(|row| says_something(row)) {
        let fields = sites.entry(&row.site).or_insert_with(|| vec![None; blocks.len()]);
        if let Some(place) = blocks.iter().position(|block| *block == row.shape) {
            fields[place] = Some(row);
        }
    }
    for (site, fields) in &sites {
        let mut data = vec![Datum::code(*site)];
        data.extend(fields.iter().map(|row| field(*row)));
        table.push(data);
    }
    let kills: u64 = own().map(|row| row.kills).sum();
    let violations: u64 = own().map(CrashResult::violations).sum();
    let line = format!(
        "{victim}: {} by {}, {} kills, {} violations",
        format::several(sites.len(), "site"),
        format::several(blocks.len(), "block"),
        format::count(kills),
        format::count(violations)
    );
    let heading = format!("<h3>{}</h3>", escaped(&line));
    let table = table.grid().folded(format!("{victim}: the number of kills, site by site"));
    Ok(heading + &overview(victim, &sites, blocks.len()) + &table.html()?)
}

/// One field of the matrix; its words say what its colour does.
fn field(row: Option<&CrashResult>) -> Datum {
    let Some(row) = row else { return Datum::field("", "f") };
    match row.violations() {
        0 if row.verdict == Verdict::Pass => Datum::field(format::count(row.kills), "f yes"),
        0 => Datum::field(row.verdict.as_str(), "f no"),
        some => Datum::field(format!("{}!", format::count(some)), "f no"),
    }
}

/// Where nobody was killed, by reason.
fn unreached(rows: &[CrashResult]) -> Table {
    let mut reasons: BTreeMap<&str, BTreeMap<&str, BTreeSet<&str>>> = BTreeMap::new();
    for row in rows {
        if let Some(why) = row.unreached.as_ref().filter(|_| !says_something(row)) {
            reasons.entry(why).or_default().entry(&row.victim).or_default().insert(&row.site);
        }
    }
    let mut all: Vec<_> = reasons.into_iter().collect();
    let places = |victims: &BTreeMap<&str, BTreeSet<&str>>| {
        victims.values().map(BTreeSet::len).sum::<usize>()
    };
    all.sort_by_key(|(_, victims)| core::cmp::Reverse(places(victims)));
    let columns = ["Why nobody was killed there", "Places#", "Victim and sites"];
    let mut table = Table::new("Sites that were not reached, by reason", &columns);
    for (why, victims) in &all {
        let each = victims.iter().map(|(victim, sites)| {
            let names: Vec<&str> = sites.iter().copied().collect();
            format!("{victim}: {}", names.join(", "))
        });
        table.push(vec![
            Datum::wide(*why),
            Datum::number(format::count(places(victims) as u64)),
            Datum::wide(each.collect::<Vec<_>>().join("; ")),
        ]);
    }
    table
}

/// The matrix of one victim at a glance: a column is a site, a row a block. The table has the names.
fn overview(
    victim: &str,
    sites: &BTreeMap<&str, Vec<Option<&CrashResult>>>,
    blocks: usize,
) -> String {
    const FIELD: usize = 9;
    let (mut reached, mut violated, mut empty) = (String::new(), String::new(), String::new());
    let (mut good, mut bad) = (0_usize, 0_usize);
    for (column, fields) in sites.values().enumerate() {
        for (line, row) in fields.iter().enumerate() {
            let path = match row {
                None => &mut empty,
                Some(row) if row.verdict == Verdict::Pass && row.violations() == 0 => {
                    good += 1;
                    &mut reached
                }
                Some(_) => {
                    bad += 1;
                    &mut violated
                }
            };
            let _ = write!(path, "M{} {}h8v8h-8z", column * FIELD, line * FIELD);
        }
    }
    let (width, height) = (sites.len() * FIELD, blocks * FIELD);
    let about = escaped(&format!(
        "{victim}: killed in {} of {} fields, {bad} with a violation.",
        good + bad,
        sites.len() * blocks
    ));
    format!(
        "<div class=\"matrix\"><svg viewBox=\"0 0 {width} {height}\" style=\"width: {width}px\" role=\"img\" \
         aria-label=\"{about}\"><title>{about}</title><desc>Columns are sites, rows are blocks.</desc>\
         <path d=\"{empty}\" fill=\"var(--grid)\"/><path d=\"{reached}\" fill=\"var(--pass)\"/>\
         <path d=\"{violated}\" fill=\"var(--correctness)\"/></svg></div>"
    )
}

/// A victim in plain words; the document's names are short.
fn who(victim: &str) -> &'static str {
    match victim {
        "writer" => "the producer, while it writes",
        "reader" => "a consumer, while it reads",
        "joiner" => "a consumer that joins where another one died",
        "successor" => "a producer that takes over from a dead one",
        "undertaker" => "a producer that clears up after a dead consumer",
        "recoverer" => "somebody who recovers the block from outside",
        _ => "",
    }
}

/// One row for each kind of victim: everything about it in one line.
fn by_victim(rows: &[&CrashResult]) -> Table {
    let columns =
        ["Victim", "Who that is", "Sites#", "Blocks#", "Kills#", "Violations#", "Waited, longest#"];
    let mut table = Table::new("Kills by victim", &columns);
    let victims: BTreeSet<&str> = rows.iter().map(|row| row.victim.as_str()).collect();
    for victim in victims {
        let own = || rows.iter().filter(|row| row.victim == victim);
        let sites: BTreeSet<&str> = own().map(|row| row.site.as_str()).collect();
        let blocks: BTreeSet<&str> = own().map(|row| row.shape.as_str()).collect();
        let violations: u64 = own().map(|row| row.violations()).sum();
        let blocked_ns = own().map(|row| row.blocked_ns_max).max().unwrap_or(0);
        table.push(vec![
            Datum::text(victim),
            Datum::text(who(victim)),
            Datum::number(format::count(sites.len() as u64)),
            Datum::number(format::count(blocks.len() as u64)),
            Datum::number(format::count(own().map(|row| row.kills).sum())),
            match violations {
                0 => Datum::dim_number("0"),
                some => Datum::bad_number(format::count(some)),
            },
            Datum::number(format::nanos(blocked_ns as f64)),
        ]);
    }
    table
}

/// Each kind of violation for itself.
fn matrix(title: &str, rows: &[&CrashResult]) -> Table {
    let mut table = Table::new(
        title,
        &[
            "Victim",
            "Site",
            "Block",
            "Kills#",
            "Torn#",
            "Mislabelled#",
            "Backward#",
            "Lost#",
            "Duplicated#",
            "Stuck#",
            "Leaked#",
            "Waited, longest#",
            "Verdict",
            "Why",
        ],
    );
    for row in rows {
        let counts = [
            row.torn,
            row.mislabelled,
            row.backward,
            row.lost,
            row.duplicated,
            row.stuck,
            row.leaked,
        ];
        let mut cells = vec![
            Datum::text(&row.victim),
            Datum::code(&row.site),
            Datum::text(&row.shape),
            Datum::number(format::count(row.kills)),
        ];
        cells.extend(counts.map(|count| match count {
            0 => Datum::dim_number("0"),
            _ => Datum::bad_number(format::count(count)),
        }));
        cells.push(Datum::number(format::nanos(row.blocked_ns_max as f64)));
        cells.push(Datum::verdict(row.verdict));
        let why = row.example.as_deref().or(row.unreached.as_deref());
        cells.push(Datum::wide(why.unwrap_or("")));
        table.push(cells);
    }
    table
}
