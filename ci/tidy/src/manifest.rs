//! Manifests: shared lints in every package, versions in one place, packages in their order.

use crate::finding::Finding;
use crate::tree::Tree;
use std::collections::BTreeMap;
use toml::{Table, Value};

const REMEDY_ORDER: &str =
    "see `[packages]` in ci/tidy/layers.toml, and ARCHITECTURE.md for the reason";

/// Finds packages that leave the workspace's rules or depend on the wrong neighbour.
#[must_use]
pub fn check(tree: &Tree, packages: &BTreeMap<String, Vec<String>>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, entry) in tree.files().filter(|(path, _)| is_manifest(path)) {
        match toml::from_str::<Table>(&entry.text) {
            Ok(manifest) => findings.extend(check_manifest(path, &entry.text, &manifest, packages)),
            Err(error) => findings.push(Finding::new(path, 1, error.to_string(), "mend the file")),
        }
    }
    findings
}

fn is_manifest(path: &str) -> bool {
    path == "Cargo.toml" || path.ends_with("/Cargo.toml")
}

fn check_manifest(
    path: &str,
    text: &str,
    manifest: &Table,
    packages: &BTreeMap<String, Vec<String>>,
) -> Vec<Finding> {
    let refuse = |key: &str, what: String, remedy: &str| {
        let at = text.lines().position(|line| line.trim_start().starts_with(key));
        Finding::new(path, at.map_or(1, |at| at + 1), what, remedy)
    };
    let mut findings = Vec::new();
    for (name, value) in shared(manifest).filter(|(_, value)| is_wild(value)) {
        let what = format!("`{name} = {value}` pins nothing");
        findings.push(refuse(name, what, "name the version that was tested"));
    }
    let Some(package) = manifest.get("package").and_then(|p| p.get("name")).and_then(Value::as_str)
    else {
        return findings;
    };
    if manifest.get("lints").and_then(|lints| lints.get("workspace")) != Some(&Value::Boolean(true))
    {
        let what = "the package does not take the workspace's lints".to_owned();
        findings.push(refuse("[lints]", what, "add `[lints]` with `workspace = true`"));
    }
    let Some(neighbours) = packages.get(package) else {
        let what = format!("package `{package}` has no place in the order");
        findings.push(refuse("name", what, REMEDY_ORDER));
        return findings;
    };
    for (name, value) in dependencies(manifest) {
        if value.get("workspace") != Some(&Value::Boolean(true)) {
            let what = format!("`{name}` is pinned here");
            findings.push(refuse(
                name,
                what,
                "pin it in the root manifest, say `workspace = true` here",
            ));
        }
        if packages.contains_key(name) && name != package && !neighbours.iter().any(|n| n == name) {
            let what = format!("`{package}` must not depend on `{name}`");
            findings.push(refuse(name, what, REMEDY_ORDER));
        }
    }
    findings
}

fn is_wild(value: &Value) -> bool {
    let version = value.as_str().or_else(|| value.get("version")?.as_str());
    version.is_some_and(|version| version.contains('*'))
}

fn shared(manifest: &Table) -> impl Iterator<Item = (&str, &Value)> {
    let table =
        manifest.get("workspace").and_then(|w| w.get("dependencies")).and_then(Value::as_table);
    table.into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

/// Dependencies of every kind, for every platform.
fn dependencies(manifest: &Table) -> impl Iterator<Item = (&str, &Value)> {
    let platforms = manifest.get("target").and_then(Value::as_table).into_iter().flatten();
    let tables = std::iter::once(manifest).chain(platforms.filter_map(|(_, t)| t.as_table()));
    tables
        .flat_map(|table| {
            ["dependencies", "dev-dependencies", "build-dependencies"].map(|kind| table.get(kind))
        })
        .flatten()
        .filter_map(Value::as_table)
        .flatten()
        .map(|(name, value)| (name.as_str(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "[package]\nname = \"reports\"\n[lints]\nworkspace = true\n";

    fn found(path: &str, text: &str) -> Vec<String> {
        let packages = [
            ("report-schema".to_owned(), vec![]),
            ("reports".to_owned(), vec!["report-schema".to_owned()]),
            ("harness".to_owned(), vec!["reports".to_owned()]),
        ];
        let findings = check(&Tree::default().with(path, text), &packages.into());
        findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_package_by_the_rules_passes() {
        let text = format!(
            "{HEAD}[dependencies]\nserde.workspace = true\nreport-schema = {{ workspace = true }}\n"
        );
        assert_eq!(found("reports/Cargo.toml", &text), [""; 0]);
    }

    #[test]
    fn a_version_outside_the_root_is_refused_at_its_line() {
        let refused =
            found("reports/Cargo.toml", &format!("{HEAD}[dev-dependencies]\nserde = \"1\"\n"));
        assert!(
            refused.len() == 1 && refused[0].starts_with("reports/Cargo.toml:6: `serde`"),
            "{refused:?}"
        );
    }

    #[test]
    fn a_dependency_against_the_order_is_refused_on_every_platform() {
        let text = format!("{HEAD}[target.'cfg(unix)'.dependencies]\nharness.workspace = true\n");
        assert!(found("reports/Cargo.toml", &text)[0].contains("must not depend on `harness`"));
    }

    #[test]
    fn a_package_without_the_shared_lints_is_refused() {
        assert_eq!(found("reports/Cargo.toml", "[package]\nname = \"reports\"\n").len(), 1);
    }

    #[test]
    fn a_package_that_the_order_does_not_know_is_refused() {
        let text = "[package]\nname = \"new\"\n[lints]\nworkspace = true\n";
        assert!(found("new/Cargo.toml", text)[0].contains("`new` has no place"));
    }

    #[test]
    fn a_wild_version_and_a_broken_manifest_are_refused() {
        assert_eq!(
            found("Cargo.toml", "[workspace.dependencies]\na = \"*\"\nb = { version = \"1.*\" }\n")
                .len(),
            2
        );
        assert_eq!(found("Cargo.toml", "[workspace\n").len(), 1);
    }
}
