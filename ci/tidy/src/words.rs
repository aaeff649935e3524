//! Words that are not ours: names for the two ends, paths of one machine, talk about the making.
//!
//! Identifiers are judged where they are declared, so that a library's `Sender` may be called.

use crate::finding::Finding;
use crate::house::Words;
use crate::source::Source;
use crate::tree::{Tree, is_below};
use std::path::Path;
use syn::visit::{self, Visit};

/// The list itself names the words.
const LIST: &str = "ci/tidy/house.toml";

/// Finds forbidden words.
#[must_use]
pub fn check(tree: &Tree, sources: &[Source], words: &Words) -> Vec<Finding> {
    let mut findings = identifiers(sources, words);
    for (path, entry) in tree.files().filter(|(path, _)| *path != LIST) {
        for (at, line) in entry.text.lines().enumerate() {
            let here = |what, remedy| Finding::new(path, at + 1, what, remedy);
            for text in words.anywhere.iter().filter(|text| line.contains(text.as_str())) {
                let remedy = "take the place from an argument, or say it relative to the tree";
                findings.push(here(format!("`{text}` is a place on one machine"), remedy));
            }
            for word in words.prose.iter().filter(|word| has_word(prose(path, line), word)) {
                let remedy = "the project speaks only of itself: say it otherwise";
                findings.push(here(format!("the word `{word}`"), remedy));
            }
        }
    }
    findings
}

/// The part of `line` that people read: all of a document, the comment of code.
fn prose<'a>(path: &str, line: &'a str) -> &'a str {
    let mark = match Path::new(path).extension().and_then(|extension| extension.to_str()) {
        Some("md" | "txt") => return line,
        Some("rs" | "c" | "h") => "//",
        Some("toml" | "py" | "pyi" | "sh") | None => "#",
        Some(_) => return "",
    };
    line.split_once(mark).map_or("", |(_, comment)| comment)
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric()).any(|part| {
        let part = part.to_lowercase();
        part == word || part.strip_suffix('s') == Some(word)
    })
}

fn identifiers(sources: &[Source], words: &Words) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (folder, banned) in &words.identifiers {
        for source in sources.iter().filter(|source| is_below(&source.path, folder)) {
            let mut names = Names { path: &source.path, banned, findings: &mut findings };
            names.visit_file(&source.file);
        }
    }
    findings
}

/// The words of `snake_case`, `CamelCase` and `CAPITALS`, in small letters.
fn parts(name: &str) -> Vec<String> {
    let mut parts: Vec<String> = vec![String::new()];
    let mut after_small = false;
    for c in name.chars() {
        if c == '_' || (c.is_uppercase() && after_small) {
            parts.push(String::new());
        }
        after_small = c.is_lowercase();
        if let (true, Some(part)) = (c != '_', parts.last_mut()) {
            part.extend(c.to_lowercase());
        }
    }
    parts
}

struct Names<'a> {
    path: &'a str,
    banned: &'a [String],
    findings: &'a mut Vec<Finding>,
}

impl Names<'_> {
    fn judge(&mut self, name: &syn::Ident) {
        let text = name.to_string();
        let found = parts(&text).into_iter().find(|part| {
            self.banned.iter().any(|word| part == word || part.strip_suffix('s') == Some(word))
        });
        if let Some(word) = found {
            let what = format!("`{text}` says `{word}`");
            let remedy =
                "producer and consumer are the two ends, writer and reader the sides of a slot";
            self.findings.push(Finding::new(self.path, name.span().start().line, what, remedy));
        }
    }
}

/// Judges the name of each item and goes on inside it.
macro_rules! judged {
    ($($visit:ident: $item:ident => $($name:ident).+;)*) => {
        impl<'ast> Visit<'ast> for Names<'_> {
            $(fn $visit(&mut self, item: &'ast syn::$item) {
                self.judge(&item.$($name).+);
                visit::$visit(self, item);
            })*

            fn visit_field(&mut self, field: &'ast syn::Field) {
                if let Some(name) = &field.ident {
                    self.judge(name);
                }
                visit::visit_field(self, field);
            }
        }
    };
}

judged! {
    visit_item_fn: ItemFn => sig.ident;
    visit_impl_item_fn: ImplItemFn => sig.ident;
    visit_trait_item_fn: TraitItemFn => sig.ident;
    visit_item_struct: ItemStruct => ident;
    visit_item_enum: ItemEnum => ident;
    visit_item_trait: ItemTrait => ident;
    visit_item_type: ItemType => ident;
    visit_item_const: ItemConst => ident;
    visit_item_static: ItemStatic => ident;
    visit_item_mod: ItemMod => ident;
    visit_variant: Variant => ident;
    visit_pat_ident: PatIdent => ident;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source;

    fn found(path: &str, text: &str) -> Vec<String> {
        let tree = Tree::default().with(path, text);
        let (sources, _) = source::all(&tree);
        let words = Words {
            identifiers: [("d/src".into(), vec!["publisher".into(), "sender".into()])].into(),
            prose: vec!["workplace".into()],
            anywhere: vec!["/elsewhere/".into()],
        };
        check(&tree, &sources, &words).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_way_to_declare_a_foreign_name_is_refused() {
        let forms = [
            "struct Publisher;",
            "enum A { FastPublisher }",
            "fn publishers() {}",
            "fn a(sender_count: u8) {}",
            "fn a() { let sender = 1; }",
            "struct A { sender: u8 }",
            "const SENDER_MAX: u8 = 1;",
            "mod sender {}",
            "impl A { fn publisher(&self) {} }",
        ];
        for form in forms {
            assert_eq!(found("d/src/a.rs", form).len(), 1, "{form}");
        }
    }

    #[test]
    fn calling_a_library_by_its_name_and_longer_words_pass() {
        assert!(found("d/src/a.rs", "fn a(tx: mpsc::Sender<u8>) { resender(); }").is_empty());
        assert!(found("d/src/a.rs", "struct Resender;").is_empty());
    }

    #[test]
    fn other_folders_choose_their_own_names() {
        assert!(found("h/src/a.rs", "struct Publisher;").is_empty());
    }

    #[test]
    fn a_place_on_one_machine_is_refused_in_any_text() {
        for path in ["a.rs", "README.md", "ci/x", "b.toml"] {
            assert_eq!(found(path, "// \"/elsewhere/x\"").len(), 1, "{path}");
        }
    }

    #[test]
    fn a_word_is_refused_in_documents_and_comments_only() {
        assert_eq!(found("A.md", "In both Workplaces.").len(), 1);
        assert_eq!(found("a.rs", "/// One workplace.\nfn a() {}").len(), 1);
        assert_eq!(found("ci/x", "true # our workplace").len(), 1);
        assert!(found("a.rs", "fn workplace() {}").is_empty());
        assert!(found("A.md", "workplaced").is_empty());
    }
}
