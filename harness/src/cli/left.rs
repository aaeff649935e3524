//! How long a long piece of work will still take, from what it took so far.

use std::time::{Duration, Instant};

use crate::units::Nanos;

/// Sooner than this nothing is said of the end.
const SOONEST: Duration = Duration::from_secs(5);

/// Work that is under way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Left {
    began: Instant,
}

impl Left {
    /// It begins now.
    pub(super) fn new() -> Self {
        Self { began: Instant::now() }
    }

    /// `, about 3 min left` after so many of all steps; nothing where nobody can know yet.
    pub(super) fn after(self, done: usize, all: usize) -> String {
        said(self.began.elapsed(), done as f64 / all.max(1) as f64)
    }

    /// The same after this part of the whole.
    pub(super) fn at(self, part: f64) -> String {
        said(self.began.elapsed(), part)
    }
}

fn said(took: Duration, part: f64) -> String {
    if took < SOONEST || !(0.01..1.0).contains(&part) {
        return String::new();
    }
    let left = took.mul_f64((1.0 - part) / part);
    let left = Nanos(u64::try_from(left.as_nanos()).unwrap_or(u64::MAX));
    format!(", about {} left", left.coarse())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_follows_from_what_it_took() {
        let said = |seconds: u64, part: f64| said(Duration::from_secs(seconds), part);
        assert_eq!(said(60, 0.25), ", about 3 min left");
        assert_eq!(said(30, 0.6), ", about 20 s left");
        assert_eq!(said(7200, 0.5), ", about 2 h left");
        assert_eq!(said(3, 0.5), "", "too soon");
        assert_eq!(said(60, 0.0) + &said(60, 1.0), "", "not begun, or through");
    }
}
