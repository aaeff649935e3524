//! What a block may have besides a ring: flexible zones, and schemas of slots and zones.
//!
//! A text that another process wrote is believed only when it hashes to the hash beside it.

use super::{HeaderError, u32_at, u64_at};
use crate::config::{BlockConfig, SchemaTag, ZONES_MAX, ZoneConfig};
use crate::layout::{header, zone};
use crate::name::BlockName;

type Hash = [u8; 32];

/// Bytes that the header has for the text of the slot's schema.
const TEXT_ROOM: usize = header::END - header::SLOT_SCHEMA_TEXT;

fn hash_at(bytes: &[u8], offset: usize) -> Hash {
    let mut hash = [0; 32];
    hash.copy_from_slice(&bytes[offset..offset + 32]);
    hash
}

fn hash_of(parts: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Hash {
    let mut state = blake2b_simd::Params::new().hash_length(32).to_state();
    for part in parts {
        state.update(part.as_ref());
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(state.finalize().as_bytes());
    hash
}

/// Adds to `config` what a checked header says about zones and schemas.
pub(super) fn read(copy: &[u8], config: BlockConfig) -> Result<BlockConfig, HeaderError> {
    let count = u32_at(copy, header::ZONE_COUNT) as usize;
    if count > ZONES_MAX {
        return Err(HeaderError::Field { field: "zone_count", value: count as u64 });
    }
    let mut config = config.with_slot_schema(slot_schema(copy)?);
    for index in 0..count {
        let start = header::ZONES + index * zone::END;
        config = config.with_zone(zone_at(&copy[start..start + zone::END], index)?)?;
    }
    if hash_at(copy, header::ZONE_SCHEMA_HASH) != zones_hash(&config) {
        return Err(HeaderError::Schema("the hash over all zones is not that of the zones"));
    }
    Ok(config)
}

fn slot_schema(copy: &[u8]) -> Result<Option<SchemaTag>, HeaderError> {
    let hash = hash_at(copy, header::SLOT_SCHEMA_HASH);
    let bytes = u32_at(copy, header::SLOT_SCHEMA_TEXT_BYTES) as usize;
    if bytes > TEXT_ROOM {
        return Err(HeaderError::Schema("the slot's text is longer than the header"));
    }
    if hash == Hash::default() {
        return Ok(None);
    }
    let text = &copy[header::SLOT_SCHEMA_TEXT..header::SLOT_SCHEMA_TEXT + bytes];
    if bytes != 0 && hash_of([text]) != hash {
        return Err(HeaderError::Schema("the slot's text does not hash to its hash"));
    }
    let text = str::from_utf8(text).ok().map(str::to_owned);
    let tag = text.and_then(|text| SchemaTag::new(hash, text).ok());
    Ok(Some(tag.ok_or(HeaderError::Schema("the slot's text is not plain text"))?))
}

fn zone_at(copy: &[u8], index: usize) -> Result<ZoneConfig, HeaderError> {
    let wrong = |what| HeaderError::Zone { index, what };
    let bytes = usize::try_from(u64_at(copy, zone::NAME_BYTES)).unwrap_or(usize::MAX);
    let room = &copy[zone::NAME..zone::SCHEMA_HASH];
    let name = room.get(..bytes).ok_or(wrong("its name is longer than names are"))?;
    let name = str::from_utf8(name).ok().and_then(|name| BlockName::new(name).ok());
    let name = name.ok_or(wrong("its name is not a name"))?;
    let hash = hash_at(copy, zone::SCHEMA_HASH);
    // A hash without a text is refused for being zeros only.
    let schema = SchemaTag::new(hash, "").ok();
    Ok(ZoneConfig::new(name, u64_at(copy, zone::BYTES))?.with_schema(schema))
}

/// One hash over the schemas of all zones; zero when no zone has one.
fn zones_hash(config: &BlockConfig) -> Hash {
    if config.zones().iter().all(|zone| zone.schema().is_none()) {
        return Hash::default();
    }
    let hash = |zone: &ZoneConfig| zone.schema().map_or(Hash::default(), |schema| *schema.hash());
    hash_of(config.zones().iter().map(hash))
}

/// Writes what `config` says about zones and schemas.
pub(super) fn write(config: &BlockConfig, mut put: impl FnMut(usize, &[u8])) {
    if let Some(schema) = config.schema() {
        put(header::SLOT_SCHEMA_HASH, schema.hash());
        let text = schema.stored_text().as_bytes();
        // A longer text is left out; a mismatch then shows the hash.
        if let (true, Ok(bytes)) = (text.len() <= TEXT_ROOM, u32::try_from(text.len())) {
            put(header::SLOT_SCHEMA_TEXT_BYTES, &bytes.to_le_bytes());
            put(header::SLOT_SCHEMA_TEXT, text);
        }
    }
    // At most `ZONES_MAX`, checked when they were added.
    let count = u32::try_from(config.zones().len()).unwrap_or(0);
    put(header::ZONE_COUNT, &count.to_le_bytes());
    put(header::ZONE_SCHEMA_HASH, &zones_hash(config));
    for (index, zone) in config.zones().iter().enumerate() {
        let start = header::ZONES + index * zone::END;
        let name = zone.name().as_str().as_bytes();
        put(start + zone::BYTES, &zone.bytes().to_le_bytes());
        put(start + zone::NAME_BYTES, &(name.len() as u64).to_le_bytes());
        put(start + zone::NAME, name);
        if let Some(schema) = zone.schema() {
            put(start + zone::SCHEMA_HASH, schema.hash());
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::{Geometry, Origin, bytes, parse};
    use super::*;
    use crate::config::ConsumerSync;
    use crate::layout::{self, Layout};

    /// A configuration with a schema and three zones.
    pub(in super::super) fn furnished(config: BlockConfig) -> BlockConfig {
        let text = "Sample;time_ns:u64:0:8;size:8;align:8";
        let zone =
            |name: &str, bytes| ZoneConfig::new(BlockName::new(name).unwrap(), bytes).unwrap();
        let typed = zone("gains", 100).with_schema(SchemaTag::new([9; 32], "").ok());
        let longest = zone(&"z".repeat(63), 1 << 20);
        config
            .with_slot_schema(SchemaTag::new(hash_of([text]), text).ok())
            .with_zone(zone("a", 1))
            .and_then(|config| config.with_zone(typed))
            .and_then(|config| config.with_zone(longest))
            .unwrap()
    }

    fn header(config: &BlockConfig) -> ([u8; layout::HEADER], u64) {
        let layout = Layout::of(config).unwrap();
        let origin = Origin { stream: [0; 16], predecessor: None };
        let (config_again, nonce) = (config.clone(), [0; 16]);
        let geometry = Geometry { config: config_again, layout, first: 0, nonce, origin };
        let mut header = bytes(&geometry);
        header[..8].copy_from_slice(&layout::MAGIC.to_le_bytes());
        (header, layout.total as u64)
    }

    fn plain() -> BlockConfig {
        BlockConfig::new(ConsumerSync::Sequential, 4, 100).unwrap()
    }

    #[test]
    fn zones_and_schemas_read_as_they_were_written() {
        let config = furnished(plain());
        let (header, total) = header(&config);
        let found = parse(&header, total).unwrap().config;
        assert_eq!(found, config);
        assert_eq!(found.schema().map(SchemaTag::text), config.schema().map(SchemaTag::text));
    }

    #[test]
    fn a_text_too_long_for_the_header_leaves_its_hash() {
        let text = "x".repeat(TEXT_ROOM + 1);
        let hash = hash_of([&text]);
        let tag = SchemaTag::new(hash, text).unwrap();
        let (header, total) = header(&plain().with_slot_schema(Some(tag.clone())));
        let found = parse(&header, total).unwrap().config;
        assert_eq!(found.schema(), Some(&tag));
        let nameless = SchemaTag::new(hash, "").unwrap();
        assert_eq!(found.schema().unwrap().text(), nameless.text());
    }

    #[test]
    fn each_damage_to_zones_and_schemas_is_refused() {
        let (good, total) = header(&furnished(plain()));
        let second = header::ZONES + zone::END;
        let damages: [(usize, &[u8], &str); 9] = [
            (header::ZONE_COUNT, &[9], "zone_count"),
            (header::SLOT_SCHEMA_TEXT, b"Simple", "does not hash"),
            (header::SLOT_SCHEMA_TEXT_BYTES + 3, &[1], "longer than the header"),
            (header::ZONE_SCHEMA_HASH, &[1], "hash over all zones"),
            (second + zone::SCHEMA_HASH, &[1], "hash over all zones"),
            (second + zone::NAME, b"../x", "zone 1 in a way that means nothing: its name is not"),
            (second + zone::NAME_BYTES, &[65], "its name is longer"),
            (second + zone::NAME_BYTES, &[1, 0, 0, 0, 0, 0, 0, 0x80], "its name is longer"),
            (second + zone::BYTES + 7, &[0xff], "a zone of"),
        ];
        for (offset, bytes, part) in damages {
            let mut header = good;
            header[offset..offset + bytes.len()].copy_from_slice(bytes);
            let told = parse(&header, total).unwrap_err().to_string();
            assert!(told.contains(part), "{part} is missing in: {told}");
        }
    }

    #[test]
    fn two_zones_of_one_name_are_refused() {
        let (mut header, total) = header(&furnished(plain()));
        let second = header::ZONES + zone::END;
        header[second + zone::NAME..second + zone::NAME + 5].copy_from_slice(b"a\0\0\0\0");
        header[second + zone::NAME_BYTES] = 1;
        let told = parse(&header, total).unwrap_err().to_string();
        assert!(told.contains("two zones are called 'a'"), "{told}");
    }
}
