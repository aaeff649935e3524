//! The table of sites against what the explorer observes: every edge that a row declares is met in
//! some model, every edge that is met is declared, and every site runs. What is otherwise has a
//! written reason here, and a reason that nothing needs any more is a finding too.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use core::sync::atomic::Ordering::{AcqRel, Acquire, Release, SeqCst};
use datahub::sites::{COUNT, Site, TABLE};
use report_schema::{Counterexample, Coverage, ModelKind, ModelResult, Verdict};

use crate::catalogue::{self, Size};
use crate::context::{Meetings, Setup};
use crate::engine::Engine;
use crate::request::{Request, blank, milliseconds};

/// Stands for the comparison of the table with what was met.
pub const EDGES: &str = "site-table";

/// Sites that no model runs, and why none needs to.
pub const NOT_RUN: &[(&str, &str)] = &[
    ("H_BEAT", "a hint to observers, who believe it no further than any number"),
    ("R_WHERE", "a path, read only after R_CLOSED or the kernel's token has ordered it"),
    ("W_WHERE", "a path, written before W_MOVED or the name publishes it"),
    ("Z_RAW_READ", "bytes as they are: whatever is read is right"),
    ("Z_RAW_WRITE", "bytes as they are"),
    ("M_COUNT", "statistics: one writer a counter, any value read was once true"),
    ("M_READ", "statistics"),
    ("M_ADD", "statistics"),
];

/// Edges that are declared and met by no model, and why.
pub const NOT_MET: &[(&str, &str, &str)] = &[];

/// Edges that are met and carry nothing that anybody needs.
pub const INCIDENTAL: &[(&str, &str, &str)] = &[
    ("C_LEAVE", "E_CHECK", FENCE),
    ("E_MARK", "R_NEXT", "the fence is carried on by the commit after it, which brings more"),
    ("G_ACK", "E_CHECK", FENCE),
    ("H_FREE", "E_CHECK", FENCE),
    ("H_FREE", "H_LOOK", "an observer of an empty place asks for nothing in it"),
    ("P_FENCE", "P_FENCE", "two sleepers, of whom neither waits for the other"),
    ("P_FENCE", "R_ADMIT", "a producer that waits: its next stores to the slot carry its fence on"),
    ("R_RELEASE", "R_ADMIT", "a reader that follows another one only reads, as that one did"),
    ("R_RELEASE", "R_NEXT", "a reader that follows another one only reads, as that one did"),
    ("W_COMMIT", "E_CHECK", FENCE),
    ("W_COMMIT", "W_TAKE", "a successor, to whom the kernel's token has shown its predecessor"),
    ("W_COMMIT_INDEX", "E_CHECK", FENCE),
    ("X_LEAVE", "E_CHECK", FENCE),
    ("X_UNPIN", "R_ADMIT", "a newcomer only reads, as the dead one did"),
    ("Z_SEQ_END", "Z_SEQ_CHECK", "the second look at a former count, kept from the last read"),
    ("Z_SEQ_MARK", "Z_SEQ_LOOK", "the fence of a former write, carried on by the next odd count"),
    ("Z_TWO_FLIP", "Z_TWO_CHECK", "the second look at a former count, kept from the last read"),
    ("Z_TWO_MARK", "Z_TWO_LOOK", "the fence of a former write, carried on by the next odd count"),
];

/// Why an acquiring fence meets more than its partner.
const FENCE: &str =
    "the fence takes up whatever its role has read before it; only the mark is wanted";

/// The edges that the table declares, from the site that releases to the one that acquires.
fn declared(table: &[Site]) -> BTreeSet<(&'static str, &'static str)> {
    let releases = |site: &Site| matches!(site.ordering, Release | AcqRel | SeqCst);
    let acquires = |site: &Site| matches!(site.ordering, Acquire | AcqRel | SeqCst);
    let from_site = |site: &'_ Site| {
        let partners = site.partners.iter().map(|&partner| &TABLE[usize::from(partner)]);
        let met = partners.filter(|partner| releases(site) && acquires(partner));
        met.map(|partner| (site.name, partner.name)).collect::<Vec<_>>()
    };
    table.iter().flat_map(from_site).collect()
}

/// What stands against the table in what was met.
fn findings(table: &[Site], meetings: &Meetings) -> Vec<String> {
    let name = |site: u16| TABLE[usize::from(site)].name;
    let ours = |site: &u16| usize::from(*site) < COUNT;
    let met = meetings.edges.iter().filter(|(from, to)| ours(from) && ours(to));
    let met: BTreeSet<_> = met.map(|(from, to)| (name(*from), name(*to))).collect();
    let ran: BTreeSet<_> =
        meetings.ran.iter().filter(|site| ours(site)).map(|site| name(*site)).collect();
    let declared = declared(table);
    let not_met: BTreeSet<_> = NOT_MET.iter().map(|(from, to, _)| (*from, *to)).collect();
    let incidental: BTreeSet<_> = INCIDENTAL.iter().map(|(from, to, _)| (*from, *to)).collect();
    let not_run: BTreeSet<_> = NOT_RUN.iter().map(|(site, _)| *site).collect();
    let mut findings = Vec::new();
    for (from, to) in declared.difference(&met).filter(|edge| !not_met.contains(*edge)) {
        findings.push(format!("{from} -> {to} is declared and met by no model"));
    }
    for (from, to) in met.difference(&declared).filter(|edge| !incidental.contains(*edge)) {
        findings.push(format!("{from} -> {to} is met and not declared"));
    }
    for site in table.iter().map(|site| site.name) {
        if !ran.contains(site) && !not_run.contains(site) {
            findings.push(format!("{site} runs in no model"));
        }
    }
    let stale = not_met.intersection(&met).chain(not_met.difference(&declared));
    let stale = stale.chain(incidental.difference(&met)).collect::<BTreeSet<_>>();
    findings.extend(
        stale.iter().map(|(from, to)| format!("the reason for {from} -> {to} is out of date")),
    );
    findings.extend(not_run.intersection(&ran).map(|site| format!("{site} runs after all")));
    let unknown = not_run.iter().filter(|name| table.iter().all(|site| site.name != **name));
    findings.extend(unknown.map(|site| format!("there is no {site} that needs a reason")));
    findings
}

/// Compares the table with what is met in all models of the shipped protocol.
pub(crate) fn check(request: &Request) -> ModelResult {
    let started = Instant::now();
    let mut result = blank(request, EDGES, ModelKind::SiteTable);
    let meetings = Arc::new(Mutex::new(Meetings::default()));
    let setup = Setup { watch: Some(Arc::clone(&meetings)), ..Setup::default() };
    result.coverage = Coverage::Complete;
    for entry in catalogue::all() {
        if entry.memory != "shipped" || entry.size == Size::Huge {
            continue;
        }
        let found = entry.model.run(Engine::Explore, &setup, &request.limits);
        result.executions += found.executions;
        result.blocked += found.blocked;
        match found.coverage {
            Some(Coverage::Complete) => {}
            Some(bounded) => result.coverage = bounded,
            None => result.coverage = Coverage::Bounded { bound: "the first failure".to_owned() },
        }
    }
    let meetings = meetings.lock().unwrap_or_else(PoisonError::into_inner);
    let wrong = findings(&TABLE, &meetings);
    result.verdict = match result.coverage {
        _ if !wrong.is_empty() => Verdict::Correctness,
        Coverage::Complete => Verdict::Pass,
        // What was not searched may hold edges that nobody has declared.
        _ => Verdict::Inconclusive,
    };
    result.outcomes = vec![
        format!("{} edges declared", declared(&TABLE).len()),
        format!(
            "{} of {COUNT} sites ran",
            meetings.ran.iter().filter(|site| usize::from(**site) < COUNT).count()
        ),
        format!("{} edges are incidental", INCIDENTAL.len()),
    ];
    result.counterexample = (!wrong.is_empty()).then(|| Counterexample {
        message: wrong.join("; "),
        english: "The table of sites does not say what the protocol does.".to_owned(),
        steps: wrong.clone(),
    });
    result.elapsed_ms = milliseconds(started);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(name: &str) -> u16 {
        datahub::sites::by_name(name).unwrap()
    }

    /// What a faultless run meets.
    fn faultless() -> Meetings {
        let edges = declared(&TABLE).into_iter();
        let edges = edges.chain(INCIDENTAL.iter().map(|(from, to, _)| (*from, *to)));
        let edges = edges.filter(|edge| !NOT_MET.iter().any(|(from, to, _)| (*from, *to) == *edge));
        let sites = TABLE.iter().map(|row| row.name);
        let ran = sites.filter(|name| !NOT_RUN.iter().any(|(site, _)| site == name));
        Meetings {
            ran: ran.map(site).collect(),
            edges: edges.map(|(from, to)| (site(from), site(to))).collect(),
        }
    }

    #[test]
    fn a_table_that_says_what_is_met_has_no_finding() {
        assert_eq!(findings(&TABLE, &faultless()), Vec::<String>::new());
    }

    #[test]
    fn an_edge_that_is_never_met_is_named() {
        let mut met = faultless();
        met.edges.remove(&(site("W_COMMIT"), site("R_ADMIT")));
        let wrong = findings(&TABLE, &met);
        assert_eq!(wrong, ["W_COMMIT -> R_ADMIT is declared and met by no model"]);
    }

    #[test]
    fn an_edge_that_nobody_declared_is_named() {
        let mut met = faultless();
        met.edges.insert((site("W_LATEST"), site("G_CURSOR")));
        let wrong = findings(&TABLE, &met);
        assert_eq!(wrong, ["W_LATEST -> G_CURSOR is met and not declared"]);
    }

    #[test]
    fn a_reason_for_a_site_that_is_not_there_is_named() {
        let (last, rest) = TABLE.split_last().unwrap();
        let told = format!("there is no {} that needs a reason", last.name);
        assert!(findings(rest, &faultless()).contains(&told));
    }

    #[test]
    fn a_site_that_runs_nowhere_and_a_reason_that_is_out_of_date_are_named() {
        let mut met = faultless();
        met.ran.remove(&site("W_TAKE"));
        met.ran.insert(site("M_READ"));
        let wrong = findings(&TABLE, &met);
        assert_eq!(wrong, ["W_TAKE runs in no model", "M_READ runs after all"]);
    }
}
