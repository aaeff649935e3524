//! A search for the highest rate: one trial after the other, as [`Bisection`] asks for them.
//!
//! What is kept: the trial at the highest rate that held, and every trial in which something was wrong.

use super::Runner;
use super::search::{ATTEMPTS, Bisection, Lack, at_rate, step};
use crate::record::Recorded;
use crate::run::Order;
use crate::scenario::model::Quest;
use crate::units::Hertz;

/// A rate whose trial ran between other cores than the first one is tried again so many times at most.
const REPEATS: u32 = 3;
const MOVED: &str = "the cores moved between near and far";

/// The trials of a search that stay in the result.
#[derive(Default)]
struct Kept {
    best: Option<Recorded>,
    wrong: Vec<Recorded>,
}

impl Kept {
    /// The trial at the highest rate that held stands for the search.
    fn held(&mut self, recorded: Recorded) {
        let former = self.best.replace(recorded);
        self.wrong.extend(former.filter(is_wrong));
    }

    /// The first one stands for the search until a rate holds.
    fn other(&mut self, recorded: Recorded) {
        if self.best.is_none() {
            self.best = Some(recorded);
        } else if is_wrong(&recorded) {
            self.wrong.push(recorded);
        }
    }
}

/// Whether something happened in a trial that must not happen at any rate.
fn is_wrong(recorded: &Recorded) -> bool {
    let counts = recorded.trial.counts;
    let bad = counts.violations() > 0 || counts.lost > 0;
    bad || !(recorded.trial.broken.is_empty() && recorded.trial.mismatches.is_empty())
}

impl Runner<'_> {
    /// One rate after the other.
    pub(super) fn search(&mut self, order: Order<'_>, quest: Quest) -> Vec<Recorded> {
        let mut bisection = Bisection::new(quest);
        let mut kept = Kept::default();
        while let Some(rate) = bisection.next() {
            let cell = at_rate(order.cell, quest, rate);
            let order = Order { cell: &cell, ..order };
            if !self.is_settled(order, (quest, rate), &mut bisection, &mut kept) {
                break;
            }
        }
        if let Some(best) = &mut kept.best {
            best.trial.search = Some(bisection.finish());
            best.trial.interrupted |= self.cut;
        }
        kept.best.into_iter().chain(kept.wrong).collect()
    }

    /// Tries a rate until it has held or not; `false` where the search ends before that.
    fn is_settled(
        &mut self,
        order: Order<'_>,
        (quest, rate): (Quest, Hertz),
        bisection: &mut Bisection,
        kept: &mut Kept,
    ) -> bool {
        let (mut attempts, mut elsewhere) = (0, 0);
        while !self.ends_here() {
            let mut all = self.settle(order);
            let Some(recorded) = all.pop() else { return false };
            kept.wrong.extend(all.into_iter().filter(is_wrong));
            if recorded.trial.interrupted {
                // It says nothing of its rate.
                kept.other(recorded);
                return false;
            }
            let (step, lack) = step(order.cell, quest, rate, &recorded);
            if !bisection.counts(&step) {
                elsewhere += 1;
                bisection.leave_out(step);
                kept.other(recorded);
                if elsewhere > REPEATS {
                    bisection.give_up(MOVED.to_owned());
                    return false;
                }
                continue;
            }
            attempts += 1;
            let unknown = matches!(lack, Some(Lack::Unknown(_)));
            bisection.note(rate, step, attempts == ATTEMPTS && !unknown);
            match lack {
                None => {
                    kept.held(recorded);
                    return true;
                }
                Some(Lack::Refused(_)) => kept.other(recorded),
                Some(Lack::Unknown(why)) => {
                    kept.other(recorded);
                    bisection.give_up(why);
                    return false;
                }
            }
            if attempts == ATTEMPTS {
                return true;
            }
        }
        false
    }
}
