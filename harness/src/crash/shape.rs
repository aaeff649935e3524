//! The blocks in which victims are killed: every policy, with slots to spare and without.

use std::time::Duration;

use datahub::config::{
    BlockConfig, ChecksumAlgorithm, ChecksumPolicy, ConfigError, ConsumerSync, OnFull,
};
use datahub::sites;
use datahub::wait::WaitStrategy;
use serde::{Deserialize, Serialize};

use super::board::with_zones;

/// A block and its users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Shape {
    pub(super) sync: Sync,
    pub(super) slots: u32,
    /// Slots in memory; 0: as many as the policy wants.
    pub(super) physical_slots: u32,
    pub(super) readers: u32,
    pub(super) park: bool,
    pub(super) checksum: bool,
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

/// Longer than what stands in a slot's own line.
pub(super) const PAYLOAD_BYTES: usize = 200;

const PLAIN: Shape = Shape {
    sync: Sync::All,
    slots: 4,
    physical_slots: 0,
    readers: 2,
    park: false,
    checksum: false,
    zones: false,
    batch: 1,
};

/// A producer that evicts waits so long.
const EVICT_AFTER: Duration = Duration::from_micros(300);

/// Every shape, in the order in which they are run.
pub(super) const ALL: [Shape; 11] = [
    PLAIN,
    Shape { sync: Sync::One, readers: 1, checksum: true, ..PLAIN },
    Shape { slots: 1, checksum: true, ..PLAIN },
    Shape { park: true, ..PLAIN },
    Shape { sync: Sync::Overwritten, ..PLAIN },
    Shape { batch: 3, ..PLAIN },
    Shape { zones: true, ..PLAIN },
    Shape { sync: Sync::Evicting, ..PLAIN },
    Shape { sync: Sync::Latest, slots: 2, ..PLAIN },
    Shape { sync: Sync::Latest, slots: 1, physical_slots: 2, checksum: true, ..PLAIN },
    Shape { sync: Sync::Latest, slots: 1, physical_slots: 2, readers: 1, park: true, ..PLAIN },
];

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
        if self.checksum {
            config = config.checksum(ChecksumAlgorithm::Xxh3, ChecksumPolicy::Enforced);
        }
        Ok(config)
    }

    /// Whether everything committed must be delivered, to a reader that was not evicted.
    pub(super) fn lossless(self) -> bool {
        matches!(self.sync, Sync::One | Sync::All | Sync::Evicting)
    }

    pub(super) fn wait(self) -> WaitStrategy {
        if self.park { WaitStrategy::Park } else { WaitStrategy::Yield }
    }

    /// Whether its producer waits for who is inside a slot, and for nobody else.
    pub(super) fn waits_for_pins(self) -> bool {
        self.physical_slots != 0 || self.sync == Sync::Overwritten
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
        if self.physical_slots != 0 {
            name.push_str(", none to spare");
        }
        name.push_str(", ");
        name.push_str(&several(self.readers, "reader"));
        if self.checksum {
            name.push_str(", checksums");
        }
        if self.park {
            name.push_str(", parked");
        }
        if self.batch > 1 {
            name.push_str(", batches");
        }
        if self.zones {
            name.push_str(", zones");
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_is_a_block_and_has_a_name_of_its_own() {
        let mut names: Vec<String> = ALL.iter().map(|shape| shape.name()).collect();
        assert!(ALL.iter().all(|shape| shape.config().is_ok()));
        names.sort();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
    }
}
