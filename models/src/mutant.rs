//! Ordering mutants: every site weakened by one step. A mutant that no model notices is a missing
//! model or a needless ordering.

use datahub::sites::TABLE;

use crate::engine::Engine;
use crate::request::{EVERY, Request};
use crate::sites::{ordering_name, weaker};

/// The sites that models cover so far, by the first letters of their names.
const COVERED: [&str; 8] = ["W_", "R_", "C_", "G_", "P_", "H_", "X_", "E_"];

/// Mutants that no model notices, each with the reason why its ordering stays.
pub const KEPT: &[(&str, &str)] = &[
    (
        "X_SCAN=Relaxed",
        "the kernel's token has ordered the dead producer's stores already; the acquire stays for \
         a forced recovery, where no token was released",
    ),
    ("E_DONE=Relaxed", BUSY),
    ("E_CLEAR=Relaxed", BUSY),
];

/// No engine delays a read-modify-write past a later one of its role; processors may.
const BUSY: &str = "the edge keeps the eviction's read-modify-writes before those of the next owner, \
                    and no engine lets a role's read-modify-writes take effect out of order";

/// Why `row` may survive; `None` when it may not.
#[must_use]
pub fn reason(row: &str) -> Option<&'static str> {
    KEPT.iter().find(|(kept, _)| *kept == row).map(|(_, reason)| *reason)
}

/// One weakened site, as a request names it.
#[must_use]
pub fn rows() -> Vec<String> {
    let covered = TABLE.iter().filter(|site| COVERED.iter().any(|p| site.name.starts_with(p)));
    covered
        .flat_map(|site| {
            let steps = weaker(site.kind, site.ordering).into_iter();
            steps.map(|ordering| format!("{}={}", site.name, ordering_name(ordering)))
        })
        .collect()
}

/// A run for each mutant: every model of the shipped protocol, until one notices.
#[must_use]
pub fn plan(engine: Engine) -> Vec<Request> {
    let request = |row| Request { mutant: vec![row], ..Request::new(engine, EVERY) };
    rows().into_iter().map(request).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_rows_have_a_reason() {
        assert!(KEPT.iter().all(|(row, _)| rows().iter().any(|known| known == row)));
        assert!(reason("W_TAKE=Relaxed").is_none());
    }

    #[test]
    fn every_edge_of_the_slot_has_a_mutant() {
        let rows = rows();
        for row in ["W_TAKE=Relaxed", "W_COMMIT=Relaxed", "R_ADMIT=Relaxed", "R_RELEASE=Relaxed"] {
            assert!(rows.iter().any(|mutant| mutant == row), "{row}");
        }
        assert!(rows.iter().all(|row| !row.starts_with("W_LOOK")));
    }
}
