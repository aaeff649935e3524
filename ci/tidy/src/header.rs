//! Every Rust file opens with a module header, `//! …`.

use crate::finding::Finding;
use crate::tree::Tree;

/// Finds files whose first line is no header.
#[must_use]
pub fn check(tree: &Tree) -> Vec<Finding> {
    let remedy = "begin with `//! One sentence.`: what it is, who writes what, what it knows not";
    tree.below("", "rs")
        .filter(|(_, entry)| !is_header(entry.text.lines().next().unwrap_or_default()))
        .map(|(path, _)| Finding::new(path, 1, "no module header", remedy))
        .collect()
}

fn is_header(line: &str) -> bool {
    line.strip_prefix("//!").is_some_and(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_opens_with_code_a_comment_or_nothing_is_refused() {
        let tree = Tree::default()
            .with("code.rs", "use std::fmt;\n")
            .with("comment.rs", "// A comment.\n//! Too late.\n")
            .with("empty.rs", "")
            .with("mute.rs", "//!\n")
            .with("fine.rs", "//! A header.\n");
        let paths: Vec<_> = check(&tree).into_iter().map(|finding| finding.path).collect();
        assert_eq!(paths, ["code.rs", "comment.rs", "empty.rs", "mute.rs"]);
    }
}
