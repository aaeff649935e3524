//! The blocks in which victims are killed, as the kill matrix writes them.

use std::time::Duration;

use datahub::config::{
    BlockConfig, ChecksumAlgorithm, ChecksumPolicy, ConfigError, ConsumerSync, OnFull,
};
use datahub::sites;
use datahub::wait::WaitStrategy;
use serde::{Deserialize, Serialize};

use super::board::with_zones;
use crate::scenario::model;
use crate::scenario::model::kills::{KillFull, KillShape};

/// A block and its users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Shape {
    pub(super) sync: Sync,
    pub(super) slots: u32,
    /// Slots in memory; 0: as many as the policy wants.
    pub(super) physical_slots: u32,
    pub(super) readers: u32,
    pub(super) park: bool,
    pub(super) checksum: Stamped,
    /// Flexible zones stand beside the ring.
    pub(super) zones: bool,
    /// Payloads of a batch; 1: there are none.
    pub(super) batch: u32,
}

/// What readers are promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Sync {
    Latest,
    One,
    All,
    /// Every payload, unless the producer came round.
    Overwritten,
    /// Every payload, unless the producer went on without this reader.
    Evicting,
}

/// Who stamps checksums, and verifies them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Stamped {
    Never,
    /// Whoever writes and reads.
    ByHand,
    Always,
}

/// Longer than what stands in a slot's own line.
pub(super) const PAYLOAD_BYTES: usize = 200;

/// A producer that evicts waits so long.
const EVICT_AFTER: Duration = Duration::from_micros(300);

impl From<&KillShape> for Shape {
    fn from(shape: &KillShape) -> Self {
        let sync = match (shape.consumer_sync, shape.on_full) {
            (model::ConsumerSync::LatestOnly, _) => Sync::Latest,
            (model::ConsumerSync::Sequential, _) => Sync::One,
            (_, KillFull::Block) => Sync::All,
            (_, KillFull::Overwrite) => Sync::Overwritten,
            (_, KillFull::Evict) => Sync::Evicting,
        };
        Self {
            sync,
            slots: shape.slots,
            physical_slots: shape.physical_slots.unwrap_or(0),
            readers: shape.readers,
            park: shape.park,
            checksum: match shape.checksum {
                None => Stamped::Never,
                Some(model::ChecksumPolicy::Manual) => Stamped::ByHand,
                Some(model::ChecksumPolicy::Enforced) => Stamped::Always,
            },
            zones: shape.zones,
            batch: shape.batch,
        }
    }
}

impl Shape {
    pub(super) fn config(self) -> Result<BlockConfig, ConfigError> {
        let sync = match self.sync {
            Sync::Latest => ConsumerSync::LatestOnly,
            Sync::One => ConsumerSync::Sequential,
            Sync::All | Sync::Overwritten | Sync::Evicting => ConsumerSync::SequentialSync,
        };
        let on_full =
            if self.sync == Sync::Overwritten { OnFull::Overwrite } else { OnFull::Block };
        let evicts = self.sync == Sync::Evicting;
        // One seat more than readers: for the victim, or for somebody who comes afterwards; and one for
        // who was evicted and attaches again before it has left.
        let mut config = BlockConfig::new(sync, self.slots, PAYLOAD_BYTES as u64)?
            .max_consumers(self.readers + 1 + u32::from(evicts))?
            .on_full(on_full)
            .parking(self.park);
        if evicts {
            config = config.evict_after(EVICT_AFTER)?;
        }
        if self.batch > 1 {
            config = config.batches_of(self.batch)?;
        }
        if self.zones {
            config = with_zones(config)?;
        }
        if self.physical_slots != 0 {
            config = config.with_physical_slots(self.physical_slots)?;
        }
        let policy = match self.checksum {
            Stamped::Never => return Ok(config),
            Stamped::ByHand => ChecksumPolicy::Manual,
            Stamped::Always => ChecksumPolicy::Enforced,
        };
        Ok(config.checksum(ChecksumAlgorithm::Xxh3, policy))
    }

    /// Whether everything committed must be delivered, to a reader that was not evicted.
    pub(super) fn lossless(self) -> bool {
        matches!(self.sync, Sync::One | Sync::All | Sync::Evicting)
    }

    /// Whether a gap between two payloads of a reader that was not evicted is a loss: it is promised all of
    /// them, or a word on those that it misses.
    pub(super) fn gapless(self) -> bool {
        self.lossless() || self.sync == Sync::Overwritten
    }

    pub(super) fn wait(self) -> WaitStrategy {
        if self.park { WaitStrategy::Park } else { WaitStrategy::Yield }
    }

    /// Whether no slot is free beside the newest one.
    pub(super) fn is_tight(self) -> bool {
        self.physical_slots != 0 && self.physical_slots <= self.slots + 1
    }

    /// Whether its producer waits for who is inside a slot, and for nobody else.
    pub(super) fn waits_for_pins(self) -> bool {
        self.is_tight() || self.sync == Sync::Overwritten
    }

    /// Whether its producer comes to a reader that dawdles.
    pub(super) fn meets_readers(self) -> bool {
        self.waits_for_pins() || self.sync == Sync::Evicting
    }

    /// Where a reader is inside a slot, with the payload not yet believed.
    pub(super) fn inside(self) -> u16 {
        // Who reads a copy has nothing to validate.
        if self.sync == Sync::Evicting { sites::E_COPY } else { sites::R_VALIDATE }
    }

    /// As in `sequential-sync, 4 slots, 2 readers, parked`.
    pub(super) fn name(self) -> String {
        let sync = match self.sync {
            Sync::Latest => "latest-only",
            Sync::One => "sequential",
            Sync::All => "sequential-sync",
            Sync::Overwritten => "overwritten",
            Sync::Evicting => "evicting",
        };
        let several = |count, word| match count {
            1 => format!("1 {word}"),
            _ => format!("{count} {word}s"),
        };
        let mut name = format!("{sync}, {}", several(self.slots, "slot"));
        if self.is_tight() {
            name.push_str(", none to spare");
        } else if self.physical_slots != 0 {
            name.extend([", ", &self.physical_slots.to_string(), " in memory"]);
        }
        name.push_str(", ");
        name.push_str(&several(self.readers, "reader"));
        match self.checksum {
            Stamped::Never => {}
            Stamped::ByHand => name.push_str(", checksums by hand"),
            Stamped::Always => name.push_str(", checksums"),
        }
        if self.park {
            name.push_str(", parked");
        }
        if self.batch > 1 {
            name.extend([", batches of ", &self.batch.to_string()]);
        }
        if self.zones {
            name.push_str(", zones");
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::scenario::{File, Profile, open};

    fn shipped(profile: Profile) -> Vec<Shape> {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/faults/kills.toml");
        match open(&file, &[]) {
            Ok(File::Kills(matrix)) => matrix.shapes(profile).map(Shape::from).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_shape_is_a_block_and_has_a_name_of_its_own() {
        let all = shipped(Profile::Full);
        let mut names: Vec<String> = all.iter().map(|shape| shape.name()).collect();
        for shape in &all {
            assert!(shape.config().is_ok(), "{}: {:?}", shape.name(), shape.config());
        }
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all.len());
    }

    #[test]
    fn two_batches_are_two_names() {
        let shape = shipped(Profile::Full)[0];
        let [three, two] = [3, 2].map(|batch| Shape { batch, ..shape }.name());
        assert!(three.ends_with(", batches of 3") && two.ends_with(", batches of 2"), "{two}");
    }

    #[test]
    fn any_two_of_policy_readers_and_checksum_meet_in_some_block() {
        const POLICIES: [Sync; 4] = [Sync::Latest, Sync::All, Sync::Overwritten, Sync::Evicting];
        const STAMPS: [Stamped; 2] = [Stamped::ByHand, Stamped::Always];
        for profile in [Profile::Smoke, Profile::Full] {
            let all = shipped(profile);
            let some = |what: &dyn Fn(&Shape) -> bool| all.iter().any(what);
            for sync in POLICIES {
                for readers in [1, 2, 8] {
                    assert!(
                        some(&|s| s.sync == sync && s.readers == readers),
                        "{sync:?} {readers}"
                    );
                }
            }
            for sync in POLICIES.into_iter().chain([Sync::One]) {
                for stamped in STAMPS {
                    let both = |s: &Shape| s.sync == sync && s.checksum == stamped;
                    assert!(some(&both), "{sync:?} {stamped:?}");
                }
                for single in [true, false] {
                    assert!(some(&|s| s.sync == sync && (s.slots == 1) == single), "{sync:?}");
                }
            }
            for (readers, stamped) in [1, 2, 8].into_iter().flat_map(|n| STAMPS.map(|s| (n, s))) {
                let both = |s: &Shape| s.readers == readers && s.checksum == stamped;
                assert!(some(&both), "{readers} {stamped:?}");
            }
        }
    }
}
