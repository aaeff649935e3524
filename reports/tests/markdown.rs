//! The summary in Markdown has what the page has: what can be believed, rates, faults, other transports.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use report_schema::{SuiteResult, Workload};
use reports::markdown::render;

#[path = "support/sample.rs"]
mod sample;

/// The part below one heading.
fn part(text: &str, title: &str) -> String {
    let (_, rest) = text.split_once(&format!("### {title}\n")).unwrap_or_else(|| panic!("{text}"));
    rest.split("\n### ").next().unwrap().to_owned()
}

/// The sample with one cell over two transports.
fn with_peers() -> SuiteResult {
    let mut suite = sample::suite();
    let open = &mut suite.scenarios[3];
    let mut pipe = open.cells[0].clone();
    for (cell, transport) in [(&mut open.cells[0], "datahub"), (&mut pipe, "pipe")] {
        cell.axes.insert("block.transport".to_owned(), transport.to_owned());
        cell.transport = Some(report_schema::TransportFacts {
            name: transport.to_owned(),
            boundary: report_schema::Boundary::Processes,
            lossless: true,
            copies: Some(2),
            consumers_max: 1,
            holds: "64 KiB".to_owned(),
            death: "an end of file".to_owned(),
        });
    }
    for role in pipe.trials.iter_mut().flat_map(|trial| &mut trial.roles) {
        role.throughput_msgs_per_s /= 2.0;
    }
    open.cells.push(pipe);
    suite
}

#[test]
fn the_headline_is_first_and_whether_to_believe_it_follows() {
    let text = render(&sample::suite());
    assert!(text.starts_with("## DO NOT SHIP: scenarios\n"), "{text}");
    for line in [
        "\nThe machine: AMD EPYC 9R45, Linux 6.18.44 x86\\_64, 2 cores.\n",
        "\nThe machine was ",
        "\n62 of 69 trials are compared, within a cell always of one class; 6 dropped before judging",
        "(bare line 56 ns one way)",
    ] {
        let place = text.find(line).unwrap_or_else(|| panic!("{line} in {text}"));
        assert!(place < text.find("### ").unwrap(), "{line}");
    }
    let empty = render(&sample::empty());
    assert!(empty.contains("The machine: ") && !empty.contains("trials are compared"), "{empty}");
}

#[test]
fn streams_have_rates_and_a_search_what_it_sustained() {
    let mut suite = sample::suite();
    let searched = &mut suite.scenarios[3].cells[0];
    searched.workload = Workload::Search;
    let rates = part(&render(&suite), "Rates");
    assert!(rates.contains("| stream/payload-size=64B,checksum=none | "), "{rates}");
    assert!(rates.contains("M/s | ") && rates.contains("GB/s | "), "{rates}");
    let searched = "| open/rate=10kHz | 9.95 k/s | 10.2 MB/s | none | 3 | near |";
    assert!(rates.contains(searched), "{rates}");
    assert!(!rates.contains("ping-pong") && !rates.contains("open/rate=1MHz"), "{rates}");
}

#[test]
fn faults_are_told_with_what_became_of_those_who_lived_on() {
    let mut suite = sample::suite();
    let faults = part(&render(&suite), "Faults");
    let row = "| open/rate=10kHz | consumer 0 stopped | 1 | 0 | yes | 2.5 ms |";
    assert!(faults.contains(row), "{faults}");
    let trial = &mut suite.scenarios[3].cells[0].trials[1];
    trial.stuck = vec!["producer".to_owned()];
    let mut missed = trial.faults[0].clone();
    missed.missed = Some("the run was over".to_owned());
    trial.faults.push(missed);
    let faults = part(&render(&suite), "Faults");
    assert!(faults.contains("| 1 | 1: the run was over | no: 1 stayed blocked |"), "{faults}");
}

#[test]
fn other_transports_are_held_against_ours() {
    let peers = part(&render(&with_peers()), "Other transports");
    let pipe = peers.lines().find(|line| line.contains("| pipe |")).unwrap();
    assert!(pipe.contains("(1.00 ×)") && pipe.contains("k/s (0.50 ×)"), "{peers}");
    assert!(!render(&sample::suite()).contains("### Other transports"));
}

#[test]
fn a_long_table_is_cut_and_says_so() {
    let mut suite = sample::many(40);
    suite.scenarios[0].cells.iter_mut().for_each(|cell| cell.workload = Workload::Stream);
    let rates = part(&render(&suite), "Rates");
    assert_eq!(rates.matches("| many/slots=").count(), 20, "{rates}");
    assert!(rates.contains("20 more are in the full report."), "{rates}");
}
