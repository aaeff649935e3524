//! What the arguments of `model` may name: engines, models, sites with orderings, planted defects.

use clap::builder::{PossibleValue, PossibleValuesParser};
use models::{Engine, catalogue, mutant, plant, request, sites, table};

use crate::suggest::nearest;

/// An engine of this build: a run without one that was asked for must not look like a run with it.
pub(super) fn engine(name: &str) -> Result<Engine, String> {
    let names: Vec<&str> = Engine::ALL.iter().map(|engine| engine.name()).collect();
    let engine = Engine::by_name(name)
        .ok_or_else(|| format!("there is no such engine; use one of {}", names.join(", ")))?;
    if engine.compiled_in() { Ok(engine) } else { Err(format!("{name} is not compiled in")) }
}

/// One model, or what stands for several in the results of a whole run.
pub(super) fn scenario(name: &str) -> Result<String, String> {
    let together = [request::EVERY, mutant::SURVIVORS, table::EDGES];
    let all = catalogue::all();
    let mut names = together.into_iter().chain(all.iter().map(|entry| entry.name));
    if names.any(|known| known == name) {
        return Ok(name.to_owned());
    }
    let near = nearest(name, all.iter().map(|entry| entry.name));
    let near = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
    Err(format!("there is no such model; {near}`harness model --list` names all"))
}

/// A site and another ordering for it.
pub(super) fn mutation(row: &str) -> Result<String, String> {
    let Some((site, ordering)) = row.split_once('=') else {
        return Err("a site and an ordering are wanted, as in W_COMMIT=Relaxed".to_owned());
    };
    if sites::by_name(site).is_none() {
        let known = datahub::sites::TABLE.iter().map(|site| site.name);
        let near = nearest(site, known.clone()).map(|near| format!("; did you mean `{near}`?"));
        let listed = || format!("; sites are {}", known.collect::<Vec<_>>().join(", "));
        return Err(format!("there is no site `{site}`{}", near.unwrap_or_else(listed)));
    }
    if sites::ordering_by_name(ordering).is_none() {
        let known = "Relaxed, Acquire, Release, AcqRel, SeqCst, and none for a fence";
        return Err(format!("`{ordering}` is no ordering: there are {known}"));
    }
    Ok(row.to_owned())
}

/// The planted defects, each with what is wrong.
pub(super) fn defects() -> PossibleValuesParser {
    let value = |row: &plant::Row| PossibleValue::new(row.name).help(row.english);
    plant::ALL.iter().map(value).collect::<Vec<_>>().into()
}
