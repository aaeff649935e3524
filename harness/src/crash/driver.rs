//! The process that kills: row after row, and what each of them came to, a line each.

use std::io::{self, BufRead as _, Write as _};

use datahub::sites::{self, TABLE};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd::getppid;
use report_schema::{CrashResult, Verdict};

use super::account::Tried;
use super::ledger::Ledger;
use super::reason::{by_chance, reason, repeats};
use super::rounds::{End, Kind, round};
use super::scene::{Scene, Trouble};
use super::shape::Shape;
use super::{Job, Word, replay};
use crate::run::mix;

/// Scouts for each kind of victim and shape, over all seeds, and for each of them: what they come to differs
/// a little, and some places are come to only while somebody else is in the way.
const SCOUTS: u64 = 16;
const SCOUTS_LEAST: u64 = 2;
/// Later visits than this are as good as earlier ones.
const HIT_MAX: u64 = 64;
/// Attempts for each kill that is wanted, where most scouts came, and where chance decides.
const ATTEMPTS: u64 = 512;
const ATTEMPTS_BY_CHANCE: u64 = 16;

/// Serves the harness on standard input and output. Says whether it came to its end.
#[must_use]
pub fn main() -> bool {
    let mut line = String::new();
    if prctl::set_pdeathsig(Signal::SIGKILL).is_err()
        || io::stdin().lock().read_line(&mut line).is_err()
    {
        return false;
    }
    let Ok(job) = serde_json::from_str::<Job>(&line) else { return false };
    if u32::try_from(getppid().as_raw()) != Ok(job.parent) {
        return false;
    }
    for (kind, shape) in job.pairs() {
        if let Err(why) = pair(&job, kind, shape) {
            return say(&Word::Failed { why }).is_ok_and(|()| false);
        }
    }
    say(&Word::End).is_ok()
}

fn say(word: &Word) -> io::Result<()> {
    let mut line = serde_json::to_vec(word)?;
    line.push(b'\n');
    let mut out = io::stdout().lock();
    out.write_all(&line)?;
    out.flush()
}

/// All sites for one kind of victim in one shape of block, with every seed.
fn pair(job: &Job, kind: Kind, shape: Shape) -> Result<(), Trouble> {
    let told = |error: io::Error| error.to_string();
    let wanted = |site: u16| {
        let row = format!("{}/{}", kind.name(), TABLE[usize::from(site)].name);
        job.wants(&row, &shape.name())
    };
    let all = (0..=u16::MAX).take(sites::COUNT);
    let mut rows: Vec<Row> =
        all.filter(|site| wanted(*site)).map(|site| Row::new(kind, shape, site)).collect();
    if rows.is_empty() {
        return Ok(());
    }
    say(&Word::Begin { victim: kind.name().to_owned(), shape: shape.name() }).map_err(told)?;
    let mut first = Ledger::default();
    for number in 0..job.seeds {
        with_seed(job, job.seed.wrapping_add(number), &mut rows, &mut first)?;
    }
    for row in rows {
        // What went wrong with nobody dead is told with the first row.
        let tried = row.tried(job, &std::mem::take(&mut first));
        say(&Word::Row(Box::new(tried))).map_err(told)?;
    }
    Ok(())
}

/// Scouts first, then the kills; `first` is what went wrong with nobody dead.
fn with_seed(job: &Job, seed: u64, rows: &mut [Row], first: &mut Ledger) -> Result<(), Trouble> {
    let Some((kind, shape)) = rows.first().map(|row| (row.kind, row.shape)) else { return Ok(()) };
    let mut stage = Stage { kind, shape, seed, scene: None };
    for number in 0..SCOUTS.div_ceil(job.seeds).max(SCOUTS_LEAST) {
        let end = round(stage.scene()?, kind, None, mix(seed ^ number), first)?;
        if let End::Through(found) = end {
            for row in rows.iter_mut() {
                row.scouted(found.get(usize::from(row.site)).copied().unwrap_or(0));
            }
        }
    }
    for row in rows.iter_mut().filter(|row| row.is_killed()) {
        row.kills(job, &mut stage)?;
        say(&Word::Alive).map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Where one kind of victim dies in one shape, with one seed.
struct Stage {
    kind: Kind,
    shape: Shape,
    seed: u64,
    scene: Option<Scene>,
}

impl Stage {
    /// The block and its survivors; new ones after something went wrong.
    fn scene(&mut self) -> Result<&mut Scene, Trouble> {
        if self.scene.is_none() {
            let survivors = self.kind.survivors(self.shape);
            let seed = mix(self.seed ^ mix(survivors.into()));
            self.scene = Some(Scene::new(self.shape, survivors, seed)?);
        }
        self.scene.as_mut().ok_or_else(|| "there is no scene".to_owned())
    }
}

/// One site of one kind of victim in one shape.
struct Row {
    kind: Kind,
    shape: Shape,
    site: u16,
    /// Scouts, and those of them that came there.
    scouts: u64,
    came: u64,
    /// The most visits of one scout.
    visits: u64,
    killed: u64,
    wanted: u64,
    /// Kills were given up early with some seed, because few scouts had come there until then.
    hurried: bool,
    ledger: Ledger,
    broken: Option<Trouble>,
    /// The seed with which something went wrong.
    seed: Option<u64>,
}

impl Row {
    fn new(kind: Kind, shape: Shape, site: u16) -> Self {
        let (scouts, came, visits, killed, wanted) = (0, 0, 0, 0, 0);
        let (ledger, broken, seed, hurried) = (Ledger::default(), None, None, false);
        Self {
            kind,
            shape,
            site,
            scouts,
            came,
            visits,
            killed,
            wanted,
            hurried,
            ledger,
            broken,
            seed,
        }
    }

    fn scouted(&mut self, visits: u64) {
        self.scouts += 1;
        self.came += u64::from(visits > 0);
        self.visits = self.visits.max(visits);
    }

    /// Whether it is to be killed there, and nothing has gone wrong yet.
    fn is_killed(&self) -> bool {
        let own = !repeats(self.kind, TABLE[usize::from(self.site)].name);
        self.visits > 0 && own && self.seed.is_none()
    }

    /// Whether it comes there in most of its lives.
    fn is_steady(&self) -> bool {
        2 * self.came >= self.scouts
    }

    /// Kills as often as is wanted, or until something is wrong.
    fn kills(&mut self, job: &Job, stage: &mut Stage) -> Result<(), Trouble> {
        let salt = mix(u64::from(self.site) << 16 ^ self.kind as u64 ^ stage.seed);
        self.hurried |= !self.is_steady();
        let attempts = if self.is_steady() { ATTEMPTS } else { ATTEMPTS_BY_CHANCE };
        let until = self.killed + job.kills;
        self.wanted += job.kills;
        for attempt in 0..job.kills.saturating_mul(attempts) {
            if self.killed >= until {
                break;
            }
            let draw = mix(salt ^ attempt);
            // One that was not come to in time is tried at the first visit.
            let all = self.visits.min(HIT_MAX);
            let hit = if attempt >= job.kills { 1 } else { 1 + (draw >> 32) % all };
            let scene = stage.scene()?;
            if self.killed == 0 {
                scene.neglect(job.plant);
            }
            match round(scene, self.kind, Some((self.site, hit)), draw, &mut self.ledger) {
                Ok(End::Killed) => self.killed += 1,
                Ok(End::Through(_)) => {}
                Err(why) => self.broken = Some(why),
            }
            if self.broken.is_some() || self.ledger.violations() > 0 {
                // What is left is of no use for judging anybody else.
                (stage.scene, self.seed) = (None, Some(stage.seed));
                break;
            }
        }
        Ok(())
    }

    fn tried(self, job: &Job, first: &Ledger) -> Tried {
        let (wanted, steady) = (self.wanted, self.is_steady() && !self.hurried);
        Tried { result: self.result(job, first), wanted, steady }
    }

    fn result(self, job: &Job, first: &Ledger) -> CrashResult {
        let site = TABLE[usize::from(self.site)].name;
        let mut ledger = self.ledger;
        if first.violations() > 0 {
            let told = first.example.clone().unwrap_or_default();
            ledger = Ledger { example: Some(format!("with nobody dead: {told}")), ..first.clone() };
        }
        let why = (self.killed == 0).then(|| never(self.kind, site));
        let verdict = match (&self.broken, &why) {
            _ if ledger.violations() > 0 => Verdict::Correctness,
            (Some(_), _) => Verdict::Broken,
            (None, Some(None)) => Verdict::Inconclusive,
            _ => Verdict::Pass,
        };
        let unknown = "nobody came there, and nobody knows why";
        CrashResult {
            victim: self.kind.name().to_owned(),
            site: site.to_owned(),
            shape: self.shape.name(),
            visits: self.visits,
            kills: self.killed,
            unreached: why.map(|why| why.unwrap_or(unknown).to_owned()),
            torn: ledger.torn,
            mislabelled: ledger.mislabelled,
            backward: ledger.backward,
            lost: ledger.lost,
            duplicated: ledger.duplicated,
            stuck: ledger.stuck,
            leaked: ledger.leaked,
            blocked_ns_max: ledger.blocked_ns_max,
            example: ledger.example.or(self.broken),
            replay: replay::line(job, (self.kind, site), self.seed.unwrap_or(job.seed)),
            verdict,
        }
    }
}

/// Why nobody of a kind is killed at a site.
fn never(kind: Kind, site: &str) -> Option<&'static str> {
    let repeated = "killed there as `writer` or `reader`";
    if repeats(kind, site) { Some(repeated) } else { reason(kind, site).or(by_chance(kind, site)) }
}
