//! Scenario files: `text → tree with places → profiles and matrix → checked cells`.
//!
//! Every key is closed, every mistake of a file is found in one reading and shown where it stands;
//! what comes out contradicts neither the format nor itself.
//! Knows nothing of: hosts, processes, the block's own code but the names of its sites.

mod block;
mod expect;
mod fault;
mod fields;
mod header;
mod kills;
mod load;
mod matrix;
pub mod model;
mod only;
mod overlay;
mod problem;
pub(crate) mod reach;
mod roles;
mod rules;
#[cfg(test)]
pub(crate) mod sample;
mod tree;
mod work;
mod workload;
mod written;
mod zone;

pub use header::SCHEMA_VERSION;
pub use load::{File, find, load, open};
pub use model::{Cell, Profile, Scenario};
pub use problem::{Problem, ScenarioError};

use crate::gate::Expectation;
use expect::Written;
use matrix::Point;
use model::{BlockSpec, ConsumerSync, Read, Workload};
use only::{Here, Met};
use overlay::Setting;
use problem::{Mistake, Mistakes, Source, line_of};
use rules::Parts;
use tree::{Node, Table};

/// What a setting of the command line is called where it is wrong.
pub const SETTING: &str = "--set";

/// Reads and checks a scenario; `settings` are `key=value` texts that win over the file.
///
/// # Errors
///
/// [`ScenarioError`]: everything that is wrong, in the order of the file.
pub fn parse(file: &str, text: &str, settings: &[String]) -> Result<Scenario, ScenarioError> {
    let mut sources = vec![Source { name: file.to_owned(), text: text.to_owned() }];
    for setting in settings {
        sources.push(Source { name: SETTING.to_owned(), text: setting.clone() });
    }
    let mistakes = Mistakes::default();
    let scenario = read(&sources, &mistakes);
    match (mistakes.into_error(&sources), scenario) {
        (Some(error), _) => Err(error),
        (None, Some(scenario)) => Ok(scenario),
        (None, None) => Err(ScenarioError::unreadable(
            file,
            "nothing to run is left of this file".to_owned(),
            "",
        )),
    }
}

fn read(sources: &[Source], mistakes: &Mistakes) -> Option<Scenario> {
    let file = sources.first()?;
    header::check_first_line(&file.text, mistakes);
    let root = match tree::read(&file.text, 0) {
        Ok(root) => root,
        Err(mistake) => {
            mistakes.push(*mistake);
            return None;
        }
    };
    let settings = settings(sources, mistakes);
    let header = header::read(&root, mistakes);
    let all = expect::read(root.table()?.get("expect"), sources, mistakes);
    let name = header.name.as_deref().unwrap_or("?");
    let met = Met::default();
    let context = Context { name, sources, settings: &settings, all: &all, met: &met, mistakes };
    let [smoke, full, soak] = Profile::ALL.map(|profile| profile_cells(&root, profile, &context));
    // A setting may have taken away just the cells in which something stands.
    if settings.is_empty() && mistakes.is_empty() {
        met.finish(mistakes);
    }
    Some(Scenario {
        file: file.name.clone(),
        name: header.name.clone()?,
        question: header.question?,
        tags: header.tags,
        smoke: smoke?,
        full: full?,
        soak: soak?,
    })
}

fn settings(sources: &[Source], mistakes: &Mistakes) -> Vec<Setting> {
    let mut settings = vec![];
    for (index, source) in sources.iter().enumerate().skip(1) {
        match Setting::read(source, index) {
            Ok(setting) => settings.push(setting),
            Err(mistake) => mistakes.push(*mistake),
        }
    }
    settings
}

/// What the cells of all profiles share.
struct Context<'a> {
    name: &'a str,
    sources: &'a [Source],
    settings: &'a [Setting],
    all: &'a [Written],
    met: &'a Met,
    mistakes: &'a Mistakes,
}

fn profile_cells(root: &Node, profile: Profile, context: &Context<'_>) -> Option<Vec<Cell>> {
    let mistakes = context.mistakes;
    let mut tree = root.clone();
    let layer = root.table()?.get("profile").and_then(|node| node.table()?.get(profile.name()));
    if let Some(layer) = layer {
        overlay::profile(&mut tree, layer);
    }
    for setting in context.settings {
        setting.apply(&mut tree, mistakes);
    }
    let ids = work::selection(layer.and_then(|node| node.table()?.get("expect")), mistakes);
    let written = root.table()?.get("expect");
    let selected = expect::select(context.all, written, ids.as_deref(), mistakes);
    let mut cells = vec![];
    let points = matrix::expand(&tree, context.met, mistakes);
    if let Some(first) = points.first() {
        shadowed(&tree, first, context);
    }
    for mut point in points {
        if mistakes.is_full() {
            return None;
        }
        let here = Here { profile, axes: &point.axes };
        context.met.visit(here);
        context.met.reduce(&mut point.root, "fault", here, mistakes);
        let stands = |written: &&Written| context.met.stands(written.only.as_ref(), here, mistakes);
        let expected: Vec<Written> = selected.iter().filter(stands).cloned().collect();
        cells.extend(cell(point, &expected, context));
    }
    one_order(&tree, &cells, mistakes);
    (!cells.is_empty()).then_some(cells)
}

/// Reads what the axes hide of the base, for the mistakes in it.
fn shadowed(base: &Node, point: &Point, context: &Context<'_>) {
    for (root, span) in matrix::shadowed(base, point, context.mistakes) {
        let found = Mistakes::default();
        let hidden = Point { suffix: String::new(), axes: vec![], root };
        cell(hidden, &[], &Context { mistakes: &found, ..*context });
        let own = |mistake: &Mistake| {
            let Mistake { code, span: at, .. } = mistake;
            let inside = at.source == span.source && at.start >= span.start && at.end <= span.end;
            // That it does not go with the rest is no mistake: it never meets it.
            inside && *code != rules::CONTRADICTION
        };
        for mistake in found.into_all().into_iter().filter(own) {
            context.mistakes.push(mistake);
        }
    }
}

/// The order of trials is the matrix's: it cannot differ from cell to cell.
fn one_order(root: &Node, cells: &[Cell], mistakes: &Mistakes) {
    if cells.windows(2).any(|pair| pair[0].run.order != pair[1].run.order) {
        let place = root.place(&["matrix"]);
        let mistake = Mistake::new(rules::CONTRADICTION, place, "cells differ in their `order`");
        let help = "the order is one of all cells together: set it in [run] or a profile";
        mistakes.push(mistake.label("this matrix").help(help));
    }
}

/// Reads one point; `None` if any part of it is wrong.
fn cell(point: Point, written: &[Written], context: &Context<'_>) -> Option<Cell> {
    let (root, mistakes) = (&point.root, context.mistakes);
    let table = root.table()?;
    let section = |name: &str| table.get(name);
    let block = mistakes.clean(|m| section("block").and_then(|node| block::read(node, m)));
    let block = block.flatten();
    let producer = mistakes.clean(|m| roles::producer(section("producer"), m)).flatten();
    let workload =
        mistakes.clean(|m| section("workload").and_then(|node| workload::workload(node, m)));
    let workload = workload.flatten();
    let read = read_default(block.as_ref(), workload);
    let consumers =
        mistakes.clean(|m| section("consumer").map(|node| roles::consumers(node, read, m)));
    let consumers = consumers.flatten();
    // Faults say whom they befall: a consumer that is wrong in itself is still somebody.
    let named = section("consumer").map(|node| roles::consumers(node, read, &Mistakes::default()));
    let run = mistakes.clean(|m| section("run").and_then(|node| work::run(node, m))).flatten();
    let faults = named
        .filter(|named| named.iter().all(|consumer| !consumer.name.is_empty()))
        .and_then(|named| mistakes.clean(|m| fault::faults(section("fault"), &named, m)));
    let history = mistakes.clean(|m| written::history(section("record"), m)).flatten();
    let parts = Parts {
        root,
        block: block.as_ref(),
        producer: producer.as_ref(),
        consumers: consumers.as_deref(),
        workload,
        run: run.as_ref(),
        faults: faults.as_deref(),
        history,
        expectations: written,
    };
    rules::check(&parts, mistakes);
    let block = block?;
    let expectations = expectations(&block, table, written, context);
    Some(Cell {
        id: format!("{}{}", context.name, point.suffix),
        axes: point.axes,
        block,
        producer: producer?,
        consumers: consumers?,
        workload: workload?,
        run: run?,
        faults: faults?,
        history: history?,
        expectations,
    })
}

/// What the block implies, unless the file says it itself, and what the file says.
fn expectations(
    block: &BlockSpec,
    table: &Table,
    written: &[Written],
    context: &Context<'_>,
) -> Vec<Expectation> {
    let text = context.sources.first().map_or("", |source| source.text.as_str());
    let offset = table.entry("block").map_or(0, |entry| entry.key_span.start);
    let own = || written.iter().map(|written| &written.expectation);
    let mut all = expect::implied(block, line_of(text, offset));
    all.retain(|implied| !own().any(|own| own.check == implied.check));
    all.extend(own().cloned());
    all
}

/// Latest-only consumers read the latest, but a closed loop answers each message.
fn read_default(block: Option<&BlockSpec>, workload: Option<Workload>) -> Read {
    let latest = block.is_some_and(|block| block.consumer_sync == ConsumerSync::LatestOnly);
    if latest && workload != Some(Workload::PingPong) { Read::Latest } else { Read::Next }
}
