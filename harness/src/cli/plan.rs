//! `harness plan`: what a run would do.

use serde_json::{Value, json};

use super::select::{self, Selection};
use super::{Exit, Output, planned};
use crate::crash;
use crate::host::Host;
use crate::plan::fault::{PlannedFault, schedule};
use crate::plan::shard::Part;
use crate::plan::{Options, Plan, RolePlan, TrialPlan};
use crate::run::lacks;
use crate::scenario::model::Sched;
use crate::scenario::model::kills::KillMatrix;
use crate::scenario::{Profile, Scenario};
use crate::units::Nanos;

/// Arguments of `plan`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  harness plan scenarios/smoke --profile smoke
      Cells, cores, memory and time, before anything runs.
  harness plan scenarios --profile full --shard 2/4
      What the second of four machines would do.
  harness plan scenarios/faults --json
      Every trial with its seed and its faults, for programs.

Exit codes: 0 planned, 2 a file or flag is wrong, 4 nothing is left to run.")]
pub(super) struct Args {
    #[command(flatten)]
    selection: Selection,
    /// Instead of the scenarios' seeds.
    #[arg(long, value_name = "N", value_parser = select::seed)]
    seed: Option<u64>,
    /// Instead of the scenarios' repeats.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    repeats: Option<u32>,
    /// Only the I-th of N parts of the cells, as `run` would run it.
    #[arg(long, value_name = "I/N")]
    shard: Option<Part>,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(args: &Args, output: &mut Output) -> Exit {
    let files = match args.selection.files(output) {
        Ok(files) => files,
        Err(exit) => return exit,
    };
    let (scenarios, mut matrices) = (&files.0, files.1.clone());
    let (profile, filter) = (args.selection.profile, args.selection.filter());
    matrices.retain(|matrix| !crash::selected(matrix, profile, &filter).is_empty());
    let host = Host::read();
    let options =
        Options { profile: args.selection.profile, seed: args.seed, repeats: args.repeats, filter };
    let kept = |scenario: &Scenario| {
        scenario.cells(profile).iter().any(|cell| options.filter.keeps(scenario, cell))
    };
    if !matrices.is_empty() && !scenarios.iter().any(kept) {
        show(&[], &matrices, args, output);
        return Exit::Pass;
    }
    let asked = (&args.selection, &options);
    let plans = planned::plans(asked, &files, &host, output);
    let mut plans = match plans.and_then(|plans| planned::part(args.shard, plans, output)) {
        Ok((plans, _)) => plans,
        Err(exit) => return exit,
    };
    for cell in plans.iter_mut().flat_map(|plan| &mut plan.cells) {
        let lacking = lacks(&cell.cell).map(|why| format!("cannot run here: {why}"));
        cell.degraded.extend(lacking);
    }
    show(&plans, &matrices, args, output);
    Exit::Pass
}

fn show(plans: &[Plan], matrices: &[KillMatrix], args: &Args, output: &mut Output) {
    let profile = args.selection.profile;
    if args.json {
        let kills = matrices.iter().map(|matrix| kills_as_json(matrix, profile));
        return output.json(&Value::Array(plans.iter().map(as_json).chain(kills).collect()));
    }
    for plan in plans {
        output.result(&format!("{plan}\n"));
    }
    if !plans.is_empty() {
        let trials: usize = plans.iter().map(|plan| plan.trials.len()).sum();
        let time = Nanos(plans.iter().map(|plan| plan.estimate.0).fold(0, u64::saturating_add));
        let count = plans.len();
        output.result(&format!(
            "scenarios: {count}, trials: {trials}, time: about {}\n",
            time.rough()
        ));
    }
    for matrix in matrices {
        output.result(&format!("{}\n", crash::told(matrix, profile)));
    }
}

/// What `harness crash` would do.
fn kills_as_json(matrix: &KillMatrix, profile: Profile) -> Value {
    let dose = matrix.dose(profile);
    json!({
        "name": matrix.name,
        "file": matrix.file,
        "kind": "kills",
        "profile": profile.name(),
        "shapes": matrix.shapes(profile).map(crash::name_of).collect::<Vec<_>>(),
        "victims": crash::victims().collect::<Vec<_>>(),
        "seeds": dose.seeds,
        "kills": dose.kills,
        "at_least": dose.at_least,
    })
}

fn as_json(plan: &Plan) -> Value {
    let cells: Vec<Value> = plan
        .cells
        .iter()
        .map(|cell| {
            let fifo = |sched| match sched {
                Sched::Other => None,
                Sched::Fifo(priority) => Some(priority),
            };
            let role = |role: &RolePlan| json!({"name": role.name, "core": role.core, "fifo": fifo(role.sched)});
            json!({
                "id": cell.cell.id,
                "repeats": cell.repeats,
                "roles": cell.roles.iter().map(role).collect::<Vec<_>>(),
                "shm_bytes": cell.shm.0,
                "trial_estimate_ns": cell.trial_estimate.0,
                "degraded": cell.degraded,
            })
        })
        .collect();
    let trial = |trial: &TrialPlan| {
        let cell = &plan.cells[trial.cell];
        let fault = |fault: &PlannedFault| json!({"name": fault.name, "at_ns": fault.at_ns, "what": cell.told(fault)});
        json!({
            "cell": cell.cell.id,
            "repeat": trial.repeat,
            "seed": trial.seed,
            "faults": schedule(cell, trial.seed).iter().map(fault).collect::<Vec<_>>(),
        })
    };
    json!({
        "name": plan.name,
        "file": plan.file,
        "question": plan.question,
        "profile": plan.profile.name(),
        "cells": cells,
        "left_out": plan.left_out,
        "trials": plan.trials.iter().map(trial).collect::<Vec<_>>(),
        "estimate_ns": plan.estimate.0,
        "shm_max_bytes": plan.shm_max.0,
    })
}
