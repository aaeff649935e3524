//! The producer's handle.
//!
//! C has no lifetimes, so the handle holds both the producer and the guard of the open slot, which
//! borrows it. The guard is always gone before the producer is touched in another way.

use core::ffi::{c_char, c_void};
use core::ptr::NonNull;

use datahub::config::BlockConfig;
use datahub::producer::Producer;
use datahub::producer::write_slot::WriteSlot;
use datahub::shm::Folder;
use datahub::wait::Timeout;

use crate::config::{self, DataBlockConfig};
use crate::failure::{Failure, report};
use crate::index::decode_wait;
use crate::pointer::{self, Out};
use crate::process::Home;
use crate::status::DataBlockStatus;
use crate::view::{self, View};

/// A producer: the one writer of a block. One slot is open at a time. A handle is not thread-safe
/// and belongs to the process that made it.
#[derive(Debug)]
pub struct DataBlockProducer {
    open: Option<WriteSlot<'static>>,
    // From a box; freed by `drop`, after the guard.
    producer: NonNull<Producer>,
    view: View,
    home: Home,
    /// The producer is gone: a hand-over panicked half-way. Its box is empty.
    lost: bool,
}

/// A slot that is open for writing.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct DataBlockWriteSlot {
    /// Where to write. Holds what an earlier commit left there.
    pub payload: *mut c_void,
    /// How many bytes fit.
    pub payload_bytes: u64,
    /// The sequence that the commit will have.
    pub sequence: u64,
}

impl DataBlockProducer {
    fn new(producer: Producer) -> Result<Self, Failure> {
        let home = Home::here().map_err(|error| Failure::system(&error))?;
        let view = View::of(producer.block())?;
        let producer = NonNull::from(Box::leak(Box::new(producer)));
        Ok(Self { open: None, producer, view, home, lost: false })
    }

    fn check_home(&self) -> Result<(), Failure> {
        if self.home.is_here() { Ok(()) } else { Err(Failure::order(FORKED)) }
    }

    pub(crate) fn view(&self) -> Result<&View, Failure> {
        self.check_home()?;
        Ok(&self.view)
    }

    /// The producer itself, while no slot is open.
    fn idle(&mut self) -> Result<&'static mut Producer, Failure> {
        self.check_home()?;
        if self.lost {
            return Err(Failure::order("a defect has cost this handle its producer: destroy it"));
        }
        if self.open.is_some() {
            return Err(Failure::order("a slot is open for writing: commit or abort it first"));
        }
        // SAFETY: the box lives until `drop`. No guard borrows it (checked above), and each
        // reference made here ends with the call or becomes the guard in `open`.
        Ok(unsafe { self.producer.as_mut() })
    }

    /// Lets the producer become that of another block, or stay what it is.
    fn hand_over(&mut self, config: BlockConfig) -> Result<(), Failure> {
        self.idle()?;
        let place = self.producer.as_ptr();
        self.lost = true;
        // SAFETY: the box holds a producer that nobody borrows (checked by `idle`). From here to the
        // write below the box counts as empty, also if the call panics.
        let (producer, refused) = match unsafe { place.read() }.hand_over(config) {
            Ok(producer) => (producer, None),
            Err(error) => (*error.producer, Some(error.reason)),
        };
        // SAFETY: the box is there and empty.
        unsafe { place.write(producer) };
        self.lost = false;
        if let Some(reason) = refused {
            return Err(reason.into());
        }
        self.view = View::of(self.idle()?.block())?;
        Ok(())
    }

    fn opened(&mut self) -> Result<&mut Option<WriteSlot<'static>>, Failure> {
        self.check_home()?;
        if self.open.is_none() {
            return Err(Failure::order("no slot is open for writing: acquire one first"));
        }
        Ok(&mut self.open)
    }
}

/// Why a handle does nothing after a fork.
pub(crate) const FORKED: &str =
    "the handle belongs to the parent process: a child makes its own, mappings are not inherited";

impl Drop for DataBlockProducer {
    fn drop(&mut self) {
        self.open = None;
        if self.lost {
            return;
        }
        // SAFETY: made from a box in `new`, freed only here; the guard that borrowed it is gone.
        drop(unsafe { Box::from_raw(self.producer.as_ptr()) });
    }
}

fn create(
    config: *const DataBlockConfig,
    producer_out: *mut *mut DataBlockProducer,
    make: impl FnOnce(BlockConfig) -> Result<Producer, Failure>,
) -> Result<(), Failure> {
    // SAFETY: the callers' contract.
    let out = unsafe { Out::handle(producer_out, "producer_out") }?;
    // SAFETY: as above.
    let config = unsafe { config::read(config) }?;
    out.put(Box::into_raw(Box::new(DataBlockProducer::new(make(config)?)?)));
    Ok(())
}

/// Makes the block called `name` in /dev/shm, or takes it over from a dead producer: one of the
/// same shape goes on where it stopped. LOCKED: a living producer has the name. ERROR: the name or
/// the configuration. NO_SPACE, INCOMPATIBLE (a file of that name is no block), CONTENDED, SYSTEM.
/// producer_out: NULL after each of them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datablock_producer_create(
    name: *const c_char,
    config: *const DataBlockConfig,
    producer_out: *mut *mut DataBlockProducer,
) -> DataBlockStatus {
    report(|| {
        create(config, producer_out, |config| {
            // SAFETY: the caller's contract.
            let name = view::name(unsafe { pointer::text(name, "name") }?)?;
            Ok(Producer::create(&name, config)?)
        })
    })
}

/// Makes a block without a name, which leaves nothing behind when its users are gone. Others
/// attach through datablock_producer_path. producer_out: NULL after a failure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datablock_producer_create_unnamed(
    config: *const DataBlockConfig,
    producer_out: *mut *mut DataBlockProducer,
) -> DataBlockStatus {
    report(|| {
        create(config, producer_out, |config| {
            Ok(Producer::create_unnamed(&Folder::default(), config)?)
        })
    })
}

/// Goes on with the stream in a block of the shape of `config`, and moves the consumers there: each reads
/// this block to its end, gets DATABLOCK_MOVED, and calls datablock_follow; nothing is lost and nothing
/// comes twice. Payloads may become larger, not smaller; consumer_sync stays. INVALID_STATE: a slot is open.
/// ERROR: the configuration, or what consumers were promised. CONTENDED: consumers have still to come from
/// the block before this one. NOT_FOUND: the name was taken away. NO_SPACE, SYSTEM. After each of them the
/// producer goes on in its block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datablock_hand_over(
    producer: *mut DataBlockProducer,
    config: *const DataBlockConfig,
) -> DataBlockStatus {
    report(|| {
        // SAFETY: the caller's contract.
        let handle = unsafe { pointer::exclusive(producer, "producer") }?;
        // SAFETY: as above.
        let config = unsafe { config::read(config) }?;
        handle.hand_over(config)
    })
}

/// Which consumers have not come yet from the block before this one, one bit each. A producer of an unnamed
/// block that is destroyed before this is 0 takes from them what they have not read.
/// INVALID_STATE: a slot is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datablock_still_to_move(
    producer: *mut DataBlockProducer,
    consumers_out: *mut u32,
) -> DataBlockStatus {
    report(|| {
        // SAFETY: the caller's contract.
        let handle = unsafe { pointer::exclusive(producer, "producer") }?;
        // SAFETY: as above.
        let out = unsafe { Out::new(consumers_out, "consumers_out") }?;
        out.put(handle.idle()?.still_to_move());
        Ok(())
    })
}

/// Ends the stream and frees the handle. An open slot is given up; consumers read what is left.
/// NULL is allowed. INVALID_STATE in a child of the process that made it: nothing is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datablock_producer_destroy(
    producer: *mut DataBlockProducer,
) -> DataBlockStatus {
    report(|| {
        if producer.is_null() {
            return Ok(());
        }
        // SAFETY: the caller's contract.
        unsafe { pointer::exclusive(producer, "producer") }?.check_home()?;
        // SAFETY: made from a box in `create`; the caller does not use it again.
        drop(unsafe { Box::from_raw(producer) });
        Ok(())
    })
}

/// Writes a path through which processes of this user can attach while this one lives. `buffer`
/// has `buffer_bytes` bytes, 64 are enough. ERROR: it is too small. INVALID_STATE: a slot is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datablock_producer_path(
    producer: *mut DataBlockProducer,
    buffer: *mut c_char,
    buffer_bytes: usize,
) -> DataBlockStatus {
    report(|| {
        // SAFETY: the caller's contract.
        let producer = unsafe { pointer::exclusive(producer, "producer") }?;
        // SAFETY: as above; only checked here.
        let _checked = unsafe { Out::new(buffer, "buffer") }?;
        let path = format!("{}\0", producer.idle()?.path().display());
        if path.len() > buffer_bytes {
            let wanted = path.len();
            return Err(Failure::argument(format!(
                "the path needs {wanted} bytes, not {buffer_bytes}"
            )));
        }
        // SAFETY: the path fits into the caller's buffer (checked above) and is our own.
        unsafe { path.as_ptr().copy_to_nonoverlapping(buffer.cast(), path.len()) };
        Ok(())
    })
}

/// Opens a slot for the next sequence. timeout_ms: 0 tries once, negative waits for ever. TIMEOUT:
/// no room; FULL: the same under DATABLOCK_ON_FULL_ERROR; DAMAGED: the block needs recovery;
/// EXHAUSTED; INVALID_STATE: a slot is open. After each of them nothing has changed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datablock_acquire_write_slot(
    producer: *mut DataBlockProducer,
    timeout_ms: i32,
    slot_out: *mut DataBlockWriteSlot,
) -> DataBlockStatus {
    report(|| {
        // SAFETY: the caller's contract.
        let handle = unsafe { pointer::exclusive(producer, "producer") }?;
        // SAFETY: as above.
        let out = unsafe { Out::new(slot_out, "slot_out") }?;
        let mut slot = handle.idle()?.acquire_write_slot(Timeout::from_millis(timeout_ms))?;
        let sequence = slot.sequence();
        let payload = slot.payload();
        let payload_bytes = payload.len() as u64;
        out.put(DataBlockWriteSlot {
            payload: payload.as_mut_ptr().cast(),
            payload_bytes,
            sequence,
        });
        handle.open = Some(slot);
        Ok(())
    })
}

/// Publishes the first `bytes` bytes of the open slot. ERROR: more than fit; the slot is given up.
/// INVALID_STATE: no slot is open. The payload must not be touched afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datablock_commit(
    producer: *mut DataBlockProducer,
    bytes: u64,
) -> DataBlockStatus {
    report(|| {
        // SAFETY: the caller's contract.
        let handle = unsafe { pointer::exclusive(producer, "producer") }?;
        let Some(slot) = handle.opened()?.take() else { return Ok(()) };
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        slot.commit(bytes).map(drop).map_err(|error| Failure::argument(error.to_string()))
    })
}

/// Gives the open slot up: what was promised is still readable, and no sequence was spent.
/// INVALID_STATE: no slot is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datablock_abort(producer: *mut DataBlockProducer) -> DataBlockStatus {
    report(|| {
        // SAFETY: the caller's contract.
        let handle = unsafe { pointer::exclusive(producer, "producer") }?;
        *handle.opened()? = None;
        Ok(())
    })
}

/// Stamps the checksum of the first `bytes` bytes of the open slot; a commit does so by itself under
/// DATABLOCK_CHECKSUM_ENFORCED. ERROR: more bytes than fit. INVALID_STATE: no slot is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datablock_update_checksum_slot(
    producer: *mut DataBlockProducer,
    bytes: u64,
) -> DataBlockStatus {
    report(|| {
        // SAFETY: the caller's contract.
        let handle = unsafe { pointer::exclusive(producer, "producer") }?;
        let Some(slot) = handle.opened()? else { return Ok(()) };
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        slot.update_checksum_slot(bytes).map_err(|error| Failure::argument(error.to_string()))
    })
}

/// How this producer waits: a DataBlockWait. ERROR: another number. INVALID_STATE: a slot is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datablock_producer_set_wait(
    producer: *mut DataBlockProducer,
    wait: u32,
) -> DataBlockStatus {
    report(|| {
        // SAFETY: the caller's contract.
        let handle = unsafe { pointer::exclusive(producer, "producer") }?;
        // In a block without parking another one is chosen: documented.
        let _chosen = handle.idle()?.set_wait(decode_wait(wait)?);
        Ok(())
    })
}

/// Says that this producer is there. Done by itself about four times a second while it commits or waits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datablock_producer_heartbeat(
    producer: *mut DataBlockProducer,
) -> DataBlockStatus {
    report(|| {
        // SAFETY: the caller's contract.
        let handle = unsafe { pointer::exclusive(producer, "producer") }?;
        handle.view()?.beat_producer();
        Ok(())
    })
}
