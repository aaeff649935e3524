//! What the processes of a trial left behind in shared memory: it is told, and removed.

use datahub::monitor::Monitor;
use datahub::name::BlockName;
use datahub::place::Place;
use datahub::shm::Folder;
use datahub::wait::monotonic_ns;

use super::RawRole;

/// Removes every named block whose producer was one of these processes, which have all ended; a
/// sentence for each.
pub(super) fn swept(roles: &[RawRole]) -> Vec<String> {
    let folder = Folder::default();
    let names = folder.names().unwrap_or_default();
    names.iter().filter_map(|name| sweep(&folder, name, roles)).collect()
}

fn sweep(folder: &Folder, name: &BlockName, roles: &[RawRole]) -> Option<String> {
    let place = Place::Named { folder: folder.clone(), name: name.clone() };
    // What cannot be opened is no block of ours.
    let monitor = Monitor::open(&place).ok()?;
    let view = monitor.snapshot(monotonic_ns());
    // A process id alone is nobody's: another may have it by now.
    let owner = view.producer.process_id().filter(|_| !view.producer.alive)?;
    let role = roles.iter().find(|role| u64::from(role.pid) == owner)?;
    let removed = folder.unlink(monitor.block().file(), name);
    let fate = match removed {
        Ok(_) => "it was removed".to_owned(),
        Err(error) => format!("it cannot be removed: {error}"),
    };
    Some(format!("{} left the block '{name}' behind: {fate}", role.plan.name))
}
