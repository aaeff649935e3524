//! How to get the same again: the command, the seeds, the geometry of every cell, the scenarios as
//! they were written, the raw files.

use report_schema::SuiteResult;

use crate::format;
use crate::page::section::{Datum, Section, Table, Text};
use crate::page::{Beside, RenderError};
use crate::summary::Summary;

pub(super) fn section(summary: &Summary<'_>, beside: &Beside<'_>) -> Result<Section, RenderError> {
    let mut section = Section::new("appendix", "Run it again");
    let suite = summary.suite;
    if suite.parts.is_empty() {
        section.say(seed(summary));
        section.blocks.push(command_line(&suite.command));
    } else {
        let parts = format::several(suite.parts.len(), "run");
        section.say(format!("Put together from {parts}. Their commands:"));
        section.blocks.extend(suite.parts.iter().map(|part| command_line(&part.command)));
        section.tables.push(parts_table(suite)?);
    }
    section.texts.extend(beside.scenarios.iter().map(|(file, text)| Text {
        title: format!("Scenario {file}, as it was written"),
        text: text.clone(),
    }));
    if !beside.files.is_empty() {
        let title = format!("Raw files beside this page: {}", beside.files.len());
        section.texts.push(Text { title, text: beside.files.join("\n") });
    }
    if !summary.cells.is_empty() {
        cells_and_trials(&mut section, summary)?;
    }
    Ok(section)
}

/// Where the seeds came from.
fn seed(summary: &Summary<'_>) -> String {
    let suite = summary.suite;
    let given = suite.command.iter().any(|word| word == "--seed" || word.starts_with("--seed="));
    if given || suite.scenarios.len() < 2 {
        return format!("Seed {}. The command:", suite.seed);
    }
    "Each scenario has a seed of its own, and each trial one that follows from it (below). The command:".to_owned()
}

/// The runs that were put together, each as it was by itself.
fn parts_table(suite: &SuiteResult) -> Result<String, RenderError> {
    let names = ["Run", "Verdict", "Profile", "Seed#", "Started", "Took#"];
    let mut table = Table::new("The runs that were put together", &names);
    for part in &suite.parts {
        table.push(vec![
            Datum::text(&part.suite),
            Datum::verdict(part.verdict),
            Datum::text(&part.profile),
            Datum::number(part.seed.to_string()),
            Datum::text(format::moment(part.started_unix_ms)),
            Datum::number(format::millis(part.wall_ms)),
        ]);
    }
    table.html()
}

fn cells_and_trials(section: &mut Section, summary: &Summary<'_>) -> Result<(), RenderError> {
    let mut cells = Table::new(
        "Cells",
        &[
            "Cell",
            "Verdict",
            "Policy",
            "Consumers",
            "Slots#",
            "Payload#",
            "Checksum",
            "Shared memory#",
            "Asked in",
        ],
    );
    let mut trials =
        Table::new("Trials", &["Cell", "Repeat#", "Seed#", "Started#", "Took#", "Cores", "Ended"]);
    for each in &summary.cells {
        let block = &each.cell.block;
        cells.push(vec![
            Datum::text(&each.cell.id),
            Datum::verdict(each.cell.verdict),
            Datum::text(kebab(block.policy)),
            Datum::text(format!("{}, {}", block.consumers, kebab(block.consumer_sync))),
            Datum::number(format!(
                "{} + {}",
                block.slots,
                block.physical_slots.saturating_sub(block.slots)
            )),
            Datum::number(format::bytes(block.payload_bytes as f64)),
            Datum::text(block.checksum.clone().unwrap_or_else(|| "none".to_owned())),
            Datum::number(format::bytes(block.total_bytes as f64)),
            Datum::code(&each.scenario.file),
        ]);
        for trial in &each.cell.trials {
            let roles = trial.roles.iter().map(|role| role.exit.as_str());
            let mut ends: Vec<_> =
                roles.filter(|exit| *exit != "exit 0" && *exit != "killed by a fault").collect();
            if trial.interrupted && ends.is_empty() {
                ends.push("interrupted");
            }
            trials.push(vec![
                Datum::text(&each.cell.id),
                Datum::number(trial.repeat.to_string()),
                Datum::number(trial.seed.to_string()),
                Datum::number(format::millis(trial.started_ms)),
                Datum::number(format::millis(trial.duration_ms)),
                Datum::text(trial.calibration.class.as_str()),
                if ends.is_empty() {
                    Datum::text("all as they should")
                } else {
                    Datum::bad(ends.join(", "))
                },
            ]);
        }
    }
    section.tables.push(cells.folded("Cells and their blocks").html()?);
    section.tables.push(trials.folded("Trials and their seeds").html()?);
    Ok(())
}

/// `RingBuffer` as `ring buffer`.
fn kebab(name: impl core::fmt::Debug) -> String {
    let mut text = String::new();
    for letter in format!("{name:?}").chars() {
        if letter.is_uppercase() && !text.is_empty() {
            text.push(' ');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

/// The command as one would type it in a shell.
pub(crate) fn command_line(command: &[String]) -> String {
    let plain = |word: &str| {
        !word.is_empty()
            && word.chars().all(|letter| letter.is_alphanumeric() || "-_./=:,+@%".contains(letter))
    };
    let quoted = command.iter().map(|word| {
        let stands = plain(word) || is_quoted(word);
        if stands { word.clone() } else { format!("'{}'", word.replace('\'', r"'\''")) }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

/// Whether a word stands as a shell reads it, because it is no text: `$'\xff'`.
fn is_quoted(word: &str) -> bool {
    let Some(inside) = word.strip_prefix("$'").and_then(|word| word.strip_suffix('\'')) else {
        return false;
    };
    let mut letters = inside.chars();
    let mut bytes = false;
    while let Some(letter) = letters.next() {
        match letter {
            '\'' => return false,
            '\\' => match letters.next() {
                Some('x') => bytes = true,
                Some('\'' | '\\') => {}
                _ => return false,
            },
            ' '..='~' => {}
            _ => return false,
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_can_be_pasted_into_a_shell() {
        let words = ["harness", "run", "a b", "it's", "--set", "block.slots=4", ""];
        let command = words.map(str::to_owned);
        assert_eq!(command_line(&command), r"harness run 'a b' 'it'\''s' --set block.slots=4 ''");
    }

    #[test]
    fn a_word_that_is_no_text_stands_as_it_was_written_and_nothing_else_does() {
        let words = [r"$'o\'\xff'", "$'text'", r"$'\xff' x", r"$'\xff'; x'"].map(str::to_owned);
        let [kept, quoted @ ..] = words.map(|word| command_line(&[word]));
        assert_eq!(kept, r"$'o\'\xff'");
        assert!(quoted.iter().all(|word| word.starts_with('\'')), "{quoted:?}");
    }

    #[test]
    fn names_are_shown_in_words() {
        assert_eq!(kebab(report_schema::Policy::RingBuffer), "ring buffer");
        assert_eq!(kebab(report_schema::ConsumerSync::Sequential), "sequential");
    }
}
