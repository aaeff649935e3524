//! The walls: a file of 500 lines, a function of 70 lines and 5 parameters.
//!
//! A file is measured without its inline test modules, a function from its signature to its closing
//! brace. Parameters are not ours to choose where another trait or a foreign caller fixes them.

use crate::finding::Finding;
use crate::source::Source;
use std::ops::RangeInclusive;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// The most lines that a file may have, its inline tests apart.
pub const FILE_LINES_MAX: usize = 500;
/// The most lines that a function may have, signature included.
pub const FUNCTION_LINES_MAX: usize = 70;
/// The most parameters of a function, `self` included.
pub const PARAMETERS_MAX: usize = 5;

/// Finds files and functions past their walls.
#[must_use]
pub fn check(sources: &[Source]) -> Vec<Finding> {
    sources.iter().flat_map(|source| [file(source), functions(source)].concat()).collect()
}

fn file(source: &Source) -> Vec<Finding> {
    let tests: usize = source.tests.iter().cloned().map(RangeInclusive::count).sum();
    let lines = source.lines - tests;
    if lines <= FILE_LINES_MAX {
        return Vec::new();
    }
    let what = format!("the file has {lines} lines, the wall is {FILE_LINES_MAX}");
    vec![Finding::new(&source.path, 1, what, "split it by idea: `foo.rs` beside `foo/`")]
}

fn functions(source: &Source) -> Vec<Finding> {
    let mut meter = Meter { path: &source.path, findings: Vec::new() };
    meter.visit_file(&source.file);
    meter.findings
}

struct Meter<'a> {
    path: &'a str,
    findings: Vec<Finding>,
}

impl Meter<'_> {
    fn measure(&mut self, signature: &syn::Signature, body: &syn::Block, signature_is_ours: bool) {
        let first = signature.span().start().line;
        let lines = body.span().end().line + 1 - first;
        let name = &signature.ident;
        if lines > FUNCTION_LINES_MAX {
            let what = format!("`{name}` has {lines} lines, the wall is {FUNCTION_LINES_MAX}");
            self.findings.push(Finding::new(self.path, first, what, "give its parts names"));
        }
        let parameters = signature.inputs.len();
        if signature_is_ours && signature.abi.is_none() && parameters > PARAMETERS_MAX {
            let what = format!("`{name}` takes {parameters} parameters, at most {PARAMETERS_MAX}");
            let remedy = "what belongs together becomes a struct";
            self.findings.push(Finding::new(self.path, first, what, remedy));
        }
    }
}

impl<'ast> Visit<'ast> for Meter<'_> {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.measure(&function.sig, &function.block, true);
        visit::visit_item_fn(self, function);
    }

    fn visit_item_impl(&mut self, block: &'ast syn::ItemImpl) {
        for item in &block.items {
            if let syn::ImplItem::Fn(function) = item {
                self.measure(&function.sig, &function.block, block.trait_.is_none());
            }
        }
        visit::visit_item_impl(self, block);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(body) = &function.default {
            self.measure(&function.sig, body, true);
        }
        visit::visit_trait_item_fn(self, function);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let source = Source::parse("a.rs", text).unwrap();
        check(&[source]).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_file_of_501_lines_is_refused_and_one_of_500_is_not() {
        assert!(found(&"// x\n".repeat(500)).is_empty());
        let refused = found(&"// x\n".repeat(501));
        assert!(refused[0].starts_with("a.rs:1: the file has 501 lines"), "{refused:?}");
    }

    #[test]
    fn inline_tests_do_not_count_towards_the_file() {
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "// x\n".repeat(400));
        assert!(found(&format!("{}{tests}", "// x\n".repeat(500))).is_empty());
    }

    #[test]
    fn a_function_of_71_lines_is_refused_and_one_of_70_is_not() {
        let function = |body: usize| format!("\nfn long() {{\n{}}}\n", "    a();\n".repeat(body));
        assert!(found(&function(68)).is_empty());
        let refused = found(&function(69));
        assert!(refused[0].starts_with("a.rs:2: `long` has 71 lines"), "{refused:?}");
    }

    #[test]
    fn a_long_method_and_a_long_default_method_are_refused() {
        let body = "        a();\n".repeat(70);
        let function = |name| format!("    fn {name}() {{\n{body}    }}\n");
        let (method, default) = (function("b"), function("d"));
        let text = format!("impl A {{\n{method}}}\ntrait C {{\n{default}}}\n");
        assert_eq!(found(&text).len(), 2);
    }

    #[test]
    fn a_sixth_parameter_is_refused() {
        assert!(found("fn a(b: u8, c: u8, d: u8, e: u8, f: u8) {}").is_empty());
        let refused = found("impl A { fn a(&self, b: u8, c: u8, d: u8, e: u8, f: u8) {} }");
        assert!(refused[0].contains("takes 6 parameters"), "{refused:?}");
    }

    #[test]
    fn a_signature_fixed_by_a_trait_or_by_c_may_be_long() {
        assert!(found("impl T for A { fn a(b: A, c: A, d: A, e: A, f: A, g: A) {} }").is_empty());
        assert!(found("extern \"C\" fn a(b: A, c: A, d: A, e: A, f: A, g: A) {}").is_empty());
    }
}
