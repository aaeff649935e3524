//! What a result is: the versioned file format between harness and reports.
//!
//! Plain data, JSON on disk, closed: an unknown field, a missing one or another version is an
//! error, so that nothing is lost in silence. Units stand in the field names.
//! Knows nothing of: how results are made or shown.
//! Checked by: `tests/format.rs` (golden file, planted defects); `result-1.json` and `event-1.json` are
//! the published JSON Schemas.

#![forbid(unsafe_code)]

mod calibration;
mod comparison;
mod counts;
mod course;
mod crash;
mod event;
mod evidence;
mod gate;
mod hardware;
mod host;
mod latency;
mod load;
mod made;
mod model;
mod scenario;
mod shard;
mod suite;
mod transport;
mod trial;
mod verdict;

pub use calibration::{Calibration, Placement};
pub use comparison::{
    CellComparison, Change, Comparison, ComparisonKind, Contender, FalseAlarms, Found, Round, Turn,
};
pub use counts::Counts;
pub use course::{HistoryCheck, Search, SearchStep, Visit, WarmUp, ZoneAccount};
pub use crash::CrashResult;
pub use event::{
    EVENT_VERSION, Event, Happening, SliceEnded, SuiteBegan, SuiteEnded, TrialEnded, TrialMoved,
    TrialStep, event_json_schema,
};
pub use evidence::{Evidence, Repeat, Side};
pub use gate::GateResult;
pub use hardware::{Hardware, HardwareCounts};
pub use host::Host;
pub use latency::{Interval, Latency, LatencyKind};
pub use load::{LoadError, json_schema};
pub use made::{Made, Part};
pub use model::{Counterexample, Coverage, ModelKind, ModelResult};
pub use scenario::{
    BlockFacts, CellResult, ConsumerSync, Dropped, Policy, ScenarioResult, Workload,
};
pub use shard::Shard;
pub use suite::{INTERRUPTED_NOTE, SCHEMA_VERSION, SuiteResult};
pub use transport::{Boundary, TransportFacts};
pub use trial::{FaultWindow, Noise, Role, RoleResult, Trial};
pub use verdict::{EXIT_NOTHING_RAN, Verdict};
