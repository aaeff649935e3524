//! Imports that go up the layers are refused, in whichever form they are written.

use super::*;
use crate::house;

const ROWS: &str = r#"
[[crate]]
root = "d/src"
[[crate.layer]]
name = "words"
modules = ["error", "layout"]
[[crate.layer]]
name = "memory"
modules = ["block::header", "block"]
[[crate.layer]]
name = "services"
modules = ["broker"]
"#;

fn found(files: &[(&str, &str)]) -> Vec<String> {
    let sources: Vec<_> =
        files.iter().map(|(path, text)| Source::parse(path, text).unwrap()).collect();
    let layers: Layers = house::parse(ROWS).unwrap();
    check(&sources, &layers).iter().map(ToString::to_string).collect()
}

#[test]
fn an_import_from_a_lower_layer_passes() {
    assert!(
        found(&[(
            "d/src/block.rs",
            "use crate::{error::E, layout};\nfn a() { crate::error::f() }"
        )])
        .is_empty()
    );
}

#[test]
fn an_import_from_a_higher_layer_is_refused_with_both_layers() {
    let refused = found(&[("d/src/layout.rs", "\nuse crate::block::Block;\n")]);
    assert!(
        refused[0].starts_with("d/src/layout.rs:2: `layout` (words) imports from `block` (memory)"),
        "{refused:?}"
    );
}

#[test]
fn an_import_from_a_later_module_of_the_same_layer_is_refused() {
    assert_eq!(found(&[("d/src/error.rs", "use crate::layout::SIZE;")]).len(), 1);
}

#[test]
fn a_group_a_path_in_code_and_a_path_in_a_macro_are_seen() {
    let text = "
        use crate::{error::E, broker::{server, Client}};
        fn a() { crate::broker::run() }
        macro_rules! m { () => { $crate::broker::X } }
    ";
    let refused = found(&[("d/src/block.rs", text)]);
    assert_eq!(refused.len(), 3, "{refused:?}");
}

#[test]
fn super_leads_to_the_parent() {
    let refused =
        found(&[("d/src/block/header.rs", "use super::Block;\nuse super::super::error::E;\n")]);
    assert!(refused.len() == 1 && refused[0].contains("`block::header`"), "{refused:?}");
}

#[test]
fn a_name_re_exported_by_the_root_counts_as_its_module() {
    let root = ("d/src/lib.rs", "pub mod broker;\npub use broker::Client;");
    let broker = ("d/src/broker.rs", "pub struct Client;");
    assert_eq!(found(&[root, broker, ("d/src/error.rs", "use crate::Client;")]).len(), 1);
}

#[test]
fn inline_tests_may_look_anywhere() {
    assert!(
        found(&[("d/src/error.rs", "#[cfg(test)]\nmod tests {\n    use crate::broker::run;\n}")])
            .is_empty()
    );
}

#[test]
fn a_module_without_a_row_is_refused() {
    let refused = found(&[("d/src/stranger.rs", "")]);
    assert!(refused[0].contains("module `stranger` has no layer"), "{refused:?}");
}

#[test]
fn roots_and_other_crates_are_left_alone() {
    assert!(
        found(&[("d/src/main.rs", "use crate::broker;"), ("e/src/x.rs", "use crate::broker;")])
            .is_empty()
    );
}

#[test]
fn a_module_listed_twice_is_refused() {
    let twice = format!("{ROWS}\n[[crate.layer]]\nname = \"again\"\nmodules = [\"error\"]\n");
    let layers: Layers = house::parse(&twice).unwrap();
    assert_eq!(check(&[], &layers).len(), 1);
}
