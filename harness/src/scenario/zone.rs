//! Reads `[[block.zone]]`: flexible zones beside the ring.

use datahub::config::ZONES_MAX;

use super::fields::{Fields, Words, list};
use super::model::zone::{PRODUCER, SIZES, ZoneKind, ZoneSpec};
use super::problem::{Mistake, Mistakes};
use super::roles::{duplicate, slug};
use super::tree::Node;
use crate::units::Bytes;

const EVERY_MAX: u64 = 1_000_000_000;
const KINDS: &Words<ZoneKind> = &[("seqlock", ZoneKind::Seqlock), ("double", ZoneKind::Double)];
const CHECKSUMS: &Words<bool> = &[("none", false), ("manual", true)];

/// Reads all `[[block.zone]]`.
pub(super) fn zones(node: Option<&Node>, mistakes: &Mistakes) -> Vec<ZoneSpec> {
    let Some(node) = node else { return vec![] };
    let wanted = "zones are a list: write `[[block.zone]]`";
    let Some(items) = list(mistakes, node, ZONES_MAX, wanted) else { return vec![] };
    let mut seen: Vec<(&str, &Node)> = vec![];
    let mut all = vec![];
    for item in items {
        let name = item.table().and_then(|table| table.get("name"));
        if let Some((text, node)) = name.and_then(|node| Some((node.text()?, node))) {
            match seen.iter().find(|(known, _)| *known == text) {
                Some((_, first)) => mistakes.push(duplicate("zone", text, first, node)),
                None => seen.push((text, node)),
            }
        }
        all.extend(zone(item, mistakes));
    }
    all
}

fn zone(node: &Node, mistakes: &Mistakes) -> Option<ZoneSpec> {
    let fields = Fields::new(node, "[[block.zone]]", mistakes)?;
    let name = fields.required("name", "\"telemetry\"");
    let name = name.and_then(|node| slug(node, "a zone's name", mistakes));
    fields.required("size", "\"256 B\"");
    let size = size(&fields);
    let kind = fields.word("kind", KINDS).unwrap_or_default();
    let writer = fields.text("writer").unwrap_or(PRODUCER).to_owned();
    let every = fields.whole("every", 1..=EVERY_MAX).unwrap_or(1);
    let checksum = fields.word("checksum", CHECKSUMS).unwrap_or(false);
    fields.finish();
    Some(ZoneSpec { name: name?, size: size?, kind, writer, every, checksum })
}

fn size(fields: &Fields<'_>) -> Option<Bytes> {
    let size = fields.size("size")?;
    if !SIZES.contains(&size)
        && let Some(node) = fields.node("size")
    {
        let message = format!("no value of a zone has {size}");
        let mistake = Mistake::new("scenario::out-of-range", node.span, message);
        let known = SIZES.map(|size| format!("\"{size}\"")).join(", ");
        fields.mistakes().push(mistake.label("this size").help(format!("sizes are {known}")));
    }
    Some(size)
}
