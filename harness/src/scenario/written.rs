//! Reads `[record]`: what each process writes down of what it did.

use super::fields::{Fields, wrong_type};
use super::model::History;
use super::problem::{Mistake, Mistakes};
use super::tree::Node;

/// More would not fit into the memory of small machines.
pub(super) const RECORDS_MAX: u64 = 1 << 24;
/// Fewer say nothing.
const RECORDS_MIN: u64 = 1_000;

/// Reads `[record]`; absent, nothing is written down.
pub(super) fn history(node: Option<&Node>, mistakes: &Mistakes) -> Option<History> {
    let Some(node) = node else { return Some(History::None) };
    let fields = Fields::new(node, "[record]", mistakes)?;
    let history = fields.node("history").map(|node| one(node, mistakes));
    fields.finish();
    history.unwrap_or(Some(History::None))
}

fn one(node: &Node, mistakes: &Mistakes) -> Option<History> {
    let Some(text) = node.text() else {
        wrong_type(mistakes, node, "`history` is a string");
        return None;
    };
    let history = match text {
        "none" => Some(History::None),
        "all" => Some(History::All),
        _ => text.strip_prefix("ring:").and_then(records).map(History::Ring),
    };
    if history.is_none() {
        let message = format!("`{text}` is no history");
        let mistake = Mistake::new("scenario::bad-history", node.span, message);
        let help =
            "write \"all\", \"none\", or \"ring:1M\" for the last million records (1k to 16M)";
        mistakes.push(mistake.label("this history").help(help));
    }
    history
}

/// `5000`, `64k`, `1M`.
fn records(text: &str) -> Option<u64> {
    let (digits, factor) = match text.strip_suffix('k') {
        Some(digits) => (digits, 1_000),
        None => text.strip_suffix('M').map_or((text, 1), |digits| (digits, 1_000_000)),
    };
    let digits = digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(digits)?;
    let records = digits.parse::<u64>().ok()?.checked_mul(factor)?;
    (RECORDS_MIN..=RECORDS_MAX).contains(&records).then_some(records)
}
