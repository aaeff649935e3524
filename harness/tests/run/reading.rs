//! What a consumer of a latest-only block asks for: the latest, or the next one.

use report_schema::Counts;

use crate::support::{Place, code, said};

/// What was counted where the only consumer reads in this way, and takes so long with each message.
fn counted(workload: &str, read: &str, work: &str) -> Counts {
    let place = Place::new(workload, "duration = \"500ms\"");
    let text = std::fs::read_to_string(&place.scenario).unwrap();
    let reader = format!("name = \"reader\"\nread = \"{read}\"\nwork = \"{work}\"");
    let text =
        text.replace("\"sequential\"", "\"latest-only\"").replace("name = \"reader\"", &reader);
    std::fs::write(&place.scenario, text).unwrap();
    let output = place.run().output().unwrap();
    assert_eq!(code(&output), 0, "{read}: {}", said(&output));
    place.result().scenarios[0].cells[0].trials[0].counts
}

#[test]
fn who_asks_for_the_next_one_misses_nothing_that_is_still_there_and_who_asks_for_the_latest_does() {
    // Every burst fits into the block and is read before the next one comes.
    let burst = "burst]\nsize = 4\nevery = \"50 ms\"";
    let (next, latest) = (counted(burst, "next", "1 ms"), counted(burst, "latest", "1 ms"));
    assert_eq!((next.delivered, next.lapped), (next.committed, 0));
    assert!(latest.delivered < latest.committed, "{latest:?}");
    assert_eq!(latest.delivered + latest.lapped, latest.committed);
}

#[test]
fn who_asks_for_the_next_one_and_is_overtaken_goes_on_at_the_oldest() {
    let counts = counted("stream]", "next", "1 ms");
    assert!(counts.lapped > 0 && counts.delivered > 100, "{counts:?}");
    assert_eq!(counts.delivered + counts.lapped, counts.committed);
    assert_eq!((counts.backward, counts.duplicated, counts.mislabelled), (0, 0, 0));
}
