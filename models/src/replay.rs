//! One execution as a text: what ran, under which engine, and the choices that the engine took.
//!
//! `explore,scenario=slot/abort,path=0.1.2,build=…,sum=…`: fields apart by commas, nothing that a
//! shell would touch. `build` tells another build's text, `sum` a damaged one.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::engine::Engine;
use crate::request::Request;
use crate::sites;
use crate::trace::Told;
use crate::worker;
use report_schema::ModelResult;

/// Why a text names no execution.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotReplayable {
    /// It does not look like one.
    #[error(
        "`{0}` is no replay string: those begin with an engine and a comma, as in `explore,scenario=…`"
    )]
    NoText(String),
    /// A part of it is missing or was changed.
    #[error("the replay string is damaged: its sum is not that of its text; copy it whole")]
    Damaged,
    /// It was made by other source.
    #[error(
        "the replay string is of another build: engine, sites or orderings have changed since; \
         look for the failure again with `harness model --engine {engine} --scenario {scenario}`"
    )]
    OtherBuild {
        /// Its engine.
        engine: Engine,
        /// Its model.
        scenario: String,
    },
    /// A field that nobody knows, or a value that is none.
    #[error("`{0}` in the replay string means nothing here")]
    Field(String),
    /// The engine is not there.
    #[error("the engine `{0}` is not compiled in")]
    Missing(Engine),
}

/// FNV-1a, 32 bits: enough against slips of the hand.
fn sum(parts: &[&str]) -> u32 {
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0]));
    bytes.fold(0x811c_9dc5, |sum, byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// What a text depends on besides itself: the engine and the tables of sites.
fn build(engine: Engine) -> u32 {
    let table = format!("{:?}", sites::tables());
    sum(&[engine.name(), engine.version(), env!("CARGO_PKG_VERSION"), &table])
}

/// The text of the execution that `request` names with `limits.replay`.
#[must_use]
pub fn text(request: &Request) -> String {
    let limits = &request.limits;
    let mut fields =
        vec![request.engine.name().to_owned(), format!("scenario={}", request.scenario)];
    fields.extend(request.mutant.iter().map(|row| format!("mutant={row}")));
    fields.extend(request.plant.iter().map(|name| format!("plant={name}")));
    fields.extend(request.crash.iter().map(|crash| format!("crash={}", crash.replace(' ', "+"))));
    fields.extend(limits.repeats.map(|repeats| format!("repeats={repeats}")));
    fields.extend(limits.preemptions.map(|preemptions| format!("preemptions={preemptions}")));
    if matches!(request.engine, Engine::ShuttleRandom | Engine::ShuttlePct) {
        fields.push(format!("seed={}", limits.seed));
    }
    fields.push(format!("path={}", limits.replay.as_deref().unwrap_or_default()));
    fields.push(format!("build={:08x}", build(request.engine)));
    let text = fields.join(",");
    let sum = sum(&[&text]);
    format!("{text},sum={sum:08x}")
}

/// Reads what [`text`] wrote.
///
/// # Errors
///
/// [`NotReplayable`].
pub fn parse(text: &str) -> Result<Request, NotReplayable> {
    let no_text = || NotReplayable::NoText(text.to_owned());
    let (engine, _) = text.split_once(',').ok_or_else(no_text)?;
    let engine = Engine::by_name(engine).ok_or_else(no_text)?;
    let (body, found) = text.rsplit_once(",sum=").ok_or(NotReplayable::Damaged)?;
    if u32::from_str_radix(found, 16) != Ok(sum(&[body])) {
        return Err(NotReplayable::Damaged);
    }
    let mut request = Request::new(engine, "");
    let mut made_by = None;
    for field in body.split(',').skip(1) {
        let unknown = || NotReplayable::Field(field.to_owned());
        let (name, value) = field.split_once('=').ok_or_else(unknown)?;
        match name {
            "scenario" => value.clone_into(&mut request.scenario),
            "mutant" => request.mutant.push(value.to_owned()),
            "plant" => request.plant = Some(value.to_owned()),
            "crash" => request.crash = Some(value.replace('+', " ")),
            "repeats" => request.limits.repeats = Some(value.parse().map_err(|_| unknown())?),
            "preemptions" => {
                request.limits.preemptions = Some(value.parse().map_err(|_| unknown())?);
            }
            "seed" => request.limits.seed = value.parse().map_err(|_| unknown())?,
            "path" => request.limits.replay = Some(value.to_owned()),
            "build" => made_by = u32::from_str_radix(value, 16).ok(),
            _ => return Err(unknown()),
        }
    }
    if made_by != Some(build(engine)) {
        return Err(NotReplayable::OtherBuild { engine, scenario: request.scenario });
    }
    if !engine.compiled_in() {
        return Err(NotReplayable::Missing(engine));
    }
    Ok(request)
}

/// What came of a replayed execution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Replayed {
    /// As any other run.
    pub result: ModelResult,
    /// The execution, whether it failed or not.
    pub steps: Vec<Told>,
}

/// Runs the one execution that `text` names in a process of its own.
///
/// # Errors
///
/// [`NotReplayable`]; nothing ran.
pub fn replay(exe: &Path, text: &str) -> Result<Replayed, NotReplayable> {
    let request = parse(text)?;
    Ok(worker::answer_of_process(exe, &request))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Request {
        let mut request = Request::new(Engine::ShuttlePct, "latest/two-readers");
        request.mutant = vec!["W_COMMIT=Relaxed".into(), "P_FENCE=none".into()];
        request.plant = Some("skip-drain".into());
        request.crash = Some("reader 2:3".into());
        request.limits.seed = 77;
        request.limits.preemptions = Some(2);
        request.limits.repeats = Some(4);
        request.limits.replay = Some("1f-0x3.2".into());
        request
    }

    #[test]
    fn an_execution_is_read_as_it_is_written() {
        assert_eq!(parse(&text(&sample())), Ok(sample()));
        assert!(!text(&sample()).contains([' ', '*', '\'', '"', '$']));
    }

    #[test]
    fn a_changed_character_is_noticed_wherever_it_is() {
        let text = text(&sample());
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
            let changed = String::from_utf8(bytes).unwrap();
            assert!(parse(&changed).is_err(), "{changed}");
            assert!(parse(&text[..at]).is_err(), "{at}");
        }
    }

    #[test]
    fn a_text_of_another_build_is_told_apart_from_a_damaged_one() {
        let own = text(&sample());
        let (body, _) = own.rsplit_once(",build=").unwrap();
        let foreign = format!("{body},build=00000000");
        let foreign = format!("{foreign},sum={:08x}", sum(&[&foreign]));
        let error = parse(&foreign).unwrap_err();
        assert!(matches!(error, NotReplayable::OtherBuild { .. }), "{error}");
        assert!(error.to_string().contains("--scenario latest/two-readers"));
        assert!(matches!(parse("hello").unwrap_err(), NotReplayable::NoText(_)));
        assert!(matches!(parse("genmc,path=1").unwrap_err(), NotReplayable::NoText(_)));
    }

    #[test]
    fn a_field_that_nobody_knows_is_named() {
        let body = format!("explore,scenario=x,speed=7,build={:08x}", build(Engine::Explore));
        let unknown = format!("{body},sum={:08x}", sum(&[&body]));
        assert_eq!(parse(&unknown), Err(NotReplayable::Field("speed=7".into())));
    }
}
