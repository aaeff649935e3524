//! Faults and expectations that stand in some cells only.

use harness::scenario::{Cell, Profile, Scenario};

use crate::{help, problems, with};

const MATRIX: &str = "[matrix]\nblock.slots = [2, 4]\n[profile.smoke.matrix]\nblock.slots = [8]\n";

/// The right scenario over a matrix, with a fault and an expectation that say `only`.
fn only(list: &str) -> String {
    let fault = "[[fault]]\nname = \"f\"\nat = \"1 ms\"\nrole = \"reader\"\naction = \"kill\"\n";
    let expect = "[[expect]]\nid = \"e\"\ncheck = \"timeouts == 0\"\n";
    format!("{fault}only = {list}\n{expect}only = {list}\n{MATRIX}")
}

/// The slots of the cells of each profile in which both stand; everywhere both do, or neither.
fn stands(list: &str) -> Vec<(Profile, u32)> {
    let scenario: Scenario = with(&only(list)).unwrap();
    let mut found = vec![];
    for profile in Profile::ALL {
        for cell in scenario.cells(profile) {
            let expected = |cell: &Cell| cell.expectations.iter().any(|one| one.id == "e");
            assert_eq!(expected(cell), !cell.faults.is_empty(), "{profile} {}", cell.id);
            found.extend(expected(cell).then_some((profile, cell.block.slots)));
        }
    }
    found
}

#[test]
fn a_profile_an_axis_or_both_choose_the_cells() {
    use Profile::{Full, Smoke, Soak};
    assert_eq!(stands("[\"soak\"]"), [(Soak, 2), (Soak, 4)]);
    assert_eq!(stands("[\"smoke\", \"full\"]"), [(Smoke, 8), (Full, 2), (Full, 4)]);
    assert_eq!(stands("[{ block.slots = 4 }]"), [(Full, 4), (Soak, 4)]);
    assert_eq!(stands("[{ block.slots = 4, profile = \"soak\" }]"), [(Soak, 4)]);
    assert_eq!(stands("[{ \"block.slots\" = 2 }, \"smoke\"]"), [(Smoke, 8), (Full, 2), (Soak, 2)]);
}

#[test]
fn what_holds_nowhere_is_refused_with_what_there_is() {
    let refused = |list: &str| {
        let found = with(&only(list));
        let kinds: Vec<String> = problems(found.clone()).iter().map(|p| kind(p)).collect();
        assert_eq!(kinds, ["never", "never"], "{list}");
        found.unwrap_err().problems.remove(0).help
    };
    assert_eq!(refused("[{ block.slots = 16 }]"), "values of `block.slots` are: 2, 4, 8");
    assert_eq!(
        refused("[{ block.slotz = 2 }]"),
        "there is no axis `block.slotz`: did you mean `block.slots`?"
    );
    let both = refused("[{ block.slots = 8, profile = \"soak\" }]");
    assert_eq!(both, "no cell has all of this at once");
    assert!(refused("[]").starts_with("leave `only` out"));
}

fn kind(problem: &str) -> String {
    problem.split(' ').next().unwrap_or_default().to_owned()
}

#[test]
fn one_useless_item_beside_a_useful_one_is_refused_too() {
    let found = problems(with(&only("[\"soak\", { block.slots = 3 }]")));
    assert_eq!(found, ["never 24:17", "never 28:17"]);
}

#[test]
fn items_are_closed() {
    for (list, wanted) in [
        ("[\"sok\"]", "unknown-word"),
        ("[{ profile = \"sok\" }]", "unknown-word"),
        ("[{ profile = 1 }]", "wrong-type"),
        ("\"soak\"", "wrong-type"),
        ("[1]", "wrong-type"),
        ("[{}]", "wrong-type"),
    ] {
        let kinds: Vec<String> = problems(with(&only(list))).iter().map(|p| kind(p)).collect();
        assert_eq!(kinds, [wanted, wanted], "{list}");
    }
}

#[test]
fn a_setting_may_take_away_the_cells_in_which_something_stands() {
    let text = format!("{}{}", crate::RIGHT, only("[{ block.slots = 4 }]"));
    let set = |setting: &str| harness::scenario::parse("t.toml", &text, &[setting.to_owned()]);
    assert!(set("block.slots=2").unwrap().full[0].faults.is_empty());
    assert_eq!(set("block.slots=4").unwrap().full[0].faults.len(), 1);
}

#[test]
fn no_axis_is_called_profile() {
    let matrix = "[matrix]\nprofile = [1]\n";
    let text = crate::RIGHT.replace("= 8", "= \"${profile}\"");
    let found = harness::scenario::parse("t.toml", &format!("{text}{matrix}"), &[]);
    assert!(help(found).starts_with("`only` names profiles"));
}
