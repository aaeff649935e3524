//! The page without a browser: well-formed, complete in itself, every reference resolved, every
//! colour readable in both themes. Each check is tested by what it must reject.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use report_schema::SuiteResult;
use reports::page::{Beside, drawings, render, render_with};

#[path = "support/sample.rs"]
mod sample;

const STYLE: &str = include_str!("../templates/style.css");

/// What a page is made of, as far as the checks need it.
#[derive(Default)]
struct Anatomy {
    ids: BTreeSet<String>,
    /// What refers to an id, and to which.
    references: Vec<(String, String)>,
    headings: Vec<u32>,
    faults: Vec<String>,
}

impl Anatomy {
    fn of(page: &str) -> Result<Self, String> {
        let mut anatomy = Self::default();
        let mut reader = Reader::from_str(page);
        reader.config_mut().check_end_names = true;
        let mut depth = 0;
        loop {
            match reader.read_event().map_err(|error| error.to_string())? {
                Event::Eof if depth == 0 => return Ok(anatomy),
                Event::Eof => return Err(format!("{depth} elements stay open")),
                Event::Start(tag) => {
                    depth += 1;
                    anatomy.element(&tag)?;
                }
                Event::Empty(tag) => anatomy.element(&tag)?,
                Event::End(_) => depth -= 1,
                _ => {}
            }
        }
    }

    fn element(&mut self, tag: &BytesStart<'_>) -> Result<(), String> {
        let name = String::from_utf8_lossy(tag.name().as_ref()).into_owned();
        let mut attributes = BTreeMap::new();
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|error| format!("<{name}>: {error}"))?;
            let key = String::from_utf8_lossy(attribute.key.as_ref()).into_owned();
            attributes.insert(key, String::from_utf8_lossy(&attribute.value).into_owned());
        }
        if let Some(id) = attributes.get("id")
            && !self.ids.insert(id.clone())
        {
            self.faults.push(format!("the id {id} comes twice"));
        }
        for key in ["aria-labelledby", "aria-describedby", "aria-controls", "for"] {
            let ids = attributes.get(key).into_iter().flat_map(|ids| ids.split_whitespace());
            self.references.extend(ids.map(|id| (format!("<{name} {key}>"), id.to_owned())));
        }
        if let Some(id) = attributes.get("href").and_then(|to| to.strip_prefix('#')) {
            self.references.push((format!("<{name} href>"), id.to_owned()));
        }
        let outside = |to: &&String| !to.starts_with('#') && *to != "data:,";
        let links = ["href", "src", "action", "xlink:href"].map(|key| attributes.get(key));
        self.faults.extend(
            links.into_iter().flatten().filter(outside).map(|to| format!("leads out to {to}")),
        );
        if let Some(level) = name.strip_prefix('h').and_then(|level| level.parse().ok()) {
            self.headings.push(level);
        }
        let named =
            attributes.contains_key("aria-label") || attributes.contains_key("aria-labelledby");
        let silent = attributes.get("aria-hidden").is_some_and(|hidden| hidden == "true");
        if ["svg", "nav", "section", "aside"].contains(&name.as_str()) && !named && !silent {
            self.faults.push(format!("<{name}> has no name"));
        }
        let scrolls = attributes.get("class").is_some_and(|class| class == "scroll");
        if scrolls && (!attributes.contains_key("tabindex") || !named) {
            self.faults.push("a box that scrolls cannot be reached by keyboard".to_owned());
        }
        Ok(())
    }

    /// Everything that is wrong.
    fn verdict(mut self) -> Vec<String> {
        let lost = self.references.iter().filter(|(_, id)| !self.ids.contains(id));
        self.faults
            .extend(lost.map(|(from, id)| format!("{from} leads to {id}, which is nowhere")));
        if self.headings.first() != Some(&1)
            || self.headings.iter().filter(|level| **level == 1).count() != 1
        {
            self.faults.push("there is not one first heading".to_owned());
        }
        if self.headings.windows(2).any(|pair| pair[1] > pair[0] + 1) {
            self.faults.push("a level of headings is left out".to_owned());
        }
        self.faults
    }
}

fn faults(page: &str) -> Vec<String> {
    match Anatomy::of(page) {
        Ok(anatomy) => anatomy.verdict(),
        Err(error) => vec![error],
    }
}

fn suites() -> Vec<SuiteResult> {
    let mut crashes = sample::empty();
    crashes.crashes = sample::suite().crashes;
    let mut models = sample::empty();
    models.models = sample::suite().models;
    let compared = SuiteResult::from_json(include_str!("../schema/tests/golden/comparison-1.json"));
    vec![sample::suite(), sample::many(40), sample::empty(), crashes, models, compared.unwrap()]
}

#[test]
fn every_page_is_well_formed_and_leads_nowhere_but_into_itself() {
    for suite in suites() {
        assert_eq!(faults(&render(&suite).unwrap()), [""; 0]);
    }
    let history = [sample::suite()];
    let scenarios = [("a<b>.toml".to_owned(), "name = \"<x>\" & more".to_owned())];
    let files = ["result.json".to_owned(), "001.a&b.hgrm".to_owned()];
    let mut now = sample::suite();
    now.started_unix_ms += 1_000;
    let beside = Beside { history: &history, scenarios: &scenarios, files: &files };
    let page = render_with(&now, &beside).unwrap();
    assert_eq!(faults(&page), [""; 0]);
    for shown in ["id=\"trend\"", "Scenario a&#60;b&#62;.toml", "001.a&#38;b.hgrm"] {
        assert!(page.contains(shown), "{shown}");
    }
}

#[test]
fn the_check_of_the_page_rejects_what_is_wrong() {
    let good = render(&sample::suite()).unwrap();
    for (from, to) in [
        ("</section>", ""),
        ("id=\"gates\"", "id=\"goats\""),
        ("id=\"belief\"", "id=\"gates\""),
        ("href=\"#content\"", "href=\"https://example.org\""),
        ("aria-labelledby=\"h-gates\"", "aria-labelledby=\"h-goats\""),
        ("<nav aria-label=\"Sections\">", "<nav>"),
        ("tabindex=\"0\"", ""),
        ("<h1>", "<h1></h1><h1>"),
        ("<h2 id=\"h-gates\">Gates</h2>", "<h4 id=\"h-gates\">Gates</h4>"),
        ("role=\"img\" aria-label=", "role=\"img\" aria-labelle="),
        ("<main id=", "<main class=a&b id="),
    ] {
        let bad = good.replacen(from, to, 1);
        assert!(bad != good, "{from} is not in the page");
        assert!(!faults(&bad).is_empty(), "{from} as {to} was accepted");
    }
}

#[test]
fn every_drawing_of_the_page_is_also_a_file_that_needs_nothing_else() {
    let suite = sample::suite();
    let drawings = drawings(&suite, &Beside::default()).unwrap();
    let page = render(&suite).unwrap();
    assert_eq!(drawings.len(), page.matches("<figure>").count());
    let names: BTreeSet<&str> = drawings.iter().map(|drawing| drawing.name.as_str()).collect();
    assert_eq!(names.len(), drawings.len(), "{names:?}");
    for drawing in &drawings {
        let (name, svg) = (&drawing.name, &drawing.svg);
        assert!(name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-'));
        let mut reader = Reader::from_str(svg);
        // Whatever is not well-formed ends here.
        while reader.read_event().unwrap() != Event::Eof {}
        assert!(!svg.contains("var(--"), "{name} takes a colour from a page");
        assert!(svg.matches("<text").count() > 4, "{name} has labels");
    }
}

/// The colours of both themes, by name.
fn themes(style: &str) -> [BTreeMap<String, [u8; 3]>; 2] {
    let (light, dark) = style.split_once("prefers-color-scheme: dark").unwrap();
    [light, dark].map(|theme| {
        let block = theme.split_once(":root {").unwrap().1.split_once('}').unwrap().0;
        let pairs =
            block.split(';').filter_map(|pair| pair.trim().strip_prefix("--")?.split_once(": #"));
        pairs.map(|(name, hex)| (name.to_owned(), colour(hex))).collect()
    })
}

fn colour(hex: &str) -> [u8; 3] {
    let long: String = match hex.len() {
        3 => hex.chars().flat_map(|digit| [digit, digit]).collect(),
        _ => hex.to_owned(),
    };
    [0, 2, 4].map(|place| u8::from_str_radix(&long[place..place + 2], 16).unwrap())
}

/// The ratio of luminances that the accessibility guidelines define.
fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
    let luminance = |colour: [u8; 3]| {
        let [red, green, blue] = colour.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.039_28 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    };
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// Colours that cannot be read on paper or panel. Grid lines and rules only divide.
fn unreadable(style: &str) -> Vec<String> {
    let mut found = vec![];
    for (theme, colours) in ["light", "dark"].into_iter().zip(themes(style)) {
        let quiet = ["paper", "panel", "grid", "rule"];
        for (name, ink) in colours.iter().filter(|(name, _)| !quiet.contains(&name.as_str())) {
            for ground in ["paper", "panel"] {
                let ratio = contrast(*ink, colours[ground]);
                if ratio < 4.5 {
                    found.push(format!("{theme}: {name} on {ground} has {ratio:.2}"));
                }
            }
        }
    }
    found
}

#[test]
fn every_colour_can_be_read_in_both_themes_and_a_pale_one_is_found() {
    assert_eq!(unreadable(STYLE), [""; 0]);
    let [light, dark] = themes(STYLE);
    assert!(light.len() >= 19 && light.keys().eq(dark.keys()), "{light:?}");
    assert!((contrast([0; 3], [255; 3]) - 21.0).abs() < 1e-9);
    let pale = STYLE.replacen("--soft: #57606a", "--soft: #9aa3ad", 1);
    assert_eq!(unreadable(&pale).len(), 2);
    let dim = STYLE.replacen("--s0: #56b4e9", "--s0: #30465a", 1);
    assert!(dim != STYLE && unreadable(&dim).len() == 2);
}

#[test]
fn sections_without_anything_to_show_do_not_appear() {
    let mut crashes = sample::empty();
    crashes.crashes = sample::suite().crashes;
    let page = render(&crashes).unwrap();
    let sections: Vec<&str> =
        page.split("<section id=\"").skip(1).map(|part| part.split('"').next().unwrap()).collect();
    assert_eq!(sections, ["crashes", "belief", "appendix"]);
}
