//! Rules about the producer.

use super::{Case, Finding, Severity, process};
use crate::metrics::Metric;
use crate::monitor::age;
use crate::monitor::rest::Rest;

pub(super) fn examine(case: Case<'_>, findings: &mut Vec<Finding>) {
    findings.extend(presence(case));
    findings.extend(silence(case));
    findings.extend(unannounced(case));
    findings.extend(timeouts(case));
}

/// Dead, gone or finished.
fn presence(case: Case<'_>) -> Option<Finding> {
    let producer = &case.now.producer;
    if producer.alive {
        return None;
    }
    if case.now.ended {
        return Some(Finding {
            rule: "stream-ended",
            severity: Severity::Info,
            what: "the producer has ended the stream".to_owned(),
            why: "consumers read what is left and are told that nothing follows",
            remedy: "nothing; `datahub unlink` frees the memory if the name is still there",
        });
    }
    if !producer.occupied {
        return Some(Finding {
            rule: "producer-missing",
            severity: Severity::Warning,
            what: "nobody produces: the producer's seat is empty".to_owned(),
            why: "nothing new will come until a producer takes the block over",
            remedy: "start the producer again; it goes on where the last one stopped",
        });
    }
    let last = producer.beat_age_ns.map(|age_ns| format!(" {} ago", age::duration(age_ns)));
    Some(Finding {
        rule: "producer-dead",
        severity: Severity::Critical,
        what: format!(
            "the producer{} is dead; its last heartbeat was{}",
            process(producer.process_id()),
            last.unwrap_or_else(|| " never".to_owned()),
        ),
        why: "nothing new will come, and what it was doing is half done",
        remedy: "start it again, or put the block into a state of rest with `datahub recover`",
    })
}

/// Alive, and not moving.
fn silence(case: Case<'_>) -> Option<Finding> {
    let producer = &case.now.producer;
    if !producer.alive {
        return None;
    }
    if producer.is_stopped() {
        return Some(Finding {
            rule: "producer-stopped",
            severity: Severity::Critical,
            what: format!("the producer{} is stopped", process(producer.process_id())),
            why: "it is alive, so nobody may take the block over, and it writes nothing",
            remedy: "continue it (SIGCONT), close the debugger, or end it",
        });
    }
    let age_ns = producer.beat_age_ns?;
    let moved = case.earlier.is_some_and(|earlier| earlier.commit_index != case.now.commit_index);
    if age_ns <= case.thresholds.silent_ns || moved {
        return None;
    }
    Some(Finding {
        rule: "producer-silent",
        severity: Severity::Warning,
        what: format!(
            "the producer{} is alive and last gave a sign {} ago",
            process(producer.process_id()),
            age::duration(age_ns)
        ),
        why: "it hangs, or it commits so rarely that a hang would look the same",
        remedy: "see what it does; a slow producer should call `beat()` once a second",
    })
}

/// Killed between the commit and its announcement.
fn unannounced(case: Case<'_>) -> Option<Finding> {
    let commits = Rest::of(case.now).commits;
    let late = commits > case.now.commit_index && !case.now.producer.alive;
    late.then(|| Finding {
        rule: "commit-unannounced",
        severity: Severity::Warning,
        what: format!(
            "{commits} payloads are committed, but only {} were announced",
            case.now.commit_index
        ),
        why: "latest-only readers and joiners do not find the newest payload",
        remedy: "`datahub recover` announces it; so does the next producer",
    })
}

/// Writes that gave up waiting.
fn timeouts(case: Case<'_>) -> Option<Finding> {
    let count = case.now.metrics.get(Metric::WriterTimeouts);
    let before = case.earlier.map(|earlier| earlier.metrics.get(Metric::WriterTimeouts));
    let grown = before.is_some_and(|before| count > before);
    let blocked = age::duration(case.now.metrics.get(Metric::WriterBlockedNs));
    let why = "the producer finds no room in time, so payloads are late or never written";
    let remedy = "look who is slowest with `datahub top`; give the ring more capacity or the \
                  consumers more time";
    if grown {
        let more = count - before.unwrap_or(0);
        let what = format!("{more} writes timed out just now, {count} in all ({blocked} blocked)");
        return Some(Finding {
            rule: "writer-timeouts-growing",
            severity: Severity::Warning,
            what,
            why,
            remedy,
        });
    }
    (count > 0).then(|| Finding {
        rule: "writer-timeouts",
        severity: Severity::Info,
        what: format!("{count} writes have timed out since the last reset ({blocked} blocked)"),
        why,
        remedy,
    })
}
