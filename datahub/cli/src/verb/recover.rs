//! `datahub recover`: clears what the dead left behind, or says what it would clear.

use datahub::recovery::diagnosis::{Diagnosis, Step};
use datahub::recovery::force::ForceError;
use datahub::recovery::{self, RecoverError, Report, Skipped};
use serde_json::{Value, json};

use super::{Context, force, show};
use crate::args::Recover;
use crate::exit::Exit;
use crate::output::{self, BOLD, CYAN, DIM, Failure, GREEN, Page, RED, YELLOW, paint};
use crate::{find, json, units};

pub(super) fn execute(context: &Context, args: &Recover) -> Result<Exit, Failure> {
    if let Some(force) = args.force.as_ref().filter(|force| **force != args.name) {
        let message = format!("--force needs the block's own name: '{}', not '{force}'", args.name);
        return Err(Failure::new(Exit::Usage, message));
    }
    let place = find::place(&context.folder, &args.name);
    if args.dry_run {
        let planned = recovery::plan(&place)
            .map_err(|error| find::refused(&context.folder, &args.name, &error))?;
        return show_plan(context, args, &planned);
    }
    let unusable = |error| find::refused(&context.folder, &args.name, &error);
    let mut report = recovery::recover(&place).map_err(|error| match error {
        RecoverError::Open(error) => unusable(error),
        error => Failure::new(Exit::Io, error.to_string()),
    })?;
    if let Some(name) = &args.force {
        let forced = force::evict(&place, name).map_err(|error| match error {
            ForceError::Open(error) => unusable(error),
            error => Failure::new(Exit::Usage, error.to_string()),
        })?;
        report.done.extend(forced.done);
        report.skipped.extend(forced.skipped);
    }
    // Whoever stands in the way and lives was not touched: say so.
    let left = recovery::plan(&place)
        .map_err(|error| find::refused(&context.folder, &args.name, &error))?;
    show_report(context, args, (&report, &left))
}

fn steps(steps: &[Step], mark: &str) -> String {
    let mut text = Page::default();
    for step in steps {
        let action = paint(BOLD, &step.action.to_string());
        let proof = paint(DIM, &step.proof.to_string());
        text.add(format!("{mark} {action}\n  {proof}\n"));
    }
    text.0
}

fn damage(lines: &[String]) -> String {
    let mark = paint(RED, "✖");
    let lines: Vec<String> = lines.iter().map(|line| format!("{mark} {line}\n")).collect();
    lines.concat()
}

/// Who needs force, and what it costs.
fn forced(context: &Context, args: &Recover, needs: &[Step]) -> String {
    if needs.is_empty() {
        return String::new();
    }
    let folder = context.folder.path().display();
    let name = &args.name;
    let mut text = Page(steps(needs, &paint(YELLOW, "▲")));
    text.add(format!(
        "  alive: better end its process; failing that, `datahub --folder {folder} recover {name} \
         --force {name}` lets the producer go on without it. That vouches that it looks at no payload it \
         was lent: the producer writes over it\n"
    ));
    text.0
}

fn show_plan(context: &Context, args: &Recover, planned: &Diagnosis) -> Result<Exit, Failure> {
    let clean = planned.is_clean();
    if context.json {
        output::json(&json!({
            "name": args.name.as_str(),
            "dry_run": true,
            "steps": as_json(&planned.steps),
            "needs_force": as_json(&planned.forced),
            "damage": planned.damage,
        }))?;
    } else {
        let mut text = Page(damage(&planned.damage));
        text.add(steps(&planned.steps, &paint(CYAN, "→")));
        text.add(forced(context, args, &planned.forced));
        if clean {
            text.add(show::all_well(&format!("nothing to recover in block '{}'", args.name)));
        } else if !planned.steps.is_empty() {
            let count = units::plural(planned.steps.len(), "step");
            text.add(paint(DIM, &format!("{count} planned, nothing was changed (--dry-run)\n")));
        }
        output::result(&text.0)?;
    }
    Ok(if clean { Exit::Fine } else { Exit::Findings })
}

fn show_report(
    context: &Context,
    args: &Recover,
    (report, left): (&Report, &Diagnosis),
) -> Result<Exit, Failure> {
    if context.json {
        let skipped =
            |skipped: &Skipped| json!({ "step": json::step(&skipped.step), "why": skipped.why });
        output::json(&json!({
            "name": args.name.as_str(),
            "dry_run": false,
            "done": as_json(&report.done),
            "skipped": report.skipped.iter().map(skipped).collect::<Vec<_>>(),
            "needs_force": as_json(&left.forced),
            "damage": left.damage,
        }))?;
    } else {
        let mut text = Page(damage(&left.damage));
        text.add(steps(&report.done, &paint(GREEN, "✔")));
        for Skipped { step, why } in &report.skipped {
            text.add(format!("{} {}: {why}\n", paint(YELLOW, "▲"), step.action));
        }
        text.add(forced(context, args, &left.forced));
        if text.0.is_empty() {
            text.add(show::all_well(&format!("nothing to recover in block '{}'", args.name)));
        }
        output::result(&text.0)?;
    }
    Ok(match (left.damage.is_empty(), left.forced.is_empty()) {
        (false, _) => Exit::Findings,
        // There is somebody in the way who lives, and nothing else was to be done.
        (true, false) if report.done.is_empty() => Exit::Alive,
        (true, _) => Exit::Fine,
    })
}

fn as_json(steps: &[Step]) -> Vec<Value> {
    steps.iter().map(json::step).collect()
}
