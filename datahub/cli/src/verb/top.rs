//! `datahub top`: rates, lags and health, again and again.

mod screen;

use std::collections::BTreeMap;

use comfy_table::Cell;
use datahub::metrics::Metric;
use datahub::monitor::health::{Finding, Thresholds, examine};
use datahub::monitor::view::{BlockView, ConsumerView};
use datahub::name::BlockName;
use serde_json::{Value, json};

use super::{Context, show};
use crate::args::Top;
use crate::exit::Exit;
use crate::find::{self, Found};
use crate::output::{self, BOLD, DIM, Failure, Page, paint};
use crate::table::{Column, Look, cell, plain, render};
use crate::units;
use screen::Screen;

/// What stood behind each name at the last look.
type Looked = BTreeMap<BlockName, Option<BlockView>>;

pub(super) fn execute(context: &Context, args: &Top) -> Result<Exit, Failure> {
    let mut screen = Screen::open(!args.once && !context.json && output::is_watched())?;
    let mut earlier = look(context, args)?;
    if earlier.is_empty() && args.once {
        output::note(&format!("no blocks in {}", context.folder.path().display()));
        return Ok(Exit::Nothing);
    }
    loop {
        if !screen.wait(args.interval)? {
            return Ok(Exit::Fine);
        }
        let now = look(context, args)?;
        let goes_on = if context.json {
            // One line for each look.
            output::result(&format!("{}\n", as_json(&now, &earlier)))?
        } else {
            screen.show(&frame(context, args, (&now, &earlier)))?
        };
        if args.once || !goes_on {
            return Ok(Exit::Fine);
        }
        earlier = now;
    }
}

fn look(context: &Context, args: &Top) -> Result<Looked, Failure> {
    let found = match &args.name {
        Some(name) => {
            vec![Found { name: name.clone(), block: Ok(find::one(&context.folder, name)?) }]
        }
        None => find::all(&context.folder)?,
    };
    Ok(found.into_iter().map(|found| (found.name.clone(), found.view())).collect())
}

/// How fast a block moved between two looks.
struct Rates {
    commits: f64,
    written_bytes: f64,
    reads: f64,
}

/// Something a second; nothing while there is no earlier look at the same block.
fn per_second(now: &BlockView, earlier: &BlockView, grown: u64) -> f64 {
    let elapsed_ns = now.taken_ns.saturating_sub(earlier.taken_ns);
    if elapsed_ns == 0 { 0.0 } else { grown as f64 * 1e9 / elapsed_ns as f64 }
}

fn same_block<'a>(now: &BlockView, earlier: Option<&'a BlockView>) -> Option<&'a BlockView> {
    earlier.filter(|earlier| earlier.geometry.nonce == now.geometry.nonce)
}

fn rates(now: &BlockView, earlier: Option<&BlockView>) -> Rates {
    let Some(earlier) = same_block(now, earlier) else {
        return Rates { commits: 0.0, written_bytes: 0.0, reads: 0.0 };
    };
    let grown = |metric| now.metrics.get(metric).saturating_sub(earlier.metrics.get(metric));
    Rates {
        commits: per_second(now, earlier, now.commit_index.saturating_sub(earlier.commit_index)),
        written_bytes: per_second(now, earlier, grown(Metric::BytesWritten)),
        reads: per_second(now, earlier, grown(Metric::SlotsRead)),
    }
}

/// Reads of one consumer a second, and bytes.
fn consumer_rates(
    now: &BlockView,
    earlier: Option<&BlockView>,
    consumer: &ConsumerView,
) -> (f64, f64) {
    let Some(earlier) = same_block(now, earlier) else { return (0.0, 0.0) };
    let same = |before: &&ConsumerView| {
        (before.number, before.seat.epoch) == (consumer.number, consumer.seat.epoch)
    };
    let Some(before) = earlier.consumers.iter().find(same) else { return (0.0, 0.0) };
    let grown = |now: u64, before: u64| now.saturating_sub(before);
    (
        per_second(now, earlier, grown(consumer.slots_read, before.slots_read)),
        per_second(now, earlier, grown(consumer.bytes_read, before.bytes_read)),
    )
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "shown, and a float's cast saturates"
)]
fn byte_rate(rate: f64) -> String {
    units::bytes(rate as u64)
}

fn frame(context: &Context, args: &Top, (now, earlier): (&Looked, &Looked)) -> String {
    let folder = context.folder.path().display();
    let title = paint(BOLD, &format!("datahub top  {folder}"));
    let every =
        paint(DIM, &format!("{}, over {:?}", units::plural(now.len(), "block"), args.interval));
    let mut text = Page(format!("{title}  {every}\n\n"));
    if now.is_empty() {
        text.add("no blocks\n");
        return text.0;
    }
    let before = |name: &BlockName| earlier.get(name).and_then(Option::as_ref);
    text.add(blocks(now, before));
    if let Some(name) = &args.name
        && let Some(Some(view)) = now.get(name)
    {
        if !view.consumers.is_empty() {
            text.add(format!("\n{}", consumers(view, before(name))));
        }
        let findings = judge(view, before(name));
        if !findings.is_empty() {
            text.add(format!("\n{}", show::findings(&findings)));
        }
    }
    text.0
}

fn judge(view: &BlockView, earlier: Option<&BlockView>) -> Vec<Finding> {
    examine(view, earlier, Thresholds::default())
}

fn blocks<'a>(now: &Looked, before: impl Fn(&BlockName) -> Option<&'a BlockView>) -> String {
    let columns = [
        Column::Text("BLOCK"),
        Column::Text("PRODUCER"),
        Column::Figure("COMMITS/s"),
        Column::Figure("BYTES/s"),
        Column::Figure("READS/s"),
        Column::Figure("CONSUMERS"),
        Column::Figure("WORST LAG"),
        Column::Text("UNREAD"),
        Column::Text("HEALTH"),
    ];
    let row = |(name, view): (&BlockName, &Option<BlockView>)| {
        let title = cell(name.as_str(), Look::Strong);
        match view {
            Some(view) => block_row(title, view, before(name)),
            None => vec![title, cell("unusable", Look::Bad)],
        }
    };
    render(&columns, now.iter().map(row).collect())
}

fn block_row(title: Cell, view: &BlockView, earlier: Option<&BlockView>) -> Vec<Cell> {
    let rates = rates(view, earlier);
    let alive = view.consumers.iter().filter(|consumer| consumer.seat.alive).count();
    let joined = view.consumers.iter().filter(|consumer| consumer.registered);
    let lag = joined.map(|consumer| consumer.lag).max();
    vec![
        title,
        show::producer(view),
        plain(units::short(rates.commits)),
        plain(byte_rate(rates.written_bytes)),
        plain(units::short(rates.reads)),
        plain(alive.to_string()),
        plain(lag.map_or_else(|| "–".to_owned(), units::count)),
        show::occupancy(view),
        show::health(&judge(view, earlier)),
    ]
}

fn consumers(view: &BlockView, earlier: Option<&BlockView>) -> String {
    let columns = [
        Column::Figure("CONSUMER"),
        Column::Figure("PROCESS"),
        Column::Text("STATE"),
        Column::Figure("READS/s"),
        Column::Figure("BYTES/s"),
        Column::Figure("LAG"),
        Column::Text("HEARTBEAT"),
    ];
    let row = |consumer: &ConsumerView| {
        let (word, look) = show::seat_state(&consumer.seat);
        let (reads, bytes) = consumer_rates(view, earlier, consumer);
        vec![
            plain(consumer.number.to_string()),
            plain(show::process(&consumer.seat)),
            cell(word, look),
            plain(units::short(reads)),
            plain(byte_rate(bytes)),
            plain(units::count(consumer.lag)),
            plain(show::beat(&consumer.seat)),
        ]
    };
    render(&columns, view.consumers.iter().map(row).collect())
}

fn as_json(now: &Looked, earlier: &Looked) -> Value {
    let block = |(name, view): (&BlockName, &Option<BlockView>)| {
        let Some(view) = view else { return json!({ "name": name.as_str(), "usable": false }) };
        let before = earlier.get(name).and_then(Option::as_ref);
        let rates = rates(view, before);
        let consumer = |consumer: &ConsumerView| {
            let (reads, bytes) = consumer_rates(view, before, consumer);
            json!({
                "number": consumer.number,
                "alive": consumer.seat.alive,
                "reads_per_second": reads,
                "bytes_per_second": bytes,
                "lag_payloads": consumer.lag,
            })
        };
        let rules: Vec<_> = judge(view, before).iter().map(|finding| finding.rule).collect();
        json!({
            "name": name.as_str(),
            "usable": true,
            "producer_alive": view.producer.alive,
            "commit_index": view.commit_index,
            "commits_per_second": rates.commits,
            "bytes_per_second": rates.written_bytes,
            "reads_per_second": rates.reads,
            "unread_payloads": view.occupancy(),
            "consumers": view.consumers.iter().map(consumer).collect::<Vec<_>>(),
            "findings": rules,
        })
    };
    json!({ "blocks": now.iter().map(block).collect::<Vec<_>>() })
}
