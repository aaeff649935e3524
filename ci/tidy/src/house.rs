//! The tables beside this crate: what the checks allow, and why. A wrong key is an error.
//!
//! `house.toml`: places for unsafe code, forbidden words, protocol sources, excused scripts.
//! `layers.toml`: the order of modules and of packages.

use serde::Deserialize;
use std::collections::BTreeMap;

/// What `house.toml` says.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct House {
    /// Where `unsafe` may stand.
    #[serde(default)]
    pub unsafe_places: Vec<Excuse>,
    /// Words that are not ours.
    #[serde(default)]
    pub words: Words,
    /// Where sites are declared and used.
    #[serde(default)]
    pub sites: Sites,
    /// Scripts in `ci/` that `ci/validate` does not run.
    #[serde(default)]
    pub scripts: Vec<Excuse>,
}

/// A place with the reason why a rule does not hold there.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Excuse {
    /// A file, a folder with all below it, or a module (`x` for `x.rs` and `x/`).
    pub path: String,
    /// Why; never empty.
    pub reason: String,
}

/// Words that must not appear.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// Folder → words that no identifier declared there contains.
    #[serde(default)]
    pub identifiers: BTreeMap<String, Vec<String>>,
    /// Words that no document or comment contains.
    #[serde(default)]
    pub prose: Vec<String>,
    /// Text that stands nowhere: paths of one machine.
    #[serde(default)]
    pub anywhere: Vec<String>,
}

/// The table of sites and its users.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sites {
    /// The file with the `sites!` table.
    pub table: String,
    /// Modules with the protocol: the only ones that name sites.
    pub sources: Vec<String>,
}

/// What `layers.toml` says.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layers {
    /// Module order, one entry a crate.
    #[serde(default, rename = "crate")]
    pub crates: Vec<CrateLayers>,
    /// Package → workspace packages that it may depend on.
    #[serde(default)]
    pub packages: BTreeMap<String, Vec<String>>,
}

/// The layers of one crate, lowest first.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrateLayers {
    /// The folder with `lib.rs`.
    pub root: String,
    /// Lowest first.
    pub layer: Vec<Layer>,
}

/// One layer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// What messages call it.
    pub name: String,
    /// Modules; each imports only from those that stand before it.
    pub modules: Vec<String>,
}

/// Reads one of the tables.
///
/// # Errors
///
/// The text with the place and the reason, for people.
pub fn parse<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, String> {
    toml::from_str(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_refused_with_its_name() {
        let error = parse::<House>("[[scripts]]\npath = \"a\"\nreasn = \"b\"\n").unwrap_err();
        assert!(error.contains("reasn"), "{error}");
    }

    #[test]
    fn an_excuse_without_a_reason_is_refused() {
        assert!(parse::<House>("[[unsafe_places]]\npath = \"a.rs\"\n").is_err());
    }
}
