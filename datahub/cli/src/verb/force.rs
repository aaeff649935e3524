//! `datahub recover --force`: what only the operator can answer for.

#![expect(unsafe_code, reason = "nobody but the operator knows what a living consumer does")]

use datahub::monitor::health::Thresholds;
use datahub::name::BlockName;
use datahub::place::Place;
use datahub::recovery::Report;
use datahub::recovery::force::{self, ForceError};

/// Evicts the living consumers that stand still in the way of the block's producer.
pub(super) fn evict(place: &Place, spelled_out: &BlockName) -> Result<Report, ForceError> {
    // SAFETY: the operator has spelled out the block's name after `--force`, whose help says that this
    // vouches for every consumer named by the dry run: none of them reads what it was lent any more.
    unsafe { force::evict(place, spelled_out, Thresholds::default()) }
}
