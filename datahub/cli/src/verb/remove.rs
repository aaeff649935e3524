//! `datahub unlink` and `datahub reset-metrics`: what an operator takes away.

use datahub::name::BlockName;
use datahub::recovery;
use datahub::recovery::removal::{self, RemoveError};
use serde_json::json;

use super::{Context, show};
use crate::exit::Exit;
use crate::find;
use crate::output::{self, Failure};

fn done(
    context: &Context,
    name: &BlockName,
    (action, text): (&str, &str),
) -> Result<Exit, Failure> {
    if context.json {
        output::json(&json!({ "name": name.as_str(), "done": action }))?;
    } else {
        output::result(&show::all_well(text))?;
    }
    Ok(Exit::Fine)
}

pub(super) fn unlink(context: &Context, name: &BlockName) -> Result<Exit, Failure> {
    removal::unlink(&context.folder, name).map_err(|error| match error {
        RemoveError::NotFound(_) => find::missing(&context.folder, name),
        RemoveError::Alive { .. } => {
            Failure::new(Exit::Alive, error.to_string()).with_hint("end it; its block goes with it")
        }
        RemoveError::NotOurs { .. } => Failure::new(Exit::Findings, error.to_string())
            .with_hint("if you know what it is, remove the file yourself"),
        error => Failure::new(Exit::Io, error.to_string()),
    })?;
    let text = format!(
        "the name '{name}' is free; the memory goes when the last consumer leaves the block"
    );
    done(context, name, ("unlink", &text))
}

pub(super) fn reset_metrics(context: &Context, name: &BlockName) -> Result<Exit, Failure> {
    recovery::reset_metrics(&find::place(&context.folder, name))
        .map_err(|error| find::refused(&context.folder, name, &error))?;
    let text = format!("the counters of block '{name}' begin at zero again");
    done(context, name, ("reset-metrics", &text))
}
