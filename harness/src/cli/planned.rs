//! From scenarios to plans for every verb that runs or shows some, and what can stand in the way.

use std::collections::BTreeSet;
use std::path::Path;

use report_schema::Shard;
use reports::format;

use super::select::{Files, Selection};
use super::{Exit, Output};
use crate::host::Host;
use crate::plan::shard::Part;
use crate::plan::{Options, Plan, plan};
use crate::run::unfit;
use crate::suggest::nearest;

/// The plans of all scenarios that have a cell left; whatever is wrong with any of them is said.
pub(super) fn plans(
    (selection, options): (&Selection, &Options),
    files: &Files,
    host: &Host,
    output: &mut Output,
) -> Result<Vec<Plan>, Exit> {
    let mut plans = vec![];
    let mut refused = false;
    for scenario in &files.0 {
        match plan(scenario, host, options) {
            Ok(plan) if plan.trials.is_empty() => {}
            Ok(plan) => plans.push(plan),
            Err(error) => {
                output.error(&format!("{}: {error}", scenario.file));
                refused = true;
            }
        }
    }
    if refused {
        return Err(Exit::Usage);
    }
    if plans.is_empty() {
        output.error(&nothing_left(selection, files));
        return Err(Exit::NothingRan);
    }
    Ok(plans)
}

/// That no cell is left, and what to do about it.
pub(super) fn nothing_left(selection: &Selection, (scenarios, matrices): &Files) -> String {
    let filter = selection.filter();
    let mut tags: BTreeSet<&String> =
        scenarios.iter().flat_map(|scenario| &scenario.tags).collect();
    if let Some(unknown) = filter.tags.iter().find(|tag| !tags.contains(tag)) {
        if let Some(matrix) = matrices.iter().find(|matrix| matrix.tags.contains(unknown)) {
            let run = format!("`harness crash {}` runs one", matrix.file);
            return format!("only kill matrices have the tag `{unknown}`: {run}");
        }
        tags.extend(matrices.iter().flat_map(|matrix| &matrix.tags));
        let known = tags.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        return format!("no scenario has the tag `{unknown}`; there are: {known}");
    }
    let cells = scenarios.iter().flat_map(|scenario| scenario.cells(selection.profile));
    let near = filter
        .text
        .as_deref()
        .and_then(|text| nearest(text, cells.flat_map(|cell| cell.id.split(['/', ',']))));
    let near = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
    format!("the filter leaves no cell; {near}`harness list --cells` shows all of them")
}

/// The part of the plans that was asked for; a part without a cell runs nothing.
pub(super) fn part(
    part: Option<Part>,
    plans: Vec<Plan>,
    output: &mut Output,
) -> Result<(Vec<Plan>, Option<Shard>), Exit> {
    let Some(part) = part else { return Ok((plans, None)) };
    let (plans, shard) = part.of(plans);
    if plans.is_empty() {
        let (index, count) = (shard.index, shard.count);
        let cells = format::several(shard.cells.len(), "cell");
        output.error(&format!("shard {index}/{count} has no cell: the whole plan has {cells}"));
        return Err(Exit::NothingRan);
    }
    Ok((plans, Some(shard)))
}

/// Whether every program that stands for a transport is there: a path that was mistyped is found
/// before anything runs.
pub(super) fn programs(plans: &[Plan], output: &mut Output) -> Result<(), Exit> {
    let cells = plans.iter().flat_map(|plan| &plan.cells);
    let named: BTreeSet<&str> =
        cells.filter_map(|cell| cell.cell.block.program.as_deref()).collect();
    let lacking: Vec<String> =
        named.into_iter().filter_map(|program| unfit(Path::new(program))).collect();
    for why in &lacking {
        output.error(&format!("{why}; `transport` names it, from the folder you are in"));
    }
    if lacking.is_empty() { Ok(()) } else { Err(Exit::Usage) }
}
