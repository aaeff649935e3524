//! Dead files: Rust that no cargo target reaches by `mod` lines, and `mod.rs`.

use crate::finding::Finding;
use crate::source::Source;
use crate::tree::Tree;
use std::collections::{BTreeMap, BTreeSet};
use syn::visit::{self, Visit};

/// Finds Rust files that are never compiled.
#[must_use]
pub fn check(tree: &Tree, sources: &[Source]) -> Vec<Finding> {
    let by_path: BTreeMap<&str, &Source> = sources.iter().map(|s| (s.path.as_str(), s)).collect();
    let mut reached = roots(tree);
    let mut open: Vec<(String, bool)> = reached.iter().map(|path| (path.clone(), true)).collect();
    while let Some((path, is_root)) = open.pop() {
        let Some(source) = by_path.get(path.as_str()) else { continue };
        for next in children(source, is_root) {
            if by_path.contains_key(next.as_str()) && reached.insert(next.clone()) {
                open.push((next, false));
            }
        }
    }
    let dead = by_path.keys().filter(|path| !reached.contains(**path)).map(|path| {
        let remedy = "declare it with `mod`, or remove the file";
        Finding::new(path, 1, "no target reaches this file: it is never compiled", remedy)
    });
    let named_mod = by_path
        .keys()
        .filter(|path| path.ends_with("/mod.rs"))
        .map(|path| Finding::new(path, 1, "a `mod.rs`", "`foo.rs` stands beside `foo/`"));
    dead.chain(named_mod).collect()
}

/// The first file of every cargo target.
fn roots(tree: &Tree) -> BTreeSet<String> {
    let mut roots = BTreeSet::new();
    for (path, entry) in tree.below("", "toml") {
        let Some(folder) = path.strip_suffix("Cargo.toml") else { continue };
        let Ok(manifest) = toml::from_str::<toml::Table>(&entry.text) else { continue };
        if !manifest.contains_key("package") {
            continue;
        }
        roots.extend(
            ["build.rs", "src/lib.rs", "src/main.rs"].map(|file| format!("{folder}{file}")),
        );
        for place in ["src/bin", "tests", "benches", "examples"] {
            roots.extend(targets_in(tree, &format!("{folder}{place}")));
        }
        roots.extend(named_targets(&manifest).map(|file| format!("{folder}{file}")));
    }
    roots
}

/// `x.rs` and `x/main.rs` right below `folder`.
fn targets_in(tree: &Tree, folder: &str) -> Vec<String> {
    let is_target = |path: &&str| {
        let inner = path.strip_prefix(folder).unwrap_or_default().trim_start_matches('/');
        match inner.split_once('/') {
            None => true,
            Some((_, file)) => file == "main.rs",
        }
    };
    tree.below(folder, "rs").map(|(path, _)| path).filter(is_target).map(str::to_owned).collect()
}

/// Every `path` that a target names in its manifest.
fn named_targets(manifest: &toml::Table) -> impl Iterator<Item = &str> {
    ["lib", "bin", "test", "bench", "example"].into_iter().flat_map(|kind| {
        let tables = match manifest.get(kind) {
            Some(toml::Value::Array(list)) => list.iter().collect(),
            Some(table) => vec![table],
            None => Vec::new(),
        };
        tables.into_iter().filter_map(|table| table.get("path")?.as_str())
    })
}

/// The files that `source` may declare: `mod x;`, `#[path = "…"] mod x;`, `include!("…")`.
fn children(source: &Source, is_root: bool) -> Vec<String> {
    let (folder, file) = source.path.rsplit_once('/').unwrap_or(("", &source.path));
    let stem = file.trim_end_matches(".rs");
    let own = if is_root || stem == "mod" { folder.to_owned() } else { format!("{folder}/{stem}") };
    let mut modules = Modules { paths: folder.to_owned(), own, found: Vec::new() };
    modules.visit_file(&source.file);
    for (at, _) in source.occurrences(&["include", "!", "("]) {
        let name = source.tokens[at + 3].text.trim_matches('"');
        modules.found.push(join(folder, name));
    }
    modules.found
}

struct Modules {
    /// Where a `path` attribute begins: with the file, or inside an inline module with its files.
    paths: String,
    /// Where the files of the current module stand.
    own: String,
    found: Vec<String>,
}

impl<'ast> Visit<'ast> for Modules {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        let name = module.ident.to_string();
        let own = join(&self.own, name.trim_start_matches("r#"));
        if module.content.is_some() {
            let outer = Self { paths: own.clone(), own, found: Vec::new() };
            let outer = std::mem::replace(self, outer);
            visit::visit_item_mod(self, module);
            let inner = std::mem::replace(self, outer);
            self.found.extend(inner.found);
        } else if let Some(path) = path_attribute(&module.attrs) {
            self.found.push(join(&self.paths, &path));
        } else {
            self.found.extend([format!("{own}.rs"), format!("{own}/mod.rs")]);
        }
    }
}

fn path_attribute(attributes: &[syn::Attribute]) -> Option<String> {
    let attribute = attributes.iter().find(|attribute| attribute.path().is_ident("path"))?;
    let syn::Expr::Lit(value) = &attribute.meta.require_name_value().ok()?.value else {
        return None;
    };
    let syn::Lit::Str(text) = &value.lit else { return None };
    Some(text.value())
}

/// `folder/name` with `..` and `.` worked out.
fn join(folder: &str, name: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in name.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source;

    fn dead(files: &[(&str, &str)]) -> Vec<String> {
        let package =
            "[package]\nname = \"c\"\n[[test]]\nname = \"odd\"\npath = \"odd/first.rs\"\n";
        let tree = files
            .iter()
            .fold(Tree::default().with("c/Cargo.toml", package), |tree, (path, text)| {
                tree.with(path, text)
            });
        let (sources, unparsed) = source::all(&tree);
        assert!(unparsed.is_empty());
        check(&tree, &sources).into_iter().map(|finding| finding.path).collect()
    }

    #[test]
    fn every_kind_of_target_and_module_is_reached() {
        let files = [
            ("c/build.rs", ""),
            ("c/src/lib.rs", "mod a; mod inline { mod deep; } #[path = \"x/other.rs\"] mod o;"),
            ("c/src/a.rs", "mod b; include!(\"raw.rs\");"),
            ("c/src/a/b.rs", ""),
            ("c/src/raw.rs", ""),
            ("c/src/inline/deep.rs", ""),
            ("c/src/x/other.rs", ""),
            ("c/src/bin/tool.rs", "mod help;"),
            ("c/src/bin/help.rs", ""),
            ("c/tests/t.rs", "mod common; mod t { #[path = \"../support/far.rs\"] mod far; }"),
            ("c/tests/support/far.rs", ""),
            ("c/tests/common.rs", ""),
            ("c/benches/b/main.rs", ""),
            ("c/odd/first.rs", ""),
        ];
        assert_eq!(dead(&files), [""; 0]);
    }

    #[test]
    fn a_file_that_nobody_declares_is_refused() {
        let files = [
            ("c/src/lib.rs", "mod a;"),
            ("c/src/a.rs", ""),
            ("c/src/left.rs", "mod x;"),
            ("c/src/left/x.rs", ""),
        ];
        assert_eq!(dead(&files), ["c/src/left.rs", "c/src/left/x.rs"]);
    }

    #[test]
    fn a_module_named_only_in_a_comment_is_not_declared() {
        assert_eq!(dead(&[("c/src/lib.rs", "// mod a;\n"), ("c/src/a.rs", "")]), ["c/src/a.rs"]);
    }

    #[test]
    fn a_file_outside_every_package_is_refused() {
        assert_eq!(dead(&[("loose/a.rs", "")]), ["loose/a.rs"]);
    }

    #[test]
    fn a_mod_rs_is_refused_even_when_it_is_reached() {
        assert_eq!(dead(&[("c/src/lib.rs", "mod a;"), ("c/src/a/mod.rs", "")]), ["c/src/a/mod.rs"]);
    }
}
