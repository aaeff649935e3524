//! Reads what stands at the top of a scenario and closes the list of its sections.

use super::fields::{Fields, list, wrong_type};
use super::model::Profile;
use super::problem::{Mistake, Mistakes, Span};
use super::roles::slug;
use super::tree::{Kind, Node};

/// The version of the format.
pub const SCHEMA_VERSION: u64 = 1;

const QUESTION_MAX: usize = 200;
const TAGS_MAX: usize = 16;

/// Name, question and tags, as far as they could be read.
#[derive(Debug, Default)]
pub(super) struct Header {
    pub(super) name: Option<String>,
    pub(super) question: Option<String>,
    pub(super) tags: Vec<String>,
}

/// The first line asks the question, so that whoever opens the file knows what it is for.
pub(super) fn check_first_line(text: &str, mistakes: &Mistakes) {
    let line = text.lines().next().unwrap_or("");
    let asks = line.strip_prefix('#').is_some_and(|rest| {
        let rest = rest.trim();
        rest.len() > 1 && rest.ends_with('?')
    });
    if !asks {
        let span = Span { source: 0, start: 0, end: line.len() };
        let message = "the first line is a comment that asks the scenario's question";
        let help = "as in `# How long does one message take to and fro?`";
        mistakes.push(Mistake::new("scenario::first-line", span, message).label("here").help(help));
    }
}

/// Reads the top level and each profile's own keys.
pub(super) fn read(root: &Node, mistakes: &Mistakes) -> Header {
    let Some(fields) = Fields::new(root, "a scenario", mistakes) else {
        return Header::default();
    };
    let header = top(&fields);
    fields.required("block", "{ … }");
    fields.node("producer");
    fields.required("consumer", "[{ name = \"reader\" }]");
    fields.required("workload", "{ stream = {} }");
    fields.required("run", "{ duration = \"2s\" }");
    fields.node("record");
    fields.node("fault");
    fields.node("expect");
    fields.node("matrix");
    if let Some(node) = fields.node("profile") {
        profiles(node, mistakes);
    }
    fields.finish();
    header
}

/// What stands at the top of every file.
pub(super) fn top(fields: &Fields<'_>) -> Header {
    let mistakes = fields.mistakes();
    if let Some(node) = fields.required("schema", "1") {
        schema(node, mistakes);
    }
    let name = fields.required("name", "\"my-scenario\"");
    let name = name.and_then(|node| slug(node, "a scenario's name", mistakes));
    let question = fields.required_text("question", "\"How fast is it?\"");
    let question = question.and_then(|text| question_text(text, fields));
    let tags = fields.node("tags").map(|node| tags(node, mistakes)).unwrap_or_default();
    Header { name, question, tags }
}

fn schema(node: &Node, mistakes: &Mistakes) {
    let Kind::Integer(version) = node.kind else {
        return wrong_type(mistakes, node, "`schema` is a whole number");
    };
    if version.cast_unsigned() != SCHEMA_VERSION {
        let message = format!("format {version} is not known");
        let mistake = Mistake::new("scenario::schema", node.span, message).label("this version");
        mistakes.push(mistake.help(format!("this program reads `schema = {SCHEMA_VERSION}`")));
    }
}

fn question_text(text: &str, fields: &Fields<'_>) -> Option<String> {
    let trimmed = text.trim();
    if trimmed.is_empty() || trimmed.len() > QUESTION_MAX {
        let span = fields.node("question").map_or(fields.span(), |node| node.span);
        let message =
            if trimmed.is_empty() { "the question is empty" } else { "the question is too long" };
        let help = format!("ask what the run answers, in at most {QUESTION_MAX} bytes");
        let mistake = Mistake::new("scenario::bad-question", span, message);
        fields.mistakes().push(mistake.label("here").help(help));
        return None;
    }
    Some(trimmed.to_owned())
}

fn tags(node: &Node, mistakes: &Mistakes) -> Vec<String> {
    let Some(items) = list(mistakes, node, TAGS_MAX, "`tags` is a list of strings") else {
        return vec![];
    };
    items.iter().filter_map(|item| slug(item, "a tag", mistakes)).collect()
}

/// A profile lays over `run`, `matrix` and `record` and picks expectations; it changes nothing else.
fn profiles(node: &Node, mistakes: &Mistakes) {
    let Some(all) = Fields::new(node, "[profile]", mistakes) else {
        return;
    };
    for profile in Profile::ALL {
        let Some(node) = all.node(profile.name()) else {
            continue;
        };
        let what = format!("[profile.{profile}]");
        if let Some(fields) = Fields::new(node, &what, mistakes) {
            for key in ["run", "matrix", "record"] {
                if let Some(node) = fields.node(key).filter(|node| node.table().is_none()) {
                    wrong_type(mistakes, node, &format!("`{key}` in a profile is a table"));
                }
            }
            fields.node("expect");
            fields.finish();
        }
    }
    all.finish();
}
