//! The codes that functions return, and what they say in words.

use core::ffi::{CStr, c_char};

/// What a `slot_rw_*` function returns. Numbers as in HEP-CORE-0002.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum SlotAcquireResult {
    /// Done.
    SlotAcquireOk = 0,
    /// Readers did not leave in time; the slot is as before.
    SlotAcquireTimeout = 1,
    /// No committed payload to enter now; trying again may succeed.
    SlotAcquireNotReady = 2,
    /// A writer owns the slot and did not give it up in time.
    SlotAcquireLocked = 3,
    /// A bad argument: NULL, misaligned, or out of range. Nothing was done.
    SlotAcquireError = 4,
    /// A call out of order. Nothing was done.
    SlotAcquireInvalidState = 5,
}

/// What a `datablock_*` function returns. The first six mean what they mean for a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum DataBlockStatus {
    /// Done.
    DatablockOk = 0,
    /// Not within the time.
    DatablockTimeout = 1,
    /// Nothing new now (time-out 0); trying again may succeed.
    DatablockNotReady = 2,
    /// A living producer has the name, or the block's only consumer seat is taken.
    DatablockLocked = 3,
    /// A bad argument: NULL, misaligned, a bad name, or out of range.
    DatablockError = 4,
    /// A call out of order: a slot is open, none is open, or the handle is another process's.
    DatablockInvalidState = 5,
    /// There is no such block.
    DatablockNotFound = 6,
    /// The ring is full, and the block's rule is to say so.
    DatablockFull = 7,
    /// The producer came round; some payloads are lost, and the next call goes on behind them.
    DatablockLapped = 8,
    /// The producer has ended the stream and everything was read.
    DatablockEnded = 9,
    /// The producer is dead. Another may take the block over.
    DatablockProducerDead = 10,
    /// A checksum does not match its payload; the next call goes on behind it.
    DatablockChecksum = 11,
    /// The shared words make no sense, or a death left them half done: the block needs recovery.
    DatablockDamaged = 12,
    /// The file is not a block that this library can use.
    DatablockIncompatible = 13,
    /// The memory cannot be reserved.
    DatablockNoSpace = 14,
    /// Every consumer seat has a living owner.
    DatablockConsumersFull = 15,
    /// The block belongs to another user.
    DatablockNotPermitted = 16,
    /// The operating system refused.
    DatablockSystem = 17,
    /// All sequence numbers are spent.
    DatablockExhausted = 18,
    /// Others made, removed, joined or left all the time; try again.
    DatablockContended = 19,
    /// The producer went on without this consumer, which was too slow: detach and attach again.
    DatablockEvicted = 20,
    /// Everything was read, and the stream goes on in another block: datablock_follow leads there.
    DatablockMoved = 21,
    /// A defect of this library, caught before it reached the caller. The handle can only be
    /// destroyed now.
    DatablockBug = 70,
}

/// Every status with its words.
const STATUSES: &[(DataBlockStatus, &CStr)] = &[
    (DataBlockStatus::DatablockOk, c"done"),
    (DataBlockStatus::DatablockTimeout, c"not within the time"),
    (DataBlockStatus::DatablockNotReady, c"nothing new now"),
    (DataBlockStatus::DatablockLocked, c"somebody alive has it"),
    (DataBlockStatus::DatablockError, c"a bad argument"),
    (DataBlockStatus::DatablockInvalidState, c"a call out of order"),
    (DataBlockStatus::DatablockNotFound, c"there is no such block"),
    (DataBlockStatus::DatablockFull, c"the ring is full"),
    (DataBlockStatus::DatablockLapped, c"the producer came round and payloads were lost"),
    (DataBlockStatus::DatablockEnded, c"the producer has ended the stream"),
    (DataBlockStatus::DatablockProducerDead, c"the producer is dead"),
    (DataBlockStatus::DatablockChecksum, c"a checksum does not match its payload"),
    (DataBlockStatus::DatablockDamaged, c"the block is damaged and needs recovery"),
    (DataBlockStatus::DatablockIncompatible, c"the file is not a block that this library can use"),
    (DataBlockStatus::DatablockNoSpace, c"the memory cannot be reserved"),
    (DataBlockStatus::DatablockConsumersFull, c"every consumer seat has a living owner"),
    (DataBlockStatus::DatablockNotPermitted, c"the block belongs to another user"),
    (DataBlockStatus::DatablockSystem, c"the operating system refused"),
    (DataBlockStatus::DatablockExhausted, c"all sequence numbers are spent"),
    (DataBlockStatus::DatablockContended, c"others came between all the time; try again"),
    (DataBlockStatus::DatablockEvicted, c"the producer went on without this consumer"),
    (DataBlockStatus::DatablockMoved, c"the stream goes on in another block"),
    (DataBlockStatus::DatablockBug, c"a defect of this library"),
];

/// The code in words, never NULL. Any number may be passed. The text lives as long as the program.
#[unsafe(no_mangle)]
pub extern "C" fn datablock_error_string(code: i32) -> *const c_char {
    let known = STATUSES.iter().find(|(status, _)| *status as i32 == code);
    known.map_or(c"an unknown code", |&(_, words)| words).as_ptr()
}

/// The result in words, never NULL. Any number may be passed. The text lives as long as the program.
#[unsafe(no_mangle)]
pub extern "C" fn slot_acquire_result_string(result: i32) -> *const c_char {
    let words = match result {
        0 => c"done",
        1 => c"readers did not leave in time",
        2 => c"no committed payload now",
        3 => c"a writer owns the slot",
        4 => c"a bad argument",
        5 => c"a call out of order",
        _ => c"an unknown result",
    };
    words.as_ptr()
}

/// The library's version as text, for instance "0.1.0".
#[unsafe(no_mangle)]
pub extern "C" fn datablock_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}
