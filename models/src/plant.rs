//! Defects planted in the protocol without touching its source: a memory that passes everything on,
//! except at the sites of its defect. A checker that does not see one of them checks nothing.

mod memory;

pub(crate) use memory::Planted;

/// A defect in how the protocol uses its memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plant {
    /// The writer does not look who is inside.
    SkipDrain,
    /// A reader takes whatever the slot holds for what it came for.
    DropLabel,
    /// A reader enters although the word changed after it looked.
    DropRecheck,
    /// A reader of a counted value does not look at the count again.
    SkipGeneration,
    /// The slot counts as committed from the moment it is taken.
    CommitFirst,
    /// A reader gives back its neighbour's pin.
    WrongPin,
    /// A commit is announced before it is made.
    AnnounceFirst,
    /// The cursor moves when a payload is taken, not when it was read.
    CursorEarly,
    /// A joiner reads without a pin before it is acknowledged.
    JoinerUnpinned,
    /// The minimum counts a consumer that has gone.
    CountsTheDead,
    /// The minimum is taken without looking at the cursors.
    IgnoresCursors,
    /// A sleeper does not look again after it announced itself.
    SleepsUnchecked,
    /// Recovery acts without a proof of death.
    ReapsTheLiving,
    /// Recovery gives a half-written payload out under the number it was meant for.
    Restamps,
    /// A write that was given up is published.
    AbortPublishes,
    /// A write that was given up takes the newest payload's announcement with it.
    AbortForgets,
    /// A commit is not counted.
    LosesCommit,
    /// A writer that gave up leaves the slot closed.
    StaysClosed,
    /// A batch is published from its first slot to its last.
    BatchForwards,
    /// A dead holder's lock is taken by a plain store.
    LockByStore,
    /// A consumer does not verify what an enforcing block holds.
    SkipsChecksum,
    /// Recovery clears the dead consumers before it settles their dead producer.
    ReapsFirst,
}

/// A defect, what it is called, and where it must be noticed.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The defect.
    pub plant: Plant,
    /// Its name in requests and results.
    pub name: &'static str,
    /// What is wrong, in one sentence.
    pub english: &'static str,
    /// The model and the crash point that it needs; otherwise any shipped model may notice it.
    pub place: Option<(&'static str, &'static str)>,
}

const fn row(plant: Plant, name: &'static str, english: &'static str) -> Row {
    Row { plant, name, english, place: None }
}

/// Every defect.
pub const ALL: &[Row] = &[
    row(Plant::SkipDrain, "skip-drain", "The writer takes a slot without looking who is inside."),
    row(Plant::DropLabel, "drop-label", "A reader does not compare what the slot says it holds."),
    row(
        Plant::DropRecheck,
        "drop-recheck",
        "A reader enters by setting its bit, whatever has become of the word it looked at.",
    ),
    row(
        Plant::SkipGeneration,
        "skip-generation",
        "A reader of a counted value does not look at the count a second time.",
    ),
    row(
        Plant::CommitFirst,
        "commit-first",
        "The slot is released to readers before its payload is written.",
    ),
    row(Plant::WrongPin, "wrong-pin", "A reader gives back the pin of its neighbour, not its own."),
    row(
        Plant::AnnounceFirst,
        "announce-first",
        "The commit is announced before the slot is committed.",
    ),
    row(
        Plant::CursorEarly,
        "cursor-early",
        "A consumer publishes its cursor before it has read the payload.",
    ),
    row(
        Plant::JoinerUnpinned,
        "joiner-unpinned",
        "A joiner does not pin what it reads before the producer has acknowledged it.",
    ),
    row(
        Plant::CountsTheDead,
        "counts-the-dead",
        "The producer's minimum counts the cursor of a consumer that has left.",
    ),
    row(
        Plant::IgnoresCursors,
        "ignores-cursors",
        "The producer's minimum is taken without looking at the cursors.",
    ),
    row(
        Plant::SleepsUnchecked,
        "sleeps-unchecked",
        "A sleeper does not look again between announcing itself and sleeping.",
    ),
    row(
        Plant::ReapsTheLiving,
        "reaps-the-living",
        "Recovery clears what a consumer holds without a proof that it is dead.",
    ),
    Row {
        place: Some(("recovery/resume-latest", "writer:*")),
        ..row(
            Plant::Restamps,
            "restamps",
            "Recovery commits a half-written slot and labels it, instead of emptying it.",
        )
    },
    row(Plant::AbortPublishes, "abort-publishes", "A write that was given up is committed."),
    row(
        Plant::AbortForgets,
        "abort-forgets",
        "A write that was given up takes the announcement of the newest payload with it.",
    ),
    row(Plant::LosesCommit, "loses-commit", "A commit is not counted in the commit index."),
    row(
        Plant::StaysClosed,
        "stays-closed",
        "A writer that stops waiting leaves the slot closed to readers.",
    ),
    row(
        Plant::BatchForwards,
        "batch-forwards",
        "A batch is published from its first slot to its last, so that a part of it can be seen.",
    ),
    row(
        Plant::LockByStore,
        "lock-by-store",
        "Whoever finds the holder dead stores its own name over whatever the lock says by then.",
    ),
    row(
        Plant::SkipsChecksum,
        "skip-checksum",
        "A consumer does not verify what a block with enforced checksums holds.",
    ),
    Row {
        place: Some(("eviction/copying", "writer:*")),
        ..row(
            Plant::ReapsFirst,
            "reaps-first",
            "Recovery clears a dead consumer's seat before it settles who died evicting that consumer.",
        )
    },
];

/// The defect called `name`.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Row> {
    ALL.iter().find(|row| row.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_defect_has_a_name_of_its_own_and_a_sentence() {
        let names: BTreeSet<_> = ALL.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), ALL.len());
        assert!(ALL.len() >= 12);
        for row in ALL {
            assert!(row.english.ends_with('.'), "{}", row.english);
            assert_eq!(by_name(row.name).unwrap().plant, row.plant);
        }
        assert!(by_name("skip-everything").is_none());
    }
}
