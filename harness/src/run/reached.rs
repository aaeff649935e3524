//! Where the roles of a scenario come to: no site that one of them passes may be refused as a place to die
//! at, and none that nobody passes may be let through without a word on it here.
//!
//! One scout a role and policy: the same ends of a block that workers hold, over a memory that counts.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use datahub::block::Block;
use datahub::consumer::ReadError;
use datahub::producer::write_slot::{CommitError, WriteSlot};
use datahub::sites::TABLE;

use super::Order;
use super::pace::busy;
use super::payload::{Keyed, Stamp};
use super::plant::{Hands, Planted};
use super::task::tasks;
use super::transport::block::Blocks;
use super::transport::{Inlet as _, Nothing, Outlet as _, Transport as _};
use super::wire::Task;
use super::zone::Zones;
use crate::host::Host;
use crate::plan::{Options, plan};
use crate::scenario::model::BlockSpec;
use crate::scenario::{parse, reach};

const MESSAGES: u64 = 400;
const SLOTS: u64 = 4;

/// Where a role comes only when somebody has died, stands in the way, or is met by chance; or only before
/// its first message, when nobody dies yet.
const SELDOM: &[&str] = &[
    // A successor, and who clears up.
    "W_BEGIN",
    "G_THAW",
    "G_KEPT",
    "X_SCAN",
    "X_LOOK",
    "X_GENERATION",
    "X_RESET",
    "X_UNPIN",
    "X_LEAVE",
    "R_LABEL",
    "R_COMMIT_INDEX",
    "R_CLOSED",
    "W_LATEST",
    "H_RETIRE",
    "H_FREE",
    "E_DONE",
    "M_ADD",
    // Who is inside a slot when it is wanted, and who stands in the way.
    "W_CLOSE",
    "W_DRAIN",
    "W_REOPEN",
    "W_ABORT",
    "E_STANDS",
    // Four times a second.
    "H_BEAT",
    // Who sleeps.
    "P_SLEEP",
    "P_FENCE",
    "P_SIGNAL",
    "P_AWAKE",
    "P_RING",
    "P_WAKE_FENCE",
    "P_ANYONE",
];

/// Hands that count where they come.
struct Counting(Planted);

impl Hands for Counting {
    type Memory = Planted;

    fn memory(&self) -> Planted {
        self.0.clone()
    }

    fn made(&self, _block: &Block) -> io::Result<()> {
        Ok(())
    }

    fn publish(
        &self,
        mut slot: WriteSlot<'_, Planted>,
        (keyed, stamp): (&Keyed, &Stamp),
        _by_hand: bool,
    ) -> Result<(), CommitError> {
        let payload = slot.payload();
        keyed.fill(payload, stamp);
        let bytes = payload.len();
        slot.commit(bytes).map(drop)
    }
}

/// Fills the block, says where it is, and goes on when somebody has read there.
fn produce(task: &Task, place: &Sender<PathBuf>, there: &Receiver<()>) -> Vec<u64> {
    let memory = Planted::scout();
    let hands = Counting(memory.clone());
    let mut outlet = Blocks(&hands).make(task).unwrap();
    let (mut zones, keyed) = (Zones::of(task), Keyed::new(task.seed, task.whole));
    for number in 0..MESSAGES {
        if number == SLOTS {
            place.send(outlet.place()).unwrap();
            there.recv().unwrap();
        }
        if let Some(zones) = &mut zones {
            zones.beside(&outlet, number);
        }
        if number.is_multiple_of(10) {
            // Whoever reads comes to the end meanwhile.
            busy(300_000);
            outlet.abort(&keyed).unwrap();
        }
        outlet.put(&keyed, (0, 0), |_| {}).unwrap();
    }
    if let Some(zones) = &mut zones {
        zones.end(&outlet);
    }
    // The last thing that it does is to leave.
    drop(outlet);
    memory.visits()
}

/// Reads to the end.
fn consume(task: &Task, place: &Path, here: &Sender<()>) -> Vec<u64> {
    let memory = Planted::scout();
    let hands = Counting(memory.clone());
    let mut inlet = Blocks(&hands).attach(task, place).unwrap();
    let mut zones = Zones::of(task);
    let mut read = 0_u64;
    loop {
        match inlet.take(Duration::from_millis(1), |sequence, _| sequence) {
            Ok(sequence) => {
                read += 1;
                if read == 1 {
                    // Nobody has honoured its place yet.
                    here.send(()).unwrap();
                }
                if let Some(zones) = &mut zones {
                    zones.beside(&inlet, sequence);
                }
                if read.is_multiple_of(7) {
                    // The producer comes round meanwhile.
                    busy(200_000);
                }
            }
            Err(Nothing::Ended | Nothing::Block(ReadError::Ended)) => break,
            Err(_) => {}
        }
    }
    if let Some(zones) = &mut zones {
        zones.at_rest(&inlet);
    }
    drop(inlet);
    memory.visits()
}

/// The block, and where its two roles come.
fn scouted(block: &str) -> (BlockSpec, [Vec<u64>; 2]) {
    let wait = if block.contains("notify") { "park" } else { "yield" };
    let text = format!(
        "# Who comes where?\nschema = 1\nname = \"r\"\nquestion = \"Who comes where?\"\n[block]\n\
         policy = \"ring-buffer\"\nslots = {SLOTS}\npayload-size = \"64 B\"\n{block}\n[producer]\n\
         wait = \"{wait}\"\n[[consumer]]\nname = \"reader\"\nwait = \"{wait}\"\n[workload.stream]\n\
         [run]\nduration = \"1 s\"\nrepeats = 1\nseed = 5\n"
    );
    let scenario = parse("r.toml", &text, &[]).unwrap();
    let plan = plan(&scenario, &Host::read(), &Options::default()).unwrap();
    let order = Order { cell: &plan.cells[0], trial: &plan.trials[0], plant: None, program: None };
    let (tasks, _) = tasks(order, std::process::id(), Path::new(""));
    let ((place, places), (here, there)) = (channel::<PathBuf>(), channel());
    let visits = thread::scope(|scope| {
        let reader = &tasks[1];
        let reader = scope.spawn(move || consume(reader, &places.recv().unwrap(), &here));
        [produce(&tasks[0], &place, &there), reader.join().unwrap()]
    });
    (plan.cells[0].cell.block.clone(), visits)
}

const ZONES: &str = "[[block.zone]]\nname = \"a\"\nsize = \"64 B\"\n";

#[test]
fn a_site_is_refused_exactly_where_nobody_comes() {
    let mut wrong = vec![];
    let zones = |more: &str| format!("notify = true\n{ZONES}{more}");
    let own = zones("kind = \"seqlock\"\nchecksum = \"manual\"");
    let foreign = zones("kind = \"double\"\nwriter = \"reader\"");
    for policy in [
        "consumer-sync = \"latest-only\"",
        "consumer-sync = \"sequential\"",
        "consumer-sync = \"sequential-sync\"",
        "consumer-sync = \"sequential-sync\"\non-full = { action = \"overwrite\" }",
    ] {
        for more in ["", &own, &foreign] {
            let (block, visits) = scouted(&format!("{policy}\n{more}"));
            for (who, visits) in [None, Some("reader")].into_iter().zip(visits) {
                let mut told = |what: String| wrong.push(format!("{what}: {who:?}, {block:?}"));
                for (site, visits) in TABLE.iter().zip(visits) {
                    let never = reach::never(site.name, who, &block);
                    if visits > 0 && never.is_some() {
                        told(format!("{} is passed, {never:?}", site.name));
                    }
                    if visits == 0 && never.is_none() && !SELDOM.contains(&site.name) {
                        told(format!("{} is never passed", site.name));
                    }
                }
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
}
