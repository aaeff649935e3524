//! The published JSON Schema says what the reader does.

use std::path::Path;

use harness::scenario::{File, find, open, parse};
use jsonschema::Validator;
use serde_json::{Map, Value, json};
use toml_span::value::ValueInner;

use crate::RIGHT;

const SCHEMA: &str = include_str!("../../schema/scenario-1.json");
const EXAMPLE: &str = include_str!("../../schema/example.toml");

fn validator() -> Validator {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

pub(super) fn as_json(text: &str) -> Value {
    convert(toml_span::parse(text).unwrap().take())
}

fn convert(value: ValueInner<'_>) -> Value {
    match value {
        ValueInner::String(text) => Value::String(text.into_owned()),
        ValueInner::Integer(value) => json!(value),
        ValueInner::Float(value) => json!(value),
        ValueInner::Boolean(value) => json!(value),
        ValueInner::Array(items) => {
            Value::Array(items.into_iter().map(|mut item| convert(item.take())).collect())
        }
        ValueInner::Table(table) => {
            let pair = |(key, mut value): (toml_span::value::Key<'_>, toml_span::Value<'_>)| {
                (key.name.into_owned(), convert(value.take()))
            };
            Value::Object(table.into_iter().map(pair).collect::<Map<_, _>>())
        }
    }
}

#[test]
fn everything_that_ships_fits_the_schema() {
    let validator = validator();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let files = find(&[folder]).unwrap();
    let scenarios = files.iter().filter(|file| !matches!(open(file, &[]), Ok(File::Kills(_))));
    let texts = scenarios.map(|file| std::fs::read_to_string(file).unwrap());
    for text in texts.chain([EXAMPLE.to_owned(), RIGHT.to_owned()]) {
        let errors: Vec<String> =
            validator.iter_errors(&as_json(&text)).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?} in\n{text}");
    }
}

#[test]
fn what_the_reader_refuses_the_schema_refuses_too() {
    both_refuse(&[
        ("schema   = 1", "schema = 2"),
        ("schema   = 1", "schema = 1\nbogus = 1"),
        ("\"right\"", "\"Not Right\""),
        ("\"Is this right?\"", "\"\""),
        ("[block]", "[block]\nbogus = 1"),
        ("\"ring-buffer\"", "\"ring\""),
        ("= 8", "= 0"),
        ("= 8", "= 65537"),
        ("= 8", "= \"8\""),
        ("\"4 KiB\"", "4096"),
        ("\"4 KiB\"", "\"4 ms\""),
        ("\"sequential-sync\"", "\"sync\""),
        ("[block]", "[block]\nchecksum = { algorithm = \"md5\" }"),
        ("[block]", "[block]\nchecksum = \"xxh3\""),
        ("[block]", "[block]\non-full = { action = \"wait\" }"),
        ("[block]", "[block]\non-full = { action = \"evict\", after = 5 }"),
        ("[block]", "[block]\nmax-consumers = 33"),
        ("[block]", "[block]\nnotify = 1"),
        ("\"reader\"", "\"reader\"\nbogus = 1"),
        ("\"reader\"", "\"reader\"\npin = \"core:x\""),
        ("\"reader\"", "\"reader\"\nwait = \"sleep\""),
        ("\"reader\"", "\"reader\"\ncount = \"$readers\""),
        ("[[consumer]]\nname = \"reader\"", "[consumer]\nname = \"reader\""),
        ("[workload.stream]", "[workload.brust]"),
        ("[workload.stream]", "[workload.burst]"),
        ("[workload.stream]", "[workload.burst]\nsize = 0\nevery = \"1 ms\""),
        ("[workload.stream]", "[workload.burst]\nsize = 10\nevery = 5"),
        ("[workload.stream]", "[workload.search]\nfrom = \"1 kHz\"\nto = \"2 kHz\""),
        (
            "[workload.stream]",
            "[workload.search]\nfrom = \"1 kHz\"\nto = \"2 kHz\"\nbound = \"lost == 0\"",
        ),
        (
            "[workload.stream]",
            "[workload.search]\nfrom = \"1 kHz\"\nto = \"2 kHz\"\n\
             bound = \"p99(latency) <= 5 us\"\nprecision = 0.05",
        ),
        ("\"reader\"", "\"reader\"\njoin-at = 5"),
        ("\"reader\"", "\"reader\"\nleave-after = \"5 ms\""),
        ("[workload.stream]", "[workload]"),
        ("[workload.stream]", "[workload.open]"),
        ("[workload.stream]", "[workload.open]\nrate = \"5 s\""),
        ("[workload.stream]", "[workload.stream]\n[workload.ping-pong]"),
        ("\"1 s\"", "1"),
        ("[run]", "[run]\ncount = 5"),
        ("[run]", "[run]\nrepeats = 0"),
        ("[run]", "[record]\nhistory = \"some\"\n[run]"),
        ("[run]", "[record]\nhistory = 5\n[run]"),
        ("[run]", "[record]\nhistories = \"all\"\n[run]"),
        ("[run]", "[run]\nwarmup = {}"),
        ("[run]", "[run]\nwarmup = { until = \"warm\", max = \"1 s\" }"),
        ("[run]", "[run]\nwarmup = { until = \"steady\" }"),
        ("[run]", "[run]\nwarmup = { until = \"steady\", max = \"1 s\", slope = 0.01 }"),
        ("[run]", "[producer]\npayload = { fill = \"half\" }\n[run]"),
        ("[run]", "[producer]\nabort-every = 1\n[run]"),
        ("[run]", "[[expect]]\nid = \"a\"\ncheck = \"torn\"\n[run]"),
        ("[run]", "[[expect]]\nid = \"a\"\ncheck = \"torn == 0\"\nwhen = \"far\"\n[run]"),
        ("[run]", "[matrix]\n\"block.slots\" = 3\n[run]"),
        ("[run]", "[profile.nightly]\n[run]"),
        ("[run]", "[profile.smoke]\nblock = {}\n[run]"),
    ]);
}

#[test]
fn what_is_refused_of_zones_priorities_orders_and_only() {
    both_refuse(&[
        ("[[consumer]]", "[[block.zone]]\nname = \"z\"\n[[consumer]]"),
        (
            "[[consumer]]",
            "[[block.zone]]\nname = \"z\"\nsize = \"64 B\"\nkind = \"mutex\"\n[[consumer]]",
        ),
        ("[[consumer]]", "[[block.zone]]\nname = \"z\"\nsize = \"64 B\"\nbogus = 1\n[[consumer]]"),
        ("[run]", "[run]\norder = \"shuffled\""),
        ("\"reader\"", "\"reader\"\nsched = \"fifo:0\""),
        ("\"reader\"", "\"reader\"\nsched = \"rr:5\""),
        ("[run]", "[profile.soak]\nrecord = { histories = 1 }\n[run]"),
        ("[run]", "[[expect]]\nid = \"a\"\ncheck = \"torn == 0\"\nonly = [\"nightly\"]\n[run]"),
        ("[run]", "[[expect]]\nid = \"a\"\ncheck = \"torn == 0\"\nonly = []\n[run]"),
    ]);
}

/// The right scenario with one text replaced is refused by the reader and by the schema.
fn both_refuse(wrong: &[(&str, &str)]) {
    let validator = validator();
    for (from, to) in wrong {
        let text = RIGHT.replacen(from, to, 1);
        assert_ne!(text, RIGHT, "`{from}` is not in the scenario");
        assert!(parse("t.toml", &text, &[]).is_err(), "the reader takes\n{to}");
        assert!(!validator.is_valid(&as_json(&text)), "the schema takes\n{to}");
    }
}
