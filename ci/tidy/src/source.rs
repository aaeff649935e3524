//! A Rust file, parsed once: its syntax tree, its tokens with their lines, its inline test modules.
//!
//! Checks that look for a word read the tokens, so that comments and strings never match.

use crate::finding::Finding;
use crate::tree::Tree;
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// One token and where it stands; brackets are tokens of their own.
#[derive(Debug, Clone)]
pub struct Token {
    /// The token as written; punctuation is one character each.
    pub text: String,
    /// The line, from 1.
    pub line: usize,
}

/// A parsed file.
pub struct Source {
    /// The path inside the tree.
    pub path: String,
    /// The number of lines.
    pub lines: usize,
    /// The syntax tree.
    pub file: syn::File,
    /// All tokens in order, brackets opened out.
    pub tokens: Vec<Token>,
    /// The lines of inline `#[cfg(test)]` modules.
    pub tests: Vec<RangeInclusive<usize>>,
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Source {
    /// Parses `text`.
    ///
    /// # Errors
    ///
    /// A finding at the place where the text stops being Rust.
    pub fn parse(path: &str, text: &str) -> Result<Self, Finding> {
        let refuse = |line, error: String| Finding::new(path, line, error, "make it compile first");
        let stream = TokenStream::from_str(text)
            .map_err(|error| refuse(error.span().start().line, error.to_string()))?;
        let mut tokens = Vec::new();
        flatten(stream, &mut tokens);
        let file = syn::parse_file(text)
            .map_err(|error| refuse(error.span().start().line, error.to_string()))?;
        let mut modules = TestModules::default();
        modules.visit_file(&file);
        let lines = text.lines().count();
        Ok(Self { path: path.into(), lines, file, tokens, tests: modules.lines })
    }

    /// Whether `line` belongs to tests: an inline test module, or a file called `tests.rs`.
    #[must_use]
    pub fn is_test_line(&self, line: usize) -> bool {
        self.path.ends_with("/tests.rs") || self.tests.iter().any(|range| range.contains(&line))
    }

    /// Where the tokens `wanted` stand one after the other: index of the first and its line.
    pub fn occurrences<'a>(
        &'a self,
        wanted: &'a [&'a str],
    ) -> impl Iterator<Item = (usize, usize)> + 'a {
        self.tokens.windows(wanted.len()).enumerate().filter_map(move |(at, window)| {
            let same = window.iter().zip(wanted).all(|(token, text)| token.text == *text);
            same.then(|| (at, window[0].line))
        })
    }
}

/// Every Rust file of the tree, and a finding for each that does not parse.
#[must_use]
pub fn all(tree: &Tree) -> (Vec<Source>, Vec<Finding>) {
    let (mut sources, mut findings) = (Vec::new(), Vec::new());
    for (path, entry) in tree.below("", "rs") {
        match Source::parse(path, &entry.text) {
            Ok(source) => sources.push(source),
            Err(finding) => findings.push(finding),
        }
    }
    (sources, findings)
}

/// Whether one of `attributes` is a `cfg` that asks for tests.
#[must_use]
pub fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).any(|attribute| {
        let syn::Meta::List(list) = &attribute.meta else { return false };
        let mut tokens = Vec::new();
        flatten(list.tokens.clone(), &mut tokens);
        let says = |word: &str| tokens.iter().any(|token| token.text == word);
        says("test") && !says("not")
    })
}

fn flatten(stream: TokenStream, tokens: &mut Vec<Token>) {
    for tree in stream {
        let line = tree.span().start().line;
        let TokenTree::Group(group) = tree else {
            tokens.push(Token { text: tree.to_string(), line });
            continue;
        };
        let (open, close) = match group.delimiter() {
            Delimiter::Parenthesis => ("(", ")"),
            Delimiter::Brace => ("{", "}"),
            Delimiter::Bracket => ("[", "]"),
            Delimiter::None => ("", ""),
        };
        tokens.push(Token { text: open.into(), line });
        flatten(group.stream(), tokens);
        tokens.push(Token { text: close.into(), line: group.span_close().start().line });
    }
}

#[derive(Default)]
struct TestModules {
    lines: Vec<RangeInclusive<usize>>,
}

impl<'ast> Visit<'ast> for TestModules {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if module.content.is_some() && is_for_tests(&module.attrs) {
            let span = module.span();
            self.lines.push(span.start().line..=span.end().line);
        } else {
            visit::visit_item_mod(self, module);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_module_covers_its_attribute_to_its_closing_brace() {
        let text = "//! H.\nfn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n";
        let source = Source::parse("a.rs", text).unwrap();
        let inside: Vec<_> = (1..=7).filter(|line| source.is_test_line(*line)).collect();
        assert_eq!(inside, [3, 4, 5, 6]);
    }

    #[test]
    fn a_file_called_tests_is_all_tests() {
        let is_test = |path| Source::parse(path, "fn a() {}\n").unwrap().is_test_line(1);
        assert!(is_test("a/tests.rs"));
        assert!(!is_test("a/contests.rs"));
    }

    #[test]
    fn code_for_everything_but_tests_is_no_test() {
        let text = "#[cfg(not(test))]\nmod real {\n    fn b() {}\n}\n";
        assert!(Source::parse("a.rs", text).unwrap().tests.is_empty());
    }

    #[test]
    fn words_in_comments_and_strings_are_no_tokens() {
        let text = "// unsafe\nconst A: &str = \"unsafe\";\n/* unsafe */\n";
        let source = Source::parse("a.rs", text).unwrap();
        assert_eq!(source.occurrences(&["unsafe"]).count(), 0);
    }

    #[test]
    fn a_file_that_does_not_parse_is_a_finding_with_its_line() {
        let tree = Tree::default().with("a.rs", "fn a() {}\nfn {\n").with("b.rs", "fn a( {}\n");
        let (sources, findings) = all(&tree);
        assert!(sources.is_empty());
        assert_eq!(findings.len(), 2);
        assert!(findings.iter().any(|finding| finding.path == "a.rs" && finding.line == 2));
    }
}
