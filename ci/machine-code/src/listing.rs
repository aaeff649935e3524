//! An assembly listing, function by function, without what may differ between two equal functions:
//! names of labels, of functions, directives and comments.

use std::collections::BTreeMap;

/// Instructions by the last part of a function's name.
pub type Functions = BTreeMap<String, Vec<String>>;

/// The beginnings of the names that matter.
const MARKS: [&str; 3] = ["shipped_", "by_hand_", "wrong_"];

/// How labels of one file begin, and those among them that instructions jump to.
const LOCAL: &str = ".L";
const BLOCK: &str = ".LBB";

/// Reads a listing as the compiler writes it.
#[must_use]
pub fn functions(listing: &str) -> Functions {
    let mut functions = Functions::new();
    let mut aliases = Vec::new();
    let mut current: Option<(String, Vec<String>)> = None;
    for line in listing.lines() {
        let line = line.split_once('#').map_or(line, |(code, _)| code).trim();
        if let Some((name, same)) = alias(line) {
            aliases.extend(plain(name).zip(plain(same)));
        } else if let Some(name) = line.strip_suffix(':').and_then(plain) {
            current = Some((name, Vec::new()));
        } else if line.starts_with(".size") || line.starts_with(".Lfunc_end") {
            if let Some((name, code)) = current.take() {
                functions.insert(name, normal(&code));
            }
        } else if let Some((_, code)) = &mut current
            && (line.starts_with(BLOCK) || !line.is_empty() && !line.starts_with('.'))
        {
            code.push(line.split_whitespace().collect::<Vec<_>>().join(" "));
        }
    }
    for (name, same) in aliases {
        if let Some(code) = functions.get(&same).cloned() {
            functions.insert(name, code);
        }
    }
    functions
}

/// Equal functions are often merged: one name stands for the other.
fn alias(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix(".set ")
        .and_then(|rest| rest.split_once(','))
        .or_else(|| line.split_once(" = "))
}

/// `shipped_take` of a mangled name that ends with it, whatever stands around.
fn plain(symbol: &str) -> Option<String> {
    let at = MARKS.iter().find_map(|mark| symbol.find(mark))?;
    let rest = &symbol[at..];
    let end = rest.find(|letter: char| !letter.is_ascii_lowercase() && letter != '_');
    // A legacy name goes on with its hash: `shipped_take17h…`.
    Some(rest[..end.unwrap_or(rest.len())].trim_end_matches('_').to_owned())
}

/// The code with its labels numbered in the order in which they come.
fn normal(code: &[String]) -> Vec<String> {
    let mut numbers = BTreeMap::new();
    code.iter().map(|line| renamed(line, &mut numbers)).collect()
}

fn renamed(line: &str, numbers: &mut BTreeMap<String, usize>) -> String {
    let Some(at) = line.find(LOCAL) else { return line.to_owned() };
    let (before, rest) = line.split_at(at);
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || "._".contains(letter);
    let end = rest.find(|letter| !is_name(letter)).unwrap_or(rest.len());
    let next = numbers.len();
    let number = *numbers.entry(rest[..end].to_owned()).or_insert(next);
    format!("{before}label{number}{}", renamed(&rest[end..], numbers))
}

/// What is not as it must be: pairs that differ, pairs that must differ and do not, and too few.
#[must_use]
pub fn findings(functions: &Functions) -> Vec<String> {
    let mut findings = Vec::new();
    let mut pairs = 0;
    for (name, shipped) in functions {
        let Some(work) = name.strip_prefix("shipped_") else { continue };
        match functions.get(&format!("by_hand_{work}")) {
            None => findings.push(format!("`{work}` is nowhere written by hand")),
            Some(by_hand) if shipped.is_empty() || by_hand.is_empty() => {
                findings.push(format!("`{work}` has no instructions"));
            }
            Some(by_hand) if shipped != by_hand => {
                let (ours, theirs) = (shipped.join("\n    "), by_hand.join("\n    "));
                findings.push(format!(
                    "`{work}` is not what it is by hand\n  shipped:\n    {ours}\n  by hand:\n    {theirs}"
                ));
            }
            Some(_) => pairs += 1,
        }
        if functions.get(&format!("wrong_{work}")) == Some(shipped) {
            findings.push(format!("a wrong `{work}` is not told from the shipped one"));
        }
    }
    let wrong = functions.keys().filter(|name| name.starts_with("wrong_")).count();
    if pairs < 6 || wrong < 2 {
        findings.push(format!("only {pairs} equal pairs and {wrong} wrong functions: look again"));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTING: &str = "\
\t.type\t_RNv_12machine_code12shipped_take,@function
_RNv_12machine_code12shipped_take:
\t.cfi_startproc
\tmovq\t(%rdi), %rax
\tje\t.LBB0_2
\tlock\t\tcmpxchgq\t%rcx, (%rdi)   # a comment
.LBB0_2:
\tretq
.Lfunc_end0:
\t.size\t_RNv_12machine_code12shipped_take, .Lfunc_end0-_RNv_12machine_code12shipped_take
_ZN12machine_code12by_hand_take17h0123456789abcdefE:
\tmovq\t(%rdi), %rax
\tje\t.LBB1_7
\tlock\tcmpxchgq\t%rcx, (%rdi)
.LBB1_7:
\tretq
\t.size\tx, y
wrong_take:
\tmovq\t(%rdi), %rax
\txchgq\t%rcx, (%rdi)
\tretq
\t.size\tx, y
\t.set by_hand_look, wrong_take
_ZN12machine_code11wrong_ring17h0123456789abcdefE = wrong_take
";

    #[test]
    fn labels_names_and_comments_make_no_difference() {
        let functions = functions(LISTING);
        assert_eq!(functions["shipped_take"], functions["by_hand_take"]);
        assert_eq!(functions["shipped_take"].len(), 5);
        assert_ne!(functions["shipped_take"], functions["wrong_take"]);
        assert_eq!(functions["by_hand_look"], functions["wrong_take"]);
        assert_eq!(functions["wrong_ring"], functions["wrong_take"]);
    }

    #[test]
    fn one_instruction_more_or_another_one_is_found() {
        for (from, to) in [
            ("\tretq\n.Lfunc_end0", "\tmfence\n\tretq\n.Lfunc_end0"),
            ("\tje\t.LBB0_2", "\tjne\t.LBB0_2"),
            (
                "\tlock\t\tcmpxchgq\t%rcx, (%rdi)   # a comment\n.LBB0_2:",
                ".LBB0_2:\n\tlock\tcmpxchgq\t%rcx, (%rdi)",
            ),
        ] {
            let found = findings(&functions(&LISTING.replace(from, to)));
            assert!(found[0].starts_with("`take` is not what it is by hand"), "{found:?}");
        }
    }

    #[test]
    fn a_listing_without_pairs_is_a_finding() {
        assert_eq!(findings(&functions("")).len(), 1);
        let lonely = LISTING.replace("by_hand_take", "other_take");
        assert!(findings(&functions(&lonely))[0].contains("nowhere written by hand"));
    }

    #[test]
    fn a_wrong_function_that_looks_right_is_found() {
        let same = LISTING.replace(
            "\txchgq\t%rcx, (%rdi)\n",
            "\tje\t.LBB0_2\n\tlock\tcmpxchgq\t%rcx, (%rdi)\n.LBB0_2:\n",
        );
        let found = findings(&functions(&same));
        assert!(found.iter().any(|what| what.contains("is not told from")), "{found:?}");
    }
}
