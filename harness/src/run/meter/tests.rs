//! The meter over events of the kernel, which every machine has, and over what is refused.

use nix::sys::resource::{UsageWho, getrusage};
use perf_event::events::{Cache, CacheId, CacheOp, CacheResult, Software};

use super::*;

const PAGES: usize = 256;
const PAGE: usize = 4_096;

fn software() -> Vec<Event> {
    let kinds = [("task-clock", Software::TASK_CLOCK), ("page-faults", Software::PAGE_FAULTS)];
    kinds.map(|(name, kind)| (name, Builder::new(kind))).into()
}

/// Touches new pages; says how many faults the kernel served this thread for it.
fn touch() -> u64 {
    let faults = || getrusage(UsageWho::RUSAGE_THREAD).unwrap().minor_page_faults();
    let before = faults();
    let mut memory = vec![0_u8; PAGES * PAGE];
    for page in memory.chunks_mut(PAGE) {
        page[0] = std::hint::black_box(1);
    }
    std::hint::black_box(&memory);
    u64::try_from(faults() - before).unwrap()
}

/// What was counted; `None` where this machine forbids it, which is then what it must say.
fn counts(meter: &mut Meter) -> Option<HardwareCounts> {
    match meter.finish() {
        Hardware::Counted(counts) => Some(counts),
        Hardware::Uncounted(why) => {
            // The kernel's own events are everywhere: only a permission can be missing.
            let root = Path::new("/");
            let denied = io::Error::from_raw_os_error(nix::errno::Errno::EACCES as i32);
            assert_eq!(why, Means::read(root).refusal(&denied, is_virtual(root)));
            None
        }
    }
}

#[test]
fn only_what_lies_between_begin_and_end_is_counted() {
    let mut meter = Meter::new(&software());
    touch();
    meter.begin(100);
    meter.begin(105);
    let first = touch();
    meter.end(110);
    touch();
    meter.end(190);
    meter.begin(200);
    let second = touch();
    meter.end(207);
    let Some(counts) = counts(&mut meter) else { return };
    assert_eq!(counts.messages, 17);
    let faults = counts.events["page-faults"];
    let inside = first + second;
    // The kernel's own readings of what was used lie outside of the touching, and may fault, too.
    assert!(inside > 0 && (inside..inside + 8).contains(&faults), "{faults} of {inside}");
    let busy = counts.events["task-clock"];
    assert!(busy > 0 && busy <= counts.enabled_ns * 2, "{busy} of {}", counts.enabled_ns);
    assert!(!counts.is_scaled());
}

#[test]
fn a_part_that_never_began_has_no_counts() {
    let mut meter = Meter::new(&software());
    meter.end(9);
    match meter.finish() {
        Hardware::Uncounted(why) if meter.open.is_ok() => {
            assert_eq!(why, "the measured part never began");
        }
        Hardware::Uncounted(_) => assert!(meter.open.is_err()),
        Hardware::Counted(counts) => panic!("{counts:?}"),
    }
}

#[test]
fn what_the_machine_cannot_count_is_left_out_or_says_why() {
    // Nobody prefetches by a table of pages: no processor has such an event.
    let which =
        Cache { which: CacheId::ITLB, operation: CacheOp::PREFETCH, result: CacheResult::MISS };
    let impossible: Event = ("impossible", Builder::new(which));
    let mut alone = Meter::new(std::slice::from_ref(&impossible));
    assert!(matches!(alone.finish(), Hardware::Uncounted(why) if !why.is_empty()));
    let mut all = software();
    all.insert(0, impossible);
    let mut meter = Meter::new(&all);
    meter.begin(0);
    touch();
    meter.end(1);
    let Some(counts) = counts(&mut meter) else { return };
    assert_eq!(counts.events.keys().collect::<Vec<_>>(), ["page-faults", "task-clock"]);
}

#[test]
fn this_machine_counts_its_cycles_or_says_why_not() {
    let mut meter = Meter::new(&events());
    meter.begin(0);
    std::hint::black_box((0..100_000_u64).map(std::hint::black_box).sum::<u64>());
    meter.end(1);
    match meter.finish() {
        Hardware::Counted(counts) => assert!(counts.events["instructions"] > 100_000, "{counts:?}"),
        Hardware::Uncounted(why) => assert!(why.len() > 10, "{why}"),
    }
}

#[test]
fn who_counted_half_of_the_time_counts_twice_and_says_so() {
    let reading = |enabled_ns, counted_ns| Reading {
        values: vec![("cycles", 30), ("instructions", u64::MAX)],
        enabled_ns,
        counted_ns,
    };
    let half = reading(1_000, 500).over(5);
    assert_eq!((half.events["cycles"], half.events["instructions"]), (60, u64::MAX));
    assert!(half.is_scaled());
    let whole = reading(1_000, 1_000).over(5);
    assert_eq!((whole.events["cycles"], whole.is_scaled()), (30, false));
}
