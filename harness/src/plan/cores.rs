//! Gives each process a core, and says aloud where there are too few.

use super::{Role, RolePlan};
use crate::scenario::Cell;
use crate::scenario::model::{Pin, Sched, Wait};

/// The producer first, then the consumers in the order of the file.
pub(super) fn place(cell: &Cell, cores: &[usize]) -> (Vec<RolePlan>, Vec<String>) {
    let wanted = wanted(cell);
    let mut degraded = vec![];
    let mut taken: Vec<usize> = vec![];
    for Wanted { name, pin, .. } in &wanted {
        let Pin::Core(core) = pin else { continue };
        if !cores.contains(core) {
            degraded.push(format!("{name} asks for core {core}, which is not ours: not pinned"));
        } else if taken.contains(core) {
            degraded.push(format!("{name} shares core {core} with another process"));
        } else {
            taken.push(*core);
        }
    }
    let mut free = cores.iter().filter(|core| !taken.contains(core));
    let mut left_over = 0;
    let mut roles = vec![];
    let mut consumers = 0;
    for Wanted { name, pin, sched, role } in wanted {
        let core = match pin {
            Pin::None => None,
            Pin::Core(core) => cores.contains(&core).then_some(core),
            Pin::Spread => {
                let core = free.next().copied();
                left_over += usize::from(core.is_none());
                core
            }
        };
        let index = if role == Role::Producer { 0 } else { consumers };
        consumers += u32::from(role != Role::Producer);
        roles.push(RolePlan { role, name, index, core, sched });
    }
    if left_over > 0 {
        let (total, cores) = (roles.len(), cores.len());
        degraded.push(format!("{total} processes on {cores} cores: {left_over} not pinned"));
    }
    if roles.len() > cores.len() && spins(cell) {
        degraded
            .push("more processes than cores, and they spin: they wait for each other".to_owned());
    }
    if roles.len() > cores.len() && roles.iter().any(|role| role.sched != Sched::Other) {
        let why = "more processes than cores, and some have priority: the others may starve";
        degraded.push(why.to_owned());
    }
    (roles, degraded)
}

/// What one process asks for.
struct Wanted {
    name: String,
    pin: Pin,
    sched: Sched,
    role: Role,
}

/// What each process asks for; a group's pin to core n means n, n + 1, ….
fn wanted(cell: &Cell) -> Vec<Wanted> {
    let producer = &cell.producer;
    let (pin, sched) = (producer.pin, producer.sched);
    let mut all = vec![Wanted { name: "producer".to_owned(), pin, sched, role: Role::Producer }];
    for (group, spec) in cell.consumers.iter().enumerate() {
        for member in 0..spec.count {
            let pin = match spec.pin {
                Pin::Core(core) => Pin::Core(core.saturating_add(member as usize)),
                other => other,
            };
            let name = if spec.count == 1 {
                spec.name.clone()
            } else {
                format!("{}[{member}]", spec.name)
            };
            all.push(Wanted { name, pin, sched: spec.sched, role: Role::Consumer { group } });
        }
    }
    all
}

fn spins(cell: &Cell) -> bool {
    cell.producer.wait == Wait::Spin || cell.consumers.iter().any(|group| group.wait == Wait::Spin)
}
