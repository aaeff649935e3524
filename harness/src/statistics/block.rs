//! A block of neighbours: two repeats of each side, in one of their six orders.
//!
//! All six are equally likely, because the exchange test holds the order that was against every one
//! of them. A design that leaves some out is a promise less: two orders, A B B A and B A A B, put
//! both middle places on one side, so whatever comes every fourth trial is taken for a difference.
//! Checked by: `statistics/calibration.rs`, which refuses that design.

use report_schema::Side;

/// Every way to deal two places of four.
const ORDERS: [[bool; 4]; 6] = [
    [false, false, true, true],
    [false, true, false, true],
    [false, true, true, false],
    [true, false, false, true],
    [true, false, true, false],
    [true, true, false, false],
];

/// The sides of a block's places, as a random number has it.
#[must_use]
pub fn dealt(random: u64) -> [Side; 4] {
    // Six orders of so many numbers: what some come too often nobody can see.
    let count = ORDERS.len() as u64;
    let place = usize::try_from(random % count).unwrap_or(0);
    ORDERS[place].map(|candidate| if candidate { Side::Candidate } else { Side::Base })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_order_of_two_and_two_can_come() {
        let orders: BTreeSet<[Side; 4]> = (0..6).map(dealt).collect();
        let fair = |order: &[Side; 4]| order.iter().filter(|side| **side == Side::Base).count();
        assert!(orders.len() == 6 && orders.iter().all(|order| fair(order) == 2), "{orders:?}");
    }
}
