//! Code that never enters: silenced lints, stubs, ignored tests, `unsafe` outside its places.

use crate::finding::Finding;
use crate::house::Excuse;
use crate::source::Source;
use crate::tree::{Tree, is_below, is_part_of};

/// Token sequence, what it is, what to do instead.
const BANNED: [(&[&str], &str, &str); 6] = [
    (&["#", "[", "allow", "("], "`#[allow(…)]`", "`#[expect(…, reason = \"…\")]`"),
    (&["#", "!", "[", "allow", "("], "`#![allow(…)]`", "`#[expect(…, reason = \"…\")]`"),
    (&["todo", "!"], "`todo!`", "write it, or leave it out"),
    (&["unimplemented", "!"], "`unimplemented!`", "write it, or leave it out"),
    (&["dbg", "!"], "`dbg!`", "remove it"),
    (&["#", "[", "ignore", "]"], "a test that never runs", "mend it, or `#[ignore = \"why\"]`"),
];

/// Finds banned code.
#[must_use]
pub fn check(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources {
        for (tokens, what, remedy) in BANNED {
            let found = source.occurrences(tokens);
            findings.extend(found.map(|(_, line)| Finding::new(&source.path, line, what, remedy)));
        }
    }
    findings
}

/// Finds `unsafe` outside its places, crates that do not forbid it, and places that need it no more.
#[must_use]
pub fn check_unsafe(tree: &Tree, sources: &[Source], places: &[Excuse]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| !is_placed(&source.path, places)) {
        let remedy =
            "move it behind the shared-memory layer, or list the place in ci/tidy/house.toml";
        let found = source.occurrences(&["unsafe"]);
        findings.extend(found.map(|(_, line)| {
            Finding::new(&source.path, line, "`unsafe` outside its places", remedy)
        }));
    }
    findings.extend(crates_without_forbid(tree, sources, places));
    findings.extend(places.iter().filter_map(|place| idle_place(sources, place)));
    findings
}

fn is_placed(path: &str, places: &[Excuse]) -> bool {
    places.iter().any(|place| is_part_of(path, &place.path))
}

/// Every root of a crate without a place forbids unsafe code.
fn crates_without_forbid(tree: &Tree, sources: &[Source], places: &[Excuse]) -> Vec<Finding> {
    let packages = tree.files().filter_map(|(path, _)| path.strip_suffix("Cargo.toml"));
    let folders: Vec<String> = packages.map(|folder| format!("{folder}src")).collect();
    let is_root = |path: &str| {
        folders.iter().any(|folder| {
            path.strip_prefix(folder.as_str()).is_some_and(|file| {
                matches!(file, "/lib.rs" | "/main.rs")
                    || file.strip_prefix("/bin/").is_some_and(|name| !name.contains('/'))
            })
        })
    };
    let has_place = |path: &str| {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        places.iter().any(|place| is_below(&place.path, folder))
    };
    let forbid = ["#", "!", "[", "forbid", "(", "unsafe_code", ")", "]"];
    sources
        .iter()
        .filter(|source| is_root(&source.path) && !has_place(&source.path))
        .filter(|source| source.occurrences(&forbid).next().is_none())
        .map(|source| {
            let what = "the crate does not forbid unsafe code";
            Finding::new(&source.path, 1, what, "put `#![forbid(unsafe_code)]` below its header")
        })
        .collect()
}

/// A place that is not there, or whose files hold no `unsafe`, or that gives no reason.
fn idle_place(sources: &[Source], place: &Excuse) -> Option<Finding> {
    let table = "ci/tidy/house.toml";
    if place.reason.trim().is_empty() {
        let what = format!("`{}` may hold unsafe code without a reason", place.path);
        return Some(Finding::new(table, 1, what, "say why it must"));
    }
    let mut inside = sources.iter().filter(|source| is_part_of(&source.path, &place.path));
    // Of no source at all, too.
    let idle = inside.all(|source| source.occurrences(&["unsafe"]).next().is_none());
    idle.then(|| {
        let what = format!("`{}` may hold unsafe code and has none", place.path);
        Finding::new(table, 1, what, "remove the row: the list only shrinks")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source;

    fn source(path: &str, text: &str) -> Source {
        Source::parse(path, text).unwrap()
    }

    /// What is found beside these files, with one of each place that holds what it may.
    fn found_unsafe(files: &[(&str, &str)]) -> Vec<String> {
        let places =
            [("d/src/shm/a.rs", "unsafe fn a() {}"), ("d/src/block/a.rs", "unsafe fn a() {}")];
        found_only(&[&places, files].concat())
    }

    fn found_only(files: &[(&str, &str)]) -> Vec<String> {
        let tree = files.iter().fold(Tree::default(), |tree, (path, text)| tree.with(path, text));
        let tree = tree.with("d/Cargo.toml", "[package]").with("h/Cargo.toml", "[package]");
        let (sources, _) = source::all(&tree);
        let place = Excuse { path: "d/src/shm".into(), reason: "maps memory".into() };
        let single = Excuse { path: "d/src/block".into(), reason: "casts".into() };
        let findings = check_unsafe(&tree, &sources, &[place, single]);
        findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_banned_form_is_refused_at_its_line() {
        let forms = [
            "#[allow(dead_code)]\nfn a() {}",
            "#![allow(dead_code)]",
            "fn a() { todo!() }",
            "fn a() { unimplemented!(\"later\") }",
            "fn a() { dbg!(1); }",
            "#[test]\n#[ignore]\nfn a() {}",
            "macro_rules! m { () => { #[allow(dead_code)] fn a() {} } }",
        ];
        for form in forms {
            let findings = check(&[source("a.rs", form)]);
            assert_eq!(findings.len(), 1, "{form}");
        }
    }

    #[test]
    fn an_expectation_and_an_ignored_test_with_a_reason_pass() {
        let text = r#"
            #[expect(dead_code, reason = "x")]
            fn a() {}
            #[ignore = "takes an hour"]
            fn b() {} // todo!()
        "#;
        assert!(check(&[source("a.rs", text)]).is_empty());
    }

    #[test]
    fn unsafe_outside_its_places_is_refused() {
        let refused = found_unsafe(&[("d/src/slot.rs", "\nfn a() { unsafe { f() } }")]);
        assert!(refused.len() == 1 && refused[0].starts_with("d/src/slot.rs:2:"), "{refused:?}");
    }

    #[test]
    fn unsafe_in_its_places_passes() {
        let files = [
            ("d/src/shm/map.rs", "unsafe fn a() {}"),
            ("d/src/block.rs", "unsafe fn a() {}"),
            ("d/src/lib.rs", ""),
        ];
        assert!(found_unsafe(&files).is_empty());
    }

    #[test]
    fn a_crate_that_does_not_forbid_unsafe_code_is_refused() {
        let refused =
            found_unsafe(&[("h/src/lib.rs", ""), ("h/src/main.rs", "#![forbid(unsafe_code)]")]);
        assert!(refused.len() == 1 && refused[0].starts_with("h/src/lib.rs:1:"), "{refused:?}");
    }

    #[test]
    fn a_place_without_unsafe_code_is_to_be_removed() {
        let shm = ("d/src/shm/map.rs", "unsafe fn a() {}");
        for files in [&[shm, ("d/src/block.rs", "fn a() {}")][..], &[shm]] {
            let refused = found_only(files);
            assert!(refused.len() == 1 && refused[0].contains("`d/src/block`"), "{refused:?}");
        }
    }
}
