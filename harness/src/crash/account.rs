//! What a whole run of kills must have shown, whatever each row says for itself: a row for every victim, site
//! and shape, as many kills as were asked for at every site that a victim comes to, no excuse that is no longer
//! so, and enough in all.
//!
//! It trusts neither the driver nor the reasons: it counts what came back, and knows what had to.

use std::collections::BTreeSet;

use datahub::sites::TABLE;
use report_schema::{CrashResult, Verdict};
use serde::{Deserialize, Serialize};

use super::reason::{by_chance, reason, repeats};
use super::rounds::Kind;
use super::shape::{Shape, Sync};

/// One row as it came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tried {
    pub(super) result: CrashResult,
    /// Kills that were asked for; 0: such a victim never comes there, or is killed there as another.
    pub(super) wanted: u64,
    /// At least half of the scouts came there, with every seed: it is no matter of chance who meets whom.
    pub(super) steady: bool,
}

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked<'a> {
    /// Every victim, site and shape; otherwise a part, of which less can be said.
    pub(super) whole: bool,
    /// The blocks.
    pub(super) shapes: &'a [Shape],
    /// Kills in all.
    pub(super) at_least: u64,
}

/// The rows that a result keeps, and what is missing in all of them together, one sentence each.
pub(super) fn account(mut tried: Vec<Tried>, asked: Asked<'_>) -> (Vec<CrashResult>, Vec<String>) {
    let gaps = if asked.whole { gaps(&tried, asked) } else { vec![] };
    let shortfalls: Vec<Option<(Verdict, String)>> =
        tried.iter().map(|row| wrong(row, &tried, asked.whole)).collect();
    for (row, wrong) in tried.iter_mut().zip(shortfalls) {
        let (Some((verdict, why)), Verdict::Pass | Verdict::Inconclusive) =
            (wrong, row.result.verdict)
        else {
            excuse(row);
            continue;
        };
        row.result.verdict = verdict;
        row.result.unreached = Some(why);
    }
    (fold(tried.into_iter().map(|row| row.result).collect()), gaps)
}

/// Nobody was killed in this block where only chance leads to the site, and nothing is wrong with that:
/// enough were in the other ones.
fn excuse(row: &mut Tried) {
    let idle = row.result.kills == 0 && row.result.verdict == Verdict::Inconclusive;
    if idle && row.wanted > 0 && !row.steady {
        row.result.verdict = Verdict::Pass;
        row.result.unreached = None;
    }
}

/// What is wrong with a row that says that nothing is.
fn wrong(row: &Tried, all: &[Tried], whole: bool) -> Option<(Verdict, String)> {
    let CrashResult { victim, site, visits, kills, .. } = &row.result;
    let kind = Kind::ALL.into_iter().find(|kind| kind.name() == victim)?;
    let of_site = |kinds: &[&str]| {
        let own = |other: &&Tried| {
            other.result.site == *site && kinds.contains(&other.result.victim.as_str())
        };
        all.iter().filter(own).map(|other| other.result.kills).sum::<u64>()
    };
    if let Some(why) = reason(kind, site).filter(|_| *visits > 0 || *kills > 0) {
        let said = format!("it comes there, and this is no longer so: {why}");
        return Some((Verdict::Broken, said));
    }
    if by_chance(kind, site).is_some() {
        return None;
    }
    if repeats(kind, site) {
        let missing = whole && *visits > 0 && of_site(&["writer", "reader"]) == 0;
        let why = "it comes there, and nobody was killed there as `writer` or `reader`";
        return missing.then(|| (Verdict::Inconclusive, why.to_owned()));
    }
    // Where chance decides who comes there, all blocks together count.
    let (killed, where_) =
        if row.steady { (*kills, "") } else { (of_site(&[victim]), " in all blocks together") };
    (killed < row.wanted).then(|| {
        let why =
            format!("killed {killed} of {} times{where_}: it came there too rarely", row.wanted);
        (Verdict::Inconclusive, why)
    })
}

/// What no row can say.
fn gaps(tried: &[Tried], asked: Asked<'_>) -> Vec<String> {
    let mut gaps = vec![];
    for shape in asked.shapes {
        let block = shape.name();
        for kind in Kind::ALL.into_iter().filter(|kind| !is_idle(*kind, *shape)) {
            let victim = kind.name();
            let rows = tried.iter().map(|row| &row.result);
            let own = rows.filter(|row| row.victim == victim && row.shape == block);
            let (told, kills): (BTreeSet<&str>, Vec<u64>) =
                own.map(|row| (row.site.as_str(), row.kills)).unzip();
            let mut untold = TABLE.iter().map(|site| site.name).filter(|name| !told.contains(name));
            if told.is_empty() {
                gaps.push(format!("nothing was told of any {victim} in {block}"));
                continue;
            }
            if let Some(first) = untold.next() {
                let more = match untold.count() {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                gaps.push(format!("nothing was told of {victim}/{first}{more} in {block}"));
            }
            if kills.iter().all(|kills| *kills == 0) {
                gaps.push(format!("no {victim} was killed in {block}"));
            }
        }
    }
    let killed: u64 = tried.iter().map(|row| row.result.kills).sum();
    if killed < asked.at_least {
        gaps.push(format!("{killed} kills are fewer than the {} asked for", asked.at_least));
    }
    gaps
}

/// Whether such a victim has nothing to do in such a block. This is said here once more, so that a driver
/// that leaves out others is found.
fn is_idle(kind: Kind, shape: Shape) -> bool {
    // Who died inside a slot there stands in nobody's way: another one is free.
    kind == Kind::Undertaker && shape.sync == Sync::Latest && !shape.is_tight()
}

/// Of the rows without a kill only one for each victim and site stays, and only where nobody was
/// killed there in any block. What did not pass is never folded away.
fn fold(rows: Vec<CrashResult>) -> Vec<CrashResult> {
    let same = |row: &CrashResult, other: &CrashResult| {
        row.victim == other.victim && row.site == other.site
    };
    let kept = |row: &CrashResult| {
        let wrong = !matches!(row.verdict, Verdict::Pass | Verdict::Inconclusive);
        row.kills > 0 || wrong || row.visits > 0 && row.verdict != Verdict::Pass
    };
    let (kept, idle): (Vec<_>, Vec<_>) = rows.into_iter().partition(kept);
    let mut folded: Vec<CrashResult> = vec![];
    for row in idle {
        if !kept.iter().chain(&folded).any(|other| same(&row, other)) {
            folded.push(CrashResult { shape: "every block".to_owned(), ..row });
        }
    }
    kept.into_iter().chain(folded).collect()
}

#[cfg(test)]
mod tests {
    use super::super::shape::Stamped;
    use super::*;

    const WHOLE: Asked<'_> = Asked { whole: true, shapes: &[], at_least: 0 };

    fn row(victim: &str, site: &str, shape: &str, (visits, kills): (u64, u64)) -> Tried {
        let result = CrashResult {
            victim: victim.to_owned(),
            site: site.to_owned(),
            shape: shape.to_owned(),
            visits,
            kills,
            unreached: None,
            torn: 0,
            mislabelled: 0,
            backward: 0,
            lost: 0,
            duplicated: 0,
            stuck: 0,
            leaked: 0,
            blocked_ns_max: 0,
            example: None,
            replay: String::new(),
            verdict: Verdict::Pass,
        };
        Tried { result, wanted: if visits > 0 { 3 } else { 0 }, steady: true }
    }

    fn unknown(mut row: Tried) -> Tried {
        row.result.verdict = Verdict::Inconclusive;
        row
    }

    fn chance(row: Tried) -> Tried {
        Tried { steady: false, ..row }
    }

    /// What is said of each row that stays: its shape, its verdict, and why.
    fn told(rows: Vec<Tried>) -> Vec<(String, Verdict, String)> {
        let (rows, _) = account(rows, WHOLE);
        let told = |row: CrashResult| (row.shape, row.verdict, row.unreached.unwrap_or_default());
        rows.into_iter().map(told).collect()
    }

    fn is(shape: &str, verdict: Verdict, why: &str) -> (String, Verdict, String) {
        (shape.to_owned(), verdict, why.to_owned())
    }

    #[test]
    fn a_site_is_unreached_when_no_block_leads_there() {
        let rows = vec![
            unknown(row("writer", "W_CLOSE", "a", (0, 0))),
            row("writer", "W_CLOSE", "b", (2, 3)),
            row("writer", "R_ADMIT", "a", (0, 0)),
            row("writer", "R_ADMIT", "b", (0, 0)),
            unknown(row("writer", "W_TAKE", "a", (0, 0))),
        ];
        assert_eq!(
            told(rows),
            [
                is("b", Verdict::Pass, ""),
                is("every block", Verdict::Pass, ""),
                is("every block", Verdict::Inconclusive, ""),
            ]
        );
    }

    #[test]
    fn what_went_wrong_is_never_folded_away() {
        let bad = |shape, verdict| {
            let mut row = row("writer", "W_TAKE", shape, (0, 0));
            row.result.verdict = verdict;
            row
        };
        let fine = row("writer", "W_TAKE", "a", (2, 3));
        let rows = vec![fine, bad("b", Verdict::Correctness), bad("c", Verdict::Broken)];
        assert_eq!(told(rows).len(), 3);
    }

    #[test]
    fn fewer_kills_than_asked_for_are_no_pass_in_any_block() {
        let few = "killed 2 of 3 times: it came there too rarely";
        let none = "killed 0 of 3 times: it came there too rarely";
        let rows = vec![
            row("writer", "W_TAKE", "a", (5, 3)),
            row("writer", "W_TAKE", "b", (5, 2)),
            row("writer", "W_TAKE", "c", (5, 0)),
        ];
        assert_eq!(
            told(rows),
            [
                is("a", Verdict::Pass, ""),
                is("b", Verdict::Inconclusive, few),
                is("c", Verdict::Inconclusive, none),
            ]
        );
    }

    #[test]
    fn where_chance_decides_all_blocks_together_must_do() {
        let of = |second| {
            let rows = vec![
                chance(row("writer", "W_REOPEN", "a", (1, 2))),
                chance(row("writer", "W_REOPEN", "b", (1, second))),
            ];
            told(rows).into_iter().map(|(_, verdict, _)| verdict).collect::<Vec<_>>()
        };
        assert_eq!(of(1), [Verdict::Pass, Verdict::Pass]);
        assert_eq!(of(0), [Verdict::Inconclusive, Verdict::Inconclusive]);
    }

    #[test]
    fn a_block_in_which_chance_led_nobody_there_lacks_nothing_where_others_have_enough() {
        let of = |killed| {
            let rows = vec![
                unknown(chance(row("writer", "W_REOPEN", "a", (1, 0)))),
                chance(row("writer", "W_REOPEN", "b", (4, killed))),
            ];
            told(rows).into_iter().map(|(_, verdict, _)| verdict).collect::<Vec<_>>()
        };
        assert_eq!(of(3), [Verdict::Pass]);
        assert_eq!(of(2), [Verdict::Inconclusive; 2]);
    }

    #[test]
    fn an_excuse_that_is_no_longer_so_is_broken_by_name() {
        for (visits, kills) in [(1, 0), (1, 3)] {
            let told = told(vec![row("writer", "R_ADMIT", "a", (visits, kills))]);
            let [(_, Verdict::Broken, why)] = &told[..] else { panic!("{told:?}") };
            assert!(why.ends_with("no longer so: only a consumer comes there"), "{why}");
        }
    }

    #[test]
    fn where_few_ever_come_nothing_is_asked_for() {
        for kills in [0, 1] {
            let told = told(vec![row("writer", "E_UNPIN", "a", (1, kills))]);
            assert_eq!(told.iter().map(|row| row.1).max(), Some(Verdict::Pass));
        }
    }

    #[test]
    fn killed_there_as_another_is_held_against_the_rows() {
        let repeated = |kills| {
            let mut joiner = row("joiner", "R_ADMIT", "a", (2, 0));
            joiner.wanted = 0;
            let rows = vec![joiner, row("reader", "R_ADMIT", "a", (2, kills))];
            account(rows, WHOLE).0.iter().map(|row| row.verdict).max()
        };
        assert_eq!(repeated(3), Some(Verdict::Pass));
        assert_eq!(repeated(0), Some(Verdict::Inconclusive));
    }

    #[test]
    fn fewer_kills_in_all_are_missing() {
        let rows = || vec![row("writer", "W_TAKE", "a", (1, 3))];
        let asked = Asked { at_least: 4, ..WHOLE };
        assert_eq!(account(rows(), asked).1, ["3 kills are fewer than the 4 asked for"]);
        assert_eq!(account(rows(), Asked { whole: false, ..asked }).1, [""; 0]);
    }

    fn shape(sync: Sync, physical_slots: u32) -> Shape {
        Shape {
            sync,
            slots: 4,
            physical_slots,
            readers: 2,
            park: false,
            checksum: Stamped::Never,
            zones: false,
            batch: 1,
        }
    }

    /// A row for everything in these blocks, and what is missing of those that `came` back.
    fn missing(shapes: &[Shape], came: impl Fn(&CrashResult) -> bool) -> Vec<String> {
        let mut rows = vec![];
        for shape in shapes {
            for kind in Kind::ALL {
                let of = |site: &str| row(kind.name(), site, &shape.name(), (1, 3));
                rows.extend(TABLE.iter().map(|site| of(site.name)));
            }
        }
        rows.retain(|row| came(&row.result));
        gaps(&rows, Asked { shapes, ..WHOLE })
    }

    #[test]
    fn what_the_driver_leaves_out_is_missing_by_name() {
        let shapes = [shape(Sync::All, 0), shape(Sync::Overwritten, 0)];
        let [sync, over] = shapes.map(Shape::name);
        assert_eq!(missing(&shapes, |_| true), [""; 0]);
        // A kind of victim, in one block and in all.
        let gaps = missing(&shapes, |row| (&*row.victim, &row.shape) != ("undertaker", &over));
        assert_eq!(gaps, [format!("nothing was told of any undertaker in {over}")]);
        let gaps = missing(&shapes, |row| row.victim != "joiner");
        assert_eq!(
            gaps,
            [&sync, &over].map(|at| format!("nothing was told of any joiner in {at}"))
        );
        // A block.
        assert_eq!(missing(&shapes, |row| row.shape != over).len(), Kind::ALL.len());
        // A site, and several.
        let gaps = missing(&shapes, |row| row.site != "W_TAKE" || row.shape == over);
        let told = |kind: Kind| format!("nothing was told of {}/W_TAKE in {sync}", kind.name());
        assert_eq!(gaps, Kind::ALL.map(told));
        let gaps = missing(&shapes[..1], |row| {
            row.victim != "reader" || !["W_LOOK", "W_TAKE", "M_ADD"].contains(&&*row.site)
        });
        assert_eq!(gaps, [format!("nothing was told of reader/W_LOOK and 2 more in {sync}")]);
    }

    #[test]
    fn only_who_has_nothing_to_do_may_be_left_out() {
        let missed = |sync, physical| {
            let shape = shape(sync, physical);
            !missing(&[shape], |row| row.victim != "undertaker").is_empty()
        };
        assert!(!missed(Sync::Latest, 0));
        assert!(missed(Sync::Latest, 5) && missed(Sync::One, 0) && missed(Sync::Evicting, 0));
    }

    #[test]
    fn a_kind_of_which_nobody_died_in_a_block_is_missing() {
        let shapes = [shape(Sync::All, 0)];
        let mut rows: Vec<Tried> = vec![];
        for kind in Kind::ALL {
            let kills = if kind == Kind::Joiner { 0 } else { 3 };
            let of = |site: &str| row(kind.name(), site, &shapes[0].name(), (kills, kills));
            rows.extend(TABLE.iter().map(|site| of(site.name)));
        }
        let gaps = gaps(&rows, Asked { shapes: &shapes, ..WHOLE });
        assert_eq!(gaps, [format!("no joiner was killed in {}", shapes[0].name())]);
    }
}
