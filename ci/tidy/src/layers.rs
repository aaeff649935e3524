//! The order of modules: each imports only from modules that stand before it in `layers.toml`.
//!
//! A path counts wherever it stands, in a `use`, in code or in a macro, as `crate::…` or
//! `super::…`. A name that the crate's root re-exports counts as the module it comes from. Tests may
//! look anywhere. A module inherits its parent's place unless it has a row of its own.

use crate::finding::Finding;
use crate::house::{CrateLayers, Layers};
use crate::source::{Source, Token};
use crate::tree::is_below;
use std::collections::{BTreeMap, BTreeSet};

const TABLE: &str = "ci/tidy/layers.toml";

/// Finds imports that go up, and modules without a place.
#[must_use]
pub fn check(sources: &[Source], layers: &Layers) -> Vec<Finding> {
    layers.crates.iter().flat_map(|order| check_crate(sources, order)).collect()
}

fn check_crate(sources: &[Source], order: &CrateLayers) -> Vec<Finding> {
    let house = Order::new(order);
    let inside: Vec<_> =
        sources.iter().filter_map(|s| Some((s, module_of(&s.path, &order.root)?))).collect();
    let modules: BTreeSet<&str> = inside.iter().filter_map(|(_, m)| m.split("::").next()).collect();
    let exports = sources
        .iter()
        .find(|source| source.path == format!("{}/lib.rs", order.root))
        .map(|root| exports(root, &modules))
        .unwrap_or_default();
    let mut findings = house.repeated();
    for (source, module) in &inside {
        let Some(here) = house.place(module) else {
            let what = format!("module `{module}` has no layer");
            findings.push(Finding::new(
                &source.path,
                1,
                what,
                "give it a row in ci/tidy/layers.toml",
            ));
            continue;
        };
        let mut seen = BTreeSet::new();
        for (path, line) in imports(source, module) {
            let path = resolve(&path, &exports);
            let Some(there) = house.place(&path) else { continue };
            if there > here && seen.insert((line, there)) {
                findings.push(house.refuse(source, line, here, there));
            }
        }
    }
    findings
}

/// The rows in order: index → (module, layer).
struct Order<'a> {
    rows: Vec<(&'a str, &'a str)>,
}

impl<'a> Order<'a> {
    fn new(order: &'a CrateLayers) -> Self {
        let of_layer = |layer: &'a crate::house::Layer| {
            layer.modules.iter().map(|module| (module.as_str(), layer.name.as_str()))
        };
        Self { rows: order.layer.iter().flat_map(of_layer).collect() }
    }

    /// The row of `path` or of its nearest parent.
    fn place(&self, path: &str) -> Option<usize> {
        let mut path = path;
        loop {
            if let Some(at) = self.rows.iter().position(|(module, _)| *module == path) {
                return Some(at);
            }
            path = path.rsplit_once("::")?.0;
        }
    }

    fn repeated(&self) -> Vec<Finding> {
        let mut seen = BTreeSet::new();
        self.rows
            .iter()
            .filter(|(module, _)| !seen.insert(module))
            .map(|(module, _)| {
                Finding::new(TABLE, 1, format!("`{module}` stands twice"), "keep the lower place")
            })
            .collect()
    }

    fn refuse(&self, source: &Source, line: usize, here: usize, there: usize) -> Finding {
        let ((from, from_layer), (to, to_layer)) = (self.rows[here], self.rows[there]);
        let what =
            format!("`{from}` ({from_layer}) imports from `{to}` ({to_layer}), which is above it");
        let remedy = "move what is shared down, or pass it in; see ci/tidy/layers.toml";
        Finding::new(&source.path, line, what, remedy)
    }
}

/// `datahub/src/block/header.rs` below `datahub/src` → `block::header`; roots are no module.
fn module_of(path: &str, root: &str) -> Option<String> {
    if !is_below(path, root) {
        return None;
    }
    let inner = path.strip_prefix(root)?.trim_start_matches('/').strip_suffix(".rs")?;
    let is_root = matches!(inner, "lib" | "main") || inner.starts_with("bin/");
    (!is_root).then(|| inner.trim_end_matches("/mod").replace('/', "::"))
}

/// Root name → module, for `pub use module::Name` in `lib.rs`.
fn exports(root: &Source, modules: &BTreeSet<&str>) -> BTreeMap<String, String> {
    let mut exports = BTreeMap::new();
    for (at, token) in root.tokens.iter().enumerate() {
        if token.text != "use" {
            continue;
        }
        let mut paths = Vec::new();
        tree_paths(&root.tokens[at + 1..], "", &mut paths);
        for (path, _) in paths {
            let path = path.trim_start_matches("crate::").trim_start_matches("self::");
            let first = path.split("::").next().unwrap_or_default();
            if let (true, Some((_, name))) = (modules.contains(first), path.rsplit_once("::")) {
                exports.insert(name.to_owned(), path.to_owned());
            }
        }
    }
    exports
}

fn resolve(path: &str, exports: &BTreeMap<String, String>) -> String {
    let first = path.split("::").next().unwrap_or_default();
    exports.get(first).cloned().unwrap_or_else(|| path.to_owned())
}

/// Every path inside the crate that `source` names outside its tests, from the root, with its line.
fn imports(source: &Source, module: &str) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    for (at, token) in source.tokens.iter().enumerate() {
        let starts = matches!(token.text.as_str(), "crate" | "super")
            && !follows_a_path(&source.tokens, at)
            && !source.is_test_line(token.line);
        if !starts {
            continue;
        }
        let mut base = if token.text == "crate" { "" } else { parent(module) };
        let mut rest = &source.tokens[at + 1..];
        while let [a, b, c, tail @ ..] = rest
            && (a.text == ":" && b.text == ":" && c.text == "super")
        {
            base = parent(base);
            rest = tail;
        }
        if let [a, b, tail @ ..] = rest
            && (a.text == ":" && b.text == ":")
        {
            tree_paths(tail, base, &mut found);
        }
    }
    found
}

/// Whether the token at `at` continues a path (`a::super`), so that it starts none.
fn follows_a_path(tokens: &[Token], at: usize) -> bool {
    at >= 2 && tokens[at - 1].text == ":" && tokens[at - 2].text == ":"
}

fn parent(module: &str) -> &str {
    module.rsplit_once("::").map_or("", |(parent, _)| parent)
}

/// Reads one path or use tree at the head of `tokens`; returns how many tokens it took.
fn tree_paths(tokens: &[Token], base: &str, found: &mut Vec<(String, usize)>) -> usize {
    let (mut at, mut path) = (0, base.to_owned());
    while let Some(token) = tokens.get(at) {
        if token.text == "{" {
            return at + group_paths(&tokens[at..], &path, found);
        }
        if !is_name(&token.text) {
            break;
        }
        path = if path.is_empty() { token.text.clone() } else { format!("{path}::{}", token.text) };
        at += 1;
        let goes_on = matches!(&tokens[at..], [a, b, ..] if a.text == ":" && b.text == ":");
        if !goes_on {
            break;
        }
        at += 2;
    }
    let line = tokens.get(at.saturating_sub(1)).map_or(1, |token| token.line);
    if !path.is_empty() {
        found.push((path, line));
    }
    at.max(1)
}

/// Reads `{a, b::c}` at the head of `tokens`; returns how many tokens it took.
fn group_paths(tokens: &[Token], base: &str, found: &mut Vec<(String, usize)>) -> usize {
    let mut at = 1;
    while let Some(token) = tokens.get(at) {
        if token.text == "}" {
            return at + 1;
        }
        at += if token.text == "," { 1 } else { tree_paths(&tokens[at..], base, found) };
    }
    at
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

#[cfg(test)]
mod tests;
