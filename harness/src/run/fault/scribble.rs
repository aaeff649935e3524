//! Random bytes over parts of a living block, as a stray pointer of one of its users would write.

use std::os::unix::fs::FileExt as _;

use datahub::layout;
use datahub::monitor::Monitor;

use crate::run::payload::mix;
use crate::scenario::model::fault::Action;

/// Writes over the header or over every slot's state.
///
/// # Errors
///
/// When the file refuses, in words.
pub(super) fn over(block: &Monitor, action: Action, seed: u64) -> Result<(), String> {
    let geometry = block.block().geometry();
    let slots = geometry.config.physical_slots() as usize;
    let (offset, bytes) = match action {
        Action::ScribbleHeader => (0, layout::HEADER),
        _ => (geometry.layout.slots, slots * layout::LINE),
    };
    let written = block.block().file().write_all_at(&noise(bytes, seed), offset as u64);
    written.map_err(|error| format!("the block cannot be written: {error}"))
}

fn noise(bytes: usize, seed: u64) -> Vec<u8> {
    (0..bytes.div_ceil(8) as u64).flat_map(|word| mix(seed ^ mix(word)).to_le_bytes()).collect()
}
