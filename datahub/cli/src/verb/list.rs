//! `datahub list`: what is there.

use datahub::monitor::health::{Thresholds, examine};
use serde_json::Value;

use super::{Context, show};
use crate::exit::Exit;
use crate::find::{self, Found};
use crate::output::{self, Failure, Page, RED, paint};
use crate::table::{Column, Look, cell, plain, render};
use crate::{json, units};

const COLUMNS: [Column; 9] = [
    Column::Text("BLOCK"),
    Column::Text("POLICY"),
    Column::Figure("PAYLOADS"),
    Column::Figure("MEMORY"),
    Column::Text("PRODUCER"),
    Column::Figure("CONSUMERS"),
    Column::Figure("COMMITS"),
    Column::Text("UNREAD"),
    Column::Text("HEALTH"),
];

pub(super) fn execute(context: &Context) -> Result<Exit, Failure> {
    let found = find::all(&context.folder)?;
    if context.json {
        let blocks: Vec<Value> = found.iter().map(as_json).collect();
        output::json(&Value::Array(blocks))?;
    } else if !found.is_empty() {
        let mut text = Page(render(&COLUMNS, found.iter().map(row).collect()));
        for found in &found {
            if let Err(error) = &found.block {
                text.add(format!("\n{} {}: {error}", paint(RED, "✖"), found.name));
            }
        }
        if text.0.ends_with(|last| last != '\n') {
            text.add("\n");
        }
        output::result(&text.0)?;
    }
    if found.is_empty() {
        output::note(&format!("no blocks in {}", context.folder.path().display()));
        return Ok(Exit::Nothing);
    }
    Ok(Exit::Fine)
}

fn row(found: &Found) -> Vec<comfy_table::Cell> {
    let name = cell(found.name.as_str(), Look::Strong);
    let Some(view) = found.view() else {
        return vec![name, cell("unusable", Look::Bad)];
    };
    let config = &view.geometry.config;
    let alive = view.consumers.iter().filter(|consumer| consumer.seat.alive).count();
    vec![
        name,
        plain(show::sync(config.consumer_sync())),
        plain(show::shape(config)),
        plain(units::bytes(view.geometry.layout.total as u64)),
        show::producer(&view),
        plain(format!("{alive} of {}", config.consumers_max())),
        plain(units::count(view.commit_index)),
        show::occupancy(&view),
        show::health(&examine(&view, None, Thresholds::default())),
    ]
}

fn as_json(found: &Found) -> Value {
    match (&found.block, found.view()) {
        (Ok(_), Some(view)) => {
            json::summary(&found.name, &view, &examine(&view, None, Thresholds::default()))
        }
        (block, _) => json::unusable(&found.name, block.as_ref().err()),
    }
}
