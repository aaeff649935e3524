//! Any transport, with a defect planted in its producing end: a run over it must be found guilty.

use std::path::{Path, PathBuf};

use super::{Outlet, Refusal, Transport, TransportError};
use crate::run::payload::{Keyed, Stamp};
use crate::run::plant::Plant;
use crate::run::wire::Task;
use crate::run::zone::Zoned;

/// One message in so many is not what it should be.
const EVERY: u64 = 100;

/// A transport that loses or spoils messages.
#[derive(Debug)]
pub(in crate::run) struct Lying<'a, T> {
    pub(in crate::run) honest: &'a T,
    pub(in crate::run) plant: Plant,
}

/// Its producing end.
#[derive(Debug)]
pub(in crate::run) struct LyingOutlet<O> {
    honest: O,
    plant: Plant,
    messages: u64,
}

/// Whether the defect is one that any transport can have.
pub(in crate::run) fn is_general(plant: Plant) -> bool {
    matches!(plant, Plant::LoseCommit | Plant::CorruptByte)
}

impl<T: Transport> Transport for Lying<'_, T> {
    type Outlet = LyingOutlet<T::Outlet>;
    type Inlet = T::Inlet;

    fn make(&self, task: &Task) -> Result<Self::Outlet, TransportError> {
        let honest = self.honest.make(task)?;
        Ok(LyingOutlet { honest, plant: self.plant, messages: 0 })
    }

    fn attach(&self, task: &Task, place: &Path) -> Result<T::Inlet, TransportError> {
        self.honest.attach(task, place)
    }
}

impl<O> Zoned for LyingOutlet<O> {}

impl<O: Outlet> Outlet for LyingOutlet<O> {
    fn place(&self) -> PathBuf {
        self.honest.place()
    }

    fn commits(&self) -> u64 {
        self.honest.commits()
    }

    fn put(
        &mut self,
        keyed: &Keyed,
        times: (u64, u64),
        offered: impl FnOnce(&Stamp),
    ) -> Result<(), Refusal> {
        self.messages += 1;
        if !self.messages.is_multiple_of(EVERY) {
            return self.honest.put(keyed, times, offered);
        }
        if self.plant == Plant::LoseCommit {
            return Ok(());
        }
        self.honest.put(&keyed.foreign(), times, offered)
    }
}
