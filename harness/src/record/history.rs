//! The independent checker's word on a trial's history, and whether it agrees with what the
//! processes counted for themselves.

use report_schema::{Counts, HistoryCheck, HistoryRecord};

use crate::check::{Findings, Neighbour, check};
use crate::history::History;
use crate::run::{RawRole, RawTrial};

/// Checks a history; what is wrong in it, or counted otherwise, is a mismatch.
pub(super) fn judge(
    history: &History,
    raw: &RawTrial,
    counts: &Counts,
    mismatches: &mut Vec<String>,
) -> HistoryCheck {
    let findings = check(history);
    mismatches.extend(findings.examples.first().map(|example| {
        let total: u64 = findings.violations.values().sum();
        format!("the history shows {total} violations, first {example}")
    }));
    mismatches.extend(findings.disagreements.iter().cloned());
    let falls: u64 = raw.roles.iter().map(|role| u64::from(role.falls)).sum();
    let told = |role: &RawRole| role.report.is_some() || role.fallen;
    if raw.roles.iter().all(told) {
        let unknown = falls > 0 || findings.overwritten > 0;
        // What the dead had not told yet stands in their histories only, and what was overwritten in the
        // counts only.
        mismatches.extend(if unknown {
            impossible(&findings, counts, falls)
        } else {
            differences(&findings, counts)
        });
    }
    let around = around(&findings, raw);
    HistoryCheck {
        records: findings.records,
        overwritten: findings.overwritten,
        violations: findings.violations.iter().map(|(what, n)| (what.to_string(), *n)).collect(),
        examples: findings.examples,
        around,
        file: None,
    }
}

/// The records around the first violation, with the names of who wrote them.
fn around(findings: &Findings, raw: &RawTrial) -> Vec<HistoryRecord> {
    let seen = findings.around.iter().find(|each| each.violates);
    let moment_ns = seen.map_or(0, |seen| seen.record.at_ns);
    let told = |&Neighbour { role, record, violates }: &Neighbour| HistoryRecord {
        role: raw.roles.get(role).map_or(format!("role {role}"), |role| role.plan.name.clone()),
        what: format!("{:?}", record.kind).to_lowercase(),
        sequence: record.sequence,
        detail: record.detail,
        offset_ns: record.at_ns.wrapping_sub(moment_ns).cast_signed(),
        violates,
    };
    findings.around.iter().map(told).collect()
}

/// Counts that differ between the processes and their histories by more than can be missing in either.
fn impossible(findings: &Findings, counts: &Counts, falls: u64) -> Vec<String> {
    let (own, found, overwritten) = (counts, &findings.counts, findings.overwritten);
    let pairs = [
        // Where a producer's stream ended stands in what is left of its history.
        ("committed", own.committed, found.committed, 0),
        ("delivered", own.delivered, found.delivered, overwritten),
        ("of wrong checksum", own.checksum_failures, found.checksum_failures, overwritten),
    ];
    let differ = pairs.into_iter().filter(|(_, own, found, more)| {
        let low = found.saturating_sub(falls);
        !(low..=found.saturating_add(falls).saturating_add(*more)).contains(own)
    });
    let said = |(what, own, found, _)| {
        format!("{own} payloads were counted as {what}, which the history's {found} rule out")
    };
    differ.map(said).collect()
}

/// Counts that differ between the processes and their histories.
fn differences(findings: &Findings, counts: &Counts) -> Vec<String> {
    let (own, found) = (counts, &findings.counts);
    let pairs = [
        ("committed", own.committed, found.committed),
        ("delivered", own.delivered, found.delivered),
        // Which of the two a wrong payload is, is a matter of how much of it is known.
        ("torn or mislabelled", own.torn + own.mislabelled, found.torn + found.mislabelled),
        ("backward", own.backward, found.backward),
        ("duplicated", own.duplicated, found.duplicated),
        ("lost", own.lost, found.lost),
        ("of wrong checksum", own.checksum_failures, found.checksum_failures),
    ];
    let differ = pairs.into_iter().filter(|(_, own, found)| own != found);
    let said = |(what, own, found)| {
        format!("{own} payloads were counted as {what}, the history has {found}")
    };
    differ.map(said).collect()
}
