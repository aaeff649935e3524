//! For tests: a scenario file as small as one can be.

/// Passes payloads of 8 bytes to one reader, once.
pub(crate) const STREAM: &str = r#"# Does it run?
schema = 1
name = "s"
question = "Does it run?"

[block]
slots = 4
payload-size = "8 B"
policy = "ring-buffer"
consumer-sync = "sequential"

[[consumer]]
name = "reader"

[workload.stream]

[run]
warmup = "0ms"
duration = "1s"
seed = 1
deadline = "9s"
"#;
