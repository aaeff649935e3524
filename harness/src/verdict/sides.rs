//! Which trials of two sides are held against each other, for gates and comparisons alike.
//!
//! Only trials that ran whole, held still and did not move are; each with those of the other side in
//! its stratum: the same block, if the sides ran in turns, and cores of the same bare line. Knows
//! nothing of: what a figure means, and how large a difference matters.

use report_schema::{Repeat, Side, Trial};
use reports::summary::is_whole;

use super::moved;
use crate::gate::MissingFigure;
use crate::statistics::partnered;

/// One trial of one side.
#[derive(Debug, Clone)]
pub(crate) struct Member<'a> {
    /// Whose it is.
    pub(crate) side: Side,
    pub(crate) trial: &'a Trial,
    /// The block of neighbours that it ran in.
    pub(crate) block: Option<u32>,
    /// Its figure, or why it has none.
    pub(crate) value: Result<f64, MissingFigure>,
    /// Whether it is held against the other side.
    pub(crate) compared: bool,
}

impl Member<'_> {
    /// Its figure, if it has one.
    pub(crate) fn figure(&self) -> Option<f64> {
        self.value.as_ref().ok().copied()
    }

    fn repeat(&self) -> Option<Repeat> {
        let (side, block, line_ns) = (self.side, self.block, line_ns(self.trial));
        let value = self.figure().filter(|_| may_count(self.trial))?;
        Some(Repeat { side, block, line_ns, value })
    }

    /// Why its trial, which might count, has no figure: who leaves it out may leave out the worst.
    pub(crate) fn lacks(&self) -> Option<&MissingFigure> {
        self.value.as_ref().err().filter(|_| may_count(self.trial))
    }
}

/// All trials of both sides; in the order in which they ran where that was in turns, block by block.
pub(crate) fn sides<'a>(
    base: impl IntoIterator<Item = &'a Trial>,
    candidate: impl IntoIterator<Item = &'a Trial>,
    together: bool,
    figure: impl Fn(Side, &Trial) -> Result<f64, MissingFigure>,
) -> Vec<Member<'a>> {
    let member = |side| {
        let figure = &figure;
        move |trial: &'a Trial| Member {
            side,
            trial,
            block: together.then_some(trial.repeat / 2),
            value: figure(side, trial),
            compared: false,
        }
    };
    let base = base.into_iter().map(member(Side::Base));
    let mut all: Vec<Member<'a>> =
        base.chain(candidate.into_iter().map(member(Side::Candidate))).collect();
    if together {
        all.sort_by_key(|member| member.trial.started_ms);
    }
    let (places, repeats): (Vec<usize>, Vec<Repeat>) = all
        .iter()
        .enumerate()
        .filter_map(|(place, member)| Some((place, member.repeat()?)))
        .unzip();
    for kept in partnered(&repeats) {
        all[places[kept]].compared = true;
    }
    all
}

/// The figures that are held against each other.
pub(crate) fn compared(members: &[Member<'_>]) -> Vec<Repeat> {
    members.iter().filter(|member| member.compared).filter_map(Member::repeat).collect()
}

/// How many repeats of the poorer side have a partner, whatever their figures are.
#[must_use]
pub(crate) fn comparable<'a>(
    base: impl IntoIterator<Item = &'a Trial>,
    candidate: impl IntoIterator<Item = &'a Trial>,
) -> usize {
    let repeats = compared(&sides(base, candidate, true, |_, _| Ok(0.0)));
    let base = repeats.iter().filter(|repeat| repeat.side == Side::Base).count();
    base.min(repeats.len() - base)
}

/// Whether a trial's figures may be held against others.
pub(super) fn may_count(trial: &Trial) -> bool {
    is_whole(trial) && !moved(trial)
}

pub(super) fn is_steady(trial: &Trial) -> bool {
    trial.warmup.as_ref().is_none_or(|warmup| warmup.steady)
}

/// One way over the bare line of a trial, to the nearest power of two: cores that share one core's
/// parts, a cache or neither are far apart on this scale, and one of them is not.
pub(super) fn line_ns(trial: &Trial) -> Option<u64> {
    let line = trial.calibration;
    let product = line.before_ns?.saturating_mul(line.after_ns?).max(1);
    Some(1 << product.ilog2().div_ceil(2))
}
