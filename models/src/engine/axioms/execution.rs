//! One candidate: who reads from whom, and what the axioms say of it.

use core::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst};

use super::{CELL, Event, Relation, START, WORDS};
use crate::litmus::program::Step;

const fn acquires(ordering: Ordering) -> bool {
    matches!(ordering, Acquire | AcqRel | SeqCst)
}

const fn releases(ordering: Ordering) -> bool {
    matches!(ordering, Release | AcqRel | SeqCst)
}

/// A candidate whose values fit and whose reads do not come from the future.
#[derive(Debug)]
pub(super) struct Execution<'e> {
    events: &'e [Event],
    /// Whether each event happened at all.
    happened: Vec<bool>,
    found: Vec<Option<u64>>,
    wrote: Vec<Option<u64>>,
    /// Where each read got it from.
    source: Vec<Option<usize>>,
    order: Relation,
    reads_from: Relation,
    happens_before: Relation,
}

impl<'e> Execution<'e> {
    /// The candidate in which each read of `from` takes what the second wrote. The third is true of one
    /// source of a read: what does not happen counts once.
    pub(super) fn of(
        events: &'e [Event],
        order: &Relation,
        from: Vec<(usize, usize, bool)>,
    ) -> Option<Self> {
        let count = events.len();
        let mut reads_from = Relation::none(count);
        for &(read, write, _) in &from {
            reads_from.relate(write, read);
        }
        let causes = order.or(&reads_from).closed();
        if !causes.is_irreflexive() {
            return None;
        }
        let mut this = Self {
            events,
            happened: vec![false; count],
            found: vec![None; count],
            wrote: vec![None; count],
            source: vec![None; count],
            order: order.clone(),
            reads_from,
            happens_before: Relation::none(count),
        };
        let mut first = vec![true; count];
        for (read, write, only) in from {
            (this.source[read], first[read]) = (Some(write), only);
        }
        let mut sorted: Vec<_> = (0..count).collect();
        sorted.sort_by_key(|&at| causes.before(at));
        if !sorted.into_iter().all(|at| this.evaluate(at, first[at])) {
            return None;
        }
        let happened = |at: usize| this.happened[at];
        this.order = this.order.among(happened);
        this.reads_from = this.reads_from.among(happened);
        this.happens_before = this.order.or(&this.synchronises()).closed();
        this.happens_before.is_irreflexive().then_some(this)
    }

    /// Finds out what event `at` finds and writes; everything before it is known. `false`: it cannot be.
    fn evaluate(&mut self, at: usize, first: bool) -> bool {
        let event = &self.events[at];
        let holds = |(register, value): &(Option<usize>, u64)| match register {
            Some(read) => self.found[*read] == Some(*value),
            None => *value == 0,
        };
        self.happened[at] = event.conditions.iter().all(holds);
        if !self.happened[at] {
            return first;
        }
        if event.reads() {
            self.found[at] = self.source[at].and_then(|source| self.wrote[source]);
            if self.found[at].is_none() {
                return false;
            }
        }
        self.wrote[at] = event.writes(self.found[at]);
        true
    }

    /// The ordering that an event has as it went: an exchange that fails is a relaxed load.
    fn ordering(&self, at: usize) -> Ordering {
        match self.events[at].step {
            Step::Exchange(..) if self.wrote[at].is_none() => Relaxed,
            Step::Load(_, ordering)
            | Step::Store(_, _, ordering)
            | Step::Add(_, _, ordering)
            | Step::Exchange(_, _, _, ordering)
            | Step::Fence(ordering) => ordering,
            Step::If(_) | Step::Put(_) | Step::Get => Relaxed,
        }
    }

    fn is_fence(&self, at: usize) -> bool {
        self.happened[at] && matches!(self.events[at].step, Step::Fence(_))
    }

    /// Whether `at` wrote to a shared word.
    fn writes_word(&self, at: usize) -> bool {
        self.wrote[at].is_some() && self.events[at].place() != Some(CELL)
    }

    /// Whether `at` read and wrote in one step.
    fn exchanges(&self, at: usize) -> bool {
        self.wrote[at].is_some() && self.found[at].is_some()
    }

    /// From what releases to what acquires it.
    fn synchronises(&self) -> Relation {
        let count = self.events.len();
        let mut sequence = Relation::none(count);
        let mut heads = Relation::none(count);
        let mut tails = Relation::none(count);
        for at in (0..count).filter(|&at| self.happened[at]) {
            if let Some(source) = self.source[at].filter(|_| self.exchanges(at)) {
                sequence.relate(source, at);
            }
            let after = (0..count).filter(|&other| self.order.has(at, other));
            if self.is_fence(at) && releases(self.ordering(at)) {
                after.filter(|&other| self.writes_word(other)).for_each(|to| heads.relate(at, to));
            } else if self.writes_word(at) && releases(self.ordering(at)) {
                heads.relate(at, at);
            }
            let reads = self.found[at].is_some() && self.events[at].place() != Some(CELL);
            if reads && acquires(self.ordering(at)) {
                tails.relate(at, at);
            }
            for fence in (0..count).filter(|&fence| reads && self.order.has(at, fence)) {
                if self.is_fence(fence) && acquires(self.ordering(fence)) {
                    tails.relate(at, fence);
                }
            }
        }
        let carried = heads.or(&heads.then(&sequence.closed()));
        carried.then(&self.reads_from).then(&tails)
    }

    /// The registers, thread by thread.
    pub(super) fn registers(&self, threads: usize) -> String {
        let of_thread = |thread| {
            let own = (0..self.events.len()).filter(|&at| self.events[at].thread == thread);
            let found = own.filter_map(|at| self.found[at]).map(|value| value.to_string());
            found.collect::<Vec<_>>().join(" ")
        };
        (0..threads).map(of_thread).collect::<Vec<_>>().join(" | ")
    }

    fn ordered(&self, one: usize, other: usize) -> bool {
        self.happens_before.has(one, other) || self.happens_before.has(other, one)
    }

    /// Whether two accesses to the payload, one of them a write, are not ordered.
    pub(super) fn race(&self) -> bool {
        let touches = |at: &usize| self.happened[*at] && self.events[*at].place() == Some(CELL);
        let payload: Vec<_> = (0..self.events.len()).filter(touches).collect();
        let writes = payload.iter().filter(|&&at| self.wrote[at].is_some());
        writes.into_iter().any(|&write| {
            let others = payload.iter().filter(|&&other| other != write);
            others.into_iter().any(|&other| !self.ordered(write, other))
        })
    }

    /// Whether there are modification orders under which every axiom holds.
    pub(super) fn is_consistent(&self) -> bool {
        if !self.payload_is_newest() {
            return false;
        }
        let places: Vec<Vec<Relation>> = (0..WORDS).map(|word| self.coherent(word)).collect();
        let [x, y, z] = &places[..] else { return false };
        let fences = (0..self.events.len()).filter(|&at| self.is_strongest(at)).count();
        if fences < 2 || [x, y, z].iter().any(|orders| orders.is_empty()) {
            return [x, y, z].iter().all(|orders| !orders.is_empty());
        }
        x.iter()
            .any(|x| y.iter().any(|y| z.iter().any(|z| self.fences_have_an_order(&x.or(y).or(z)))))
    }

    /// Whether every look at the payload gives the last write before it.
    fn payload_is_newest(&self) -> bool {
        let before = &self.happens_before;
        let gets = (0..self.events.len()).filter(|&at| matches!(self.events[at].step, Step::Get));
        gets.filter(|&get| self.happened[get]).all(|get| {
            let Some(source) = self.source[get] else { return false };
            let puts = (0..self.events.len()).filter(|&at| self.wrote[at].is_some());
            let mut puts = puts.filter(|&at| self.events[at].place() == Some(CELL));
            let between = puts.any(|put| before.has(source, put) && before.has(put, get));
            before.has(source, get) && !between
        })
    }

    /// The orders of the accesses to `word` that coherence and atomicity allow.
    fn coherent(&self, word: usize) -> Vec<Relation> {
        let here = |at: &usize| self.happened[*at] && self.events[*at].place() == Some(word);
        let writes = (0..self.events.len()).filter(here).filter(|&at| self.wrote[at].is_some());
        let (start, own): (Vec<_>, Vec<_>) =
            writes.partition(|&at| self.events[at].thread == START);
        let mut orders = Vec::new();
        extend(&start, &own, &mut |order| {
            let atomic = order
                .windows(2)
                .all(|pair| !self.exchanges(pair[1]) || self.source[pair[1]] == Some(pair[0]));
            if atomic {
                let accesses = self.accesses(word, order);
                let coherent = accesses.is_irreflexive()
                    && self.happens_before.then(&accesses).is_irreflexive();
                orders.extend(coherent.then_some(accesses));
            }
        });
        orders
    }

    /// Which access to `word` comes before which, when its writes have this `order`.
    fn accesses(&self, word: usize, order: &[usize]) -> Relation {
        let count = self.events.len();
        let mut accesses = self.reads_from.among(|at| self.events[at].place() == Some(word));
        for (place, &write) in order.iter().enumerate() {
            order[place + 1..].iter().for_each(|&later| accesses.relate(write, later));
            for read in (0..count).filter(|&read| self.reads_from.has(write, read)) {
                let later = order[place + 1..].iter().filter(|&&later| later != read);
                later.for_each(|&later| accesses.relate(read, later));
            }
        }
        accesses.closed()
    }

    fn is_strongest(&self, at: usize) -> bool {
        self.is_fence(at) && self.ordering(at) == SeqCst
    }

    /// Whether the strongest fences have an order that fits happens-before and `accesses`.
    fn fences_have_an_order(&self, accesses: &Relation) -> bool {
        let before = &self.happens_before;
        let through = before.then(accesses).then(before);
        before.or(&through).among(|at| self.is_strongest(at)).closed().is_irreflexive()
    }
}

/// Every order of `rest` behind `begun`.
fn extend(begun: &[usize], rest: &[usize], each: &mut dyn FnMut(&[usize])) {
    if rest.is_empty() {
        return each(begun);
    }
    for (at, &next) in rest.iter().enumerate() {
        let others = [&rest[..at], &rest[at + 1..]].concat();
        extend(&[begun, &[next]].concat(), &others, each);
    }
}
