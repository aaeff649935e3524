//! Health rules: from what a block looks like to what somebody should do.
//!
//! Pure: a rule sees one view, and an earlier one where progress matters. A rule says what it saw, why
//! it matters and what to do; thresholds are arguments.
//! Source: the failure modes of HEP-CORE-0002, with thresholds where it names none.

mod consumers;
mod producer;
mod slots;

use super::view::BlockView;

/// How much a finding matters. Ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing; nothing is wrong.
    Info,
    /// Somebody should look: it costs something now, or will.
    Warning,
    /// Data is lost, wrong or stuck.
    Critical,
}

impl Severity {
    /// One word, lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// What a rule found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule: a stable name for programs.
    pub rule: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What was seen, with figures.
    pub what: String,
    /// Why it matters.
    pub why: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

/// From when on something counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    /// Who has not beaten for longer is silent.
    pub silent_ns: u64,
    /// Who is silent and counts nothing from one look to another, so far apart at least, stands still.
    pub still_ns: u64,
}

impl Default for Thresholds {
    /// Silent after five seconds, as the specification has it; watched for one second, in which who is
    /// active beats several times.
    fn default() -> Self {
        Self { silent_ns: 5_000_000_000, still_ns: 1_000_000_000 }
    }
}

/// What a rule may look at.
#[derive(Debug, Clone, Copy)]
struct Case<'a> {
    now: &'a BlockView,
    earlier: Option<&'a BlockView>,
    thresholds: Thresholds,
}

/// Applies every rule; the worst findings come first.
///
/// With an `earlier` view, who has made progress since then is not silent, and counters are compared.
#[must_use]
pub fn examine(
    now: &BlockView,
    earlier: Option<&BlockView>,
    thresholds: Thresholds,
) -> Vec<Finding> {
    // A view of another block under the same name says nothing about this one.
    let earlier = earlier.filter(|earlier| earlier.geometry.nonce == now.geometry.nonce);
    let case = Case { now, earlier, thresholds };
    let mut findings = Vec::new();
    producer::examine(case, &mut findings);
    consumers::examine(case, &mut findings);
    slots::examine(case, &mut findings);
    findings.sort_by_key(|finding| core::cmp::Reverse(finding.severity));
    findings
}

/// The worst of the findings.
#[must_use]
pub fn worst(findings: &[Finding]) -> Option<Severity> {
    findings.iter().map(|finding| finding.severity).max()
}

/// Names a process, where it is known.
fn process(id: Option<u64>) -> String {
    id.map(|id| format!(" (process {id})")).unwrap_or_default()
}

/// The consumers of a mask, as text.
fn consumers_in(mask: u32) -> String {
    let numbers: Vec<String> =
        (0..u32::BITS).filter(|bit| mask & (1 << bit) != 0).map(|bit| bit.to_string()).collect();
    let noun = if numbers.len() == 1 { "consumer" } else { "consumers" };
    format!("{noun} {}", numbers.join(", "))
}

#[cfg(test)]
mod tests;
