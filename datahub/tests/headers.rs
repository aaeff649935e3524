//! Headers that anybody may have written: each is refused with a reason or describes a block that
//! lies inside its file, and not one byte beside the header is read.
//!
//! The header under test fills the page between two pages that may not be touched, so an access
//! before or behind it ends the process. `HEADERS=100000000` says how many are tried.

#![expect(unsafe_code, reason = "two pages are made untouchable")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use datahub::block::header::{self, Geometry, HeaderError, Origin};
use datahub::config::{
    BlockConfig, ChecksumAlgorithm, ChecksumPolicy, ConsumerSync, OnFull, ZoneConfig,
};
use datahub::layout::{self, Layout};
use datahub::name::BlockName;
use memmap2::MmapMut;

const PAGE: usize = layout::HEADER;
const USUAL: u64 = 400_000;
const SEED: u64 = 0x0BAD_5EED;

/// A page between two that may not be touched.
struct Guarded(MmapMut);

impl Guarded {
    fn new() -> Self {
        let mut map = MmapMut::map_anon(3 * PAGE).unwrap();
        for page in [0, 2] {
            let first = map[page * PAGE..].as_mut_ptr();
            // SAFETY: the page lies inside of this mapping, and no reference to it exists or is
            // made: `page` lends the middle one only.
            unsafe { rustix::mm::mprotect(first.cast(), PAGE, rustix::mm::MprotectFlags::empty()) }
                .unwrap();
        }
        Self(map)
    }

    fn page(&mut self) -> &mut [u8] {
        &mut self.0[PAGE..2 * PAGE]
    }
}

/// SplitMix64: a stream that a seed repeats.
struct Stream(u64);

impl Stream {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

fn complete(config: BlockConfig) -> ([u8; PAGE], u64) {
    let layout = Layout::of(&config).unwrap();
    let origin = Origin { stream: [8; 16], predecessor: None };
    let geometry = Geometry { config, layout, first: 5, nonce: [7; 16], origin };
    let mut header = header::bytes(&geometry);
    header[..8].copy_from_slice(&layout::MAGIC.to_le_bytes());
    (header, layout.total as u64)
}

fn originals() -> Vec<([u8; PAGE], u64)> {
    let zone = |name: &str, bytes| ZoneConfig::new(BlockName::new(name).unwrap(), bytes).unwrap();
    let plain = BlockConfig::new(ConsumerSync::Sequential, 8, 1000).unwrap();
    let zoned = plain.clone().with_zone(zone("state", 300)).unwrap();
    let zoned = zoned.with_zone(zone("table", 5000)).unwrap().parking(true);
    let latest = BlockConfig::new(ConsumerSync::LatestOnly, 1, 16).unwrap();
    let stamped = BlockConfig::new(ConsumerSync::SequentialSync, 3, 4096)
        .unwrap()
        .checksum(ChecksumAlgorithm::Blake2b, ChecksumPolicy::Enforced)
        .on_full(OnFull::Error);
    [plain, zoned, latest, stamped].map(complete).to_vec()
}

/// Damages the header, and sometimes the length of the file.
fn mutate(header: &mut [u8], length: &mut u64, random: &mut Stream) {
    const FIELDS: [usize; 16] = [
        layout::header::MAGIC,
        layout::header::VERSION,
        layout::header::LAYOUT_HASH,
        layout::header::TOTAL_BYTES,
        layout::header::PAYLOAD_BYTES,
        layout::header::CAPACITY,
        layout::header::PHYSICAL_SLOTS,
        layout::header::MAX_CONSUMERS,
        layout::header::CONSUMER_SYNC,
        layout::header::ON_FULL,
        layout::header::CHECKSUM_POLICY,
        layout::header::PARKING,
        layout::header::ZONE_COUNT,
        layout::header::SLOT_SCHEMA_TEXT_BYTES,
        layout::header::ZONES,
        layout::header::ZONES + layout::zone::NAME_BYTES,
    ];
    const VALUES: [u64; 12] =
        [0, 1, 2, 3, 4, 8, 63, 64, 65_536, u32::MAX as u64, 1 << 40, u64::MAX];
    for _ in 0..=random.below(4) {
        match random.below(6) {
            0 => header[random.below(PAGE)] ^= 1 << random.below(8),
            1 => {
                header[random.below(layout::header::ZONE_COUNT + 8)] =
                    random.next().to_le_bytes()[0];
            }
            2 => put(header, random.pick(&FIELDS), random.pick(&VALUES), random.pick(&[4, 8])),
            3 => put(header, random.pick(&FIELDS), random.next(), random.pick(&[4, 8])),
            // Numbers that fit each other: these get as far as the layout.
            4 => {
                put(header, layout::header::CAPACITY, 1 + random.next() % 70_000, 4);
                put(header, layout::header::PHYSICAL_SLOTS, 2 + random.next() % 70_000, 4);
                put(header, layout::header::PAYLOAD_BYTES, 1 << random.below(64), 8);
            }
            _ => {
                let lengths = [0, 1, 4095, 4096, length.saturating_sub(1), *length, u64::MAX];
                *length = random.pick(&lengths);
            }
        }
    }
    if random.below(4) == 0 {
        agree(header);
    }
}

fn put(header: &mut [u8], offset: usize, value: u64, bytes: usize) {
    header[offset..offset + bytes].copy_from_slice(&value.to_le_bytes()[..bytes]);
}

/// Makes the total what the header's own error says that it should be.
fn agree(header: &mut [u8]) {
    if let Err(HeaderError::Total { wanted, .. }) = header::parse(header, u64::MAX) {
        put(header, layout::header::TOTAL_BYTES, wanted, 8);
    }
}

type Parser = fn(&[u8], u64) -> Result<Geometry, HeaderError>;

/// Tries `count` headers on `parser`; how often each answer came.
fn torment(parser: Parser, count: u64) -> Result<BTreeMap<String, u64>, String> {
    let (mut guarded, originals) = (Guarded::new(), originals());
    let mut random = Stream(SEED);
    let mut answers = BTreeMap::new();
    for turn in 0..count {
        let (original, total) = &originals[random.below(originals.len())];
        let mut length = *total;
        let header = guarded.page();
        header.copy_from_slice(original);
        mutate(header, &mut length, &mut random);
        let cut = if random.below(32) == 0 { random.below(PAGE) } else { PAGE };
        let answer = match parser(&header[..cut], length) {
            Ok(geometry) => {
                inside(&geometry, length)
                    .map_err(|why| format!("seed {SEED:#x}, {turn}: {why}"))?;
                "accepted".to_owned()
            }
            Err(error) => kind(&error),
        };
        *answers.entry(answer).or_default() += 1;
    }
    Ok(answers)
}

fn kind(error: &HeaderError) -> String {
    format!("{error:?}").chars().take_while(char::is_ascii_alphanumeric).collect()
}

/// Whether every region that handles would touch lies inside the file.
fn inside(geometry: &Geometry, length: u64) -> Result<(), String> {
    let Geometry { config, layout, .. } = geometry;
    let slots = config.physical_slots() as usize;
    let mut ends = vec![
        layout.counters + config.consumers_max() as usize * layout::LINE,
        layout.slots + slots * layout::LINE,
        layout.records + slots * layout::RECORD,
        layout.zone_records + config.zones().len() * layout::RECORD,
        layout.total,
    ];
    if config.payload_bytes() > layout::INLINE_BYTES as u64 {
        ends.push(layout.ring + slots * layout.stride);
    }
    for (zone, place) in config.zones().iter().zip(layout.zones) {
        let place = place.ok_or("a zone has no place")?;
        ends.push(place + usize::try_from(zone.bytes()).map_err(|error| error.to_string())?);
    }
    match ends.into_iter().find(|&end| end as u64 > length) {
        Some(end) => Err(format!("a region ends at {end} in a file of {length} bytes")),
        None => Ok(()),
    }
}

// F15, F18, F28.
#[test]
fn no_mutated_header_is_misread() {
    let count = std::env::var("HEADERS").map_or(USUAL, |count| count.parse().unwrap());
    let answers = torment(header::parse, count).unwrap();
    println!("{count} headers from seed {SEED:#x}: {answers:#?}");
    let answered = |what: &str| answers.get(what).copied().unwrap_or(0);
    for what in [
        "accepted",
        "TooShort",
        "Magic",
        "ByteOrder",
        "Version",
        "LayoutHash",
        "Field",
        "Zone",
        "Schema",
        "Shape",
        "Total",
        "Truncated",
    ] {
        assert!(answered(what) > 0, "no header was {what}: the test does not reach it");
    }
}

// What the check must find: a parser that believes the file to be as long as the header says.
#[test]
fn a_parser_that_does_not_look_at_the_file_is_found_out() {
    let found = torment(|copy, _| header::parse(copy, u64::MAX), USUAL).unwrap_err();
    assert!(found.contains("a region ends at"), "{found}");
}

// What the pages must find: a parser that reads one byte beside what it was given.
#[test]
fn a_parser_that_reads_beside_its_header_does_not_survive() {
    for side in ["before", "behind"] {
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "reads_beside", "--nocapture"])
            .env("BESIDE", side)
            .output()
            .unwrap()
            .status;
        assert_eq!(status.signal(), Some(11), "{side}: {status}");
    }
}

/// Not a test of its own: the child of the one above.
#[test]
fn reads_beside() {
    let parser: Parser = match std::env::var("BESIDE").as_deref() {
        Ok("before") => |copy, _| Err(HeaderError::Magic(sum(copy, -1))),
        Ok("behind") => |copy, _| Err(HeaderError::Magic(sum(copy, 1))),
        _ => return,
    };
    // No core file for a death that is meant.
    rustix::process::setrlimit(
        rustix::process::Resource::Core,
        rustix::process::Rlimit { current: Some(0), maximum: Some(0) },
    )
    .unwrap();
    panic!("survived: {:?}", torment(parser, 100));
}

/// The sum of as many bytes as `copy` has, from `offset` bytes beside it on.
fn sum(copy: &[u8], offset: isize) -> u64 {
    let first = copy.as_ptr().wrapping_offset(offset);
    let read = |index| {
        // SAFETY: all but one of these bytes are `copy`'s; that one lies on a page that may not be
        // read, which is what the test is about: the process ends there.
        u64::from(unsafe { first.wrapping_add(index).read_volatile() })
    };
    (0..copy.len()).map(read).sum()
}
