//! Flexible zones that victims work in and survivors must find usable: one of each primitive, and bytes.
//!
//! Only the producer writes what has one writer. What the lock guards are two words that agree whenever
//! nobody is inside.

use std::time::Duration;

use datahub::config::{BlockConfig, ConfigError};
use datahub::memory::MappedMemory;
use datahub::name::BlockName;
use datahub::wait::Timeout;
use datahub::zone::{DoubleBuffer, RobustSpinlock, SeqlockCell, Zone, ZoneError, ZoneWord};

/// What is written under a count: two words that agree.
type Pair = [u64; 2];
type Seqlock = SeqlockCell<Pair, 2>;
type Double = DoubleBuffer<Pair, 2>;

const WORD: &str = "word";
const BYTES: &str = "bytes";
const SEQLOCK: &str = "seqlock";
const DOUBLE: &str = "double";
const LOCK: &str = "lock";
const GUARDED: &str = "guarded";

/// A lock that is not had for so long is lost.
const PATIENCE: Timeout = Timeout::After(Duration::from_secs(2));

/// Adds the zones to a block.
pub(super) fn with_zones(config: BlockConfig) -> Result<BlockConfig, ConfigError> {
    let name = |name| BlockName::new(name).map_err(|_| ConfigError::Zones(0));
    config
        .zone_of::<ZoneWord>(&name(WORD)?)?
        .zone_bytes(&name(BYTES)?, 64)?
        .zone_of::<Seqlock>(&name(SEQLOCK)?)?
        .zone_of::<Double>(&name(DOUBLE)?)?
        .zone_of::<RobustSpinlock>(&name(LOCK)?)?
        .zone_of::<[ZoneWord; 2]>(&name(GUARDED)?)
}

/// What is wrong with a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wrong {
    /// What must agree does not.
    Torn(String),
    /// Somebody cannot go on.
    Stuck(String),
}

impl From<ZoneError> for Wrong {
    fn from(error: ZoneError) -> Self {
        Self::Stuck(format!("a zone cannot be reached: {error}"))
    }
}

/// The zones as one process has them.
#[derive(Debug)]
pub(super) struct Board<'z, M: MappedMemory> {
    mem: &'z M,
    word: Zone<'z, M>,
    bytes: Zone<'z, M>,
    seqlock: Zone<'z, M>,
    double: Zone<'z, M>,
    lock: Zone<'z, M>,
    guarded: Zone<'z, M>,
}

impl<'z, M: MappedMemory> Board<'z, M> {
    /// The zones that `find` leads to.
    pub(super) fn find(
        mem: &'z M,
        find: impl Fn(&str) -> Result<Zone<'z, M>, ZoneError>,
    ) -> Result<Self, Wrong> {
        Ok(Self {
            mem,
            word: find(WORD)?,
            bytes: find(BYTES)?,
            seqlock: find(SEQLOCK)?,
            double: find(DOUBLE)?,
            lock: find(LOCK)?,
            guarded: find(GUARDED)?,
        })
    }

    /// Writes what only the producer writes, also over what a dead one left.
    pub(super) fn write(&self, number: u64) -> Result<(), Wrong> {
        let value = [number; 2];
        self.seqlock.with_access(|cell: &Seqlock| {
            if cell.try_write(self.mem, &value).is_err() {
                cell.write_over_dead(self.mem, &value);
            }
        })?;
        self.double.with_access(|cell: &Double| {
            if cell.try_write(self.mem, &value).is_err() {
                cell.write_over_dead(self.mem, &value);
            }
        })?;
        self.bytes.write_bytes(0, &number.to_le_bytes())?;
        Ok(())
    }

    /// Reads everything, and does under the lock what anybody may do.
    pub(super) fn share(&self) -> Result<(), Wrong> {
        let mem = self.mem;
        self.word.with_access(|word: &ZoneWord| {
            word.store(mem, word.load(mem));
            word.add(mem, 1);
        })?;
        self.bytes.read_bytes(0, &mut [0; 8])?;
        whole(SEQLOCK, self.seqlock.with_access(|cell: &Seqlock| cell.try_read(mem))?)?;
        whole(DOUBLE, self.double.with_access(|cell: &Double| cell.try_read(mem))?)?;
        self.lock.with_access(|lock: &RobustSpinlock| self.guarded(lock))?
    }

    /// What was written last must be there to be read when nobody writes.
    pub(super) fn shows(&self, number: u64) -> Result<(), Wrong> {
        let seqlock = self.seqlock.with_access(|cell: &Seqlock| cell.try_read(self.mem))?;
        let double = self.double.with_access(|cell: &Double| cell.try_read(self.mem))?;
        for (name, found) in [(SEQLOCK, seqlock), (DOUBLE, double)] {
            if found != Some([number; 2]) {
                return Err(Wrong::Stuck(format!("{name} shows {found:?} and not {number}")));
            }
        }
        Ok(())
    }

    /// Adds to two words, which agree unless a holder died inside.
    fn guarded(&self, lock: &RobustSpinlock) -> Result<(), Wrong> {
        let lost = |error| Wrong::Stuck(format!("the lock cannot be had: {error}"));
        let guard = self.lock.lock(lock, PATIENCE).map_err(lost)?;
        self.guarded.with_access(|[first, second]: &[ZoneWord; 2]| {
            let found = [first.load(self.mem), second.load(self.mem)];
            if !guard.recovered() {
                whole(GUARDED, Some(found))?;
            }
            first.store(self.mem, found[0] + 1);
            second.store(self.mem, found[0] + 1);
            Ok(())
        })?
    }
}

/// Whether what was read agrees with itself.
fn whole(name: &str, found: Option<Pair>) -> Result<(), Wrong> {
    match found {
        Some([first, second]) if first != second => {
            Err(Wrong::Torn(format!("{name} holds {first} and {second}")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use datahub::config::ConsumerSync;
    use datahub::memory::Shared;
    use datahub::producer::Producer;
    use datahub::shm::Folder;

    use super::*;

    #[test]
    fn a_board_shows_what_was_written_and_finds_out_what_does_not_agree() {
        let config = BlockConfig::new(ConsumerSync::SequentialSync, 2, 64).unwrap();
        let config = with_zones(config).unwrap();
        let producer = Producer::create_unnamed(&Folder::default(), config).unwrap();
        let board = Board::find(&Shared, |name| producer.zone(name)).unwrap();
        board.write(5).unwrap();
        assert_eq!((board.share(), board.share(), board.shows(5)), (Ok(()), Ok(()), Ok(())));
        assert!(matches!(board.shows(6), Err(Wrong::Stuck(text)) if text.contains("seqlock")));
        let torn = |[first, _]: &[ZoneWord; 2]| first.store(&Shared, 99);
        board.guarded.with_access(torn).unwrap();
        assert!(matches!(board.share(), Err(Wrong::Torn(text)) if text.contains("guarded")));
    }

    #[test]
    fn what_cannot_be_read_now_is_not_torn() {
        assert!(whole(DOUBLE, Some([1, 2])).is_err());
        assert_eq!((whole(DOUBLE, None), whole(DOUBLE, Some([3, 3]))), (Ok(()), Ok(())));
    }
}
