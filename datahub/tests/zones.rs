//! Flexible zones: who reaches what, what is refused, and what survives threads and deaths.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use datahub::config::{BlockConfig, ConfigError, ConsumerSync, ZONES_MAX};
use datahub::consumer::Consumer;
use datahub::memory::Shared;
use datahub::name::BlockName;
use datahub::place::Place;
use datahub::producer::Producer;
use datahub::ring::reader::JoinAt;
use datahub::schema::Schema;
use datahub::shm::Folder;
use datahub::wait::Timeout;
use datahub::zone::{
    DoubleBuffer, LockError, RobustSpinlock, SeqlockCell, ZoneError, ZoneSchema, ZoneWord, words_of,
};
use nix::sys::signal::Signal;

const PATIENCE: Timeout = Timeout::After(Duration::from_secs(20));

/// Twenty bytes, so that the last word is half used.
#[derive(Debug, Clone, Copy, PartialEq, Schema)]
#[repr(C)]
struct Gains {
    values: [f32; 4],
    number: u32,
}

impl Gains {
    /// A value of which every part tells the number.
    fn of(number: u32) -> Self {
        let value = f32::from(u16::try_from(number % 60_000).unwrap());
        Self { values: [value, -value, value, -value], number }
    }

    fn is_whole(self) -> bool {
        self == Self::of(self.number)
    }
}

#[derive(Debug, ZoneSchema)]
#[repr(C)]
struct Controls {
    lock: RobustSpinlock,
    gains: SeqlockCell<Gains, { words_of::<Gains>() }>,
    newest: DoubleBuffer<Gains, { words_of::<Gains>() }>,
    guarded: [ZoneWord; 8],
}

fn named(name: &str) -> BlockName {
    BlockName::new(name).unwrap()
}

fn shape() -> BlockConfig {
    BlockConfig::new(ConsumerSync::SequentialSync, 4, 64).unwrap()
}

fn block() -> Producer {
    let config = shape()
        .zone_bytes(&named("notes"), 100)
        .and_then(|config| config.zone_of::<Controls>(&named("controls")))
        .unwrap();
    Producer::create_unnamed(&Folder::default(), config).unwrap()
}

fn attach(producer: &Producer) -> Consumer {
    Consumer::attach(Place::File(producer.path()), JoinAt::Oldest).unwrap()
}

#[test]
fn what_one_side_does_in_a_zone_the_other_sees() {
    let producer = block();
    let consumer = attach(&producer);
    let zone = producer.zone("controls").unwrap();
    assert_eq!((zone.name(), zone.bytes()), ("controls", size_of::<Controls>()));
    zone.with_access(|controls: &Controls| {
        controls.gains.try_write(&Shared, &Gains::of(7)).unwrap();
        controls.newest.try_write(&Shared, &Gains::of(8)).unwrap();
        controls.guarded[3].store(&Shared, 9);
    })
    .unwrap();
    let found = consumer.zone("controls").unwrap().with_access(|controls: &Controls| {
        let gains = controls.gains.try_read(&Shared);
        let newest = controls.newest.read(&Shared, Timeout::Now);
        (gains, newest, controls.guarded[3].add(&Shared, 1), controls.gains.writes(&Shared))
    });
    assert_eq!(found, Ok((Some(Gains::of(7)), Ok(Gains::of(8)), 9, 1)));
}

#[test]
fn a_zone_can_be_used_while_a_slot_is_open() {
    let mut producer = block();
    let mut consumer = attach(&producer);
    let slot = producer.acquire_write_slot(Timeout::Now).unwrap();
    slot.zone("notes").unwrap().write_bytes(0, b"exposure").unwrap();
    slot.commit(1).unwrap();
    let slot = consumer.acquire_consume_slot(Timeout::Now).unwrap();
    let mut bytes = [0; 8];
    slot.zone("notes").unwrap().read_bytes(0, &mut bytes).unwrap();
    assert_eq!(&bytes, b"exposure");
}

#[test]
fn the_wrong_name_type_or_range_is_refused_in_words() {
    let producer = block();
    let missing = producer.zone("control").unwrap_err();
    assert_eq!(
        missing.to_string(),
        "the block has no zone called 'control', only: notes, controls"
    );
    let controls = producer.zone("controls").unwrap();
    let refused = controls.with_access(|_: &[ZoneWord; 4]| ()).unwrap_err();
    assert!(refused.to_string().contains("not [word;4]"), "{refused}");
    let typed = controls.write_bytes(0, &[0; 8]);
    assert_eq!(typed, Err(ZoneError::Typed { zone: "controls".into() }));

    let notes = producer.zone("notes").unwrap();
    assert_eq!(notes.with_access(|words: &[ZoneWord; 12]| words[11].load(&Shared)), Ok(0));
    let refused = notes.with_access(|_: &[ZoneWord; 13]| ());
    assert!(matches!(refused, Err(ZoneError::Room { bytes: 104, room: 100, .. })));
    assert!(matches!(notes.read_bytes(96, &mut [0; 5]), Err(ZoneError::Range { end: 101, .. })));
    let refused = notes.read_bytes(usize::MAX, &mut [0; 5]);
    assert!(matches!(refused, Err(ZoneError::Range { .. })));
    assert_eq!(notes.write_bytes(4, &[0; 4]), Err(ZoneError::Words { offset: 4 }));
    assert_eq!(notes.write_bytes(8, &[0; 4]), Err(ZoneError::Words { offset: 8 }));
    notes.write_bytes(96, &[1; 4]).unwrap();

    let plain = Producer::create_unnamed(&Folder::default(), shape()).unwrap();
    assert!(plain.zone("notes").unwrap_err().to_string().ends_with("only: none at all"));
}

#[test]
fn zones_that_cannot_be_are_refused() {
    let mut config = shape();
    for number in 0..ZONES_MAX {
        config = config.zone_bytes(&named(&format!("z{number}")), 1).unwrap();
    }
    assert_eq!(config.clone().zone_bytes(&named("more"), 1), Err(ConfigError::Zones(9)));
    let twice = shape().zone_bytes(&named("a"), 1).unwrap().zone_bytes(&named("a"), 2);
    assert_eq!(twice, Err(ConfigError::ZoneName(named("a"))));
    for bytes in [0, (1 << 30) + 1] {
        assert_eq!(shape().zone_bytes(&named("a"), bytes), Err(ConfigError::ZoneBytes(bytes)));
    }
    // All eight fit beside each other, and none touches another or the ring.
    let mut producer = Producer::create_unnamed(&Folder::default(), config).unwrap();
    for number in 0..8_u8 {
        producer.zone(&format!("z{number}")).unwrap().write_bytes(0, &[number + 1]).unwrap();
    }
    let mut slot = producer.acquire_write_slot(Timeout::Now).unwrap();
    slot.payload().fill(0xee);
    slot.commit(64).unwrap();
    for number in 0..8_u8 {
        let mut byte = [0];
        producer.zone(&format!("z{number}")).unwrap().read_bytes(0, &mut byte).unwrap();
        assert_eq!(byte, [number + 1]);
    }
}

// F25: only by hand, and a change shows, whichever byte it is in.
#[test]
fn a_zone_checksum_shows_every_change_and_is_never_made_by_itself() {
    let producer = block();
    let zone = producer.zone("notes").unwrap();
    assert!(!zone.verify_flexible_zone_checksum());
    let empty = zone.compute_flexible_zone_checksum();
    assert!(zone.verify_flexible_zone_checksum());
    let consumer = attach(&producer);
    assert!(consumer.zone("notes").unwrap().verify_flexible_zone_checksum());
    for at in (0..96).step_by(8) {
        zone.write_bytes(at, &[0, 0, 0, 0, 0, 0, 0, 1]).unwrap();
        assert!(!zone.verify_flexible_zone_checksum(), "byte {at}");
        zone.write_bytes(at, &[0; 8]).unwrap();
        assert!(zone.verify_flexible_zone_checksum());
    }
    // The last byte of a zone that ends within a word.
    zone.write_bytes(96, &[0, 0, 0, 1]).unwrap();
    assert!(!zone.verify_flexible_zone_checksum());
    assert_ne!(zone.compute_flexible_zone_checksum(), empty);
    assert!(zone.verify_flexible_zone_checksum());
}

// F3: whatever a reader gets, it is whole, and it never goes back.
#[test]
fn values_are_read_whole_under_traffic() {
    const WRITES: u32 = 20_000;
    let producer = block();
    thread::scope(|scope| {
        let reader = |consumer: Consumer| {
            let zone = consumer.zone("controls").unwrap();
            zone.with_access(|controls: &Controls| {
                let (mut gains, mut newest) = (0, 0);
                loop {
                    let ended = controls.guarded[7].load(&Shared) == 1;
                    if let Some(value) = controls.gains.try_read(&Shared) {
                        assert!(value.is_whole() && value.number >= gains, "{value:?}");
                        gains = value.number;
                    }
                    if let Some(value) = controls.newest.try_read(&Shared) {
                        assert!(value.is_whole() && value.number >= newest, "{value:?}");
                        newest = value.number;
                    }
                    if ended {
                        assert_eq!((gains, newest), (WRITES, WRITES));
                        break;
                    }
                }
            })
            .unwrap();
        };
        for _ in 0..2 {
            let consumer = attach(&producer);
            scope.spawn(move || reader(consumer));
        }
        let zone = producer.zone("controls").unwrap();
        zone.with_access(|controls: &Controls| {
            for number in 1..=WRITES {
                controls.gains.try_write(&Shared, &Gains::of(number)).unwrap();
                controls.newest.try_write(&Shared, &Gains::of(number)).unwrap();
            }
            controls.guarded[7].store(&Shared, 1);
        })
        .unwrap();
    });
}

#[test]
fn of_two_writers_one_is_told_to_wait_and_no_value_is_mixed() {
    let producer = block();
    thread::scope(|scope| {
        for writer in 0..3 {
            let consumer = attach(&producer);
            scope.spawn(move || {
                let zone = consumer.zone("controls").unwrap();
                let step = |controls: &Controls| {
                    for number in 0..5_000 {
                        let value = Gains::of(number * 3 + writer);
                        let _busy = controls.gains.try_write(&Shared, &value);
                        let _busy = controls.newest.try_write(&Shared, &value);
                        assert!(controls.gains.try_read(&Shared).is_none_or(Gains::is_whole));
                        assert!(controls.newest.try_read(&Shared).is_none_or(Gains::is_whole));
                    }
                };
                zone.with_access(step).unwrap();
            });
        }
    });
}

#[test]
fn under_the_lock_nobody_comes_between() {
    const ROUNDS: u64 = 3_000;
    let producer = block();
    thread::scope(|scope| {
        for _ in 0..3 {
            let consumer = attach(&producer);
            scope.spawn(move || {
                let zone = consumer.zone("controls").unwrap();
                zone.with_access(|controls: &Controls| {
                    for _ in 0..ROUNDS {
                        let _guard = zone.lock(&controls.lock, PATIENCE).unwrap();
                        let seen = controls.guarded[0].load(&Shared);
                        controls.guarded[0].store(&Shared, seen + 1);
                    }
                })
                .unwrap();
            });
        }
    });
    let zone = producer.zone("controls").unwrap();
    let total = zone.with_access(|controls: &Controls| controls.guarded[0].load(&Shared));
    assert_eq!(total, Ok(3 * ROUNDS));
}

#[test]
fn a_lock_is_recursive_for_its_thread_and_for_nobody_else() {
    let producer = block();
    let consumer = attach(&producer);
    let zone = producer.zone("controls").unwrap();
    zone.with_access(|controls: &Controls| {
        let outer = zone.lock(&controls.lock, Timeout::Now).unwrap();
        let inner = zone.lock(&controls.lock, Timeout::Now).unwrap();
        let refused = || {
            let other = consumer.zone("controls").unwrap();
            let told = other
                .with_access(|theirs: &Controls| other.lock(&theirs.lock, Timeout::Now).map(drop));
            matches!(told, Ok(Err(LockError::TimedOut { seat: Some(0), .. })))
        };
        assert!(refused());
        // Another thread with the same handle is somebody else.
        thread::scope(|scope| {
            let same = || zone.lock(&controls.lock, Timeout::Now).map(drop).is_err();
            assert!(scope.spawn(same).join().unwrap());
        });
        drop(inner);
        assert!(refused());
        drop(outer);
        assert!(!refused());
        assert!(!zone.lock(&controls.lock, Timeout::Now).unwrap().recovered());
    })
    .unwrap();
}

/// Not a test by itself: the child process that dies with the lock held and values half-written.
#[test]
fn role() {
    let Ok(place) = std::env::var("ZONES_PLACE") else { return };
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL).unwrap();
    assert_eq!(std::env::var("PARENT").unwrap(), nix::unistd::getppid().to_string());
    let consumer = Consumer::attach(Place::File(place.into()), JoinAt::Oldest).unwrap();
    let zone = consumer.zone("controls").unwrap();
    zone.with_access(|controls: &Controls| {
        let _outer = zone.lock(&controls.lock, Timeout::Now).unwrap();
        let _inner = zone.lock(&controls.lock, Timeout::Now).unwrap();
        controls.guarded[1].store(&Shared, 41);
        announce();
        nix::unistd::pause();
    })
    .unwrap();
}

fn announce() {
    use std::io::Write;
    let mut output = std::io::stdout().lock();
    writeln!(output, "\nready").unwrap();
    output.flush().unwrap();
}

// F12, F31: a dead holder's lock is taken over by exactly one, who is told; a living one's never.
#[test]
fn a_lock_survives_the_death_of_its_holder() {
    let producer = block();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "role", "--nocapture"])
        .env("ZONES_PLACE", producer.path())
        .env("PARENT", std::process::id().to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.map(Result::unwrap).any(|line| line == "ready"), "the child ended early");
    let zone = producer.zone("controls").unwrap();
    let lock = |controls: &Controls| {
        zone.lock(&controls.lock, Timeout::Now).map(|guard| guard.recovered())
    };
    let alive = zone.with_access(lock).unwrap();
    let name = alive.unwrap_err().to_string();
    assert!(name.starts_with("the lock is held by consumer 0"), "{name}");

    child.kill().unwrap();
    child.wait().unwrap();
    // Somebody else sits on the dead one's seat by now, alive.
    let heir = attach(&producer);
    assert_eq!(heir.number(), 0);
    let theirs = heir.zone("controls").unwrap();
    let (first, second) = thread::scope(|scope| {
        let one = scope.spawn(|| {
            theirs.with_access(|controls: &Controls| {
                theirs.lock(&controls.lock, PATIENCE).unwrap().recovered()
            })
        });
        let own = zone.with_access(|controls: &Controls| {
            zone.lock(&controls.lock, PATIENCE).unwrap().recovered()
        });
        (one.join().unwrap().unwrap(), own.unwrap())
    });
    assert!(first != second, "exactly one of the two finds the remains");
    assert!(!zone.with_access(lock).unwrap().unwrap());
}
