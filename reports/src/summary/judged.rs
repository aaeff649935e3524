//! Which trials of a cell are compared: one rule for gates, tables and pages.
//!
//! The harness writes into each trial whether gates took figures from it. Older documents do not say;
//! there the rule is applied to what they hold.

use report_schema::{CellResult, Placement, Trial};

/// Whether a trial ran whole, and its measured part began when figures held still, where that was
/// asked for.
#[must_use]
pub fn is_whole(trial: &Trial) -> bool {
    let steady = trial.warmup.as_ref().is_none_or(|warmup| warmup.steady);
    trial.broken.is_empty() && !trial.interrupted && steady
}

/// The commonest class of whole trials, near rather than far and far rather than unknown; `None` where
/// none is whole, or all of these moved.
#[must_use]
pub fn commonest(trials: &[&Trial]) -> Option<Placement> {
    let of = |class: Placement| {
        let fits = |trial: &Trial| is_whole(trial) && trial.calibration.class == class;
        trials.iter().filter(|trial| fits(trial)).count()
    };
    let classes = [Placement::Unknown, Placement::Far, Placement::Near];
    let most = classes.into_iter().map(|class| (of(class), class)).max_by_key(|(count, _)| *count);
    most.filter(|(count, _)| *count > 0).map(|(_, class)| class)
}

/// The trials of a cell that are compared, in the order they ran, and their class; unknown where there
/// are none.
#[must_use]
pub fn judged(cell: &CellResult) -> (Placement, Vec<&Trial>) {
    let trials = || cell.trials.iter();
    if trials().any(|trial| trial.judged.is_some()) {
        let judged: Vec<&Trial> = trials().filter(|trial| trial.judged == Some(true)).collect();
        let class = judged.first().map_or(Placement::Unknown, |trial| trial.calibration.class);
        return (class, judged);
    }
    let Some(class) = commonest(&trials().collect::<Vec<_>>()) else {
        return (Placement::Unknown, vec![]);
    };
    let fits = |trial: &&Trial| is_whole(trial) && trial.calibration.class == class;
    (class, trials().filter(fits).collect())
}

#[cfg(test)]
mod tests {
    use report_schema::SuiteResult;

    use super::*;

    const GOLDEN: &str = include_str!("../../schema/tests/golden/result-1.json");

    /// A cell with trials of these classes, numbered.
    fn cell(classes: &[Placement]) -> CellResult {
        let mut suite = SuiteResult::from_json(GOLDEN).unwrap();
        let mut cell = suite.scenarios.remove(0).cells.remove(0);
        let trial = cell.trials[0].clone();
        let numbered = (0..).zip(classes).map(|(repeat, class)| {
            let mut trial = Trial { repeat, judged: None, ..trial.clone() };
            trial.calibration.class = *class;
            trial
        });
        cell.trials = numbered.collect();
        cell
    }

    fn compared(cell: &CellResult) -> (Placement, Vec<u32>) {
        let (class, trials) = judged(cell);
        (class, trials.iter().map(|trial| trial.repeat).collect())
    }

    #[test]
    fn an_older_document_is_read_by_the_rule_of_the_gates() {
        use Placement::{Changed, Far, Near, Unknown};
        assert_eq!(compared(&cell(&[Near, Far, Far, Changed])), (Far, vec![1, 2]));
        assert_eq!(compared(&cell(&[Far, Near, Changed])), (Near, vec![1]));
        assert_eq!(compared(&cell(&[Unknown, Unknown])), (Unknown, vec![0, 1]));
        assert_eq!(compared(&cell(&[Changed])), (Unknown, vec![]));
        let mut some = cell(&[Near, Near, Near, Far, Far]);
        some.trials[0].broken.push("deadline".to_owned());
        some.trials[1].interrupted = true;
        assert_eq!(compared(&some), (Far, vec![3, 4]));
    }

    #[test]
    fn what_the_document_says_of_its_trials_counts() {
        let mut said = cell(&[Placement::Near, Placement::Far, Placement::Far]);
        for (trial, judged) in said.trials.iter_mut().zip([true, false, false]) {
            trial.judged = Some(judged);
        }
        assert_eq!(compared(&said), (Placement::Near, vec![0]));
        said.trials[0].judged = Some(false);
        assert_eq!(compared(&said), (Placement::Unknown, vec![]));
    }
}
