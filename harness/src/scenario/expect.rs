//! Reads `[[expect]]` and adds what the block's promises imply.

use super::fields::{Fields, Words, list};
use super::model::BlockSpec;
use super::problem::{Mistake, Mistakes, Source, Span, line_of};
use super::roles::{duplicate, slug};
use super::tree::Node;
use crate::gate::{Check, Expectation, GrammarError, Metric, Op, Term, parse};
use crate::suggest::nearest;

/// More than a reader follows.
const EXPECTATIONS_MAX: usize = 100;

/// An expectation and where its check stands.
#[derive(Debug, Clone)]
pub(super) struct Written {
    pub(super) expectation: Expectation,
    pub(super) check_span: Span,
    pub(super) min_trials_span: Span,
    /// In which cells it stands; absent, in all.
    pub(super) only: Option<Node>,
}

/// Reads all `[[expect]]`.
pub(super) fn read(node: Option<&Node>, sources: &[Source], mistakes: &Mistakes) -> Vec<Written> {
    let Some(node) = node else {
        return vec![];
    };
    let wanted = "expectations are a list: write `[[expect]]`";
    let Some(items) = list(mistakes, node, EXPECTATIONS_MAX, wanted) else {
        return vec![];
    };
    let mut seen: Vec<(&str, &Node)> = vec![];
    let mut all = vec![];
    for item in items {
        let id = item.table().and_then(|table| table.get("id"));
        if let Some((text, node)) = id.and_then(|node| Some((node.text()?, node))) {
            match seen.iter().find(|(known, _)| *known == text) {
                Some((_, first)) => mistakes.push(duplicate("expectation", text, first, node)),
                None => seen.push((text, node)),
            }
        }
        all.extend(one(item, sources, mistakes));
    }
    all
}

fn one(node: &Node, sources: &[Source], mistakes: &Mistakes) -> Option<Written> {
    const WHENS: &Words<()> = &[("near", ())];
    let fields = Fields::new(node, "[[expect]]", mistakes)?;
    let id = fields.required("id", "\"p99\"");
    let id = id.and_then(|node| slug(node, "an expectation's id", mistakes));
    let text = fields.required_text("check", "\"lost == 0\"");
    let check_node = fields.node("check");
    let near_only = fields.word("when", WHENS).is_some();
    let min_trials = fields.whole("min-trials", 1..=100).unwrap_or(1);
    let min_trials_span = fields.node("min-trials").map_or(node.span, |node| node.span);
    let only = fields.node("only").cloned();
    fields.finish();
    let (text, check_node) = (text?, check_node?);
    let check = match parse(text) {
        Ok(check) => check,
        Err(error) => {
            mistakes.push(bad_check(&error, check_node, text, sources));
            return None;
        }
    };
    let source = sources.get(check_node.span.source);
    let expectation = Expectation {
        id: id?,
        check,
        near_only,
        min_trials: u32::try_from(min_trials).unwrap_or(1),
        implied: false,
        line: source.map_or(1, |source| line_of(&source.text, check_node.span.start)),
    };
    Some(Written { expectation, check_span: check_node.span, min_trials_span, only })
}

/// The place inside the string, where the string stands in the file as it reads.
fn bad_check(error: &GrammarError, node: &Node, text: &str, sources: &[Source]) -> Mistake {
    let source = sources.get(node.span.source).map_or("", |source| source.text.as_str());
    let written = source.get(node.span.start..node.span.end).unwrap_or("");
    let span = match written.find(text) {
        Some(offset) if !text.is_empty() => {
            node.span.within(offset + error.at.start, offset + error.at.end)
        }
        _ => node.span,
    };
    Mistake::new("scenario::bad-check", span, error.message.clone())
        .label("here")
        .help(error.help.clone())
}

/// Keeps the expectations that a profile names; all of them where it names none.
///
/// `written` is the file's `[[expect]]`: an id counts as known even if its check is wrong.
pub(super) fn select(
    all: &[Written],
    written: Option<&Node>,
    ids: Option<&[(&str, &Node)]>,
    mistakes: &Mistakes,
) -> Vec<Written> {
    let Some(ids) = ids else {
        return all.to_vec();
    };
    let items = written.and_then(Node::array).unwrap_or_default();
    let known = || items.iter().filter_map(|item| item.table()?.get("id")?.text());
    for (id, node) in ids {
        if !known().any(|name| name == *id) {
            let help = match nearest(id, known()) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None if items.is_empty() => "there is no [[expect]]".to_owned(),
                None => format!("ids are: {}", known().collect::<Vec<_>>().join(", ")),
            };
            let message = format!("no expectation is called `{id}`");
            let mistake = Mistake::new("scenario::unknown-id", node.span, message);
            mistakes.push(mistake.label("unknown").help(help));
        }
    }
    let named = |written: &&Written| ids.iter().any(|(id, _)| *id == written.expectation.id);
    all.iter().filter(named).cloned().collect()
}

/// What every run of such a block owes, whether the file says so or not.
pub(super) fn implied(block: &BlockSpec, line: usize) -> Vec<Expectation> {
    let always = [
        Metric::Torn,
        Metric::Mislabelled,
        Metric::Backward,
        Metric::Duplicated,
        Metric::ChecksumFailures,
    ];
    let lossless = block.lossless().then_some(Metric::Lost);
    let zero = |metric: Metric| Expectation {
        id: format!("implied:{metric}"),
        check: Check {
            text: format!("{metric} == 0"),
            metric,
            op: Op::Equal,
            bound: vec![Term::Constant(0.0)],
        },
        near_only: false,
        min_trials: 1,
        implied: true,
        line,
    };
    always.into_iter().chain(lossless).map(zero).collect()
}

/// Whether the check says that nothing is lost.
pub(super) fn demands_nothing_lost(check: &Check) -> bool {
    let below = match check.op {
        Op::Equal | Op::AtMost => 0.0,
        Op::Below => 1.0,
        Op::AtLeast | Op::Above => return false,
    };
    let constant = |term: &Term| match term {
        Term::Constant(value) => Some(*value),
        Term::Scaled { .. } | Term::Baseline(_) => None,
    };
    let bound: Option<f64> = check.bound.iter().map(constant).sum();
    check.metric == Metric::Lost && bound.is_some_and(|bound| bound <= below)
}
