//! Transactions: a closure writes or reads one payload, and its answer decides what becomes of it.
//!
//! A write is published when the closure says `Ok`, and only then. `Err`, a panic and every other way
//! out drop the open slot, which gives it up; dropping never publishes. Whether the thread is
//! unwinding is not asked: a transaction inside a destructor has its own answer (F33).
//! A read ends in every case: the consumer goes on behind the payload, so a payload that a closure
//! cannot take does not come again for ever (F24).
//! Source: HEP-CORE-0002 layer 2 (`with_write_transaction`, `with_read_transaction`,
//! `with_next_slot`) and layer 1.75 (`with_write_access`, `with_typed_write`, …).

mod access;
mod read;
mod typed;
mod write;

pub use access::{with_read_access, with_write_access};
pub use read::{ReadTransactionError, with_next_slot, with_read_transaction};
pub use typed::{with_typed_read, with_typed_write};
pub use write::{WriteTransaction, WriteTransactionError, with_write_transaction};
