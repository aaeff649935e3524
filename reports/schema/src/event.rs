//! What happens while a suite runs, one event a line: for dashboards and scripts that watch.
//!
//! Events inform; the result document decides. Written by `--events FILE` and `--progress jsonl` of
//! `harness run`, `ab`, `crash` and `model`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{LoadError, ModelKind, Placement, Verdict};

/// The version of the events that this crate reads and writes.
pub const EVENT_VERSION: u32 = 1;

/// One line of the stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// The version of this format.
    pub event_version: u32,
    /// Counts the events of one run, from 0 and without a gap.
    pub number: u64,
    /// When it happened, in milliseconds since 1970-01-01 UTC.
    pub unix_ms: u64,
    /// What happened.
    pub what: Happening,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Happening {
    /// The first event of a run.
    SuiteBegan(SuiteBegan),
    /// A trial begins.
    TrialBegan(TrialStep),
    /// A trial goes on; a few times a second at first, less often the longer it lasts.
    TrialMoved(TrialMoved),
    /// A slice of one process's latencies has ended; told where slices last at least 250 ms.
    SliceEnded(SliceEnded),
    /// A trial has ended.
    TrialEnded(TrialEnded),
    /// Victims of one kind are killed from now on, in blocks of one shape.
    VictimsBegan(VictimsBegan),
    /// What became of a block whose users were killed at one site.
    KillsJudged(KillsJudged),
    /// A model has ended.
    ModelEnded(ModelEnded),
    /// The last event of a run: everything is judged and written.
    SuiteEnded(SuiteEnded),
}

/// What is to be run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuiteBegan {
    /// What the suite is called.
    pub suite: String,
    /// The profile.
    pub profile: String,
    /// The commit under test, if known.
    pub commit: Option<String>,
    /// The seed that all others come from.
    pub seed: u64,
    /// Trials in the plan, of all comparisons together; those that moved between cores are run again
    /// and not counted here. 0 where models run, or processes are killed.
    pub trials: u64,
}

/// Which trial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrialStep {
    /// Its number in the plan, from 1.
    pub number: u64,
    /// The cell's id.
    pub cell: String,
    /// Which repeat, from 0.
    pub repeat: u32,
}

/// How far a trial has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrialMoved {
    /// The cell's id.
    pub cell: String,
    /// What the processes are doing.
    pub phase: String,
    /// Messages that the producer has committed.
    pub commits: u64,
}

/// A slice of one process's latencies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SliceEnded {
    /// The cell's id.
    pub cell: String,
    /// The process, as in `reader[1]`.
    pub role: String,
    /// When the slice began, from the start of the trial's measured part.
    pub start_ms: u64,
    /// Samples in it.
    pub n: u64,
    /// Their median.
    pub p50_ns: u64,
    /// Their 99th percentile.
    pub p99_ns: u64,
    /// The greatest.
    pub max_ns: u64,
}

/// What a trial gave, before it is judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrialEnded {
    /// Which trial.
    pub trial: TrialStep,
    /// How long its measured part took.
    pub duration_ms: u64,
    /// Where its cores were.
    pub class: Placement,
    /// Messages that the producer committed each second.
    pub committed_per_s: f64,
    /// The greatest median latency of its roles, where one measures it.
    pub p50_ns: Option<u64>,
    /// The greatest 99th percentile of its roles, where one measures it.
    pub p99_ns: Option<u64>,
    /// What must be 0 in every run.
    pub violations: u64,
    /// Committed, promised, never delivered.
    pub lost: u64,
    /// What kept it from running to its end, and where counts disagree.
    pub troubles: Vec<String>,
}

/// Who is killed next, and in which block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VictimsBegan {
    /// The number of this kind and shape, from 1.
    pub number: u64,
    /// How many kinds and shapes there are.
    pub of: u64,
    /// Who is killed: `writer`, `reader`.
    pub victim: String,
    /// The block and its users.
    pub shape: String,
}

/// What the kills at one site showed; a site that is tried with several seeds is told for each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KillsJudged {
    /// Who was killed.
    pub victim: String,
    /// The site, by its name in the table.
    pub site: String,
    /// The block and its users.
    pub shape: String,
    /// Processes that were killed there.
    pub kills: u64,
    /// The sum of everything that must be 0.
    pub violations: u64,
    /// What they say.
    pub verdict: Verdict,
}

/// What a model showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelEnded {
    /// So many have ended with it.
    pub number: u64,
    /// How many there will be, as far as that is known by now; more may be asked later.
    pub of: Option<u64>,
    /// The engine.
    pub engine: String,
    /// What the model is for.
    pub kind: ModelKind,
    /// The model's name.
    pub scenario: String,
    /// Which protocol ran.
    pub memory: String,
    /// Executions that ran to their end.
    pub executions: u64,
    /// How long it took.
    pub elapsed_ms: u64,
    /// What it says.
    pub verdict: Verdict,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuiteEnded {
    /// The worst verdict of all.
    pub verdict: Verdict,
    /// The exit code.
    pub exit_code: u8,
    /// How long it took.
    pub wall_ms: u64,
    /// The folder with the result document.
    pub folder: String,
    /// Somebody stopped it.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub interrupted: bool,
}

impl Event {
    /// Reads one line.
    ///
    /// # Errors
    ///
    /// [`LoadError`], as for a result.
    pub fn from_json(line: &str) -> Result<Self, LoadError> {
        let event: Self = serde_json::from_str(line).map_err(|error| {
            let message = error.to_string();
            if error.is_data() {
                LoadError::Shape { message }
            } else {
                LoadError::Syntax { message }
            }
        })?;
        if event.event_version == EVENT_VERSION {
            return Ok(event);
        }
        let found = u64::from(event.event_version);
        Err(LoadError::Version { found, supported: EVENT_VERSION })
    }
}

/// The JSON Schema of one line of the event stream, in the form of [`crate::json_schema`].
///
/// It is committed as `reports/schema/event-1.json`.
#[must_use]
pub fn event_json_schema() -> String {
    let schema = schemars::schema_for!(Event);
    format!("{:#}\n", schema.as_value())
}
