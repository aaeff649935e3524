//! The worst that happened: the gravest violation, or else the greatest latency, with what was going
//! on around it and the command that looks at it again.

use report_schema::{Interval, Latency, Trial};

use crate::format;
use crate::page::RenderError;
use crate::page::appendix::command_line;
use crate::page::figures::percentile_datum;
use crate::page::section::{Datum, Section, Table};
use crate::summary::{CellSummary, Percentile, Summary};

/// Intervals shown on each side of the worst one.
const AROUND: usize = 3;

/// Empty where nothing was measured and nothing went wrong.
pub(super) fn section(summary: &Summary<'_>) -> Result<Section, RenderError> {
    let mut section = Section::new("worst", "The worst event");
    if let Some((cell, trial)) = violated(summary) {
        let counted = trial.counts.named().into_iter().filter(|(name, number)| {
            *number > 0 && !["committed", "delivered", "lapped", "timeouts"].contains(name)
        });
        let counted: Vec<String> = counted
            .map(|(name, number)| format!("{} {}", format::count(number), name.replace('_', " ")))
            .collect();
        section.say(format!(
            "The gravest violation: {}, repeat {}: {} of {} messages delivered. The seed of the trial is {:#x}.",
            cell.cell.id,
            trial.repeat,
            counted.join(", "),
            format::count(trial.counts.delivered),
            trial.seed
        ));
        section.lead.extend(trial.mismatches.iter().cloned());
        section.blocks.push(again(summary, cell));
        return Ok(section);
    }
    let Some((cell, trial, latency)) = slowest(summary) else { return Ok(section) };
    let place = latency.intervals.iter().position(|interval| interval.max_ns >= latency.max_ns);
    let when = place.map_or_else(String::new, |place| {
        format!(", in the interval from {}", format::millis(latency.intervals[place].start_ms))
    });
    section.say(format!(
        "No violation. The greatest latency of all compared trials: {} in {}, repeat {}{when} ({}).",
        format::nanos(latency.max_ns as f64),
        cell.cell.id,
        trial.repeat,
        latency.kind.describe()
    ));
    section.say(around(trial, place.map(|place| &latency.intervals[place])));
    if let Some(place) = place {
        section.tables.push(table(latency, place).html()?);
    }
    section.blocks.push(again(summary, cell));
    Ok(section)
}

/// What was counted in a trial, the gravest first: so violations are compared.
type Gravity = [u64; 6];

fn gravity(trial: &Trial) -> Gravity {
    let counts = &trial.counts;
    [
        counts.torn,
        counts.mislabelled,
        counts.lost,
        counts.duplicated,
        counts.backward,
        counts.checksum_failures,
    ]
}

/// The trial with the gravest violation; of several, the first.
fn violated<'s, 'a>(summary: &'s Summary<'a>) -> Option<(&'s CellSummary<'a>, &'a Trial)> {
    let of_cell =
        |each: &'s CellSummary<'a>| each.cell.trials.iter().map(move |trial| (each, trial));
    let bad = summary
        .cells
        .iter()
        .flat_map(of_cell)
        .filter(|(_, trial)| gravity(trial) != Gravity::default());
    bad.reduce(|worst, next| if gravity(next.1) > gravity(worst.1) { next } else { worst })
}

fn slowest<'s, 'a>(
    summary: &'s Summary<'a>,
) -> Option<(&'s CellSummary<'a>, &'a Trial, &'a Latency)> {
    let of_cell = |each: &'s CellSummary<'a>| {
        each.judged.iter().flat_map(move |trial| {
            let latencies = trial.roles.iter().filter_map(|role| role.latency.as_ref());
            latencies.map(move |latency| (each, *trial, latency))
        })
    };
    summary.cells.iter().flat_map(of_cell).max_by_key(|(_, _, latency)| latency.max_ns)
}

/// What else was going on in this trial, and whether a fault was in force at that time.
fn around(trial: &Trial, interval: Option<&Interval>) -> String {
    let known = |value: Option<u64>, name: &str| {
        value.map(|value| format!("{} {name}", format::count(value)))
    };
    let noise = [
        known(trial.noise.steal_ms, "ms stolen by the hypervisor"),
        known(trial.noise.involuntary_switches, "times taken off a core"),
        known(trial.noise.major_faults, "major page faults"),
    ];
    let noise: Vec<String> = noise.into_iter().flatten().collect();
    let during = |interval: &&Interval| {
        trial.faults.iter().find(|fault| {
            let end = fault.end_ms.unwrap_or(fault.start_ms).saturating_add(1_000);
            fault.missed.is_none() && (fault.start_ms..=end).contains(&interval.start_ms)
        })
    };
    let fault = interval.as_ref().and_then(during);
    let fault = fault.map_or_else(String::new, |fault| {
        format!(" A fault was in force or had just ended: {}.", fault.what)
    });
    let noise = if noise.is_empty() { "nothing is known".to_owned() } else { noise.join(", ") };
    format!("In this trial: {noise}.{fault}")
}

fn table(latency: &Latency, place: usize) -> Table {
    let mut table = Table::new("Around it", &["From#", "n#", "p50#", "p99#", "max#"]);
    let first = place.saturating_sub(AROUND);
    let shown = latency.intervals.iter().enumerate().skip(first).take(place - first + AROUND + 1);
    for (number, interval) in shown {
        let max = format::nanos(interval.max_ns as f64);
        table.push(vec![
            Datum::number(format::millis(interval.start_ms)),
            Datum::number(format::count(interval.n)),
            percentile_datum(Percentile::among(interval.n, 0.5, interval.p50_ns)),
            percentile_datum(Percentile::among(interval.n, 0.99, interval.p99_ns)),
            if number == place { Datum::bad_number(max) } else { Datum::number(max) },
        ]);
    }
    table
}

/// Options of a run that decide what happens in a trial; all others decide where results go or what
/// else runs.
const DECIDING: [&str; 5] = ["--profile", "--seed", "--set", "--plant", "--repeats"];

/// The command that runs this cell again as it ran: with the defect, the settings and the seed that it
/// was given. Without `--seed` the scenario's own seed gives the same trials.
fn again(summary: &Summary<'_>, cell: &CellSummary<'_>) -> String {
    let suite = summary.suite;
    let mut words = vec!["harness".to_owned(), "run".to_owned(), cell.scenario.file.clone()];
    let mut given = suite.command.iter();
    while let Some(word) = given.next() {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (word.as_str(), None),
        };
        if DECIDING.contains(&name) {
            let value = value.or_else(|| given.next().cloned());
            words.extend([name.to_owned()].into_iter().chain(value));
        }
    }
    if !words.iter().any(|word| word == "--profile") {
        words.extend(["--profile".to_owned(), suite.profile.clone()]);
    }
    let side = match cell.side() {
        Some('A') => "--base-set",
        _ => "--cand-set",
    };
    if cell.side().is_some() {
        let settings = suite.command.windows(2).filter(|pair| pair[0] == side);
        words.extend(settings.flat_map(|pair| ["--set".to_owned(), pair[1].clone()]));
    }
    let id = cell.cell.id.strip_suffix(" (A)").or(cell.cell.id.strip_suffix(" (B)"));
    words.extend(["-E".to_owned(), id.unwrap_or(&cell.cell.id).to_owned()]);
    command_line(&words)
}
