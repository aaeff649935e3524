//! Quantities with their units: [`Bytes`], [`Nanos`], [`Hertz`], [`Share`]; text in, text out.
//!
//! Text is a decimal number and a unit (`"64 KiB"`, `"2.5 ms"`, `"50 kHz"`); a bare number is
//! refused, because a reader could not tell what it means. What a quantity prints, it reads back.
//! Knows nothing of: files, spans, scenarios.

use std::fmt;
use std::str::FromStr;

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Bytes(pub u64);

/// A length of time in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Nanos(pub u64);

/// A rate in whole events per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Hertz(pub u64);

/// A part of a whole, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Share(pub u64);

/// Why a text is not a quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// A number without a unit.
    #[error("a bare number: the unit is missing")]
    NoUnit,
    /// A unit that this quantity does not have.
    #[error("`{unit}` is not a unit of {quantity}")]
    UnknownUnit {
        /// What stood after the number.
        unit: String,
        /// What was wanted, as in "a size".
        quantity: &'static str,
    },
    /// Less than nothing.
    #[error("a negative number is not allowed")]
    Negative,
    /// What stands before the unit is not a decimal number.
    #[error("`{0}` is not a decimal number")]
    NotANumber(String),
    /// A fraction of the smallest unit.
    #[error("not a whole number of {0}")]
    NotWhole(&'static str),
    /// More than 64 bits hold.
    #[error("too large")]
    TooLarge,
}

/// One unit: how it is written and how many base units it holds.
type Unit = (&'static str, u64);

/// A kind of quantity: what it is called and how it is written, smallest unit first.
pub(crate) struct Scale {
    /// As in "a size"; used in messages.
    pub(crate) quantity: &'static str,
    /// The base unit, in the plural.
    pub(crate) base: &'static str,
    /// Units for reading.
    pub(crate) units: &'static [Unit],
    /// Units for printing, smallest first.
    shown: &'static [Unit],
}

const KI: u64 = 1 << 10;
const MI: u64 = 1 << 20;
const GI: u64 = 1 << 30;
const K: u64 = 1_000;
const M: u64 = 1_000_000;
const G: u64 = 1_000_000_000;

pub(crate) const SIZE: Scale = Scale {
    quantity: "a size",
    base: "bytes",
    units: &[("B", 1), ("KiB", KI), ("MiB", MI), ("GiB", GI), ("kB", K), ("MB", M), ("GB", G)],
    shown: &[("B", 1), ("KiB", KI), ("MiB", MI), ("GiB", GI)],
};

pub(crate) const TIME: Scale = Scale {
    quantity: "a time",
    base: "nanoseconds",
    units: &[
        ("ns", 1),
        ("us", K),
        ("µs", K),
        ("ms", M),
        ("s", G),
        ("min", 60 * G),
        ("h", 3_600 * G),
    ],
    shown: &[("ns", 1), ("us", K), ("ms", M), ("s", G)],
};

pub(crate) const RATE: Scale = Scale {
    quantity: "a rate",
    base: "hertz",
    units: &[("Hz", 1), ("kHz", K), ("MHz", M)],
    shown: &[("Hz", 1), ("kHz", K), ("MHz", M)],
};

pub(crate) const SHARE: Scale = Scale {
    quantity: "a share",
    base: "millionths",
    units: &[("%", 10_000), ("ppm", 1)],
    shown: &[("ppm", 1), ("%", 10_000)],
};

impl Scale {
    /// The units as a sentence lists them: `B, KiB, MiB`.
    pub(crate) fn names(&self) -> String {
        let names: Vec<&str> = self.units.iter().map(|unit| unit.0).collect();
        names.join(", ")
    }

    fn parse(&self, text: &str) -> Result<u64, UnitError> {
        let (number, unit) = split(text);
        if text.trim_start().starts_with(['-', '−']) {
            return Err(UnitError::Negative);
        }
        if unit.is_empty() && !number.is_empty() {
            return Err(UnitError::NoUnit);
        }
        let known = self.units.iter().find(|(name, _)| *name == unit);
        let factor = known.map(|(_, factor)| *factor).ok_or_else(|| UnitError::UnknownUnit {
            unit: unit.to_owned(),
            quantity: self.quantity,
        })?;
        decimal(number, factor, self.base)
    }

    /// The largest unit that divides the value without a rest.
    fn show(&self, value: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |(_, factor): &&Unit| value.is_multiple_of(*factor) && value >= *factor;
        let (name, factor) = self.shown.iter().rev().find(fits).unwrap_or(&self.shown[0]);
        f.pad(&format!("{} {name}", value / factor))
    }
}

/// Splits `"2.5 ms"` into `("2.5", "ms")`.
pub(crate) fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    let end =
        text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_').unwrap_or(text.len());
    (&text[..end], text[end..].trim_start())
}

/// `number * factor`, exactly.
fn decimal(number: &str, factor: u64, base: &'static str) -> Result<u64, UnitError> {
    let clean = number.replace('_', "");
    let (whole, fraction) = clean.split_once('.').unwrap_or((&clean, ""));
    let malformed = || UnitError::NotANumber(number.to_owned());
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || (clean.contains('.') && !digits(fraction)) {
        return Err(malformed());
    }
    let fraction = fraction.trim_end_matches('0');
    let places = u32::try_from(fraction.len()).map_err(|_| malformed())?;
    let scale = 10_u128.checked_pow(places).ok_or(UnitError::NotWhole(base))?;
    let mantissa: u128 = format!("{whole}{fraction}").parse().map_err(|_| UnitError::TooLarge)?;
    let scaled = mantissa.checked_mul(u128::from(factor)).ok_or(UnitError::TooLarge)?;
    if !scaled.is_multiple_of(scale) {
        return Err(UnitError::NotWhole(base));
    }
    u64::try_from(scaled / scale).map_err(|_| UnitError::TooLarge)
}

macro_rules! quantity {
    ($name:ident, $scale:ident) => {
        impl FromStr for $name {
            type Err = UnitError;

            fn from_str(text: &str) -> Result<Self, UnitError> {
                $scale.parse(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                $scale.show(self.0, f)
            }
        }
    };
}

quantity!(Bytes, SIZE);
quantity!(Nanos, TIME);
quantity!(Hertz, RATE);
quantity!(Share, SHARE);

impl Share {
    /// As a factor: 0.05 for 5 %.
    #[must_use]
    pub fn factor(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

impl Nanos {
    /// Rounded to three figures in a unit people read: `1.25 ms`, `90 ns`, `61.3 s`.
    #[must_use]
    pub fn rough(self) -> String {
        let value = self.0 as f64;
        let (scaled, unit) = match self.0 {
            0..1_000 => return format!("{} ns", self.0),
            1_000..1_000_000 => (value / 1e3, "us"),
            1_000_000..1_000_000_000 => (value / 1e6, "ms"),
            1_000_000_000..600_000_000_000 => (value / 1e9, "s"),
            600_000_000_000..7_200_000_000_000 => (value / 60e9, "min"),
            _ => (value / 3_600e9, "h"),
        };
        format!("{} {unit}", three_figures(scaled))
    }

    /// A length of waiting, as people say it: `20 s`, `3 min`, `2.5 h`.
    #[must_use]
    pub fn coarse(self) -> String {
        let seconds = self.0 as f64 / 1e9;
        match seconds {
            ..100.0 => format!("{seconds:.0} s"),
            100.0..6_000.0 => format!("{:.0} min", seconds / 60.0),
            _ => format!("{} h", three_figures(seconds / 3_600.0)),
        }
    }
}

impl Bytes {
    /// Rounded to three figures in a binary unit: `1.25 MiB`, `64 B`.
    #[must_use]
    pub fn rough(self) -> String {
        let value = self.0 as f64;
        let (scaled, unit) = match self.0 {
            0..KI => return format!("{} B", self.0),
            KI..MI => (value / KI as f64, "KiB"),
            MI..GI => (value / MI as f64, "MiB"),
            _ => (value / GI as f64, "GiB"),
        };
        format!("{} {unit}", three_figures(scaled))
    }
}

fn three_figures(value: f64) -> String {
    let places = match value {
        ..10.0 => 2,
        10.0..100.0 => 1,
        _ => 0,
    };
    let text = format!("{value:.places$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_become_quantities() {
        assert_eq!("64 B".parse(), Ok(Bytes(64)));
        assert_eq!("1.5KiB".parse(), Ok(Bytes(1536)));
        assert_eq!("2.5 us".parse(), Ok(Nanos(2_500)));
        assert_eq!("1_000 ms".parse(), Ok(Nanos(1_000_000_000)));
        assert_eq!("6h".parse(), Ok(Nanos(21_600_000_000_000)));
        assert_eq!("50 kHz".parse(), Ok(Hertz(50_000)));
        assert_eq!("1.5%".parse(), Ok(Share(15_000)));
    }

    #[test]
    fn a_bare_number_is_refused() {
        assert_eq!("64".parse::<Bytes>(), Err(UnitError::NoUnit));
        assert_eq!("-5 s".parse::<Nanos>(), Err(UnitError::Negative));
    }

    #[test]
    fn wrong_texts_are_refused_with_the_reason() {
        assert!(matches!("64 ms".parse::<Bytes>(), Err(UnitError::UnknownUnit { .. })));
        assert!(matches!("".parse::<Bytes>(), Err(UnitError::UnknownUnit { .. })));
        assert!(matches!("1.2.3 ms".parse::<Nanos>(), Err(UnitError::NotANumber(_))));
        assert!(matches!(". ms".parse::<Nanos>(), Err(UnitError::NotANumber(_))));
        assert_eq!("0.5 ns".parse::<Nanos>(), Err(UnitError::NotWhole("nanoseconds")));
        assert_eq!("99999999999999999999 s".parse::<Nanos>(), Err(UnitError::TooLarge));
    }

    #[test]
    fn rough_figures_have_three_places() {
        assert_eq!(Nanos(1_254_000).rough(), "1.25 ms");
        assert_eq!(Nanos(90).rough(), "90 ns");
        assert_eq!(Nanos(61_300_000_000).rough(), "61.3 s");
        assert_eq!(Nanos(5_400_000_000_000).rough(), "90 min");
        assert_eq!(Nanos(123_120_000_000_000).rough(), "34.2 h");
        assert_eq!(Bytes(1_310_720).rough(), "1.25 MiB");
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(value: u64) {
            prop_assert_eq!(Bytes(value).to_string().parse(), Ok(Bytes(value)));
            prop_assert_eq!(Nanos(value).to_string().parse(), Ok(Nanos(value)));
            prop_assert_eq!(Hertz(value).to_string().parse(), Ok(Hertz(value)));
            prop_assert_eq!(Share(value).to_string().parse(), Ok(Share(value)));
        }

        #[test]
        fn no_text_panics(text: String) {
            let _unused = (text.parse::<Bytes>(), text.parse::<Nanos>(), text.parse::<Hertz>());
        }
    }
}
