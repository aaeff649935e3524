//! `datahub validate`: is everything what it says it is?

use std::collections::BTreeMap;
use std::io;

use datahub::block::OpenError;
use datahub::name::BlockName;
use datahub::recovery::integrity::{Integrity, validate_integrity};

use super::{Context, show};
use crate::exit::Exit;
use crate::output::{self, BOLD, DIM, Failure, Page, RED, YELLOW, paint};
use crate::{find, json, units};

pub(super) fn execute(context: &Context, name: &BlockName) -> Result<Exit, Failure> {
    let place = find::place(&context.folder, name);
    let checked = validate_integrity(&place).map_err(|error: io::Error| {
        find::refused(&context.folder, name, &OpenError::System(error))
    })?;
    if context.json {
        output::json(&json::integrity(name, &checked))?;
    } else {
        output::result(&text(name, &checked))?;
    }
    Ok(if checked.is_whole() { Exit::Fine } else { Exit::Findings })
}

fn text(name: &BlockName, checked: &Integrity) -> String {
    let bad = paint(RED, "✖");
    if let Some(error) = &checked.header {
        return format!("{bad} {} {error}\n", paint(BOLD, "header:"));
    }
    let mut text = Page::default();
    for fault in &checked.faults {
        text.add(format!("{bad} {fault}\n"));
    }
    for wrong in &checked.mismatches {
        let size = units::bytes(wrong.payload_bytes);
        let payload = paint(BOLD, &format!("sequence {}", wrong.sequence));
        text.add(format!(
            "{bad} {payload} in slot {} ({size}) does not match its checksum\n",
            wrong.index
        ));
    }
    if checked.is_whole() {
        text.add(show::all_well(&whole(name, checked)));
    }
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for slot in &checked.unchecked {
        *reasons.entry(slot.why).or_default() += 1;
    }
    for (why, count) in reasons {
        text.add(format!("{} {}: {why}\n", paint(YELLOW, "▲"), units::plural(count, "slot")));
    }
    if !checked.enforced {
        let note =
            "checksums are the users' own affair in this block (policy manual): not compared";
        text.add(format!("{}\n", paint(DIM, note)));
    }
    text.0
}

fn whole(name: &BlockName, checked: &Integrity) -> String {
    let slots = units::plural(checked.slots, "slot");
    let text = format!("block '{name}' is whole: header, labels and places of {slots}");
    if !checked.enforced {
        return text;
    }
    format!("{text}, checksums of {}", units::plural(checked.verified, "payload"))
}
