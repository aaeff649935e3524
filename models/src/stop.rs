//! Somebody asks a long run to end early: what is finished is kept, what goes on is ended.

use std::sync::{Arc, OnceLock};

/// Asked once and never taken back; its clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<OnceLock<()>>);

impl Stop {
    /// From now on nothing new is begun.
    pub fn ask(&self) {
        self.0.get_or_init(|| ());
    }

    /// Whether somebody has asked.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.0.get().is_some()
    }
}
