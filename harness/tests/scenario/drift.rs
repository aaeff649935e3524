//! The published JSON Schema and the reader know the same keys and the same words: the reader is asked
//! at every table and every word of the example what it knows there, and the schema must know just that.

use std::collections::BTreeSet;

use harness::scenario::parse;
use serde_json::Value;

use super::schema::as_json;

const SCHEMA: &str = include_str!("../../schema/scenario-1.json");
const EXAMPLE: &str = include_str!("../../schema/example.toml");
/// Known to nobody, and like nothing.
const STRANGER: &str = "qqqqqqqqqq";

/// What is written in the example, and what may stand there instead.
const VARIANTS: &[(&str, &str)] = &[
    ("", ""),
    ("rate    = \"20 kHz\"\narrival = \"poisson\"", ""),
    ("[workload.open]\nrate    = \"20 kHz\"\narrival = \"poisson\"", "[workload.stream]"),
    ("[workload.open]\nrate    = \"20 kHz\"\narrival = \"poisson\"", "[workload.ping-pong]"),
    (
        "[workload.open]\nrate    = \"20 kHz\"\narrival = \"poisson\"",
        "[workload.burst]\nsize = 10\nevery = \"1 ms\"",
    ),
    (
        "[workload.open]\nrate    = \"20 kHz\"\narrival = \"poisson\"",
        "[workload.search]\nfrom = \"1 kHz\"\nto = \"2 kHz\"\nbound = \"p99(latency) <= 5 us\"\narrival = \"poisson\"",
    ),
    ("transport     = \"datahub\"", "transport = { program = \"./ring\" }"),
    ("warmup   = \"200 ms\"", "warmup = { messages = 10 }"),
    ("warmup   = \"200 ms\"", "warmup = { until = \"steady\", max = \"1 s\" }"),
    ("{ stop = { for = \"2 ms\" } }", "\"kill\""),
    ("{ stop = { for = \"2 ms\" } }", "{ slow = { by = \"2 us\", for = \"2 ms\" } }"),
    ("{ stop = { for = \"2 ms\" } }", "{ fill-shm = { for = \"2 ms\" } }"),
    ("{ stop = { for = \"2 ms\" } }", "{ kill-at-site = { site = \"W_COMMIT\", hit = 2 } }"),
    (
        "expect = [\"everything-arrives\"]",
        "expect = [\"everything-arrives\"]\nrecord = { history = \"all\" }",
    ),
    ("[profile.smoke]", "[profile.full]"),
    ("[profile.smoke]", "[profile.soak]"),
];

/// Every schema that may hold at this one's place.
fn meant<'a>(root: &'a Value, schema: &'a Value) -> Vec<&'a Value> {
    let mut all = vec![schema];
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        all.extend(meant(root, root.pointer(name.trim_start_matches('#')).unwrap()));
    }
    for key in ["anyOf", "oneOf", "allOf"] {
        let some = schema.get(key).and_then(Value::as_array).into_iter().flatten();
        all.extend(some.flat_map(|schema| meant(root, schema)));
    }
    all
}

/// The schemas at a path of the document.
fn at<'a>(root: &'a Value, path: &[String]) -> Vec<&'a Value> {
    let mut here = meant(root, root);
    for step in path {
        let below = here.into_iter().filter_map(|schema| {
            let named = schema.get("properties").and_then(|known| known.get(step));
            let items = schema.get("items").filter(|_| step.parse::<usize>().is_ok());
            named.or(items)
        });
        here = below.flat_map(|schema| meant(root, schema)).collect();
    }
    here
}

/// The keys of a closed table.
fn keys(schema: &Value) -> Option<BTreeSet<String>> {
    if schema.get("additionalProperties") != Some(&Value::Bool(false)) {
        return None;
    }
    Some(schema.get("properties")?.as_object()?.keys().cloned().collect())
}

/// The path of the table or value in which the stranger stands.
fn path_of_stranger(value: &Value, path: &mut Vec<String>) -> bool {
    let children: Vec<(String, &Value)> = match value {
        Value::String(text) => return text == STRANGER,
        Value::Object(table) if table.contains_key(STRANGER) => return true,
        Value::Object(table) => table.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(n, v)| (n.to_string(), v)).collect(),
        _ => return false,
    };
    children.into_iter().any(|(key, child)| {
        path.push(key);
        let found = path_of_stranger(child, path);
        if !found {
            path.pop();
        }
        found
    })
}

/// The list that the reader gives as help for the stranger.
fn known(text: &str, before: &str) -> Option<BTreeSet<String>> {
    let error = parse("t.toml", text, &[]).err()?;
    let told = error.problems.iter().find(|problem| problem.message.contains(STRANGER))?;
    let (_, list) = told.help.split_once(before)?;
    Some(list.split(", ").map(str::to_owned).collect())
}

/// The text with the stranger as a key, once for each table.
fn with_key(text: &str) -> Vec<String> {
    let code = |line: &str| line.split('#').next().unwrap_or_default().len();
    let top = text.find("schema").unwrap_or_default();
    let mut places = vec![(top, format!("{STRANGER} = 1\n"))];
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let code = &line[..code(line)];
        if line.starts_with('[') {
            places.push((start + line.len(), format!("{STRANGER} = 1\n")));
            if let Some((parent, _)) = line.split_once('.').filter(|_| !line.starts_with("[[")) {
                places.push((start, format!("{parent}.{STRANGER}]\n")));
            }
        }
        let braces = code.match_indices("{ ").map(|(at, _)| at);
        places.extend(braces.map(|at| (start + at + 2, format!("{STRANGER} = 1, "))));
        start += line.len();
    }
    places.into_iter().map(|(at, added)| format!("{}{added}{}", &text[..at], &text[at..])).collect()
}

/// The text with the stranger as a value, once for each text in it.
fn with_word(text: &str) -> Vec<String> {
    let mut all = vec![];
    let quotes: Vec<usize> = text.match_indices('"').map(|(at, _)| at).collect();
    for pair in quotes.chunks_exact(2) {
        all.push(format!("{}{STRANGER}{}", &text[..=pair[0]], &text[pair[1]..]));
    }
    all
}

/// The example without its comments, and its variants.
fn texts() -> Vec<String> {
    let code = |line: &str| match line.split(" #").next().unwrap_or_default().trim_end() {
        comment if comment.starts_with('#') => "# Is it?".to_owned(),
        code => code.to_owned(),
    };
    let bare = EXAMPLE.lines().map(code).collect::<Vec<_>>().join("\n");
    let variant = |(from, to): &(&str, &str)| {
        assert!(bare.contains(from), "`{from}` is not in the example");
        bare.replacen(from, to, 1)
    };
    VARIANTS.iter().map(variant).collect()
}

/// All that a schema says of one kind, wherever it says it, with the place.
fn all_of(schema: &Value, pick: fn(&Value) -> Option<BTreeSet<String>>) -> Vec<BTreeSet<String>> {
    let below = match schema {
        Value::Object(table) => table.values().collect::<Vec<_>>(),
        Value::Array(items) => items.iter().collect(),
        _ => vec![],
    };
    let below = below.into_iter().flat_map(|schema| all_of(schema, pick));
    pick(schema).into_iter().chain(below).collect()
}

/// Asks the reader at each place, and says where the schema knows something else or was never asked.
fn drift(
    root: &Value,
    texts: impl Iterator<Item = String>,
    before: &str,
    pick: fn(&Value) -> Option<BTreeSet<String>>,
) -> Vec<String> {
    let (mut wrong, mut seen) = (vec![], BTreeSet::new());
    for text in texts {
        let mut path = vec![];
        assert!(path_of_stranger(&as_json(&text), &mut path), "{text}");
        let all: Vec<_> = at(root, &path).into_iter().filter_map(pick).collect();
        let together: BTreeSet<String> = all.iter().flatten().cloned().collect();
        let tables: BTreeSet<String> =
            at(root, &path).into_iter().filter_map(keys).flatten().collect();
        match known(&text, before) {
            Some(asked) if all.contains(&asked) || together == asked => seen.extend(all),
            // Words may stand beside tables with one key.
            Some(asked) if asked == tables.union(&together).cloned().collect() => seen.extend(all),
            Some(asked) => {
                wrong.push(format!("{path:?}: the reader knows {asked:?}, the schema {all:?}"));
            }
            None if all.is_empty() => {}
            None => seen.extend(all.into_iter().filter(BTreeSet::is_empty)),
        }
    }
    let unseen = all_of(root, pick).into_iter().filter(|one| !seen.contains(one));
    // Beside these stands what is no word, `ring:N` or a table: the reader says so in a sentence.
    let sentences = [&["all", "none"][..], &["none"]]
        .map(|words| words.iter().map(ToString::to_string).collect::<BTreeSet<String>>());
    let unseen = unseen.filter(|one| !sentences.contains(one));
    wrong.extend(unseen.map(|one| format!("the reader never says {one:?}")));
    wrong
}

fn words(schema: &Value) -> Option<BTreeSet<String>> {
    let one = schema.get("const").and_then(Value::as_str).map(|word| vec![word]);
    let some = || Some(schema.get("enum")?.as_array()?.iter().filter_map(Value::as_str).collect());
    let words = one.or_else(some)?;
    Some(words.into_iter().map(str::to_owned).collect())
}

fn root() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

fn of_keys(root: &Value) -> Vec<String> {
    drift(root, texts().iter().flat_map(|text| with_key(text)), "keys are: ", keys)
}

fn of_words(root: &Value) -> Vec<String> {
    drift(root, texts().iter().flat_map(|text| with_word(text)), "known are: ", words)
}

#[test]
fn the_reader_and_the_schema_know_the_same_keys() {
    assert_eq!(of_keys(&root()), [""; 0]);
}

#[test]
fn the_reader_and_the_schema_know_the_same_words() {
    assert_eq!(of_words(&root()), [""; 0]);
}

#[test]
fn a_schema_that_has_drifted_is_found() {
    for path in ["/properties/block/properties", "/properties/run/properties"] {
        let mut root = root();
        root.pointer_mut(path)
            .unwrap()
            .as_object_mut()
            .unwrap()
            .insert("more".to_owned(), true.into());
        assert!(of_keys(&root).iter().any(|wrong| wrong.contains("more")));
    }
    let mut root = root();
    let modes = "/properties/block/properties/policy/anyOf/0/enum";
    root.pointer_mut(modes).unwrap().as_array_mut().unwrap().pop();
    assert!(of_words(&root).iter().any(|wrong| wrong.contains("policy")));
}
