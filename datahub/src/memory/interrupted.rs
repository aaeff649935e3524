//! For tests: something happens before one operation, for instance a death.

use core::cell::Cell;
use std::panic::resume_unwind;
use std::rc::Rc;

use super::observed::{Observed, Observer};
use crate::sites::Site;

/// Does something before one operation.
#[derive(Clone)]
pub(crate) struct Interruption<'a> {
    left: Rc<Cell<u32>>,
    act: &'a dyn Fn(),
}

/// The production memory, in which something happens before one operation.
pub(crate) type Interrupted<'a> = Observed<Interruption<'a>>;

impl<'a> Interrupted<'a> {
    /// `act` happens when `steps` operations are done.
    pub(crate) fn after(steps: u32, act: &'a dyn Fn()) -> Self {
        Self(Interruption { left: Rc::new(Cell::new(steps)), act })
    }
}

impl Interrupted<'static> {
    /// Its user dies when `steps` operations are done, as if its process were killed there.
    pub(crate) fn dying(steps: u32) -> Self {
        Self::after(steps, &|| resume_unwind(Box::new("dead")))
    }
}

impl Observer for Interruption<'_> {
    fn before(&self, _site: &'static Site) {
        let left = self.left.get();
        self.left.set(left.wrapping_sub(1));
        if left == 0 {
            (self.act)();
        }
    }
}
