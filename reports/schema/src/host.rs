//! The machine a result was measured on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Facts about the machine. What could not be found is absent, and `notes` says why.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// The machine's name, if it may be told.
    pub hostname: Option<String>,
    /// The processor's own description of itself.
    pub cpu_model: Option<String>,
    /// Cores on which this run was allowed to execute.
    pub cores_online: Option<u32>,
    /// Kernel name, release and architecture.
    pub kernel: Option<String>,
    /// The frequency governor.
    pub governor: Option<String>,
    /// The kernel's clock source.
    pub clock_source: Option<String>,
    /// The smallest step the measuring clock was seen to make.
    pub clock_quantum_ns: Option<u64>,
    /// What one reading of the measuring clock costs.
    pub clock_cost_ns: Option<u64>,
    /// Installed memory.
    pub memory_bytes: Option<u64>,
    /// The hypervisor, if one was detected.
    pub virtualised: Option<String>,
    /// Active mitigations of processor vulnerabilities, `name: state`.
    pub mitigations: Vec<String>,
    /// Free space for shared memory when the run began.
    pub shm_free_bytes: Option<u64>,
    /// Why a fact is missing, and what about this machine weakens the figures.
    pub notes: Vec<String>,
}
