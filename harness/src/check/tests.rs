//! Histories by hand: a clean one, and each kind of violation, which must be found as what it is.

use super::*;
use crate::history::{Facts, Kind, Promised};

fn digest(sequence: u64) -> u64 {
    1_000 + sequence
}

fn record(kind: Kind, sequence: u64, detail: u64, at_ns: u64) -> Record {
    Record { kind, sequence, detail, at_ns }
}

fn role(reads: Option<usize>, records: Vec<Record>) -> RoleLog {
    let (resident, finished) = (reads.is_some(), true);
    RoleLog { reads, falls: 0, resident, finished, total: records.len() as u64, records }
}

/// Ten payloads, and one consumer that is given all of them.
fn clean() -> History {
    let mut written = vec![record(Kind::Began, 0, 0, 10)];
    let mut read = vec![record(Kind::Joined, 0, 0, 5)];
    for sequence in 0..10 {
        let at_ns = 100 + 10 * sequence;
        written.push(record(Kind::Offered, sequence, digest(sequence), at_ns));
        read.push(record(Kind::Delivered, sequence, digest(sequence), at_ns + 5));
    }
    written.push(record(Kind::Ended, 10, 0, 500));
    read.push(record(Kind::SawEnd, 10, 0, 501));
    let facts = Facts {
        promised: Promised::Everything,
        stuck_ns: 1_000_000,
        written: Some(10),
        read: Some(10),
    };
    History { facts, roles: vec![role(None, written), role(Some(0), read)] }
}

/// Changes the clean history and says what is found, by guarantee.
fn found(change: impl FnOnce(&mut History)) -> Vec<(Guarantee, u64)> {
    let mut history = clean();
    change(&mut history);
    let [writer, reader] = &mut history.roles[..] else { panic!("two roles") };
    writer.total = writer.total.max(writer.records.len() as u64);
    reader.total = reader.records.len() as u64;
    (history.facts.written, history.facts.read) = (None, None);
    let findings = check(&history);
    assert_eq!(findings.examples.is_empty(), findings.violations.is_empty());
    findings.violations.into_iter().collect()
}

/// The record of the consumer that was given so many before it.
fn given(history: &mut History, number: usize) -> &mut Record {
    &mut history.roles[1].records[1 + number]
}

#[test]
fn a_clean_history_is_clean_and_adds_up() {
    let findings = check(&clean());
    assert!(findings.is_clean(), "{findings:?}");
    assert_eq!((findings.records, findings.overwritten), (24, 0));
    let counts = findings.counts;
    assert_eq!((counts.committed, counts.delivered, counts.violations()), (10, 10, 0));
}

#[test]
fn bytes_that_nobody_wrote_are_torn() {
    assert_eq!(found(|history| given(history, 4).detail = 7), [(Guarantee::G1, 1)]);
}

#[test]
fn the_bytes_of_another_are_mislabelled() {
    let other = |history: &mut History| given(history, 4).detail = digest(3);
    assert_eq!(found(other), [(Guarantee::G2, 1)]);
    let nobody = |history: &mut History| {
        history.roles[1].records.insert(11, record(Kind::Delivered, 10, 5, 300));
    };
    assert_eq!(found(nobody), [(Guarantee::G2, 1)]);
}

#[test]
fn sequences_that_come_twice_or_go_back_are_found() {
    let again = |number: u64| {
        move |history: &mut History| {
            let after = record(Kind::Delivered, number, digest(number), 146);
            history.roles[1].records.insert(6, after);
        }
    };
    assert_eq!(found(again(4)), [(Guarantee::G3, 1)]);
    assert_eq!(found(again(2)), [(Guarantee::G3, 1)]);
}

#[test]
fn a_gap_is_lost_and_so_is_a_tail() {
    let gap = |history: &mut History| drop(history.roles[1].records.drain(4..6));
    assert_eq!(found(gap), [(Guarantee::G4, 2)]);
    let head = |history: &mut History| drop(history.roles[1].records.drain(1..4));
    assert_eq!(found(head), [(Guarantee::G4, 3)]);
    let tail = |history: &mut History| drop(history.roles[1].records.drain(9..11));
    assert_eq!(found(tail), [(Guarantee::G4, 2)]);
}

#[test]
fn what_may_be_skipped_is_not_lost_but_must_be_announced_where_that_is_promised() {
    let skip = |promised, announced: u64| {
        found(|history| {
            history.facts.promised = promised;
            let lapped = record(Kind::Lapped, 0, announced, 125);
            drop(history.roles[1].records.splice(4..6, [lapped]));
        })
    };
    assert_eq!(skip(Promised::Newest, 0), []);
    assert_eq!(skip(Promised::Announced, 2), []);
    assert_eq!(skip(Promised::Announced, 1), [(Guarantee::G4, 1)]);
    let newest = |history: &mut History| {
        history.facts.promised = Promised::Newest;
        history.roles[1].records.remove(10);
    };
    assert_eq!(found(newest), [(Guarantee::G4, 1)]);
}

#[test]
fn a_spoiled_payload_is_neither_lost_nor_delivered() {
    let spoil = |history: &mut History| given(history, 4).kind = Kind::Spoiled;
    assert_eq!(found(spoil), []);
}

#[test]
fn who_is_given_something_long_after_it_was_there_was_stuck() {
    let late = |history: &mut History| {
        for record in &mut history.roles[1].records[6..] {
            record.at_ns += 2_000_000;
        }
    };
    assert_eq!(found(late), [(Guarantee::G5, 1)]);
}

#[test]
fn a_producer_that_waits_in_vain_for_too_long_was_stuck() {
    let blocked = |until_ns: u64| {
        found(|history| {
            let records = &mut history.roles[0].records;
            records.insert(11, record(Kind::Blocked, 0, 0, 400));
            records[12].at_ns = until_ns;
        })
    };
    assert_eq!(blocked(1_000_400), []);
    assert_eq!(blocked(1_000_401), [(Guarantee::G5, 1)]);
}

#[test]
fn an_aborted_write_burns_no_sequence() {
    let abort = |next: u64| {
        found(|history| {
            let records = &mut history.roles[0].records;
            records.pop();
            records.push(record(Kind::Aborted, 10, 0, 300));
            records.push(record(Kind::Offered, next, digest(next), 310));
            records.push(record(Kind::Ended, next + 1, 0, 500));
            let reader = &mut history.roles[1].records;
            reader.insert(11, record(Kind::Delivered, next, digest(next), 315));
            history.facts.promised = Promised::Newest;
        })
    };
    assert_eq!(abort(10), []);
    assert_eq!(abort(11), [(Guarantee::G6, 1)]);
}

#[test]
fn a_successor_goes_on_where_the_dead_one_stopped() {
    // The first one dies over payload 9; its successor writes 9 again, or goes on at 10.
    let succeed = |next: u64| {
        found(|history| {
            history.roles[0].falls = 1;
            let records = &mut history.roles[0].records;
            records.pop();
            records.push(record(Kind::Began, next, 0, 300));
            records.push(record(Kind::Offered, next, digest(next), 310));
            records.push(record(Kind::Ended, next + 1, 0, 500));
            let reader = &mut history.roles[1].records;
            if next == 9 {
                reader.remove(10);
            }
            let place = reader.len() - 1;
            reader.insert(place, record(Kind::Delivered, next, digest(next), 315));
            history.facts.promised = Promised::Newest;
        })
    };
    assert_eq!(succeed(9), []);
    assert_eq!(succeed(10), []);
    assert_eq!(succeed(8), [(Guarantee::G3, 1), (Guarantee::G7, 1)]);
    assert_eq!(succeed(12), [(Guarantee::G7, 1)]);
}

#[test]
fn who_was_killed_is_owed_nothing_and_may_die_over_a_write() {
    let killed = |history: &mut History| {
        (history.roles[1].falls, history.roles[1].finished) = (1, false);
        history.roles[1].records.truncate(6);
    };
    assert_eq!(found(killed), []);
    let last_write = |history: &mut History| {
        history.roles[0].falls = 1;
        history.roles[0].records.pop();
        history.roles[1].records.remove(10);
    };
    assert_eq!(found(last_write), []);
}

#[test]
fn a_joiner_is_owed_everything_from_its_first_payload_on() {
    let join = |skip: bool| {
        found(|history| {
            let mut records = vec![record(Kind::Joined, 3, 0, 130)];
            records.extend(history.roles[1].records[5..].to_vec());
            if skip {
                records.remove(3);
            }
            (history.roles[1].records, history.roles[1].resident) = (records, false);
        })
    };
    assert_eq!(join(false), []);
    assert_eq!(join(true), [(Guarantee::G4, 1)]);
}

#[test]
fn what_was_overwritten_is_not_judged_and_the_rest_is() {
    let ring = |wrong: bool| {
        found(|history| {
            history.roles[0].total = 12;
            drop(history.roles[0].records.drain(..5));
            given(history, 1).detail = 7;
            given(history, 8).detail = if wrong { 7 } else { digest(8) };
        })
    };
    assert_eq!(ring(false), []);
    assert_eq!(ring(true), [(Guarantee::G1, 1)]);
}

#[test]
fn a_block_that_counts_otherwise_is_a_disagreement() {
    let mut history = clean();
    history.facts.read = Some(11);
    let said = ["the block says 11 reads, the history has 10"];
    assert_eq!(check(&history).disagreements, said);
    history.facts.written = Some(9);
    assert_eq!(check(&history).disagreements.len(), 2);
}

/// Nothing but what it says of itself at its beginning and its end.
fn silent(history: &mut History) {
    history.roles[1].records.drain(1..11);
}

#[test]
fn a_resident_is_owed_everything_from_the_first_payload_on() {
    // It was written down after the first offer, as happens on a busy machine.
    let late = |history: &mut History| history.roles[1].records[0].at_ns = 125;
    let head = |history: &mut History| {
        late(history);
        history.roles[1].records.drain(1..4);
    };
    assert_eq!((found(late), found(head)), (vec![], vec![(Guarantee::G4, 3)]));
    let nothing = |history: &mut History| {
        late(history);
        silent(history);
    };
    assert_eq!(found(nothing), [(Guarantee::G4, 10)]);
}

#[test]
fn a_resident_that_came_to_its_end_and_was_given_nothing_has_lost_it_all() {
    let untold = |finished: bool| {
        found(|history| {
            silent(history);
            history.roles[1].records.pop();
            history.roles[1].finished = finished;
        })
    };
    assert_eq!(untold(true), [(Guarantee::G4, 10)]);
    // Whoever gave up has broken the trial, which is told elsewhere.
    assert_eq!(untold(false), []);
}

#[test]
fn what_a_lossless_history_no_longer_shows_is_found_also_where_payloads_may_be_skipped() {
    let nothing = |promised| {
        found(|history| {
            history.facts.promised = promised;
            silent(history);
        })
    };
    assert_eq!(nothing(Promised::Newest), [(Guarantee::G4, 1)]);
    assert_eq!(nothing(Promised::Announced), [(Guarantee::G4, 1)]);
}

/// A joiner whose cursor stood at `cursor` after payload 5 was written.
fn joiner(cursor: u64, given: impl IntoIterator<Item = u64>) -> Vec<(Guarantee, u64)> {
    found(|history| {
        let mut records = vec![record(Kind::Joined, cursor, 0, 155)];
        records.extend(
            given
                .into_iter()
                .map(|number| record(Kind::Delivered, number, digest(number), 200 + number)),
        );
        records.push(record(Kind::SawEnd, 10, 0, 501));
        (history.roles[1].records, history.roles[1].resident) = (records, false);
    })
}

#[test]
fn a_joiner_is_held_to_its_cursor() {
    assert_eq!(joiner(4, 4..10), []);
    // What lies behind its cursor may be gone before the producer honours it.
    assert_eq!(joiner(4, 6..10), []);
    assert_eq!(joiner(4, 3..10), [(Guarantee::G3, 1)]);
    assert_eq!(joiner(10, []), []);
    assert_eq!(joiner(4, []), [(Guarantee::G4, 1)]);
}

#[test]
fn who_comes_in_the_place_of_a_dead_resident_is_a_joiner() {
    let heir = |first: u32| {
        found(|history| {
            let heir = record(Kind::Joined, first.into(), 0, 155);
            history.roles[1].falls = 1;
            history.roles[1].records.splice(4..=first.try_into().unwrap(), [heir]);
        })
    };
    assert_eq!((heir(6), heir(4)), (vec![], vec![]));
}

#[test]
fn counts_are_held_within_what_can_be_missing() {
    let said = |written, read, change: fn(&mut History)| {
        let mut history = clean();
        (history.facts.written, history.facts.read) = (Some(written), Some(read));
        change(&mut history);
        let findings = check(&history);
        assert!(findings.violations.is_empty(), "{findings:?}");
        findings.disagreements
    };
    let overwritten = |history: &mut History| {
        let reader = &mut history.roles[1];
        reader.records.drain(..4);
    };
    assert_eq!(said(10, 10, overwritten), [""; 0]);
    assert_eq!(
        said(11, 15, overwritten),
        [
            "the block says 11 writes, the history has 10",
            "the block says 15 reads, the history has between 7 and 11"
        ]
    );
    let died = |history: &mut History| {
        let reader = &mut history.roles[1];
        (reader.falls, reader.finished, reader.total) = (1, false, 6);
        reader.records.truncate(6);
    };
    for (read, fits) in [(3, false), (4, true), (6, true), (7, false)] {
        assert_eq!(said(10, read, died).is_empty(), fits, "{read}");
    }
}

#[test]
fn the_records_around_the_first_violation_are_kept_in_the_order_of_time() {
    assert!(check(&clean()).around.is_empty());
    let mut history = clean();
    given(&mut history, 4).detail = 7;
    let around = check(&history).around;
    assert!(around.is_sorted_by_key(|each| each.record.at_ns), "{around:?}");
    let seen: Vec<_> = around.iter().filter(|each| each.violates).collect();
    assert_eq!((seen.len(), seen[0].role, seen[0].record.sequence), (1, 1, 4));
    assert_eq!(around.len(), 24, "a short history is kept whole");
}

#[test]
fn of_a_long_history_twenty_records_on_each_side_are_kept_and_the_write_of_the_payload() {
    let mut history = clean();
    for sequence in 10..400 {
        let at_ns = 1_000 + 10 * sequence;
        let offered = record(Kind::Offered, sequence, digest(sequence), at_ns);
        let delivered = record(Kind::Delivered, sequence, digest(sequence), at_ns + 1_000);
        history.roles[0].records.push(offered);
        history.roles[1].records.push(delivered);
    }
    history.roles[0].records.retain(|one| one.kind != Kind::Ended);
    history.roles[1].records.retain(|one| one.kind != Kind::SawEnd);
    history.roles[1].records[1 + 200].detail = 7;
    let around = check(&history).around;
    let place = around.iter().position(|each| each.violates).unwrap();
    let write = around[0];
    assert_eq!((write.role, write.record.kind, write.record.sequence), (0, Kind::Offered, 200));
    assert_eq!((place, around.len()), (21, 42), "{around:?}");
}
