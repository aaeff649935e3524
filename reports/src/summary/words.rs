//! Sentences about gates and models, for somebody who does not know how checks are written.

use report_schema::{Coverage, GateResult, ModelResult, Verdict};

use crate::format;

/// Counters whose gates ask for none: how grave, what happened to how many messages.
const COUNTERS: [(&str, u8, &str); 6] = [
    ("torn", 6, "torn"),
    ("mislabelled", 5, "delivered under the number of another"),
    ("lost", 4, "lost"),
    ("duplicated", 3, "delivered twice"),
    ("backward", 2, "delivered out of order"),
    ("checksum-failures", 1, "refused for a wrong checksum"),
];

/// Which side of its bound a figure must be on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// At most the bound, or less.
    AtMost,
    /// At least the bound, or more.
    AtLeast,
    /// The bound itself.
    Equal,
}

impl Relation {
    /// The sign that stands before the bound.
    #[must_use]
    pub const fn sign(self) -> &'static str {
        match self {
            Self::AtMost => "≤",
            Self::AtLeast => "≥",
            Self::Equal => "=",
        }
    }
}

/// A check, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit<'a> {
    /// What is looked at, for instance `p50(latency)`.
    pub figure: &'a str,
    /// How it is held against the bound.
    pub relation: Relation,
}

impl Limit<'_> {
    /// The figure as people say it: `p50 latency`.
    #[must_use]
    pub fn words(&self) -> String {
        let words = self
            .figure
            .replace("(blocked)", " time blocked")
            .replace(['(', '-'], " ")
            .replace(')', "");
        match words.as_str() {
            "throughput.messages" => "message rate".to_owned(),
            "throughput.bytes" => "byte rate".to_owned(),
            "delivered" => "messages delivered".to_owned(),
            "faults" => "faults that struck".to_owned(),
            "torn" | "mislabelled" | "lost" | "duplicated" => format!("messages {words}"),
            "backward" => "messages out of order".to_owned(),
            _ => words,
        }
    }
}

/// Takes a check apart; `None` for one that is no inequality.
#[must_use]
pub fn sides(check: &str) -> Option<Limit<'_>> {
    let relations = [
        ("<=", Relation::AtMost),
        (">=", Relation::AtLeast),
        ("==", Relation::Equal),
        ("<", Relation::AtMost),
        (">", Relation::AtLeast),
    ];
    relations.into_iter().find_map(|(sign, relation)| {
        let (figure, _) = check.split_once(sign)?;
        Some(Limit { figure: figure.trim(), relation })
    })
}

/// How grave a violation is: first what was counted, then how often.
pub(super) fn weight(gate: &GateResult) -> (u8, u64) {
    if !matches!(gate.verdict, Verdict::Correctness | Verdict::Performance) {
        return (0, 0);
    }
    let found = sides(&gate.check).and_then(|limit| counter(limit.figure));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
    let count = gate.value.filter(|value| *value > 0.0).unwrap_or(0.0) as u64;
    found.map_or((0, 0), |(_, grave, _)| (grave, count))
}

fn counter(figure: &str) -> Option<(&'static str, u8, &'static str)> {
    COUNTERS.into_iter().find(|(name, _, _)| *name == figure)
}

/// What a gate found in one cell, in a sentence.
pub(super) fn sentence(gate: &GateResult, cell: &str) -> String {
    let reason = gate.reason.trim_end_matches('.');
    let judged = matches!(gate.verdict, Verdict::Correctness | Verdict::Performance);
    let found = sides(&gate.check).zip(gate.value).zip(gate.bound).filter(|_| judged);
    let Some(((limit, value), bound)) = found else {
        return format!("{cell}: {}: {reason}.", gate.check);
    };
    if let Some((_, _, what)) = counter(limit.figure).filter(|_| bound == 0.0 && value > 0.0) {
        let messages = if (value - 1.0).abs() < 0.5 { "message was" } else { "messages were" };
        return format!("{} {messages} {what} in {cell}; none may be.", format::plain(value));
    }
    let bound = format::with_unit(bound, &gate.unit);
    let must = match limit.relation {
        Relation::AtMost => format!("at most {bound} is allowed"),
        Relation::AtLeast => format!("it must be at least {bound}"),
        Relation::Equal => format!("it must be {bound}"),
    };
    let value = format::with_unit(value, &gate.unit);
    let mut figure = limit.words();
    if !figure.starts_with('p') {
        let first: String = figure.chars().take(1).flat_map(char::to_uppercase).collect();
        figure = first.chars().chain(figure.chars().skip(1)).collect();
    }
    format!("{figure} in {cell}: {value}; {must}.")
}

/// How much of the space of executions models have seen; the three kinds are never added.
pub(super) fn coverage(models: &[ModelResult]) -> String {
    let count =
        |kind: fn(&Coverage) -> bool| models.iter().filter(|model| kind(&model.coverage)).count();
    let kinds = [
        (count(|seen| matches!(seen, Coverage::Complete)), "searched completely"),
        (count(|seen| matches!(seen, Coverage::Bounded { .. })), "within a bound"),
        (count(|seen| matches!(seen, Coverage::Sampled { .. })), "sampled"),
    ];
    let some = kinds.into_iter().filter(|(count, _)| *count > 0);
    let words = some.map(|(count, how)| format!("{} {how}", format::count(count as u64)));
    words.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(check: &str, value: f64, bound: f64, unit: &str) -> GateResult {
        GateResult {
            id: "x".to_owned(),
            check: check.to_owned(),
            file: String::new(),
            line: Some(1),
            value: Some(value),
            bound: Some(bound),
            unit: unit.to_owned(),
            verdict: Verdict::Correctness,
            reason: "it does not hold.".to_owned(),
            evidence: None,
        }
    }

    #[test]
    fn a_failed_gate_is_told_in_plain_words() {
        let told =
            |check, value, bound, unit| sentence(&gate(check, value, bound, unit), "smoke-open");
        assert_eq!(
            told("torn == 0", 2.0, 0.0, ""),
            "2 messages were torn in smoke-open; none may be."
        );
        assert_eq!(
            told("lost == 0", 1.0, 0.0, ""),
            "1 message was lost in smoke-open; none may be."
        );
        assert_eq!(
            told("p99(latency) <= 3 * calibration", 250.0, 220.0, "ns"),
            "p99 latency in smoke-open: 250 ns; at most 220 ns is allowed."
        );
        assert_eq!(
            told("throughput.messages >= 5 M/s", 4e6, 5e6, "/s"),
            "Message rate in smoke-open: 4 M/s; it must be at least 5 M/s."
        );
        let mut unsure = gate("p50(latency) <= 9ns", 1.0, 9.0, "ns");
        unsure.verdict = Verdict::Inconclusive;
        assert_eq!(sentence(&unsure, "a"), "a: p50(latency) <= 9ns: it does not hold.");
    }

    #[test]
    fn a_figure_reads_as_people_say_it() {
        let words = |check| sides(check).map(|limit| limit.words());
        for (check, told) in [
            ("p99.9(latency) <= 8 * calibration", "p99.9 latency"),
            ("max(producer-wait) <= 5 ms", "max producer wait"),
            ("throughput.bytes >= 1 GB/s", "byte rate"),
            ("p99(blocked) <= 5 ms", "p99 time blocked"),
            ("lost == 0", "messages lost"),
        ] {
            assert_eq!(words(check).as_deref(), Some(told), "{check}");
        }
        assert_eq!(words("every process ends as it should"), None);
    }

    #[test]
    fn the_gravest_violation_comes_first() {
        let torn = |value| weight(&gate("torn == 0", value, 0.0, ""));
        assert!(torn(196.0) > torn(2.0));
        assert!(torn(1.0) > weight(&gate("backward == 0", 900.0, 0.0, "")));
        assert_eq!(weight(&gate("p50(latency) <= 9ns", 10.0, 9.0, "ns")), (0, 0));
    }
}
