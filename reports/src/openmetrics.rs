//! The result as an OpenMetrics exposition, for a push gateway or a text-file collector.

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use report_schema::{Role, SuiteResult, Verdict};

use crate::summary::{CellSummary, Curves, Percentile, Shown, Summary};

/// Why the exposition could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the metrics cannot be written: {0}")]
pub struct MetricsError(#[from] core::fmt::Error);

type Labels = Vec<(&'static str, String)>;
#[expect(clippy::disallowed_types, reason = "the library keeps a figure there; nobody shares it")]
type Figure = Gauge<f64, std::sync::atomic::AtomicU64>;
type Gauges = Family<Labels, Figure>;

/// Quantiles of every latency.
const QUANTILES: [f64; 5] = [0.5, 0.9, 0.99, 0.999, 1.0];

/// The two ends and what they are called.
const ENDS: [(Role, &str); 2] = [(Role::Producer, "producer"), (Role::Consumer, "consumers")];

/// Renders the result. Every figure is a gauge: a run is over and nothing in it counts on.
///
/// # Errors
///
/// [`MetricsError`]: only what the encoder refuses; no result is known to cause it.
pub fn render(suite: &SuiteResult) -> Result<String, MetricsError> {
    let summary = Summary::of(suite);
    let mut registry = Registry::with_prefix("harness");
    run(&mut registry, &summary);
    latencies(&mut registry, &summary.cells);
    rates(&mut registry, &summary.cells);
    counts(&mut registry, &summary.cells);
    hardware(&mut registry, &summary.cells);
    verdicts(&mut registry, &summary);
    comparisons(&mut registry, suite);
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(sorted(&text))
}

/// The samples of each family in order: the library has none, and files of two runs are compared.
fn sorted(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let both = |a: &&str, b: &&str| a.starts_with('#') == b.starts_with('#');
    let blocks = lines.chunk_by(both).flat_map(|block| {
        let mut block = block.to_vec();
        if !block[0].starts_with('#') {
            block.sort_unstable();
        }
        block
    });
    blocks.flat_map(|line| [line, "\n"]).collect()
}

fn run(registry: &mut Registry, summary: &Summary<'_>) {
    let suite = summary.suite;
    let info: Labels = vec![
        ("suite", suite.suite.clone()),
        ("profile", suite.profile.clone()),
        ("commit", suite.commit.clone().unwrap_or_else(|| "unknown".to_owned())),
        ("verdict", summary.verdict.map_or("none", Verdict::as_str).to_owned()),
        ("interrupted", suite.interrupted.to_string()),
        ("cpu", suite.host.cpu_model.clone().unwrap_or_else(|| "unknown".to_owned())),
    ];
    registry.register("run", "What was run, and what it says", Info::new(info));
    let seconds = |ms: u64| ms as f64 / 1e3;
    let figures = [
        ("started_timestamp", "When the run began", seconds(suite.started_unix_ms)),
        ("wall", "How long the run took", seconds(suite.wall_ms)),
    ];
    for (name, help, value) in figures {
        let gauge = Figure::default();
        gauge.set(value);
        registry.register_with_unit(name, help, Unit::Seconds, gauge);
    }
    let code = Figure::default();
    code.set(f64::from(suite.exit_code));
    registry.register("exit_code", "The exit code of the run", code);
}

fn latencies(registry: &mut Registry, cells: &[CellSummary<'_>]) {
    let (latency, samples) = (Gauges::default(), Gauges::default());
    for summary in cells {
        for curve in Curves::shown(&[summary], Shown::EachEnd).curves {
            let labels = |rest: Option<(f64, bool)>| {
                let mut labels = cell_label(summary);
                labels.push(("of", curve.label.clone()));
                labels.push(("timed", curve.kind.describe().to_owned()));
                let Some((quantile, sure)) = rest else { return labels };
                labels.push(("quantile", quantile.to_string()));
                // No figure of a dashboard is in brackets.
                labels.extend((!sure).then(|| ("samples_beyond", "too few".to_owned())));
                labels
            };
            samples.get_or_create(&labels(None)).set(curve.histogram.len() as f64);
            for quantile in QUANTILES {
                let found = Percentile::of(&curve.histogram, quantile);
                let labels = labels(Some((quantile, found.sure)));
                latency.get_or_create(&labels).set(found.ns as f64 / 1e9);
            }
        }
    }
    let help = "Latency over the compared trials";
    registry.register_with_unit("latency", help, Unit::Seconds, latency);
    registry.register("latency_samples", "Samples behind the latencies", samples);
}

fn rates(registry: &mut Registry, cells: &[CellSummary<'_>]) {
    let (messages, bytes) = (Gauges::default(), Gauges::default());
    for summary in cells {
        for (role, name) in ENDS {
            let mut labels = cell_label(summary);
            labels.push(("role", name.to_owned()));
            if let Some(rate) = summary.messages_per_s(role) {
                messages.get_or_create(&labels).set(rate);
            }
            if let Some(rate) = summary.bytes_per_s(role) {
                bytes.get_or_create(&labels).set(rate);
            }
        }
    }
    registry.register("messages_per_second", "Median over the compared trials", messages);
    registry.register("payload_bytes_per_second", "Median over the compared trials", bytes);
}

fn counts(registry: &mut Registry, cells: &[CellSummary<'_>]) {
    let counts = Gauges::default();
    for summary in cells {
        for (name, value) in summary.counts.named() {
            let mut labels = cell_label(summary);
            labels.push(("counter", name.to_owned()));
            counts.get_or_create(&labels).set(value as f64);
        }
    }
    registry.register("count", "What was counted in all trials", counts);
}

fn hardware(registry: &mut Registry, cells: &[CellSummary<'_>]) {
    let events = Gauges::default();
    for summary in cells {
        for (role, name) in ENDS {
            let cost = summary.hardware(role);
            for (event, value) in cost.iter().flat_map(|cost| &cost.per_message) {
                let mut labels = cell_label(summary);
                labels.push(("role", name.to_owned()));
                labels.push(("event", (*event).to_owned()));
                events.get_or_create(&labels).set(*value);
            }
        }
    }
    let help = "What the processor counted in user mode over the compared trials";
    registry.register("hardware_events_per_message", help, events);
}

fn verdicts(registry: &mut Registry, summary: &Summary<'_>) {
    let holds = Gauges::default();
    let passed = |verdict: Verdict| f64::from(u8::from(verdict == Verdict::Pass));
    for (gate, cell) in summary.gates() {
        let mut labels = cell_label(cell);
        labels.push(("gate", gate.id.clone()));
        labels.push(("line", gate.line.map_or_else(String::new, |line| line.to_string())));
        holds.get_or_create(&labels).set(passed(gate.verdict));
    }
    registry.register("gate_holds", "1 where an expectation holds", holds);
    let models = Gauges::default();
    for model in &summary.suite.models {
        let labels = vec![
            ("model", model.scenario.clone()),
            ("engine", model.engine.clone()),
            ("memory", model.memory.clone()),
        ];
        models.get_or_create(&labels).set(passed(model.verdict));
    }
    registry.register("model_holds", "1 where a model ended as it must", models);
    let kills = Gauges::default();
    for row in &summary.suite.crashes {
        let labels = vec![
            ("victim", row.victim.clone()),
            ("site", row.site.clone()),
            ("shape", row.shape.clone()),
            ("verdict", row.verdict.to_string()),
        ];
        kills.get_or_create(&labels).set(row.kills as f64);
    }
    registry.register("kills", "Processes killed at a site", kills);
}

fn comparisons(registry: &mut Registry, suite: &SuiteResult) {
    let (ratios, holds) = (Gauges::default(), Gauges::default());
    for comparison in &suite.comparisons {
        for each in &comparison.cells {
            let labels = vec![
                ("cell", each.cell.clone()),
                ("metric", each.metric.clone()),
                ("base", comparison.base.name.clone()),
                ("candidate", comparison.candidate.name.clone()),
                ("change", each.change.as_str().to_owned()),
            ];
            if let Some(evidence) = &each.evidence {
                ratios.get_or_create(&labels).set(evidence.ratio);
            }
            let passed = each.change.verdict() == Verdict::Pass;
            holds.get_or_create(&labels).set(f64::from(u8::from(passed)));
        }
    }
    let help = "The candidate's figure divided by the base's";
    registry.register("comparison_ratio", help, ratios);
    let help = "1 where a compared figure did not get worse and could be judged";
    registry.register("comparison_holds", help, holds);
}

fn cell_label(summary: &CellSummary<'_>) -> Labels {
    vec![("cell", summary.cell.id.clone())]
}
