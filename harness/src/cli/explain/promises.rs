//! What a run will judge, in sentences: rules that no file states, what the block implies, what the
//! file says; and the list of all metrics.

use std::fmt::Write as _;

use report_schema::LatencyKind;

use crate::gate::{Class, Expectation, Metric};
use crate::scenario::Cell;
use crate::suite::workload;
use crate::verdict::rules;

/// Everything that is judged of any of the cells, each once.
pub(super) fn all(cells: &[Cell]) -> Vec<String> {
    let told = cells.iter().map(|cell| {
        let rule = |(id, check): (&str, &str)| format!("{id}: {check} ({})", worst(id));
        let rules = rules(cell).into_iter().map(rule);
        let timed = workload(cell).latency_kind();
        let stated = cell.expectations.iter().map(|stated| expectation(stated, timed));
        rules.chain(stated).collect()
    });
    counted(told.collect())
}

/// The sentences of all cells in the order in which they come first, each once; where it does not
/// stand in every cell, in how many.
pub(super) fn counted(told: Vec<Vec<String>>) -> Vec<String> {
    let cells = told.len();
    let mut known: Vec<(String, usize)> = vec![];
    for sentence in told.into_iter().flatten() {
        match known.iter_mut().find(|(text, _)| *text == sentence) {
            Some((_, count)) => *count += 1,
            None => known.push((sentence, 1)),
        }
    }
    let said = |(text, count): (String, usize)| {
        if count == cells { text } else { format!("{text} [in {count} of {cells} cells]") }
    };
    known.into_iter().map(said).collect()
}

/// What a violation of a rule that no file states is.
fn worst(id: &str) -> &'static str {
    match id {
        "implied:ran" => "else broken",
        "implied:offered" => "else inconclusive",
        "implied:faults" => "else broken, or inconclusive where the trial ended before",
        _ => "else correctness",
    }
}

/// `timed`: what the latency of its cell is.
fn expectation(expectation: &Expectation, timed: LatencyKind) -> String {
    let class = match expectation.class() {
        _ if expectation.check.metric == Metric::Faults => "broken or inconclusive",
        Class::Correctness => "correctness",
        Class::Performance => "performance",
    };
    let Expectation { id, check, .. } = expectation;
    let mut text = format!(
        "{id}: {} (else {class}). {}: {}",
        check.text,
        check.metric,
        check.metric.meaning(Some(timed))
    );
    if class == "correctness" {
        text.push_str("; one trial that violates it is enough");
    } else if check.needs_baseline() {
        text.push_str(
            "; held against the stored run that --baseline names: it fails only if it also lies two \
             steps of the clock away and chance is excluded, and without a baseline it is inconclusive",
        );
    } else {
        text.push_str("; the median of the trials of one class counts");
    }
    if expectation.near_only {
        text.push_str(", on near cores only");
    }
    if expectation.min_trials > 1 {
        // A String takes every write.
        let _written =
            write!(text, "; fewer than {} trials are inconclusive", expectation.min_trials);
    }
    text.push_str(if expectation.implied { " [implied by the block]" } else { "." });
    text
}

/// Every metric with its meaning and unit, as comments behind the example.
pub(super) fn metrics() -> String {
    let mut text = "\n# Metrics that a `check` may name. Counts judge correctness, times and rates performance:\n".to_owned();
    for metric in Metric::names().filter_map(Metric::by_name) {
        let dimension = metric.dimension();
        let unit = match dimension.unit() {
            "" => "a count".to_owned(),
            unit => format!("{}, {unit}", dimension.name()),
        };
        // A String takes every write.
        let _written =
            writeln!(text, "#   {:<20} {} ({unit})", metric.name(), metric.meaning(None));
    }
    text.push_str(
        "# The right side adds up numbers with units, metrics of the same kind with or without a factor, and\n\
         # `baseline`: the same figure of the stored run that `run --baseline NAME` or `gate --baseline NAME`\n\
         # names. `p99(latency) <= 1.10 * baseline + 2 * clock-quantum` fails where the run is more than a\n\
         # tenth slower, chance is excluded and the clock can tell; without a baseline it is inconclusive.\n",
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Profile;

    fn example() -> Vec<String> {
        let scenario = crate::scenario::parse("example.toml", crate::cli::explain::EXAMPLE, &[]);
        all(scenario.unwrap().cells(Profile::Full))
    }

    #[test]
    fn every_rule_that_a_run_judges_is_told_with_its_meaning() {
        let told = example().join("\n");
        for id in ["implied:ran", "implied:metrics", "implied:survivors", "implied:torn"] {
            assert!(told.contains(&format!("{id}: ")), "{id} is not in {told}");
        }
        assert!(told.contains("mislabelled: reads whose label and content disagree"), "{told}");
    }

    #[test]
    fn a_latency_is_told_as_its_workload_measures_it() {
        let told = |workload: &str| {
            let text = crate::scenario::sample::STREAM.replace("[workload.stream]", workload);
            let check = "[[expect]]\nid = \"p\"\ncheck = \"p50(latency) <= 1 s\"\n";
            let scenario = crate::scenario::parse("a.toml", &(text + check), &[]);
            all(scenario.unwrap().cells(Profile::Full)).join("\n")
        };
        for (workload, words) in [
            ("[workload.ping-pong]", "half of a round trip, the median"),
            ("[workload.stream]", "from the actual start to the valid read"),
            ("[workload.open]\nrate = \"1 kHz\"", "from the intended start to the valid read"),
        ] {
            assert!(told(workload).contains(words), "{workload}: {}", told(workload));
        }
    }

    #[test]
    fn what_stands_in_some_cells_says_in_how_many() {
        let told = counted(vec![vec!["a".to_owned(), "b".to_owned()], vec!["a".to_owned()]]);
        assert_eq!(told, ["a", "b [in 1 of 2 cells]"]);
    }

    #[test]
    fn every_metric_is_listed_with_its_unit() {
        let listed = metrics();
        assert!(Metric::names().all(|name| listed.contains(&format!("#   {name} "))), "{listed}");
        assert!(listed.contains("(a time, ns)") && listed.contains("1.10 * baseline"), "{listed}");
        assert!(listed.lines().all(|line| line.is_empty() || line.starts_with('#')), "{listed}");
    }
}
