//! Priorities of processes that the harness does not schedule.

use super::{Parts, contradiction};
use crate::scenario::model::transport::Carrier;
use crate::scenario::model::{Program, Sched};
use crate::scenario::problem::Mistakes;

/// Programs in other languages are started, and schedule themselves.
pub(super) fn check(parts: &Parts<'_>, mistakes: &Mistakes) {
    let own = parts.block.is_some_and(|block| block.transport == Carrier::Program);
    let foreign = |program, sched| sched != Sched::Other && (own || program == Program::C);
    let producer = parts.producer.filter(|one| foreign(one.program, one.sched));
    let producer = producer.map(|_| parts.root.place(&["producer", "sched"]));
    let consumers = parts.consumers.unwrap_or_default().iter().enumerate();
    let consumers = consumers
        .filter(|(_, group)| foreign(group.program, group.sched))
        .map(|(index, _)| parts.root.consumer_place(index, "sched"));
    for span in producer.into_iter().chain(consumers) {
        let message =
            "a program that is not the harness's own is scheduled like everybody".to_owned();
        let help = "leave `sched` out, or let the harness's own program do it";
        mistakes.push(contradiction(span, message, "has a priority", help));
    }
}
