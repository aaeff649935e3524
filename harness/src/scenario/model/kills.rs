//! A kill matrix: the blocks in which every kind of victim dies at every site, and how often.

use super::{ChecksumPolicy, ConsumerSync, Profile};

/// One file with `kind = "kills"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KillMatrix {
    /// The file as it was named by the caller.
    pub file: String,
    /// The name, unique in a suite.
    pub name: String,
    /// What the run answers, in one sentence.
    pub question: String,
    /// Words to select by.
    pub tags: Vec<String>,
    /// How much each profile kills, shortest first.
    pub doses: [Dose; 3],
    /// The blocks and their users.
    pub shapes: Vec<KillShape>,
}

/// How much is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dose {
    /// Everything is done with so many seeds.
    pub seeds: u64,
    /// Kills for each victim, site, shape and seed.
    pub kills: u64,
    /// Fewer in all are inconclusive.
    pub at_least: u64,
}

/// A block and those who use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KillShape {
    /// What readers are promised.
    pub consumer_sync: ConsumerSync,
    /// What the producer does with who holds it back.
    pub on_full: KillFull,
    /// Payloads that stay readable.
    pub slots: u32,
    /// Slots in memory; `None`: as many as the policy wants.
    pub physical_slots: Option<u32>,
    /// Readers beside whom victims die.
    pub readers: u32,
    /// Absent: nothing is stamped.
    pub checksum: Option<ChecksumPolicy>,
    /// Payloads of a batch; 1: there are none.
    pub batch: u32,
    /// Flexible zones stand beside the ring.
    pub zones: bool,
    /// Everybody sleeps where it waits.
    pub park: bool,
    /// The profiles in which it stands.
    pub profiles: Vec<Profile>,
}

/// What a producer does with consumers that hold it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KillFull {
    /// It waits.
    Block,
    /// It overwrites.
    Overwrite,
    /// It waits a little, and goes on without them.
    Evict,
}

impl KillMatrix {
    /// How much a profile kills.
    #[must_use]
    pub const fn dose(&self, profile: Profile) -> Dose {
        let [smoke, full, soak] = self.doses;
        match profile {
            Profile::Smoke => smoke,
            Profile::Full => full,
            Profile::Soak => soak,
        }
    }

    /// The shapes of a profile; never none.
    pub fn shapes(&self, profile: Profile) -> impl Iterator<Item = &KillShape> {
        self.shapes.iter().filter(move |shape| shape.profiles.contains(&profile))
    }
}
