//! The processor's counters over the measured part of one role, or why there are none.
//!
//! Opened before the warm-up, switched on and off with one call each, read at the end: no message
//! is touched. Counts this thread, in user mode only, so that an unprivileged user may. The events
//! are one group: all of them count or none does, so that they belong to the same messages.
//! Knows nothing of: messages, transports.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use perf_event::events::Hardware as Kind;
use perf_event::{Builder, Counter, Group};
use report_schema::{Hardware, HardwareCounts};

use crate::host::counting::Means;
use crate::host::is_virtual;

/// One meter for whoever knows when the measured part begins.
pub(super) type SharedMeter = Rc<RefCell<Meter>>;

/// What may be counted, and its name in results.
pub(super) type Event = (&'static str, Builder<'static>);

/// Few enough that the processors at hand count all of them at once.
pub(super) fn events() -> Vec<Event> {
    let kinds = [
        ("cycles", Kind::CPU_CYCLES),
        ("instructions", Kind::INSTRUCTIONS),
        ("cache-references", Kind::CACHE_REFERENCES),
        ("cache-misses", Kind::CACHE_MISSES),
        ("branch-misses", Kind::BRANCH_MISSES),
    ];
    kinds.map(|(name, kind)| (name, Builder::new(kind))).into()
}

/// Counts from [`Meter::begin`] to [`Meter::end`], as often as that comes.
#[derive(Debug)]
pub(super) struct Meter {
    /// The counters, or why there are none.
    open: Result<Open, String>,
    /// Messages of the parts that have ended.
    messages: u64,
    /// Messages before the part that has begun.
    since: Option<u64>,
}

struct Open {
    group: Group,
    members: Vec<(&'static str, Counter)>,
}

impl fmt::Debug for Open {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.members.iter().map(|(name, _)| name).collect();
        formatter.debug_tuple("Open").field(&names).finish()
    }
}

impl Meter {
    /// Opens counters for these events. What this processor does not count is left out.
    pub(super) fn new(events: &[Event]) -> Self {
        let open = open(events).map_err(|error| {
            let root = Path::new("/");
            let means = Means::read(root);
            means.refusal(&error, !means.pmu && is_virtual(root))
        });
        Self { open, messages: 0, since: None }
    }

    /// A meter for both ends of one process.
    pub(super) fn shared(self) -> SharedMeter {
        Rc::new(RefCell::new(self))
    }

    /// What is measured begins, after so many messages. Who has begun goes on.
    #[cold]
    pub(super) fn begin(&mut self, messages: u64) {
        if self.since.is_none() {
            self.since = Some(messages);
            self.switch(Group::enable);
        }
    }

    /// It ends, after so many messages. Who has not begun does not end.
    #[cold]
    pub(super) fn end(&mut self, messages: u64) {
        if let Some(since) = self.since.take() {
            self.switch(Group::disable);
            self.messages = self.messages.saturating_add(messages.saturating_sub(since));
        }
    }

    fn switch(&mut self, how: fn(&mut Group) -> io::Result<()>) {
        if let Ok(open) = &mut self.open
            && let Err(error) = how(&mut open.group)
        {
            self.open = Err(format!("the counters cannot be switched: {error}"));
        }
    }

    /// What was counted, or why nothing was.
    pub(super) fn finish(&mut self) -> Hardware {
        let open = self.open.as_mut().map_err(|why| why.clone());
        let counted = open.and_then(|open| open.read().map_err(|error| unreadable(&error)));
        match counted {
            Err(why) => Hardware::Uncounted(why),
            Ok(Reading { enabled_ns: 0, .. }) => {
                Hardware::Uncounted("the measured part never began".to_owned())
            }
            Ok(Reading { counted_ns: 0, .. }) => {
                let why = "the processor's counters were never free together; the kernel's watchdog \
                           has one of them unless `sysctl kernel.nmi_watchdog=0` is set";
                Hardware::Uncounted(why.to_owned())
            }
            Ok(reading) => Hardware::Counted(reading.over(self.messages)),
        }
    }
}

fn unreadable(error: &io::Error) -> String {
    format!("the counters cannot be read: {error}")
}

/// Opens what can be counted; the first refusal, if that is nothing.
fn open(events: &[Event]) -> io::Result<Open> {
    let mut group = Group::new()?;
    let mut members = vec![];
    let mut refused = None;
    for (name, builder) in events {
        match group.add(builder) {
            Ok(counter) => members.push((*name, counter)),
            Err(error) => {
                refused.get_or_insert(error);
            }
        }
    }
    match refused {
        Some(error) if members.is_empty() => Err(error),
        _ => Ok(Open { group, members }),
    }
}

impl Open {
    fn read(&mut self) -> io::Result<Reading> {
        let data = self.group.read()?;
        let nanos = |time: Option<Duration>| {
            time.map_or(0, |time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
        };
        let value =
            |(name, counter): &(&'static str, Counter)| Some((*name, data.get(counter)?.value()));
        Ok(Reading {
            values: self.members.iter().filter_map(value).collect(),
            enabled_ns: nanos(data.time_enabled()),
            counted_ns: nanos(data.time_running()),
        })
    }
}

/// What the kernel says, as it says it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Reading {
    values: Vec<(&'static str, u64)>,
    enabled_ns: u64,
    counted_ns: u64,
}

impl Reading {
    /// Over so many messages, scaled up to the whole time.
    fn over(self, messages: u64) -> HardwareCounts {
        let Self { values, enabled_ns, counted_ns } = self;
        let scaled = |value: u64| {
            let whole = u128::from(value) * u128::from(enabled_ns);
            whole
                .checked_div(counted_ns.into())
                .map_or(0, |value| u64::try_from(value).unwrap_or(u64::MAX))
        };
        let events = values.into_iter().map(|(name, value)| (name.to_owned(), scaled(value)));
        HardwareCounts { messages, events: events.collect(), enabled_ns, counted_ns }
    }
}

#[cfg(test)]
mod tests;
