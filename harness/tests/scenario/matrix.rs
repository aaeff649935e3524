//! Axes, exclusions, profiles: which cells a file stands for.

use crate::{problems, with};
use harness::scenario::model::Length;
use harness::scenario::{Cell, parse};
use harness::units::Nanos;

fn ids(cells: &[Cell]) -> Vec<&str> {
    cells.iter().map(|cell| cell.id.as_str()).collect()
}

#[test]
fn without_a_matrix_there_is_one_cell_named_like_the_scenario() {
    assert_eq!(ids(&with("").unwrap().full), ["right"]);
}

#[test]
fn axes_multiply_and_exclusions_take_away() {
    let matrix = "[matrix]\nblock.slots = [2, 4]\n\"block.payload-size\" = [\"64 B\", \"1 KiB\"]\n\
                  exclude = [{ block.slots = 2, \"block.payload-size\" = \"1 KiB\" }]";
    let scenario = with(matrix).unwrap();
    let expected = [
        "right/slots=2,payload-size=64B",
        "right/slots=4,payload-size=64B",
        "right/slots=4,payload-size=1KiB",
    ];
    assert_eq!(ids(&scenario.full), expected);
    assert_eq!(scenario.full[2].block.slots, 4);
    assert_eq!(scenario.full[2].block.payload.0, 1024);
    let axis = ("block.slots".to_owned(), "4".to_owned());
    assert_eq!(scenario.full[2].axes[0], axis);
}

#[test]
fn a_bare_axis_stands_for_its_name() {
    let text = crate::RIGHT.replace("\"reader\"", "\"reader\"\ncount = \"${n}\"");
    let scenario = parse("t.toml", &format!("{text}[matrix]\nn = [1, 3]"), &[]).unwrap();
    assert_eq!(ids(&scenario.full), ["right/n=1", "right/n=3"]);
    assert_eq!(scenario.full[1].consumer_count(), 3);
}

#[test]
fn a_consumer_is_addressed_by_its_name() {
    let scenario = with("[matrix]\nconsumer.reader.work = [\"1 us\", \"2 us\"]").unwrap();
    assert_eq!(scenario.full[1].consumers[0].work, Nanos(2_000));
}

#[test]
fn a_section_inside_an_absent_table_is_made() {
    let matrix = "[matrix]\nblock.checksum.algorithm = [\"none\", \"xxh3\"]";
    assert_eq!(problems(with(matrix)), ["missing-key 20:16"]);
    let both = format!("{matrix}\nblock.checksum.policy = [\"enforced\"]");
    let scenario = with(&both).unwrap();
    assert_eq!(scenario.full[0].block.checksum, None);
    assert!(scenario.full[1].block.checksum.is_some());
}

#[test]
fn a_wrong_value_is_shown_in_the_axis_that_brought_it() {
    assert_eq!(problems(with("[matrix]\nblock.slots = [2, 0]")), ["out-of-range 20:19"]);
    assert_eq!(problems(with("[matrix]\nblock.slotz = [2]")), ["unknown-key 20:7"]);
    assert_eq!(problems(with("[matrix]\nblok.slots = [2]")), ["unknown-path 20:6"]);
    assert_eq!(
        problems(with("[matrix]\nconsumer.nobody.work = [\"1 us\"]")),
        ["unknown-path 20:17"]
    );
}

#[test]
fn axes_that_make_no_sense_are_refused() {
    assert_eq!(problems(with("[matrix]\nn = [1]")), ["unused-axis 20:1"]);
    assert_eq!(problems(with("[matrix]\nblock.slots = []")), ["empty-axis 20:15"]);
    assert_eq!(problems(with("[matrix]\nblock.slots = 3")), ["wrong-type 20:15"]);
    assert_eq!(problems(with("[matrix]\nblock.slots = [3, 3]")), ["duplicate 20:19"]);
    assert_eq!(problems(with("[matrix]\nblock.slots = [[3]]")), ["wrong-type 20:16"]);
    assert_eq!(problems(with("[matrix]\nblock = {}")), ["wrong-type 20:9"]);
    let twice = "[matrix]\nblock.slots = [3]\n\"block.slots\" = [4]";
    assert_eq!(problems(with(twice)), ["duplicate 21:2"]);
    let all = "[matrix]\nblock.slots = [3]\nexclude = [{ block.slots = 3 }]";
    assert_eq!(problems(with(all)), ["no-cell 21:11"]);
    let unknown = "[matrix]\nblock.slots = [3]\nexclude = [{ slots = 3 }]";
    assert_eq!(problems(with(unknown)), ["unknown-axis 21:14"]);
}

#[test]
fn a_matrix_has_a_bound() {
    let values: Vec<String> = (1..=40).map(|value| value.to_string()).collect();
    let values = values.join(", ");
    let matrix = format!("[matrix]\nblock.slots = [{values}]\nrun.seed = [{values}]");
    assert_eq!(problems(with(&matrix)), ["too-many-cells 19:1"]);
}

#[test]
fn an_unknown_axis_is_named_with_its_neighbour() {
    let text = crate::RIGHT.replace("\"reader\"", "\"reader\"\ncount = \"${raeders}\"");
    let text = format!("{text}[matrix]\nreaders = [1]");
    let error = parse("t.toml", &text, &[]).unwrap_err();
    assert_eq!(error.problems[0].help, "did you mean `readers`?");
    let part = text.replace("${raeders}", "x${readers}");
    let error = parse("t.toml", &part, &[]).unwrap_err();
    assert_eq!(error.problems[0].code, "scenario::bad-axis");
}

#[test]
fn a_profile_lays_over_run_and_matrix_and_picks_expectations() {
    let text = "[[expect]]\nid = \"a\"\ncheck = \"delivered >= 1\"\n\
                [[expect]]\nid = \"b\"\ncheck = \"committed >= 1\"\n\
                [matrix]\nblock.slots = [2, 4]\nrun.seed = [1, 2]\n\
                [profile.smoke]\nrun = { count = 9 }\nmatrix = { \"block.slots\" = [8] }\n\
                expect = [\"b\"]";
    let scenario = with(text).unwrap();
    assert_eq!(ids(&scenario.smoke), ["right/slots=8,seed=1", "right/slots=8,seed=2"]);
    assert_eq!(scenario.smoke[0].run.length, Length::Messages(9));
    assert_eq!(scenario.full.len(), 4);
    let own = |cell: &Cell| -> Vec<String> {
        let written = cell.expectations.iter().filter(|expectation| !expectation.implied);
        written.map(|expectation| expectation.id.clone()).collect()
    };
    assert_eq!(own(&scenario.smoke[0]), ["b"]);
    assert_eq!(own(&scenario.full[0]), ["a", "b"]);
    assert_eq!(scenario.full[0].expectations.last().map(|last| last.line), Some(24));
}

#[test]
fn a_setting_replaces_an_axis_of_the_same_name() {
    let text = format!("{}[matrix]\nblock.slots = [2, 4]", crate::RIGHT);
    let one = parse("t.toml", &text, &["block.slots=16".to_owned()]).unwrap();
    assert_eq!(ids(&one.full), ["right/slots=16"]);
    let two = parse("t.toml", &text, &["block.slots=[1,2]".to_owned()]).unwrap();
    assert_eq!(ids(&two.full), ["right/slots=1", "right/slots=2"]);
}

#[test]
fn the_block_implies_what_it_promises() {
    let implied = |text: &str| -> Vec<String> {
        let cell = parse("t.toml", text, &[]).unwrap().full.remove(0);
        cell.expectations.into_iter().filter(|e| e.implied).map(|e| e.check.text).collect()
    };
    assert!(implied(crate::RIGHT).contains(&"lost == 0".to_owned()));
    assert!(implied(crate::RIGHT).contains(&"torn == 0".to_owned()));
    let lossy = crate::RIGHT.replace("\"sequential-sync\"", "\"latest-only\"");
    assert!(!implied(&lossy).contains(&"lost == 0".to_owned()));
    let said = format!("{}[[expect]]\nid = \"a\"\ncheck = \"torn == 0\"", crate::RIGHT);
    assert!(!implied(&said).contains(&"torn == 0".to_owned()));
}
