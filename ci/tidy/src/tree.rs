//! The tree that is checked: paths with `/`, texts, and which files may be run.
//!
//! Read from a folder, or written down in a test. Build products, version control and virtual
//! environments are left out; a file that is no text keeps its name and has no lines.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Files above this size hold data, nobody's prose or code.
const TEXT_BYTES_MAX: u64 = 1 << 20;

/// A file of the tree.
#[derive(Debug, Clone, Default)]
pub struct Entry {
    /// The text; empty for what is no text.
    pub text: String,
    /// Whether its owner may run it.
    pub executable: bool,
}

/// Path → file.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    files: BTreeMap<String, Entry>,
}

impl Tree {
    /// Reads everything below `root`.
    ///
    /// # Errors
    ///
    /// Whatever the file system says; nothing is checked then.
    pub fn read(root: &Path) -> io::Result<Self> {
        let mut tree = Self::default();
        tree.read_folder(root, "")?;
        Ok(tree)
    }

    /// The same tree with one more file, or another text in it. Scripts (`#!`) may be run.
    #[must_use]
    pub fn with(mut self, path: &str, text: &str) -> Self {
        let entry = Entry { text: text.into(), executable: text.starts_with("#!/") };
        self.files.insert(path.into(), entry);
        self
    }

    /// The text of one file.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(|entry| entry.text.as_str())
    }

    /// Whether `path` is a file or a folder of the tree.
    #[must_use]
    pub fn holds(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        let folder = format!("{path}/");
        path.is_empty() || self.files.keys().any(|file| file == path || file.starts_with(&folder))
    }

    /// All files in the order of their paths.
    pub fn files(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.files.iter().map(|(path, entry)| (path.as_str(), entry))
    }

    /// The files below `folder` (`""`: all) whose name ends in `.extension`.
    pub fn below<'a>(
        &'a self,
        folder: &'a str,
        extension: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a Entry)> {
        self.files().filter(move |(path, _)| {
            is_below(path, folder) && Path::new(path).extension().is_some_and(|e| e == extension)
        })
    }

    fn read_folder(&mut self, folder: &Path, prefix: &str) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let path = format!("{prefix}{name}");
            let kind = entry.file_type()?;
            if is_left_out(&entry.path(), &path) {
                continue;
            }
            if kind.is_dir() {
                self.read_folder(&entry.path(), &format!("{path}/"))?;
            } else if kind.is_file() {
                self.files.insert(path, read_entry(&entry.path())?);
            }
        }
        Ok(())
    }
}

/// Whether `path` is `folder` itself or stands below it; the empty folder holds everything.
#[must_use]
pub fn is_below(path: &str, folder: &str) -> bool {
    let folder = folder.trim_end_matches('/');
    folder.is_empty()
        || path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether `path` belongs to the module or folder `place`: `a/b` has `a/b.rs` and all below `a/b/`.
#[must_use]
pub fn is_part_of(path: &str, place: &str) -> bool {
    is_below(path, place) || path.strip_suffix(".rs") == Some(place)
}

fn read_entry(path: &Path) -> io::Result<Entry> {
    let facts = fs::metadata(path)?;
    let bytes = if facts.len() > TEXT_BYTES_MAX { Vec::new() } else { fs::read(path)? };
    let text = String::from_utf8(bytes).unwrap_or_default();
    Ok(Entry { text, executable: facts.permissions().mode() & 0o100 != 0 })
}

/// Build products carry `CACHEDIR.TAG`, virtual environments `pyvenv.cfg`. In a linked working tree
/// `.git` is a file.
fn is_left_out(folder: &Path, path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    matches!(path, ".git" | "out" | "target")
        || matches!(name, "__pycache__" | ".pytest_cache" | "node_modules")
        || folder.join("CACHEDIR.TAG").exists()
        || folder.join("pyvenv.cfg").exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_held_when_a_file_stands_below_it() {
        let tree = Tree::default().with("ci/fmt", "#!/usr/bin/env bash\n");
        assert!(tree.holds("ci") && tree.holds("ci/") && tree.holds("ci/fmt"));
        assert!(!tree.holds("c") && !tree.holds("ci/f"));
    }

    #[test]
    fn a_name_that_merely_begins_alike_is_not_below() {
        assert!(is_below("datahub/src/shm.rs", "datahub/src"));
        assert!(is_below("datahub/src", "datahub/src/"));
        assert!(!is_below("datahub/src2/shm.rs", "datahub/src"));
    }

    #[test]
    fn a_module_has_its_file_and_its_folder() {
        assert!(
            is_part_of("d/src/shm.rs", "d/src/shm") && is_part_of("d/src/shm/map.rs", "d/src/shm")
        );
        assert!(
            !is_part_of("d/src/shmem.rs", "d/src/shm") && !is_part_of("d/src/shm.rs", "d/src/sh")
        );
    }

    #[test]
    fn only_the_extension_asked_for_is_listed() {
        let tree = Tree::default().with("a/b.rs", "").with("a/b.toml", "").with("b.rs", "");
        let paths: Vec<_> = tree.below("a", "rs").map(|(path, _)| path).collect();
        assert_eq!(paths, ["a/b.rs"]);
    }
}
