//! One kill of each kind: who is on the scene, who dies, and what the survivors must then be able to
//! do.

use std::io::Read as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use datahub::sites;
use datahub::wait::monotonic_ns;

use super::VICTIM;
use super::ledger::Ledger;
use super::scene::{Scene, Trouble};
use super::shape::{Shape, Sync};
use super::victim::{Act, Task};
use crate::run::busy;

/// A victim that is still there after so long does not get on.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two bursts for readers that sleep: more than a ring holds, so that the producer sleeps,
/// too.
const PAUSE_NS: u64 = 300_000;
const BURST: u64 = 8;
/// Payloads of a victim that has all the time it wants.
const PAYLOADS: u64 = 24;

/// Who dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A producer, anywhere between taking the block over and leaving it.
    Writer,
    /// A consumer, anywhere between attaching and leaving.
    Reader,
    /// A producer that takes over what a dead one has left half written.
    Successor,
    /// A consumer that takes the seat of one that died inside a slot.
    Joiner,
    /// A producer that clears a dead consumer out of its way.
    Undertaker,
    /// Somebody from outside who recovers a block whose producer and consumer have died.
    Recoverer,
}

/// How a victim ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// Where it should.
    Killed,
    /// It never came there, and ended by itself; a scout says how often it came where.
    Through(Vec<u64>),
}

impl Kind {
    pub(super) const ALL: [Self; 6] = [
        Self::Writer,
        Self::Reader,
        Self::Successor,
        Self::Joiner,
        Self::Undertaker,
        Self::Recoverer,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Writer => "writer",
            Self::Reader => "reader",
            Self::Successor => "successor",
            Self::Joiner => "joiner",
            Self::Undertaker => "undertaker",
            Self::Recoverer => "recoverer",
        }
    }

    const fn act(self) -> Act {
        match self {
            Self::Writer | Self::Successor | Self::Undertaker => Act::Write,
            Self::Reader | Self::Joiner => Act::Read,
            Self::Recoverer => Act::Recover,
        }
    }

    /// How many readers live on beside such a victim.
    pub(super) const fn survivors(self, shape: Shape) -> u32 {
        match self {
            Self::Writer | Self::Successor => shape.readers,
            // The victim is one of them, or whoever died before it.
            _ => shape.readers.saturating_sub(1),
        }
    }

    /// Whether such a victim finds its work in blocks of this shape.
    pub(super) fn fits(self, shape: Shape) -> bool {
        match self {
            // Nobody waits for a reader that stands in nobody's way.
            Self::Undertaker => shape.lossless() || shape.waits_for_pins(),
            _ => true,
        }
    }

    fn payloads(self) -> u64 {
        match self {
            Self::Successor | Self::Recoverer => 0,
            Self::Joiner => 2,
            Self::Writer | Self::Reader | Self::Undertaker => PAYLOADS,
        }
    }
}

/// Has one victim die at a site, or lets a scout come to its end; then the survivors go on.
pub(super) fn round(
    scene: &mut Scene,
    kind: Kind,
    death: Option<(u16, u64)>,
    draw: u64,
    ledger: &mut Ledger,
) -> Result<End, Trouble> {
    prepare(scene, kind, draw, ledger)?;
    let (payloads, act) = (kind.payloads(), kind.act());
    let task = task(scene, act, payloads, death);
    let end = play(scene, (&task, act == Act::Read), ledger)?;
    // In half of all cases somebody from outside clears up before the survivors notice; and always where
    // such a one has died over it.
    if draw & 1 == 0 || kind == Kind::Recoverer {
        scene.recover(ledger)?;
    }
    let start_ns = monotonic_ns();
    scene.take_over(ledger)?;
    if scene.put(ledger).is_some() {
        ledger.blocked(monotonic_ns().saturating_sub(start_ns));
        scene.go_on(ledger);
    }
    let evicts = scene.shape.sync == Sync::Evicting;
    if draw & 1 == 1 && !matches!(kind, Kind::Writer | Kind::Successor) || evicts {
        // A dead reader that nobody has met since may still sit there; nobody needs its seat yet. Nor
        // one that was left while its owner was being evicted.
        scene.recover(ledger)?;
    }
    scene.inspect(ledger)?;
    if !alone(scene.shape) || kind.survivors(scene.shape) == 0 {
        scene.welcome(ledger);
        scene.drain(ledger);
    }
    if act != Act::Read {
        scene.leave();
    }
    Ok(end)
}

/// A block that admits one consumer only.
fn alone(shape: Shape) -> bool {
    shape.sync == Sync::One
}

/// What is there before the victim comes.
fn prepare(scene: &mut Scene, kind: Kind, draw: u64, ledger: &mut Ledger) -> Result<(), Trouble> {
    match kind {
        Kind::Writer => scene.leave(),
        Kind::Reader => scene.take_over(ledger)?,
        Kind::Successor => {
            scene.leave();
            half_written(scene, draw, ledger)?;
        }
        Kind::Recoverer => {
            scene.leave();
            half_written(scene, draw, ledger)?;
            // A reader comes to what there is, and nobody writes on; where it finds nothing or no place, it
            // was not there.
            let task = task(scene, Act::Read, 1, Some((scene.shape.inside(), 1)));
            play(scene, (&task, false), ledger)?;
        }
        Kind::Joiner | Kind::Undertaker => {
            scene.take_over(ledger)?;
            // Nobody writes meanwhile: who does would clear it away.
            let task = task(scene, Act::Read, PAYLOADS, Some((scene.shape.inside(), 1)));
            if scene.put(ledger).is_some() {
                died(&play(scene, (&task, false), ledger)?)?;
            }
            if kind == Kind::Undertaker {
                scene.leave();
            }
        }
    }
    Ok(())
}

/// A producer dies in the middle of a write, or inside a zone's lock.
fn half_written(scene: &mut Scene, draw: u64, ledger: &mut Ledger) -> Result<(), Trouble> {
    let slot = [sites::W_LABEL, sites::W_COMMIT, sites::W_COMMIT_INDEX, sites::W_GENERATION];
    let zones = [sites::Z_SEQ_END, sites::Z_TWO_FLIP, sites::Z_LOCK_FREE];
    let halves = if scene.shape.zones { &zones[..] } else { &slot[..] };
    let site = halves[(draw >> 8) as usize % halves.len()];
    let task = task(scene, Act::Write, PAYLOADS, Some((site, 2 + (draw >> 16) % 4)));
    died(&play(scene, (&task, false), ledger)?)
}

/// Nobody is cleared away, and nothing is shown, where nobody has died.
fn died(end: &End) -> Result<(), Trouble> {
    match end {
        End::Killed => Ok(()),
        End::Through(_) => Err("whoever should have died before has come to its end".to_owned()),
    }
}

fn task(scene: &Scene, act: Act, payloads: u64, death: Option<(u16, u64)>) -> Task {
    Task {
        parent: std::process::id(),
        act,
        block: scene.path(),
        words: scene.words.path(),
        shape: scene.shape,
        seed: scene.seed,
        payloads,
        death,
    }
}

/// Starts a victim and does its part until it has ended: reads, and writes where that is asked.
fn play(
    scene: &mut Scene,
    (task, writes): (&Task, bool),
    ledger: &mut Ledger,
) -> Result<End, Trouble> {
    let mut victim = Victim::start(task)?;
    let start_ns = monotonic_ns();
    let mut puts = 0;
    loop {
        if let Some(status) = victim.0.try_wait().map_err(|error| error.to_string())? {
            scene.dawdles = false;
            return victim.end(status);
        }
        scene.dawdles = task.act == Act::Write && task.shape.meets_readers();
        let read = scene.drain(ledger);
        let wrote = writes && scene.put(ledger).is_some();
        puts += u64::from(wrote);
        if wrote && task.shape.park && puts.is_multiple_of(BURST) {
            // Long enough for who reads to fall asleep.
            busy(PAUSE_NS);
        }
        if !(read || wrote) {
            rustix::thread::sched_yield();
        }
        if Duration::from_nanos(monotonic_ns().saturating_sub(start_ns)) > PATIENCE {
            ledger.stuck(format!("the victim did not get on within {PATIENCE:?}"));
            return Err("a victim had to be killed from outside".to_owned());
        }
    }
}

/// A process that ends with this value at the latest.
struct Victim(Child);

impl Victim {
    fn start(task: &Task) -> Result<Self, Trouble> {
        let text = serde_json::to_string(task).map_err(|error| error.to_string())?;
        let stdout = if task.death.is_none() { Stdio::piped() } else { Stdio::null() };
        let mut command = Command::new("/proc/self/exe");
        command.arg(VICTIM).arg(text).stdin(Stdio::null()).stdout(stdout);
        command.spawn().map(Self).map_err(|error| format!("no victim can be started: {error}"))
    }

    fn end(mut self, status: ExitStatus) -> Result<End, Trouble> {
        let told = self.0.stdout.take().map(|mut stdout| {
            let mut text = String::new();
            // What cannot be read is no count.
            let _read = stdout.read_to_string(&mut text);
            text
        });
        ended(status, told.as_deref())
    }
}

/// How a victim ended that told this; a scout tells how often it came where, the others nothing.
fn ended(status: ExitStatus, told: Option<&str>) -> Result<End, Trouble> {
    if status.signal() == Some(9) {
        return Ok(End::Killed);
    }
    if !status.success() {
        return Err(format!("the victim could not do its work ({status})"));
    }
    let Some(text) = told else { return Ok(End::Through(vec![])) };
    match serde_json::from_str::<Vec<u64>>(text) {
        Ok(visits) if visits.len() == sites::COUNT => Ok(End::Through(visits)),
        _ => Err("a scout did not tell how often it came to each site".to_owned()),
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        // One that has ended is as good.
        let _killed = self.0.kill();
        let _reaped = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scout_that_cannot_be_understood_is_not_taken_for_one_that_came_nowhere() {
        let (well, badly, killed) =
            (ExitStatus::from_raw(0), ExitStatus::from_raw(1 << 8), ExitStatus::from_raw(9));
        let visits = vec![3; sites::COUNT];
        let text = serde_json::to_string(&visits).unwrap();
        assert_eq!(ended(well, Some(&text)), Ok(End::Through(visits)));
        for wrong in ["", "[1, 2", "[1]", "null"] {
            let told = ended(well, Some(wrong));
            assert!(told.is_err_and(|why| why.contains("a scout did not tell")), "{wrong}");
        }
        // Who was to die, and was through before, has nothing to tell.
        assert_eq!(ended(well, None), Ok(End::Through(vec![])));
        assert_eq!(ended(killed, Some("")), Ok(End::Killed));
        assert!(ended(badly, None).is_err_and(|why| why.contains("could not do its work")));
    }
}
