//! Commands in the documents exist: scripts, packages, binaries, verbs and paths that they name.
//!
//! Only what the tree can answer is judged; what other programs do is theirs. A verb of `harness`
//! exists when it has its file in `harness/src/cli/`.

use crate::finding::Finding;
use crate::tree::Tree;
use std::collections::BTreeSet;
use toml::{Table, Value};

/// The documents whose commands people copy.
const DOCUMENTS: [&str; 2] = ["README.md", "CONTRIBUTING.md"];
const FENCES: [&str; 4] = ["sh", "bash", "shell", "console"];
const CARGO_VERBS: [&str; 12] = [
    "bench", "build", "check", "clippy", "doc", "fetch", "fmt", "install", "nextest", "run",
    "test", "tree",
];

/// Finds commands that name what is not there, and documents without commands.
#[must_use]
pub fn check(tree: &Tree) -> Vec<Finding> {
    let names = Names::of(tree);
    let mut findings = Vec::new();
    for document in DOCUMENTS {
        let commands = commands(tree.text(document).unwrap_or_default());
        if commands.is_empty() {
            let remedy = "write its commands in a fence that is marked `sh`";
            findings.push(Finding::new(document, 1, "the document shows no command", remedy));
        }
        for (line, words) in commands {
            let wrong = judge(tree, &names, &words);
            let remedy = "mend the command, or the thing that it names";
            findings
                .extend(wrong.into_iter().map(|what| Finding::new(document, line, what, remedy)));
        }
    }
    findings
}

/// What cargo can be asked for by name.
#[derive(Default)]
struct Names {
    packages: BTreeSet<String>,
    targets: BTreeSet<String>,
}

impl Names {
    fn of(tree: &Tree) -> Self {
        let mut names = Self::default();
        for (path, entry) in tree.below("", "toml").filter(|(path, _)| path.ends_with("Cargo.toml"))
        {
            let Ok(manifest) = toml::from_str::<Table>(&entry.text) else { continue };
            let name = |table: &Value| table.get("name").and_then(Value::as_str).map(str::to_owned);
            if let Some(package) = manifest.get("package").and_then(name) {
                names.packages.insert(package);
            }
            let lists =
                ["bin", "test", "bench", "example"].into_iter().filter_map(|k| manifest.get(k));
            names.targets.extend(lists.filter_map(Value::as_array).flatten().filter_map(name));
            let folder = path.trim_end_matches("Cargo.toml");
            for place in ["src/bin", "tests", "benches", "examples"] {
                let place = format!("{folder}{place}");
                let stems = tree.below(&place, "rs").filter_map(|(path, _)| {
                    Some(path.rsplit('/').next()?.trim_end_matches(".rs").to_owned())
                });
                names.targets.extend(stems);
            }
        }
        names
    }
}

/// The commands inside shell fences: line, words.
fn commands(text: &str) -> Vec<(usize, Vec<String>)> {
    let (mut commands, mut inside, mut shell) = (Vec::new(), false, false);
    for (at, line) in text.lines().enumerate() {
        if let Some(mark) = line.trim_start().strip_prefix("```") {
            inside = !inside;
            shell = inside && FENCES.contains(&mark.trim());
            continue;
        }
        let line = line.trim().trim_start_matches("$ ");
        let line = line.split(" #").next().unwrap_or(line);
        if !shell || line.starts_with('#') {
            continue;
        }
        for command in line.replace("&&", ";").replace('|', ";").split(';') {
            let is_setting = |word: &&str| word.contains('=') && !word.starts_with('-');
            let words: Vec<String> =
                command.split_whitespace().skip_while(is_setting).map(str::to_owned).collect();
            if !words.is_empty() {
                commands.push((at + 1, words));
            }
        }
    }
    commands
}

/// What is wrong with one command.
fn judge(tree: &Tree, names: &Names, words: &[String]) -> Vec<String> {
    let program = words[0].trim_start_matches("./");
    let mut wrong = paths(tree, words);
    match program {
        "cargo" => wrong.extend(judge_cargo(tree, names, &words[1..])),
        "harness" | "target/release/harness" => wrong.extend(judge_verb(tree, words.get(1))),
        _ if is_script(program) && !tree.files().any(|(p, e)| p == program && e.executable) => {
            wrong.push(format!("`{program}` cannot be run"));
        }
        _ => {}
    }
    wrong
}

fn is_script(program: &str) -> bool {
    program.starts_with("ci/") || program.starts_with(".ci/")
}

/// Words that begin with a folder of the tree and lead nowhere.
fn paths(tree: &Tree, words: &[String]) -> Vec<String> {
    words
        .iter()
        .map(|word| word.trim_start_matches("./"))
        .filter(|word| {
            word.split_once('/').is_some_and(|(top, _)| tree.holds(top) && !top.is_empty())
        })
        .filter(|word| !word.contains(['*', '<', '$', '{']) && !tree.holds(word))
        .map(|word| format!("`{word}` does not exist"))
        .collect()
}

fn judge_cargo(tree: &Tree, names: &Names, words: &[String]) -> Vec<String> {
    let mut wrong = Vec::new();
    let verb = words.first().map_or("", String::as_str);
    if !CARGO_VERBS.contains(&verb) {
        wrong.push(format!("`cargo {verb}` is not known here"));
    }
    let end = words.iter().position(|word| word == "--").unwrap_or(words.len());
    let mut package = None;
    for pair in words[..end].windows(2) {
        let known = match pair[0].as_str() {
            "-p" | "--package" => {
                package = Some(pair[1].as_str());
                names.packages.contains(&pair[1])
            }
            "--bin" => names.packages.contains(&pair[1]) || names.targets.contains(&pair[1]),
            "--example" | "--test" | "--bench" => names.targets.contains(&pair[1]),
            _ => true,
        };
        if !known {
            wrong.push(format!("`{} {}` names nothing in this workspace", pair[0], pair[1]));
        }
    }
    if verb == "run" && package == Some("harness") {
        wrong.extend(judge_verb(tree, words.get(end + 1)));
    }
    wrong
}

fn judge_verb(tree: &Tree, verb: Option<&String>) -> Option<String> {
    let verb = verb.filter(|verb| !verb.starts_with('-'))?;
    let known = tree.holds(&format!("harness/src/cli/{verb}.rs"));
    (!known).then(|| format!("`harness {verb}` is no verb"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(command: &str) -> Vec<String> {
        let text = format!("# Title\n\n```sh\n{command}\n```\n");
        let tree = Tree::default()
            .with("README.md", &text)
            .with("CONTRIBUTING.md", "```sh\nci/fmt\n```\n")
            .with("ci/fmt", "#!/usr/bin/env bash\n")
            .with("ci/notes", "not a script\n")
            .with("scenarios/smoke/a.toml", "")
            .with("harness/Cargo.toml", "[package]\nname = \"harness\"\n")
            .with("harness/src/cli/run.rs", "")
            .with("harness/examples/sample.rs", "");
        check(&tree).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn commands_that_exist_pass() {
        let sound = [
            "ci/fmt # formats",
            "$ ./ci/fmt && cargo test --workspace",
            "cargo run --release -p harness -- run scenarios/smoke --out out/first",
            "RUST_LOG=info cargo run -p harness --example sample",
            "git clone https://example.org/datahub.git",
            "target/release/harness run scenarios/*/a.toml",
        ];
        for command in sound {
            assert_eq!(found(command), [""; 0], "{command}");
        }
    }

    #[test]
    fn commands_that_name_nothing_are_refused() {
        let wrong = [
            "ci/gone",
            "ci/notes",
            "cargo polish",
            "cargo test -p harnes",
            "cargo run -p harness --example nothing",
            "cargo run -p harness -- ruin scenarios/smoke",
            "harness ruin",
            "cargo run -p harness -- run scenarios/gone",
        ];
        for command in wrong {
            let refused = found(command);
            assert!(
                !refused.is_empty() && refused[0].starts_with("README.md:4:"),
                "{command}: {refused:?}"
            );
        }
    }

    #[test]
    fn text_outside_shell_fences_is_no_command() {
        let refused = found("ci/fmt\n```\nci/gone\n```toml\nci/gone\n```\n```sh");
        assert_eq!(refused, [""; 0]);
    }

    #[test]
    fn a_document_that_is_missing_is_refused() {
        assert_eq!(check(&Tree::default()).len(), 2);
    }
}
