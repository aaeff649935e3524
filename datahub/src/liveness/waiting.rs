//! Consumers that have not come from the predecessor yet: alive as long as they hold their tokens there.
//!
//! Who handed the predecessor over still has its file. Anybody else finds it open in the process for
//! which the seat is kept: that process has it open as long as its consumer is there, so if it has not,
//! the consumer is gone. The file found is compared with what the header says; the token in it
//! decides, never the process id.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt, MetadataExt};

use crate::block::Block;
use crate::block::header::Predecessor;
use crate::layout;
use crate::memory::MappedMemory;
use crate::shm;
use crate::shm::token::{Seat, is_held};
use crate::slot::Reader;
use crate::{handover, heartbeat};

/// Whether the seat of `reader` is kept for a consumer that lives in the predecessor.
///
/// # Errors
///
/// When the predecessor or its tokens cannot be examined: then nobody may call it dead.
pub(crate) fn is_awaited<M: MappedMemory>(
    mem: &M,
    block: &Block,
    reader: Reader,
) -> io::Result<bool> {
    Ok(handover::is_kept(mem, block.arrivals(), reader) && waits(mem, block, reader)?)
}

/// Whether the consumer for which the seat of `reader` is kept lives in the predecessor.
///
/// # Errors
///
/// As [`is_awaited`].
fn waits<M: MappedMemory>(mem: &M, block: &Block, reader: Reader) -> io::Result<bool> {
    let seat = Seat::Consumer(reader.number());
    if let Some(file) = &*block.predecessor() {
        return is_held(file, seat);
    }
    let Some(predecessor) = block.geometry().origin.predecessor else { return Ok(false) };
    let process = heartbeat::process(mem, block.heartbeat(reader));
    match opened_by(process, predecessor)? {
        Some(file) => is_held(&file, seat),
        None => Ok(false),
    }
}

/// The predecessor's file, if `process` has it open.
fn opened_by(process: u64, wanted: Predecessor) -> io::Result<Option<File>> {
    let files = match fs::read_dir(format!("/proc/{process}/fd")) {
        Ok(files) => files,
        Err(error) if is_gone(&error) || is_buried(process) => return Ok(None),
        Err(error) => return Err(error),
    };
    for entry in files {
        // What is closed while we look is not what we look for: its owner keeps it open.
        let Ok(entry) = entry else { continue };
        let facts = match fs::metadata(entry.path()) {
            Err(error) if is_gone(&error) => continue,
            facts => facts?,
        };
        if (facts.dev(), facts.ino()) != (wanted.device, wanted.file) {
            continue;
        }
        match shm::open_file(&entry.path()) {
            Ok(file) if nonce(&file)? == wanted.nonce => return Ok(Some(file)),
            Ok(_) => {}
            Err(error) if is_gone(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

fn nonce(file: &File) -> io::Result<[u8; 16]> {
    let mut nonce = [0; 16];
    file.read_exact_at(&mut nonce, layout::header::NONCE as u64)?;
    Ok(nonce)
}

/// The process ended before or while it was looked at.
fn is_gone(error: &io::Error) -> bool {
    // ESRCH
    error.kind() == ErrorKind::NotFound || error.raw_os_error() == Some(nix::libc::ESRCH)
}

/// Dead, and its parent has not noticed: it has no files any more, and nobody may look at them.
fn is_buried(process: u64) -> bool {
    let line = fs::read_to_string(format!("/proc/{process}/stat"));
    line.is_ok_and(|line| {
        line.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(['Z', 'X']))
    })
}
