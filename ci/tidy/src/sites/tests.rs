//! Tables with one defect each are refused for that defect.

use super::*;

const EDGE: &str = "/// The payload.
W_COMMIT: Store = Release -> R_ADMIT;
/// The payload.
R_ADMIT: Rmw = Acquire -> W_COMMIT;";
const SLOT: &str = "
    use crate::sites::{R_ADMIT, W_COMMIT};
    fn f(m: &M) { m.store::<W_COMMIT>(1); m.add::<R_ADMIT>(1); }
";

fn found_with(table: &str, files: &[(&str, &str)]) -> Vec<String> {
    let table = format!("macro_rules! sites {{ ($x:tt) => {{}}; }}\nsites! {{\n{table}\n}}\n");
    let mut sources = vec![Source::parse("d/src/sites.rs", &table).unwrap()];
    sources.extend(files.iter().map(|(path, text)| Source::parse(path, text).unwrap()));
    let sites = Sites { table: "d/src/sites.rs".into(), sources: vec!["d/src/slot".into()] };
    check(&sources, &sites).iter().map(ToString::to_string).collect()
}

/// One more row beside the sound edge; every site is used.
fn found(row: &str) -> Vec<String> {
    let slot = format!("{SLOT}\nfn g(m: &M) {{ m.load::<X>(); m.load::<Y>(); }}");
    found_with(&format!("{EDGE}\n/// Text.\n{row}"), &[("d/src/slot.rs", &slot)])
}

#[test]
fn an_edge_whose_ends_name_each_other_passes() {
    let refused = found_with(EDGE, &[("d/src/slot.rs", SLOT)]);
    assert!(refused.is_empty(), "{refused:?}");
}

#[test]
fn a_relaxed_site_without_a_partner_passes() {
    assert!(found("X: Load = Relaxed -> none;").is_empty());
}

#[test]
fn a_partner_that_does_not_exist_is_refused_at_its_row() {
    let refused = found("X: Load = Acquire -> W_NOTHING;");
    assert!(
        refused[0].contains("sites.rs:8: `X` names the partner `W_NOTHING`, which is no site"),
        "{refused:?}"
    );
}

#[test]
fn a_partner_that_does_not_name_the_site_back_is_refused() {
    assert!(found("X: Load = Acquire -> W_COMMIT;")[0].contains("does not name it back"));
}

#[test]
fn two_releases_make_no_edge() {
    let refused = found("X: Store = Release -> Y;\n/// Text.\nY: Rmw = Release -> X;");
    assert!(refused.iter().all(|line| line.contains("make no edge")), "{refused:?}");
    assert_eq!(refused.len(), 2);
}

#[test]
fn an_ordering_for_nobody_is_refused() {
    assert!(found("X: Load = Acquire -> none;")[0].contains("needless"));
}

#[test]
fn a_relaxed_site_with_a_partner_is_refused() {
    assert!(found("X: Load = Relaxed -> W_COMMIT;")[0].contains("still names a partner"));
}

#[test]
fn a_releasing_load_and_a_sequentially_consistent_store_are_refused() {
    assert!(found("X: Load = Release -> R_ADMIT;")[0].contains("a Load with Release"));
    assert!(found("X: Store = SeqCst -> R_ADMIT;")[0].contains("a Store with SeqCst"));
}

#[test]
fn a_row_that_says_nothing_of_its_edge_is_refused() {
    let refused = found("X: Load = Relaxed -> none;\nY: Load = Relaxed -> none;");
    assert!(refused.len() == 1 && refused[0].contains("`Y` does not say"), "{refused:?}");
}

#[test]
fn a_row_in_another_form_is_refused_and_not_skipped() {
    assert!(found("X = Relaxed;")[0].contains("cannot be read"));
}

#[test]
fn a_site_that_stands_twice_is_refused() {
    assert!(
        found("X: Load = Relaxed -> none;\n/// Text.\nX: Load = Relaxed -> none;")[0]
            .contains("twice")
    );
}

#[test]
fn a_site_that_is_only_imported_or_tested_is_not_used() {
    let slot = "
        use crate::sites::{R_ADMIT, W_COMMIT};
        fn f(m: &M) { m.store::<W_COMMIT>(1); }
        #[cfg(test)]
        mod tests {
            fn g(m: &M) { m.add::<R_ADMIT>(1); }
        }
    ";
    let refused = found_with(EDGE, &[("d/src/slot.rs", slot)]);
    assert!(refused.len() == 1 && refused[0].contains("`R_ADMIT` is used by no"), "{refused:?}");
}

#[test]
fn a_site_used_outside_the_protocol_is_refused_where_it_is_used() {
    let other = ("d/src/consumer.rs", "\nfn f(m: &M) { m.load::<R_ADMIT>() }");
    let refused = found_with(EDGE, &[("d/src/slot.rs", SLOT), other]);
    assert!(refused[0].starts_with("d/src/consumer.rs:2: `R_ADMIT`"), "{refused:?}");
}

#[test]
fn a_missing_and_an_empty_table_are_refused() {
    assert_eq!(check(&[], &Sites { table: "d/src/sites.rs".into(), sources: Vec::new() }).len(), 1);
    assert_eq!(found_with("", &[]).len(), 1);
}
