//! The grammar of a check: `metric op term (+ term)*`, with places for errors.
//!
//! `term = number [unit] | number * name | name`, a name being a metric or `baseline`, which is the
//! left side's figure in a stored run; `op` is one of `== <= >= < >`. Both sides
//! measure the same thing, which is settled here and not when the run is over.

mod lexer;

use std::fmt;
use std::ops::Range;

use super::metric::{Dimension, Metric};
use crate::suggest::nearest;
use lexer::{Lexer, Token, TokenKind};

/// A parsed check.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// As it was written.
    pub text: String,
    /// The left side.
    pub metric: Metric,
    /// The comparison.
    pub op: Op,
    /// The right side: the sum of these, at least one.
    pub bound: Vec<Term>,
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// `==`
    Equal,
    /// `<=`
    AtMost,
    /// `>=`
    AtLeast,
    /// `<`
    Below,
    /// `>`
    Above,
}

/// A part of the right side.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Term {
    /// A literal, in the base unit of the left side.
    Constant(f64),
    /// Another figure of the same run, times a number.
    Scaled {
        /// The number.
        factor: f64,
        /// The figure.
        metric: Metric,
    },
    /// The left side's figure in the baseline, times this number.
    Baseline(f64),
}

/// Where and why a check cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrammarError {
    /// Bytes of the check's text; on character boundaries, possibly empty at its end.
    pub at: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: String,
}

/// What stands for the left side's figure in a stored run.
const BASELINE: &str = "baseline";

const FORM: &str = "a check reads `metric op term + term …`, as in \
                    `p99(latency) <= 2 * calibration + 50 ns`";

impl Op {
    /// Whether `value op bound` is true.
    #[must_use]
    #[expect(clippy::float_cmp, reason = "`==` compares counts, which f64 holds exactly to 2^53")]
    pub fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Self::Equal => value == bound,
            Self::AtMost => value <= bound,
            Self::AtLeast => value >= bound,
            Self::Below => value < bound,
            Self::Above => value > bound,
        }
    }

    /// As it is written.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::AtMost => "<=",
            Self::AtLeast => ">=",
            Self::Below => "<",
            Self::Above => ">",
        }
    }
}

impl Check {
    /// Whether it compares with a stored run.
    #[must_use]
    pub fn needs_baseline(&self) -> bool {
        self.bound.iter().any(|term| matches!(term, Term::Baseline(_)))
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.symbol())
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

/// Reads a check.
///
/// # Errors
///
/// [`GrammarError`]: the first thing that does not fit, with its place in `text`.
pub fn parse(text: &str) -> Result<Check, GrammarError> {
    let mut lexer = Lexer::new(text);
    let metric = metric(&lexer.take()?)?;
    let op = operator(&lexer.take()?)?;
    if op == Op::Equal && metric.dimension() != Dimension::Count {
        return Err(GrammarError {
            at: 0..text.len(),
            message: format!("`{metric}` is measured: it never equals a figure exactly"),
            help: "compare with <= or >=".to_owned(),
        });
    }
    let mut bound = vec![term(&mut lexer, metric)?];
    loop {
        let token = lexer.take()?;
        match token.kind {
            TokenKind::End => break,
            TokenKind::Plus => bound.push(term(&mut lexer, metric)?),
            _ => return Err(unexpected(&token, "`+` or the end")),
        }
    }
    Ok(Check { text: text.to_owned(), metric, op, bound })
}

fn unexpected(token: &Token<'_>, wanted: &str) -> GrammarError {
    let found = match token.kind {
        TokenKind::End => "the check ends here".to_owned(),
        _ => format!("`{}` stands here", token.text),
    };
    GrammarError {
        at: token.at.clone(),
        message: format!("{wanted} is wanted, but {found}"),
        help: FORM.to_owned(),
    }
}

fn metric(token: &Token<'_>) -> Result<Metric, GrammarError> {
    if token.kind != TokenKind::Name {
        return Err(unexpected(token, "a metric"));
    }
    let name: String = token.text.chars().filter(|c| !c.is_whitespace()).collect();
    Metric::by_name(&name).ok_or_else(|| {
        let names: Vec<&str> = Metric::names().chain([BASELINE]).collect();
        let help = match nearest(&name, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("metrics are: {}", names.join(", ")),
        };
        let message = format!("there is no metric `{}`", token.text);
        GrammarError { at: token.at.clone(), message, help }
    })
}

fn operator(token: &Token<'_>) -> Result<Op, GrammarError> {
    let all = [Op::Equal, Op::AtMost, Op::AtLeast, Op::Below, Op::Above];
    let found = all.into_iter().find(|op| op.symbol() == token.text);
    found.filter(|_| token.kind == TokenKind::Operator).ok_or_else(|| {
        let mut error = unexpected(token, "a comparison");
        if token.kind == TokenKind::Operator {
            error.message = format!("`{}` is not a comparison", token.text);
            "comparisons are ==, <=, >=, <, >".clone_into(&mut error.help);
        }
        error
    })
}

fn term(lexer: &mut Lexer<'_>, left: Metric) -> Result<Term, GrammarError> {
    let token = lexer.take()?;
    let (factor, named) = match token.kind {
        TokenKind::Name => (1.0, token),
        TokenKind::Number if lexer.before_times() => {
            lexer.take()?;
            (number(&token)?, lexer.take()?)
        }
        TokenKind::Number => return constant(lexer, &token, left),
        _ => return Err(unexpected(&token, "a number or a metric")),
    };
    if named.kind == TokenKind::Name && named.text == BASELINE {
        return baseline(&named, factor, left);
    }
    let right = metric(&named)?;
    if right.dimension() != left.dimension() {
        return Err(mixed(&named, left, right.dimension()));
    }
    Ok(Term::Scaled { factor, metric: right })
}

fn baseline(token: &Token<'_>, factor: f64, left: Metric) -> Result<Term, GrammarError> {
    let message = match left.dimension() {
        Dimension::Count => format!("`{left}` is a count: what is right does not depend on a run"),
        _ if left == Metric::ClockQuantum => format!("`{left}` belongs to the machine"),
        _ if factor <= 0.0 => "nothing of a baseline is no bound".to_owned(),
        _ => return Ok(Term::Baseline(factor)),
    };
    let help = "a baseline is for times and rates, as in `p99(latency) <= 1.10 * baseline`";
    Err(GrammarError { at: token.at.clone(), message, help: help.to_owned() })
}

fn mixed(token: &Token<'_>, left: Metric, right: Dimension) -> GrammarError {
    let names = (left.dimension().name(), right.name());
    GrammarError {
        at: token.at.clone(),
        message: format!("`{left}` is {}, but `{}` is {}", names.0, token.text, names.1),
        help: "both sides measure the same thing".to_owned(),
    }
}

fn number(token: &Token<'_>) -> Result<f64, GrammarError> {
    let value: Result<f64, _> = token.text.replace('_', "").parse();
    value.ok().filter(|value| value.is_finite()).ok_or_else(|| GrammarError {
        at: token.at.clone(),
        message: format!("`{}` is not a decimal number", token.text),
        help: "write it as 2, 0.5 or 1_000".to_owned(),
    })
}

/// A literal with or without a unit; the unit must measure what the left side does.
fn constant(lexer: &mut Lexer<'_>, token: &Token<'_>, left: Metric) -> Result<Term, GrammarError> {
    let value = number(token)?;
    let wanted = left.dimension();
    let unit = lexer.unit();
    if unit.text.is_empty() {
        if wanted == Dimension::Count {
            return Ok(Term::Constant(value));
        }
        return Err(GrammarError {
            at: token.at.clone(),
            message: format!("a bare number, but `{left}` is {}", wanted.name()),
            help: format!("write the unit, as in `{} {}`", token.text, wanted.unit()),
        });
    }
    match unit_of(unit.text) {
        Some((dimension, factor)) if dimension == wanted => Ok(Term::Constant(value * factor)),
        Some((dimension, _)) => Err(mixed(&unit, left, dimension)),
        None => Err(unknown_unit(&unit, token.text, wanted)),
    }
}

fn unknown_unit(unit: &Token<'_>, number: &str, wanted: Dimension) -> GrammarError {
    let help = if Metric::by_name(unit.text).is_some() {
        format!("write `{number} * {}`", unit.text)
    } else {
        match wanted {
            Dimension::Count => "a count has no unit".to_owned(),
            Dimension::Time => "units of time are ns, us, ms, s".to_owned(),
            Dimension::MessageRate => "units of a message rate are /s, k/s, M/s, G/s".to_owned(),
            Dimension::ByteRate => {
                "units of a byte rate are B/s, kB/s, MB/s, GB/s, KiB/s, MiB/s, GiB/s".to_owned()
            }
        }
    };
    GrammarError { at: unit.at.clone(), message: format!("`{}` is not a unit", unit.text), help }
}

fn unit_of(text: &str) -> Option<(Dimension, f64)> {
    let time = match text {
        "ns" => Some(1.0),
        "us" | "µs" => Some(1e3),
        "ms" => Some(1e6),
        "s" => Some(1e9),
        _ => None,
    };
    if let Some(factor) = time {
        return Some((Dimension::Time, factor));
    }
    let prefix = text.strip_suffix("/s")?;
    match prefix.strip_suffix('B') {
        None => decimal_prefix(prefix).map(|factor| (Dimension::MessageRate, factor)),
        Some("Ki") => Some((Dimension::ByteRate, 1024.0)),
        Some("Mi") => Some((Dimension::ByteRate, 1024.0 * 1024.0)),
        Some("Gi") => Some((Dimension::ByteRate, 1024.0 * 1024.0 * 1024.0)),
        Some(prefix) => decimal_prefix(prefix).map(|factor| (Dimension::ByteRate, factor)),
    }
}

fn decimal_prefix(prefix: &str) -> Option<f64> {
    match prefix {
        "" => Some(1.0),
        "k" => Some(1e3),
        "M" => Some(1e6),
        "G" => Some(1e9),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
