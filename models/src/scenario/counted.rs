//! Values under a count, in a zone: one word array under an odd and even count, or two buffers.
//! Whatever is read is whole, also when two write, and when a writer dies half-way.

use datahub::zone::double::DoubleWords;
use datahub::zone::seqlock::SeqlockWords;

use super::Scenario;
use super::block::Seen;
use crate::litmus::sites::{LOAD_ACQUIRE, STORE_RELEASE};
use crate::memory::{ModelMemory, Shareable};
use crate::trace::Name;
use crate::violation::{Promise, check, fail};

const WORDS: usize = 2;

/// Writers and a reader share one value of two words.
#[derive(Debug, Clone, Copy)]
pub struct Counted {
    /// Two buffers instead of one value.
    pub two: bool,
    /// What the second role does: writes as well, or takes over from a dead writer.
    pub heir: bool,
    /// Writes of the first role.
    pub writes: u64,
    /// Reads of the reader; none: there is no reader.
    pub reads: u64,
}

/// What the roles share.
#[derive(Debug)]
pub enum Value<W> {
    /// One value.
    One(SeqlockWords<WORDS, W>),
    /// Two buffers.
    Two(DoubleWords<WORDS, W>),
}

/// What the roles share.
#[derive(Debug)]
pub struct World<W> {
    value: Value<W>,
    /// 1 when the first writer is gone.
    token: W,
}

impl<W> Value<W> {
    fn read<M: ModelMemory<Word = W>>(&self, mem: &M) -> Option<[u64; WORDS]> {
        match self {
            Self::One(words) => words.try_read(mem),
            Self::Two(words) => words.try_read(mem),
        }
    }

    fn write<M: ModelMemory<Word = W>>(&self, mem: &M, value: u64) -> bool {
        match self {
            Self::One(words) => words.try_write(mem, &[value; WORDS]).is_ok(),
            Self::Two(words) => words.try_write(mem, &[value; WORDS]).is_ok(),
        }
    }

    fn write_over_dead<M: ModelMemory<Word = W>>(&self, mem: &M, value: u64) {
        match self {
            Self::One(words) => words.write_over_dead(mem, &[value; WORDS]),
            Self::Two(words) => words.write_over_dead(mem, &[value; WORDS]),
        }
    }

    fn writes<M: ModelMemory<Word = W>>(&self, mem: &M) -> u64 {
        match self {
            Self::One(words) => words.writes(mem),
            Self::Two(words) => words.writes(mem),
        }
    }
}

fn whole(value: [u64; WORDS]) -> u64 {
    let [first, second] = value;
    check(first == second, Promise::Whole, || format!("torn: {first} and {second}"));
    first
}

impl Scenario for Counted {
    type World<W: Shareable, C: Shareable> = World<W>;

    fn roles(&self) -> &'static [&'static str] {
        match (self.heir, self.reads) {
            (true, _) => &["writer", "heir", "reader"],
            (false, 0) => &["writer", "writer 2"],
            (false, _) => &["writer", "reader"],
        }
    }

    fn world<M: ModelMemory>(&self, mem: &M) -> World<M::Word> {
        let word = |name, index| mem.word(Name::numbered(name, index), 0);
        let words = |first| [word("word", first), word("word", first + 1)];
        let count = word("count", 0);
        let value = if self.two {
            Value::Two(DoubleWords::from_words(count, [words(0), words(2)]))
        } else {
            Value::One(SeqlockWords::from_words(count, words(0)))
        };
        World { value, token: word("token", 0) }
    }

    fn role<M: ModelMemory>(&self, index: usize, mem: &M, world: &World<M::Word>) -> String {
        let mut seen = Seen::default();
        match self.roles()[index] {
            "writer" => {
                for number in 1..=self.writes {
                    seen.mark(if world.value.write(mem, number) { "w" } else { "busy" });
                }
                mem.store::<STORE_RELEASE>(&world.token, 1);
            }
            "writer 2" => seen.mark(if world.value.write(mem, 10) { "w" } else { "busy" }),
            "heir" => {
                if mem.load::<LOAD_ACQUIRE>(&world.token) == 1 {
                    world.value.write_over_dead(mem, 10);
                    seen.mark("w");
                } else {
                    seen.mark("-");
                }
            }
            _ => {
                let mut last = 0;
                for _ in 0..self.reads {
                    let Some(value) = world.value.read(mem) else {
                        seen.mark("-");
                        continue;
                    };
                    let value = whole(value);
                    check(value >= last, Promise::Forward, || format!("{value} after {last}"));
                    last = value;
                    seen.number('r', value);
                }
            }
        }
        seen.text()
    }

    fn vanished<M: ModelMemory>(&self, _: usize, mem: &M, world: &World<M::Word>) {
        mem.store::<STORE_RELEASE>(&world.token, 1);
    }

    fn finish<M: ModelMemory>(&self, mem: &M, world: &World<M::Word>) {
        if self.heir {
            let before = world.value.writes(mem);
            world.value.write_over_dead(mem, 20);
            let after = world.value.writes(mem);
            check(after == before + 1, Promise::Progress, || format!("{before}, then {after}"));
        }
        let Some(value) = world.value.read(mem) else {
            fail(Promise::Progress, "nothing can be read although all is quiet".to_owned());
        };
        let value = whole(value);
        check(!self.heir || value == 20, Promise::Forward, || format!("{value} is not the last"));
        check(world.value.write(mem, 30), Promise::Progress, || {
            "nothing can be written although all is quiet".to_owned()
        });
    }
}
