//! A scheduler that writes down what another one decides, and the text of such a schedule.

use std::sync::{Arc, Mutex};

use ::shuttle::scheduler::{Schedule, Scheduler, Task, TaskId};

use super::open;

/// The decisions of one execution.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Decisions {
    seed: u64,
    tasks: Vec<usize>,
}

impl Decisions {
    /// `1.0x12.2`: tasks in order, with how often in a row; the seed stands in front.
    pub(super) fn text(&self) -> String {
        let runs = self.tasks.chunk_by(|task, next| task == next).map(|run| match run.len() {
            1 => run[0].to_string(),
            length => format!("{}x{length}", run[0]),
        });
        format!("{:x}-{}", self.seed, runs.collect::<Vec<_>>().join("."))
    }

    /// Reads [`text`](Self::text).
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (seed, runs) = text.split_once('-')?;
        let mut tasks = Vec::new();
        for run in runs.split('.') {
            let (task, length) = run.split_once('x').unwrap_or((run, "1"));
            let length: u16 = length.parse().ok()?;
            tasks.extend(std::iter::repeat_n(task.parse::<usize>().ok()?, length.into()));
        }
        Some(Self { seed: u64::from_str_radix(seed, 16).ok()?, tasks })
    }

    pub(super) fn schedule(&self) -> Schedule {
        Schedule::new_from_task_ids(self.seed, self.tasks.iter().copied())
    }
}

/// What is written down.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// The execution that goes on now.
    pub(super) now: Decisions,
    /// Whether the scheduler had no further execution.
    pub(super) exhausted: bool,
}

/// The scheduler and its record.
pub(super) struct Recorder {
    pub(super) inner: Box<dyn Scheduler + Send>,
    pub(super) record: Arc<Mutex<Record>>,
}

impl Scheduler for Recorder {
    fn new_execution(&mut self) -> Option<Schedule> {
        let schedule = self.inner.new_execution();
        let mut record = open(&self.record);
        match &schedule {
            Some(schedule) => record.now = Decisions { seed: schedule.seed, tasks: Vec::new() },
            None => record.exhausted = true,
        }
        drop(record);
        schedule
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        is_yielding: bool,
    ) -> Option<TaskId> {
        let next = self.inner.next_task(runnable, current, is_yielding);
        if let Some(task) = next {
            open(&self.record).now.tasks.push(task.into());
        }
        next
    }

    fn next_u64(&mut self) -> u64 {
        self.inner.next_u64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_is_read_as_it_is_written() {
        let decisions = Decisions { seed: 0xabc, tasks: vec![0, 0, 0, 2, 1, 1, 0] };
        assert_eq!(decisions.text(), "abc-0x3.2.1x2.0");
        assert_eq!(Decisions::parse(&decisions.text()), Some(decisions));
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        for text in ["", "abc", "abc-", "-1", "g-1", "1-1x", "1-1x99999", "1-0.x2", "1-0..1"] {
            assert_eq!(Decisions::parse(text), None, "{text}");
        }
    }
}
