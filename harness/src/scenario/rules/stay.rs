//! Consumers that come late or leave early, and searches: where they make no sense.

use super::{Parts, contradiction};
use crate::gate::Metric;
use crate::scenario::model::{Length, Program, Workload};
use crate::scenario::problem::Mistakes;

/// Applies every rule about coming, going and searching.
pub(super) fn check(parts: &Parts<'_>, mistakes: &Mistakes) {
    comes_and_goes(parts, mistakes);
    searches(parts, mistakes);
}

fn comes_and_goes(parts: &Parts<'_>, mistakes: &Mistakes) {
    for (index, group) in parts.consumers.unwrap_or_default().iter().enumerate() {
        let Some(stay) = group.stay else { continue };
        let mut first = None;
        for (key, at) in stay.moments() {
            let span = parts.root.consumer_place(index, key);
            first.get_or_insert(span);
            if let Some(Length::Time(length)) = parts.run.map(|run| run.length)
                && at >= length
            {
                let message = format!("`{key}` = {at} comes when messages have ended");
                let help = format!("messages flow for {length}: let it come earlier");
                mistakes.push(contradiction(span, message, "too late", &help));
            }
        }
        let Some(span) = first else { continue };
        if parts.workload == Some(Workload::PingPong) {
            let message = "ping-pong needs both ends all the time".to_owned();
            let help = "use another workload, or let the consumer stay";
            mistakes.push(contradiction(span, message, "comes and goes", help));
        }
        if group.program == Program::C {
            let message = "the program in C stays from the beginning to the end".to_owned();
            mistakes.push(contradiction(span, message, "in C", "write `program = \"rust\"`"));
        }
        if parts.faults.is_some_and(|faults| faults.iter().any(|fault| fault.action.kills())) {
            let message = "who comes and goes cannot be told from who is killed".to_owned();
            let help = "drop the faults that kill, or let the consumer stay";
            mistakes.push(contradiction(span, message, "beside kills", help));
        }
    }
}

fn searches(parts: &Parts<'_>, mistakes: &Mistakes) {
    if parts.workload.is_none() {
        return;
    }
    if !matches!(parts.workload, Some(Workload::Search(_))) {
        for written in parts.expectations {
            if written.expectation.check.metric == Metric::SustainedRate {
                let message = "only a search finds the rate that can be sustained".to_owned();
                let help = "use [workload.search], or throughput.messages";
                mistakes.push(contradiction(written.check_span, message, "not searched", help));
            }
        }
        return;
    }
    if parts.faults.is_some_and(|faults| !faults.is_empty()) {
        let span = parts.root.item_place("fault", 0, "action");
        let message = "a search looks for what holds without faults".to_owned();
        mistakes.push(contradiction(span, message, "in a search", "use [workload.open]"));
    }
    if parts.run.is_some_and(|run| matches!(run.length, Length::Messages(_))) {
        let span = parts.root.place(&["run", "count"]);
        let message = "each step of a search lasts as long as the others".to_owned();
        let help = "say how long by `duration`";
        mistakes.push(contradiction(span, message, "a number", help));
    }
}
