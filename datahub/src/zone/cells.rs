//! Typed cells: values of a type with a schema under a seqlock or in two buffers.

use core::marker::PhantomData;

use super::double::DoubleWords;
use super::seqlock::{Busy, SeqlockWords};
use super::{ZoneSchema, ZoneText};
use crate::memory::{Memory, SharedWord};
use crate::schema::{self, Element, Schema};
use crate::wait::{Step, Timeout, WaitStrategy, Waiter};

/// How many words a value of `T` takes: the second parameter of the cells.
#[must_use]
pub const fn words_of<T: Schema>() -> usize {
    size_of::<T>().div_ceil(size_of::<u64>())
}

fn words<T: Schema, const N: usize>(value: &T) -> [u64; N] {
    let mut words = [0; N];
    for (word, bytes) in words.iter_mut().zip(schema::bytes_of(value).chunks(size_of::<u64>())) {
        let mut full = [0; size_of::<u64>()];
        full[..bytes.len()].copy_from_slice(bytes);
        *word = u64::from_ne_bytes(full);
    }
    words
}

/// No value could be read in time: writers came and went, or one stopped or died half-way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "no whole value after {waited:?}: it is written all the time, or its writer stopped half-way"
)]
pub struct Unstable {
    /// How long the reader tried.
    pub waited: core::time::Duration,
}

fn read<T>(timeout: Timeout, mut look: impl FnMut() -> Option<T>) -> Result<T, Unstable> {
    let mut waiter = Waiter::new(timeout, WaitStrategy::Yield);
    loop {
        if let Some(value) = look() {
            return Ok(value);
        }
        if waiter.step() == Step::Expired {
            return Err(Unstable { waited: waiter.waited() });
        }
    }
}

macro_rules! cell {
    ($(#[doc = $doc:literal])+ $name:ident over $words:ident called $text:literal) => {
        $(#[doc = $doc])+
        #[derive(Debug, Default)]
        #[repr(transparent)]
        pub struct $name<T, const N: usize, W: Default = SharedWord> {
            words: $words<N, W>,
            value: PhantomData<fn() -> T>,
        }

        impl<T: Schema, const N: usize, W: Default> $name<T, N, W> {
            const FITS: () = assert!(
                N == words_of::<T>(),
                "the second parameter of a cell is the number of words of its value: `words_of`"
            );

            fn value(words: [u64; N]) -> Option<T> {
                const { Self::FITS }
                schema::copied(schema::bytes_of(&words))
            }

            /// The value, if no writer came between: looks once. All bits are zero before the
            /// first write.
            pub fn try_read<M: Memory<Word = W>>(&self, mem: &M) -> Option<T> {
                self.words.try_read(mem).and_then(Self::value)
            }

            /// The value, looking again as long as writers come between.
            ///
            /// # Errors
            ///
            /// [`Unstable`] when the time is over.
            pub fn read<M: Memory<Word = W>>(
                &self,
                mem: &M,
                timeout: Timeout,
            ) -> Result<T, Unstable> {
                read(timeout, || self.try_read(mem))
            }

            /// Writes the value.
            ///
            /// # Errors
            ///
            /// [`Busy`] when another writes, or died writing; the value is as before.
            pub fn try_write<M: Memory<Word = W>>(&self, mem: &M, value: &T) -> Result<(), Busy> {
                const { Self::FITS }
                self.words.try_write(mem, &words(value))
            }

            /// Writes the value, also over what a dead writer left. Only for a writer that knows
            /// itself to be the one alive, as a block's producer does.
            pub fn write_over_dead<M: Memory<Word = W>>(&self, mem: &M, value: &T) {
                const { Self::FITS }
                self.words.write_over_dead(mem, &words(value));
            }

            /// How many writes there were.
            pub fn writes<M: Memory<Word = W>>(&self, mem: &M) -> u64 {
                self.words.writes(mem)
            }
        }

        // SAFETY: atomic words only, valid as zeros; the value is copied word by word, and any bits
        // are a value of a type with a schema.
        unsafe impl<T: Schema, const N: usize> ZoneSchema for $name<T, N> {
            const SCHEMA_TEXT: &'static str = {
                const { Self::FITS }
                let text: &'static ZoneText = &const {
                    let element: Element = schema::element::<T>();
                    ZoneText::holder($text, element)
                };
                text.as_str()
            };
        }
    };
}

cell! {
    /// A value that is always read whole. A reader looks again while a writer is at it, so a writer
    /// that stops or dies half-way keeps readers waiting; [`DoubleBuffer`] does not.
    ///
    /// `N` is `words_of::<T>()`.
    SeqlockCell over SeqlockWords called "seqlock"
}

cell! {
    /// A value of which the last whole one can always be read, also while the next is written and
    /// after a writer died half-way. Takes twice the memory of a [`SeqlockCell`].
    ///
    /// `N` is `words_of::<T>()`.
    DoubleBuffer over DoubleWords called "double"
}
