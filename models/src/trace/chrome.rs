//! An execution as a trace-event document: one track for each role, one box for each step.
//!
//! The time is the number of the step; the format is that of `chrome://tracing` and Perfetto.

use serde_json::{Value, json};

use super::Told;

/// Steps are drawn so far apart, in the format's microseconds.
const STEP_US: usize = 10;

/// The document for `steps`, an execution of `model`.
#[must_use]
pub fn document(model: &str, steps: &[Told]) -> Value {
    let mut roles: Vec<&str> = Vec::new();
    let mut events = vec![json!({
        "name": "process_name", "ph": "M", "pid": 1, "tid": 0, "args": { "name": model }
    })];
    for (number, step) in steps.iter().enumerate() {
        let track = roles.iter().position(|role| *role == step.role).unwrap_or_else(|| {
            roles.push(&step.role);
            roles.len() - 1
        });
        let name = if step.site.is_empty() { &step.text } else { &step.site };
        events.push(json!({
            "name": name, "cat": "step", "ph": "X", "pid": 1, "tid": track + 1,
            "ts": number * STEP_US, "dur": STEP_US,
            "args": { "step": number + 1, "what": step.text }
        }));
    }
    for (track, role) in roles.iter().enumerate() {
        events.push(json!({
            "name": "thread_name", "ph": "M", "pid": 1, "tid": track + 1, "args": { "name": role }
        }));
        events.push(json!({
            "name": "thread_sort_index", "ph": "M", "pid": 1, "tid": track + 1,
            "args": { "sort_index": track }
        }));
    }
    json!({ "displayTimeUnit": "ns", "traceEvents": events })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_role_has_one_track_and_each_step_its_place() {
        let step = |role: &str, site: &str| Told {
            role: role.to_owned(),
            site: site.to_owned(),
            text: format!("word of {site}"),
        };
        let steps = [step("set-up", ""), step("writer", "W_TAKE"), step("reader", "R_PEEK")];
        let steps = [&steps[..], &[step("writer", "W_COMMIT")]].concat();
        let document = document("slot/test", &steps);
        let events = document["traceEvents"].as_array().unwrap();
        let boxes: Vec<_> = events.iter().filter(|event| event["ph"] == "X").collect();
        assert_eq!(boxes.len(), steps.len());
        assert_eq!(boxes[1]["name"], "W_TAKE");
        assert_eq!(boxes[1]["tid"], boxes[3]["tid"]);
        let times: Vec<_> = boxes.iter().map(|event| event["ts"].as_u64().unwrap()).collect();
        assert!(times.is_sorted_by(|earlier, later| earlier < later));
        let tracks: BTreeSet<_> = boxes.iter().map(|event| event["tid"].as_u64()).collect();
        let named = events.iter().filter(|event| event["name"] == "thread_name").count();
        assert_eq!((tracks.len(), named), (3, 3));
    }
}
