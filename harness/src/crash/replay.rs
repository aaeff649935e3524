//! The line by which somebody kills once more as in one row.

use super::Job;
use super::rounds::Kind;

/// Kills this kind of victim at this site, with this seed, as the job does: for a shell.
pub(super) fn line(job: &Job, (kind, site): (Kind, &str), seed: u64) -> String {
    let Job { file, profile, kills, .. } = job;
    let only = format!("{}/{site}", kind.name());
    let file = word(file);
    let mut line = format!(
        "harness crash {file} --profile {profile} --only {only} --seed {seed} --kills {kills}"
    );
    if let Some(plant) = job.plant {
        line.extend([" --plant ", &plant.to_string()]);
    }
    line
}

/// One word of a shell, whatever stands in it.
fn word(text: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "-_./+@%".contains(letter);
    // Behind `./` it is no flag.
    let start = if text.starts_with('-') { "./" } else { "" };
    if !text.is_empty() && text.chars().all(plain) {
        format!("{start}{text}")
    } else {
        format!("'{start}{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_one_word_of_a_shell() {
        for (file, wanted) in [
            ("scenarios/faults/kills.toml", "scenarios/faults/kills.toml"),
            ("a b.toml", "'a b.toml'"),
            ("o'k.toml", r"'o'\''k.toml'"),
            ("$(x);*", "'$(x);*'"),
            ("", "''"),
            ("-k.toml", "./-k.toml"),
        ] {
            assert_eq!(word(file), wanted);
        }
    }
}
