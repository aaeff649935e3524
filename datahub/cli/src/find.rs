//! From names to blocks, and from failures to words.

use std::io;

use datahub::block::OpenError;
use datahub::monitor::Monitor;
use datahub::monitor::view::BlockView;
use datahub::name::BlockName;
use datahub::place::Place;
use datahub::shm::Folder;
use datahub::wait::monotonic_ns;

use crate::exit::Exit;
use crate::output::Failure;

/// A name in the folder, with what stands behind it.
pub(crate) struct Found {
    pub name: BlockName,
    pub block: Result<Monitor, OpenError>,
}

impl Found {
    /// The block now, if it can be looked at.
    pub(crate) fn view(&self) -> Option<BlockView> {
        self.block.as_ref().ok().map(|monitor| monitor.snapshot(monotonic_ns()))
    }
}

/// The place of a block.
pub(crate) fn place(folder: &Folder, name: &BlockName) -> Place {
    Place::Named { folder: folder.clone(), name: name.clone() }
}

/// Every block in the folder, usable or not.
pub(crate) fn all(folder: &Folder) -> Result<Vec<Found>, Failure> {
    let names = folder.names().map_err(|error| {
        let message = format!("cannot read the folder {}: {error}", folder.path().display());
        Failure::new(Exit::Io, message)
    })?;
    let open = |name| {
        let block = Monitor::open(&place(folder, &name));
        Found { name, block }
    };
    // What went away since the folder was read was never there.
    let there = |found: &Found| !matches!(&found.block, Err(error) if is_missing(error));
    Ok(names.into_iter().map(open).filter(there).collect())
}

/// The block called `name`, to be looked at.
pub(crate) fn one(folder: &Folder, name: &BlockName) -> Result<Monitor, Failure> {
    Monitor::open(&place(folder, name)).map_err(|error| refused(folder, name, &error))
}

fn is_missing(error: &OpenError) -> bool {
    matches!(error, OpenError::System(error) if error.kind() == io::ErrorKind::NotFound)
}

/// Why the block called `name` cannot be opened.
pub(crate) fn refused(folder: &Folder, name: &BlockName, error: &OpenError) -> Failure {
    match error {
        error if is_missing(error) => missing(folder, name),
        OpenError::Header(reason) => {
            let message = format!("the file of block '{name}' cannot be used: {reason}");
            let hint = "it was made by another release, or damaged; `datahub unlink` removes a damaged block";
            Failure::new(Exit::Findings, message).with_hint(hint)
        }
        error => Failure::new(Exit::Io, format!("block '{name}' cannot be opened: {error}")),
    }
}

/// There is no such block; perhaps there is one of a similar name.
pub(crate) fn missing(folder: &Folder, name: &BlockName) -> Failure {
    let message = format!("there is no block called '{name}' in {}", folder.path().display());
    let names = folder.names().unwrap_or_default();
    let likeness = |other: &BlockName| strsim::jaro_winkler(name.as_str(), other.as_str());
    let similar = names.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    let hint = match similar {
        Some(similar) if likeness(similar) > 0.8 => format!("did you mean '{similar}'?"),
        Some(_) => "`datahub list` shows what is there".to_owned(),
        None => "there are no blocks at all: is the producer running, and is `--folder` right?"
            .to_owned(),
    };
    Failure::new(Exit::Nothing, message).with_hint(hint)
}
