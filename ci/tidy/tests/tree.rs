//! The tree of this repository passes every check; what is excused stands in `ratchet.toml`.

use std::path::Path;
use tidy::finding::{Finding, listing};
use tidy::house::{self, House, Layers};
use tidy::ratchet::{self, Ratchet};
use tidy::source::{self, Source};
use tidy::tree::Tree;
use tidy::{
    banned, cited, dead, header, layers, manifest, question, readme, scripts, sites, sizes, words,
};

/// The names that `ratchet.toml` may use: one for each test below that reads the list.
const CHECKS: [&str; 14] = [
    "sizes", "header", "layers", "sites", "dead", "banned", "unsafe", "words", "manifest",
    "question", "readme", "scripts", "parse", "cited",
];

/// Everything that a check may look at.
struct Repository {
    tree: Tree,
    sources: Vec<Source>,
    unparsed: Vec<Finding>,
}

impl Repository {
    fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let tree = Tree::read(&root).expect("the repository can be read");
        let (sources, unparsed) = source::all(&tree);
        Self { tree, sources, unparsed }
    }

    fn table<T: for<'de> serde::Deserialize<'de>>(&self, path: &str) -> T {
        let text = self.tree.text(path).unwrap_or_default();
        house::parse(text).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    fn house(&self) -> House {
        self.table("ci/tidy/house.toml")
    }

    fn layers(&self) -> Layers {
        self.table("ci/tidy/layers.toml")
    }
}

/// Runs one check and shows what is left after the excuses.
fn holds(name: &str, check: impl FnOnce(&Repository) -> Vec<Finding>) {
    assert!(CHECKS.contains(&name), "`{name}` is not listed in CHECKS");
    let repository = Repository::read();
    let ratchet: Ratchet = repository.table(ratchet::PATH);
    let left = ratchet::apply(&ratchet, name, check(&repository));
    assert!(left.is_empty(), "{} findings of `{name}`:\n{}", left.len(), listing(&left));
}

#[test]
fn the_tree_is_found() {
    let repository = Repository::read();
    assert!(repository.tree.holds("Cargo.toml"));
    assert!(repository.sources.len() > 10, "{} files", repository.sources.len());
}

#[test]
fn every_file_parses() {
    holds("parse", |r| r.unparsed.clone());
}

#[test]
fn files_and_functions_stay_within_their_walls() {
    holds("sizes", |r| sizes::check(&r.sources));
}

#[test]
fn every_file_opens_with_a_header() {
    holds("header", |r| header::check(&r.tree));
}

#[test]
fn modules_import_only_from_below() {
    holds("layers", |r| layers::check(&r.sources, &r.layers()));
}

#[test]
fn packages_keep_their_order_and_versions_their_place() {
    holds("manifest", |r| manifest::check(&r.tree, &r.layers().packages));
}

#[test]
fn sites_pair_and_are_used() {
    holds("sites", |r| sites::check(&r.sources, &r.house().sites));
}

#[test]
fn no_file_is_dead() {
    holds("dead", |r| dead::check(&r.tree, &r.sources));
}

#[test]
fn nothing_is_silenced_or_left_open() {
    holds("banned", |r| banned::check(&r.sources));
}

#[test]
fn unsafe_code_stays_in_its_places() {
    holds("unsafe", |r| banned::check_unsafe(&r.tree, &r.sources, &r.house().unsafe_places));
}

#[test]
fn the_words_are_ours() {
    holds("words", |r| words::check(&r.tree, &r.sources, &r.house().words));
}

#[test]
fn every_scenario_opens_with_its_question() {
    holds("question", |r| question::check(&r.tree));
}

#[test]
fn documented_commands_exist() {
    holds("readme", |r| readme::check(&r.tree));
}

#[test]
fn what_is_cited_is_there() {
    holds("cited", |r| cited::check(&r.tree, &r.sources));
}

#[test]
fn every_script_is_run() {
    holds("scripts", |r| scripts::check(&r.tree, &r.house().scripts));
}

#[test]
fn every_excuse_is_for_a_check_and_has_a_reason() {
    let ratchet: Ratchet = Repository::read().table(ratchet::PATH);
    let findings = ratchet::check(&ratchet, &CHECKS);
    assert!(findings.is_empty(), "{}", listing(&findings));
}
