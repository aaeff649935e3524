//! Faults that cannot happen, that nobody could see, or that contradict each other.

use crate::scenario::model::fault::{Action, FaultSpec, Target};
use crate::scenario::model::{BlockSpec, Length, RunSpec, Workload};
use crate::scenario::problem::Mistakes;
use crate::scenario::reach;
use crate::scenario::rules::{Parts, contradiction};

/// Applies every rule about faults.
pub(in crate::scenario) fn check(parts: &Parts<'_>, mistakes: &Mistakes) {
    let faults = parts.faults.unwrap_or_default();
    for (index, fault) in faults.iter().enumerate() {
        let of = (index, fault);
        about_the_block(parts, of, mistakes);
        if let Some(run) = parts.run {
            in_time(parts, of, run, mistakes);
        }
        if let Some(block) = parts.block {
            noticed(parts, of, block, mistakes);
            reached(parts, of, block, mistakes);
        }
        if parts.workload == Some(Workload::PingPong) {
            let span = parts.root.item_place("fault", index, "action");
            let message = "ping-pong has two blocks, and faults are about one".to_owned();
            let help = "use [workload.stream] or [workload.open]";
            mistakes.push(contradiction(span, message, "not here", help));
        }
        let again = matches!(fault.action, Action::KillAtSite { .. })
            && faults[..index].iter().any(|other| {
                other.target == fault.target && matches!(other.action, Action::KillAtSite { .. })
            });
        if again {
            let span = parts.root.item_place("fault", index, "action");
            let message = "this role dies at another site already".to_owned();
            mistakes.push(contradiction(span, message, "second site", "one site for each role"));
        }
    }
    readable_header(parts, faults, mistakes);
}

type Of<'a> = (usize, &'a FaultSpec);

fn about_the_block(parts: &Parts<'_>, (index, fault): Of<'_>, mistakes: &Mistakes) {
    if fault.action.is_about_block() && fault.target != Target::Producer {
        let span = parts.root.item_place("fault", index, "role");
        let message = format!("`{}` is about the producer's block", fault.action.name());
        mistakes.push(contradiction(span, message, "has no block", "write `role = \"producer\"`"));
    }
    let Target::Consumer { group, member: None } = fault.target else { return };
    let many =
        parts.consumers.and_then(|groups| groups.get(group)).is_some_and(|one| one.count > 1);
    if many && matches!(fault.action, Action::KillAtSite { .. }) {
        let span = parts.root.item_place("fault", index, "role");
        let message = "whoever dies at a site must be known before it starts".to_owned();
        mistakes.push(contradiction(span, message, "any member", "name one, as in \"reader[0]\""));
    }
}

fn in_time(parts: &Parts<'_>, (index, fault): Of<'_>, run: &RunSpec, mistakes: &Mistakes) {
    let Length::Time(length) = run.length else { return };
    let latest = fault.at.0.saturating_add(fault.within.0);
    let last = latest.saturating_add(fault.action.time().map_or(0, |time| time.0));
    if last >= length.0 {
        let span = parts.root.item_place("fault", index, "at");
        let message = format!("`{}` may not be over when the trial is", fault.name);
        let help = "messages flow for `duration`: run longer, or let it come earlier";
        mistakes.push(contradiction(span, message, "too late", help));
    }
}

fn noticed(parts: &Parts<'_>, (index, fault): Of<'_>, block: &BlockSpec, mistakes: &Mistakes) {
    if fault.action == Action::CorruptByte && block.checksum.is_none() {
        let span = parts.root.item_place("fault", index, "action");
        let message = "nobody could notice the byte: payloads carry no checksum".to_owned();
        let help = "set `checksum = { algorithm = \"xxh3\", policy = \"enforced\" }` in [block]";
        mistakes.push(contradiction(span, message, "unseen", help));
    }
}

/// Who dies at a site comes there.
fn reached(parts: &Parts<'_>, (index, fault): Of<'_>, block: &BlockSpec, mistakes: &Mistakes) {
    let Action::KillAtSite { site, .. } = fault.action else { return };
    let name = datahub::sites::TABLE.get(usize::from(site)).map_or("?", |site| site.name);
    let group = match fault.target {
        Target::Producer => None,
        Target::Consumer { group, .. } => {
            let Some(group) = parts.consumers.and_then(|groups| groups.get(group)) else { return };
            Some(group.name.as_str())
        }
    };
    let Some(why) = reach::never(name, group, block) else { return };
    let span = parts.root.item_place("fault", index, "action");
    let who = if fault.target == Target::Producer { "producer" } else { "consumer" };
    let message = format!("this {who} never comes to {name}");
    let help = format!("{why}: name a site that it passes, or another role");
    mistakes.push(contradiction(span, message, "never comes", &help));
}

/// Whoever starts again reads the header.
fn readable_header(parts: &Parts<'_>, faults: &[FaultSpec], mistakes: &Mistakes) {
    if !faults.iter().any(|fault| fault.action == Action::ScribbleHeader) {
        return;
    }
    let restart = faults.iter().position(|fault| fault.action == Action::Restart);
    if let Some(index) = restart {
        let span = parts.root.item_place("fault", index, "action");
        let message = "who starts again reads the header, which is scribbled over".to_owned();
        mistakes.push(contradiction(span, message, "cannot attach", "drop one of the two"));
    }
}
