//! The process that kills: row after row, and what each of them came to, a line each.

use std::io::{self, BufRead as _, Write as _};

use datahub::sites::{self, TABLE};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd::getppid;
use report_schema::{CrashResult, Verdict};

use super::ledger::Ledger;
use super::reason::{reason, repeats};
use super::rounds::{End, Kind, round};
use super::scene::{Scene, Trouble};
use super::shape::{ALL, Shape};
use super::{Job, Word};
use crate::run::mix;

/// Scouts for each kind of victim and shape: what they come to differs a little, and some places are
/// come to only while somebody else is in the way.
const SCOUTS: u64 = 16;
/// Later visits than this are as good as earlier ones.
const HIT_MAX: u64 = 64;
/// Attempts for each kill that is wanted.
const ATTEMPTS: u64 = 3;

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
    for kind in Kind::ALL {
        for shape in ALL.into_iter().filter(|shape| kind.fits(*shape)) {
            if let Err(why) = pair(&job, kind, shape) {
                return say(&Word::Failed { why }).is_ok_and(|()| false);
            }
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

/// All sites for one kind of victim in one shape of block.
fn pair(job: &Job, kind: Kind, shape: Shape) -> Result<(), Trouble> {
    let told = |error: io::Error| error.to_string();
    let wanted = |site: u16| {
        let row = format!("{}/{}", kind.name(), TABLE[usize::from(site)].name);
        job.wants(&row, &shape.name())
    };
    let all = (0..=u16::MAX).take(sites::COUNT);
    let sites: Vec<u16> = all.filter(|site| wanted(*site)).collect();
    if sites.is_empty() {
        return Ok(());
    }
    say(&Word::Begin { victim: kind.name().to_owned(), shape: shape.name() }).map_err(told)?;
    let mut scene = None;
    let mut visits = vec![0; sites::COUNT];
    let mut first = Ledger::default();
    for number in 0..SCOUTS {
        let draw = mix(job.seed ^ number);
        let scene = on_scene(&mut scene, job, kind, shape)?;
        if let End::Through(found) = round(scene, kind, None, draw, &mut first)? {
            for (most, found) in visits.iter_mut().zip(found) {
                *most = (*most).max(found);
            }
        }
    }
    for site in sites {
        let mut row = Row::new(kind, shape, (site, visits[usize::from(site)]));
        if row.visits > 0 && !repeats(kind, TABLE[usize::from(site)].name) {
            row.kills(job, &mut scene)?;
        }
        // What went wrong with nobody dead is told with the first row.
        let result = row.result(job, &std::mem::take(&mut first));
        say(&Word::Row(Box::new(result))).map_err(told)?;
    }
    Ok(())
}

fn on_scene<'a>(
    scene: &'a mut Option<Scene>,
    job: &Job,
    kind: Kind,
    shape: Shape,
) -> Result<&'a mut Scene, Trouble> {
    if scene.is_none() {
        let seed = mix(job.seed ^ mix(kind.survivors(shape).into()));
        *scene = Some(Scene::new(shape, kind.survivors(shape), seed)?);
    }
    scene.as_mut().ok_or_else(|| "there is no scene".to_owned())
}

/// One site of one kind of victim in one shape.
struct Row {
    kind: Kind,
    shape: Shape,
    site: u16,
    visits: u64,
    killed: u64,
    ledger: Ledger,
    broken: Option<Trouble>,
}

impl Row {
    fn new(kind: Kind, shape: Shape, (site, visits): (u16, u64)) -> Self {
        let (killed, ledger, broken) = (0, Ledger::default(), None);
        Self { kind, shape, site, visits, killed, ledger, broken }
    }

    /// Kills as often as is wanted, or until something is wrong.
    fn kills(&mut self, job: &Job, scene: &mut Option<Scene>) -> Result<(), Trouble> {
        let salt = mix(u64::from(self.site) << 16 ^ self.kind as u64 ^ job.seed);
        for attempt in 0..job.kills.saturating_mul(ATTEMPTS) {
            if self.killed >= job.kills {
                break;
            }
            let draw = mix(salt ^ attempt);
            // One that was not come to in time is tried at the first visit.
            let all = self.visits.min(HIT_MAX);
            let hit = if attempt >= job.kills { 1 } else { 1 + (draw >> 32) % all };
            let scene_now = on_scene(scene, job, self.kind, self.shape)?;
            if self.killed == 0 {
                scene_now.neglect(job.plant);
            }
            let end = round(scene_now, self.kind, Some((self.site, hit)), draw, &mut self.ledger);
            match end {
                Ok(End::Killed) => self.killed += 1,
                Ok(End::Through(_)) => {}
                Err(why) => self.broken = Some(why),
            }
            if self.broken.is_some() || self.ledger.violations() > 0 {
                // What is left is of no use for judging anybody else.
                *scene = None;
                break;
            }
        }
        Ok(())
    }

    fn result(self, job: &Job, first: &Ledger) -> CrashResult {
        let site = TABLE[usize::from(self.site)].name;
        let mut ledger = self.ledger;
        if first.violations() > 0 {
            let told = first.example.clone().unwrap_or_default();
            ledger = Ledger { example: Some(format!("with nobody dead: {told}")), ..first.clone() };
        }
        let why = (self.killed == 0).then(|| reason(self.kind, site));
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
            replay: format!(
                "harness crash --only {}/{site} --seed {} --kills {}",
                self.kind.name(),
                job.seed,
                job.kills
            ),
            verdict,
        }
    }
}
