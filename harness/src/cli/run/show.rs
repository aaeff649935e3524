//! What a run shows at its end: a table of cells, what did not hold and where, one last line.

mod findings;

use report_schema::{
    CellResult, Counts, GateResult, Latency, Placement, Role, SuiteResult, Trial, Verdict,
};
use reports::format;
use reports::summary::judged;

use super::Exit;
use crate::cli::unchecked;
use crate::table;
use crate::verdict::moved;
pub(in crate::cli) use findings::findings;

/// One row a cell.
pub(in crate::cli) fn table(result: &SuiteResult) -> String {
    let mut table = table::with_header([
        "cell",
        "verdict",
        "cores",
        "line",
        "p50",
        "p99",
        "rate",
        "bytes",
        "violations",
    ]);
    for cell in cells(result) {
        table.add_row(row(cell));
    }
    table::text(&table) + &legend(result)
}

/// What the columns are, for who sees them for the first time.
fn legend(result: &SuiteResult) -> String {
    let measured = |trial: &Trial| trial.calibration.before_ns.is_some();
    let trials = || cells(result).flat_map(|cell| &cell.trials);
    let line = "line: one way over a bare cache line between the same two cores in the same trial; \
                cores are near (they share a cache) or far by it, and figures of one class only are \
                shown.";
    let offered = "rate: achieved, of what was asked for.";
    let mut text = String::new();
    if trials().any(measured) {
        text.push_str(&table::line(line, ["", "  "]));
    }
    if cells(result).any(|cell| cell.offered_rate_hz.is_some()) {
        text.push_str(&table::line(offered, ["", "  "]));
    }
    text
}

fn cells(result: &SuiteResult) -> impl Iterator<Item = &CellResult> {
    result.scenarios.iter().flat_map(|scenario| &scenario.cells)
}

fn row(cell: &CellResult) -> [String; 9] {
    let (class, trials) = settled(cell);
    let latency = |part: fn(&Latency) -> u64| {
        let roles = trials.iter().flat_map(|trial| &trial.roles);
        let values = roles.filter_map(|role| role.latency.as_ref()).map(|l| part(l) as f64);
        median(values.collect()).map_or("-".to_owned(), format::nanos)
    };
    let producers = || {
        let roles = trials.iter().flat_map(|trial| &trial.roles);
        roles.filter(|role| role.role == Role::Producer)
    };
    let line = trials.iter().filter_map(|trial| trial.calibration.before_ns);
    let messages = producers().map(|role| role.throughput_msgs_per_s).collect();
    let bytes = producers().map(|role| role.bytes_per_s).collect();
    let counts: Counts = cell.trials.iter().map(|trial| trial.counts).sum();
    [
        cell.id.clone(),
        cell.verdict.to_string(),
        class,
        median(line.map(|ns| ns as f64).collect()).map_or("-".to_owned(), format::nanos),
        latency(|latency| latency.p50_ns),
        latency(|latency| latency.p99_ns),
        sustained(cell).unwrap_or_else(|| achieved(cell, median(messages))),
        median(bytes).map_or("-".to_owned(), format::byte_rate),
        violations(&counts),
    ]
}

/// What a search found, half of its repeats at least; `None` where nothing was searched.
fn sustained(cell: &CellResult) -> Option<String> {
    let searches = cell.trials.iter().filter_map(|trial| trial.search.as_ref());
    if searches.clone().any(|search| search.undecided.is_some()) {
        return Some("no answer".to_owned());
    }
    let rate = median(searches.map(|search| search.sustained_hz.unwrap_or(0.0)).collect())?;
    let none = || "none sustained".to_owned();
    Some(if rate > 0.0 { format!("{} sustained", format::rate(rate)) } else { none() })
}

/// The rate, beside what was asked for.
fn achieved(cell: &CellResult, rate: Option<f64>) -> String {
    let achieved = rate.map_or("-".to_owned(), format::rate);
    match cell.offered_rate_hz.filter(|_| rate.is_some()) {
        Some(offered) => format!("{achieved} of {}", format::rate(offered)),
        None => achieved,
    }
}

/// The trials that gates took figures from, and their class in words: figures of two classes are never
/// mixed.
fn settled(cell: &CellResult) -> (String, Vec<&Trial>) {
    let (class, trials) = judged(cell);
    let (total, moved) = (cell.trials.len(), cell.trials.iter().all(moved));
    let said = match trials.len() {
        _ if total == 0 => "-".to_owned(),
        0 if moved => Placement::Changed.as_str().to_owned(),
        0 => format!("none of {total}"),
        count if count == total => class.as_str().to_owned(),
        count => format!("{class}, {count} of {total}", class = class.as_str()),
    };
    (said, trials)
}

/// `0`, or each kind with its number.
fn violations(counts: &Counts) -> String {
    let bad = ["torn", "mislabelled", "backward", "lost", "duplicated", "checksum_failures"];
    let found: Vec<String> = counts
        .named()
        .into_iter()
        .filter(|(name, number)| *number > 0 && bad.contains(name))
        .map(|(name, number)| format!("{name} {number}"))
        .collect();
    if found.is_empty() { "0".to_owned() } else { found.join(", ") }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// The verdict in words.
pub(in crate::cli) fn last_line(result: &SuiteResult, exit: Exit) -> String {
    let gates: Vec<&GateResult> = cells(result).flat_map(|cell| &cell.gates).collect();
    let failed = gates.iter().filter(|gate| gate.verdict != Verdict::Pass).count();
    let total = gates.len();
    let lacking = format!("all {total} expectations hold, but not everything ran");
    let judged =
        |gate: &&GateResult| !matches!(gate.verdict, Verdict::Pass | Verdict::Inconclusive);
    let unsure = !gates.iter().any(judged);
    let compared = unchecked::said(&result.comparisons);
    let worst = unchecked::worst(&result.comparisons);
    match exit {
        Exit::Interrupted => "interrupted: what was finished is in the report".to_owned(),
        Exit::NothingRan => "nothing ran".to_owned(),
        _ if result.verdict == Verdict::Pass => {
            let compared = compared.map(|told| format!("; {told}")).unwrap_or_default();
            format!("pass: all {total} expectations hold{compared}")
        }
        _ if failed == 0 && worst == Some(result.verdict) => {
            let told = compared.unwrap_or_default();
            format!("{}: all {total} expectations hold, but {told}", result.verdict)
        }
        _ if failed == 0 => format!("{}: {lacking}", result.verdict),
        Exit::Pass => {
            format!("pass, as allowed: {failed} of {total} expectations are inconclusive")
        }
        _ if unsure => {
            format!("{}: {failed} of {total} expectations could not be judged", result.verdict)
        }
        _ => format!("{}: {failed} of {total} expectations do not hold", result.verdict),
    }
}

#[cfg(test)]
mod tests {
    use report_schema::Search;

    use super::*;
    use crate::compare::tests::{cell, trial};

    const GOLDEN: &str = include_str!("../../../../reports/schema/tests/golden/result-1.json");

    #[test]
    fn violations_are_named_with_their_numbers_and_what_is_allowed_is_not() {
        let counts = Counts { torn: 3, lost: 1, lapped: 9, timeouts: 2, ..Counts::default() };
        assert_eq!(violations(&counts), "torn 3, lost 1");
        assert_eq!(violations(&Counts { lapped: 9, ..Counts::default() }), "0");
    }

    #[test]
    fn a_search_shows_what_was_sustained_and_also_that_nothing_was() {
        let found = |rates: &[Option<f64>], undecided: Option<&str>| {
            let mut searched = cell("c");
            for sustained_hz in rates {
                let (bound, steps) = (String::new(), vec![]);
                let (sustained_hz, undecided) = (*sustained_hz, undecided.map(str::to_owned));
                let search = Search { bound, sustained_hz, refused_hz: None, undecided, steps };
                let mut trial = trial(0, 0, Placement::Near, 1.0);
                trial.search = Some(search);
                searched.trials.push(trial);
            }
            row(&searched)[6].clone()
        };
        assert_eq!(found(&[Some(9_600.0)], None), "9.6 k/s sustained");
        assert_eq!(found(&[None, None, Some(9_600.0)], None), "none sustained");
        assert_eq!(found(&[Some(9_600.0)], Some("too few samples")), "no answer");
        assert!(!found(&[], None).contains("sustained"));
    }

    #[test]
    fn the_last_line_says_what_could_not_be_judged_and_what_does_not_hold() {
        let said = |verdict: Verdict, gates: &[Verdict], exit: Exit| {
            let mut result: SuiteResult = serde_json::from_str(GOLDEN).unwrap();
            result.verdict = verdict;
            let cell = &mut result.scenarios[0].cells[0];
            let gate = cell.gates[0].clone();
            cell.gates = gates
                .iter()
                .map(|verdict| GateResult { verdict: *verdict, ..gate.clone() })
                .collect();
            result.scenarios.truncate(1);
            result.scenarios[0].cells.truncate(1);
            last_line(&result, exit)
        };
        let (pass, unsure) = (Verdict::Pass, Verdict::Inconclusive);
        for (verdict, gates, exit, line) in [
            (pass, &[pass, pass][..], Exit::Pass, "pass: all 2 expectations hold"),
            (unsure, &[pass], Exit::Inconclusive, "inconclusive: all 1 expectations hold, but not"),
            (
                unsure,
                &[pass, unsure],
                Exit::Inconclusive,
                "inconclusive: 1 of 2 expectations could",
            ),
            (unsure, &[pass, unsure], Exit::Pass, "pass, as allowed: 1 of 2 expectations are inc"),
            (Verdict::Broken, &[unsure], Exit::Broken, "broken: 1 of 1 expectations could not be"),
            (
                Verdict::Performance,
                &[pass, Verdict::Performance],
                Exit::Performance,
                "performance: 1 of 2 expectations do not hold",
            ),
        ] {
            let said = said(verdict, gates, exit);
            assert!(said.starts_with(line), "{said}");
        }
    }

    #[test]
    fn the_median_of_nothing_is_nothing() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
    }
}
