//! Reads a kill matrix: `kind = "kills"`, doses by profile, and the shapes of its blocks.
//!
//! Victims and sites are no keys: they are all of them, always.

use super::fields::{Fields, list, wrong_type};
use super::header;
use super::model::kills::{Dose, KillFull, KillMatrix, KillShape};
use super::model::{ChecksumPolicy, ConsumerSync, Profile};
use super::problem::{Mistake, Mistakes, ScenarioError, Source};
use super::rules::contradiction;
use super::tree::Node;

/// The word by which such a file says what it is.
pub(super) const KIND: &str = "kills";

/// Shapes at most.
const SHAPES_MAX: usize = 64;
/// A block has places for 32 consumers: for the readers, a victim, and who comes afterwards.
const READERS_MAX: u64 = 30;

/// Reads and checks a kill matrix.
///
/// # Errors
///
/// [`ScenarioError`]: everything that is wrong, in the order of the file.
pub(super) fn parse(file: &str, text: &str, root: &Node) -> Result<KillMatrix, ScenarioError> {
    let mistakes = Mistakes::default();
    header::check_first_line(text, &mistakes);
    let matrix = read(file, root, &mistakes);
    let sources = [Source { name: file.to_owned(), text: text.to_owned() }];
    match (mistakes.into_error(&sources), matrix) {
        (Some(error), _) => Err(error),
        (None, Some(matrix)) => Ok(matrix),
        (None, None) => {
            let message = "nothing to kill is left of this file".to_owned();
            Err(ScenarioError::unreadable(file, message, ""))
        }
    }
}

/// Whether the file says that it is a kill matrix.
pub(super) fn is_one(root: &Node) -> bool {
    root.table().and_then(|table| table.get("kind")).is_some()
}

fn read(file: &str, root: &Node, mistakes: &Mistakes) -> Option<KillMatrix> {
    let fields = Fields::new(root, "a kill matrix", mistakes)?;
    fields.word("kind", &[(KIND, ())]);
    let header = header::top(&fields);
    let example = "{ seeds = 1, kills = 8, at-least = 2_000 }";
    let doses = fields.required("profile", &format!("{{ smoke = {example} }}"));
    let doses = doses.and_then(|node| doses_of(node, mistakes));
    let shapes = fields.required("shape", "[{ consumer-sync = \"sequential-sync\" }]");
    let shapes = shapes.map(|node| shapes_of(node, mistakes)).unwrap_or_default();
    fields.finish();
    for profile in Profile::ALL {
        let empty = !shapes.iter().any(|shape| shape.profiles.contains(&profile));
        if empty && !shapes.is_empty() {
            let span = root.place(&["profile", profile.name()]);
            let message = format!("no shape stands in profile `{profile}`");
            let help = format!("add \"{profile}\" to the `profiles` of a shape, or drop the key");
            mistakes.push(contradiction(span, message, "kills nobody", &help));
        }
    }
    Some(KillMatrix {
        file: file.to_owned(),
        name: header.name?,
        question: header.question?,
        tags: header.tags,
        doses: doses?,
        shapes,
    })
}

fn doses_of(node: &Node, mistakes: &Mistakes) -> Option<[Dose; 3]> {
    let all = Fields::new(node, "[profile]", mistakes)?;
    let example = "{ seeds = 1, kills = 8, at-least = 2_000 }";
    let doses = Profile::ALL.map(|profile| {
        let node = all.required(profile.name(), example)?;
        let what = format!("[profile.{profile}]");
        let fields = Fields::new(node, &what, mistakes)?;
        let number = |key, range, example| {
            fields.required(key, example)?;
            fields.whole(key, range)
        };
        let (seeds, kills, at_least) = (
            number("seeds", 1..=1_000, "1"),
            number("kills", 1..=1_000_000, "8"),
            number("at-least", 1..=1_000_000_000, "2_000"),
        );
        fields.finish();
        Some(Dose { seeds: seeds?, kills: kills?, at_least: at_least? })
    });
    all.finish();
    let [smoke, full, soak] = doses;
    Some([smoke?, full?, soak?])
}

fn shapes_of(node: &Node, mistakes: &Mistakes) -> Vec<KillShape> {
    let wanted = "shapes are a list: write `[[shape]]`";
    let Some(items) = list(mistakes, node, SHAPES_MAX, wanted) else { return vec![] };
    if items.is_empty() {
        let mistake = Mistake::new("scenario::missing-key", node.span, "there is no shape");
        mistakes.push(mistake.label("empty").help("add a `[[shape]]`"));
    }
    let mut shapes: Vec<KillShape> = vec![];
    for item in items {
        let Some(shape) = mistakes.clean(|mistakes| shape(item, mistakes)).flatten() else {
            continue;
        };
        let same = |other: &KillShape| {
            *other == KillShape { profiles: other.profiles.clone(), ..shape.clone() }
        };
        if shapes.iter().any(same) {
            let mistake = Mistake::new("scenario::duplicate", item.span, "this shape stands above");
            mistakes.push(mistake.label("again").help("keep one of them"));
        }
        shapes.push(shape);
    }
    shapes
}

fn shape(node: &Node, mistakes: &Mistakes) -> Option<KillShape> {
    let fields = Fields::new(node, "[[shape]]", mistakes)?;
    fields.required("consumer-sync", "\"sequential-sync\"");
    let sync = fields.word(
        "consumer-sync",
        &[
            ("latest-only", ConsumerSync::LatestOnly),
            ("sequential", ConsumerSync::Sequential),
            ("sequential-sync", ConsumerSync::SequentialSync),
        ],
    );
    let on_full = fields.word(
        "on-full",
        &[
            ("block", KillFull::Block),
            ("overwrite", KillFull::Overwrite),
            ("evict", KillFull::Evict),
        ],
    );
    fields.required("slots", "4");
    let slots = fields.whole("slots", 1..=1_024);
    let physical_slots = fields.whole("physical-slots", 2..=2_048);
    fields.required("readers", "2");
    let readers = fields.whole("readers", 1..=READERS_MAX);
    let checksum = fields.word(
        "checksum",
        &[
            ("none", None),
            ("manual", Some(ChecksumPolicy::Manual)),
            ("enforced", Some(ChecksumPolicy::Enforced)),
        ],
    );
    let batch = fields.whole("batch", 1..=64).unwrap_or(1);
    let zones = fields.flag("zones").unwrap_or(false);
    let park = fields.word("wait", &[("yield", false), ("park", true)]).unwrap_or(false);
    let profiles = fields.node("profiles").map(|node| profiles_of(node, mistakes));
    fields.finish();
    let narrow = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let shape = KillShape {
        consumer_sync: sync?,
        on_full: on_full.unwrap_or(KillFull::Block),
        slots: narrow(slots?),
        physical_slots: physical_slots.map(narrow),
        readers: narrow(readers?),
        checksum: checksum.flatten(),
        batch: narrow(batch),
        zones,
        park,
        profiles: profiles.unwrap_or_else(|| Profile::ALL.to_vec()),
    };
    possible(node, &shape, mistakes);
    Some(shape)
}

fn profiles_of(node: &Node, mistakes: &Mistakes) -> Vec<Profile> {
    let wanted = "`profiles` is a list of names";
    let Some(items) = list(mistakes, node, Profile::ALL.len(), wanted) else { return vec![] };
    let words = Profile::ALL.map(|profile| (profile.name(), profile));
    let profile = |item: &Node| {
        let Some(text) = item.text() else {
            wrong_type(mistakes, item, wanted);
            return None;
        };
        super::fields::word(mistakes, item, text, &words)
    };
    items.iter().filter_map(profile).collect()
}

/// What no block can be.
fn possible(node: &Node, shape: &KillShape, mistakes: &Mistakes) {
    let refuse = |key: &str, message: &str, help: &str| {
        let place = node.place(&[key]);
        mistakes.push(contradiction(place, message.to_owned(), "not here", help));
    };
    let sync = shape.consumer_sync;
    if sync == ConsumerSync::Sequential && shape.readers != 1 {
        refuse("readers", "a sequential block has one reader", "write `readers = 1`");
    }
    if sync != ConsumerSync::SequentialSync && shape.on_full != KillFull::Block {
        let help = "use \"sequential-sync\"";
        refuse("on-full", "only sequential-sync readers are overwritten or evicted here", help);
    }
    if shape.physical_slots.is_some_and(|physical| physical <= shape.slots) {
        let help = "a block has more slots in memory than payloads that stay readable";
        refuse("physical-slots", "one slot more is the least", help);
    }
    if shape.physical_slots.is_some() && sync != ConsumerSync::LatestOnly {
        let help = "drop the key: other policies need one slot more than `slots`";
        refuse("physical-slots", "only latest-only blocks have slots to spare", help);
    }
    let batches = sync == ConsumerSync::LatestOnly || shape.on_full != KillFull::Block;
    if shape.batch > 1 && (batches || shape.batch > shape.slots) {
        let help = "batches are written to sequential blocks that wait, and fit into them";
        refuse("batch", "no such batch can be written", help);
    }
}
