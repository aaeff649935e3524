//! The page in a real browser: nothing sticks out, nothing is fetched, nothing complains, no label of a
//! drawing is cut off or covers another, and what is printed is whole and on white paper. Run by
//! `ci/page`, also on the pages that `PAGES` names; each check is tested by a page that must fail it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::Command;

use report_schema::SuiteResult;
use reports::page::render;

#[path = "support/sample.rs"]
mod sample;

/// Looks at the page from inside and writes what it finds into the title, a line each.
const EYES: &str = include_str!("support/eyes.js");

/// Names that the browser has on usual systems.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/// The widths at which a page is looked at: a desk and a phone.
const WIDTHS: [u32; 2] = [1440, 390];

/// The width of a printed sheet between its margins, in pixels of the page.
const PAPER: u32 = 720;

/// A folder of this test alone, which goes with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays behind is overwritten by the next run.
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn browser() -> Option<&'static str> {
    let asked = |name: &&str| Command::new(name).arg("--version").output().is_ok();
    BROWSERS.into_iter().find(asked)
}

/// A page that holds others in frames of each width, so that one start of the browser shows them all.
/// Frames have the page's own origin, so the script may look inside.
fn mirror(pages: &[String]) -> String {
    let frame = |(number, page): (usize, &String)| {
        let inside = page.replace('&', "&amp;").replace('"', "&quot;");
        let each = WIDTHS.map(|width| {
            format!(
                "<iframe title=\"{number}\" style=\"width:{width}px;height:900px;border:0\" srcdoc=\"{inside}\"></iframe>"
            )
        });
        let paper = printed(page).replace('&', "&amp;").replace('"', "&quot;");
        let paper = format!(
            "<iframe title=\"{number}\" data-paper style=\"width:{PAPER}px;height:960px;border:0\" srcdoc=\"{paper}\"></iframe>"
        );
        each.concat() + &paper
    };
    let frames: String = pages.iter().enumerate().map(frame).collect();
    format!(
        "<!DOCTYPE html><meta charset=\"utf-8\"><body>{frames}<pre id=\"found\"></pre><script>{EYES}</script>"
    )
}

/// The page as its rules for paper make it: a frame has no other way to be printed.
fn printed(page: &str) -> String {
    page.replace("@media print", "@media all").replace("@media screen and", "@media speech and")
}

/// Starts the browser; 0 is dark and 1 is light.
fn start(folder: &Path, dark: bool) -> Command {
    let theme = format!("--blink-settings=preferredColorScheme={}", u8::from(!dark));
    let profile = format!("--user-data-dir={}", folder.join("profile").display());
    let mut command = Command::new(browser().unwrap());
    command.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--no-first-run",
    ]);
    command.args([&theme, &profile]);
    command
}

/// The pages that the environment names, each under its name.
fn named() -> Vec<(String, String)> {
    let named = std::env::var_os("PAGES").unwrap_or_default();
    let files = std::env::split_paths(&named).filter(|file| !file.as_os_str().is_empty());
    let read = |file: PathBuf| {
        let text = std::fs::read_to_string(&file);
        let text = text.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        (file.display().to_string(), text)
    };
    files.map(read).collect()
}

/// The page printed, by a browser in its dark theme.
fn pdf(folder: &Path, page: &str) -> Vec<u8> {
    let (file, paper) = (folder.join("page.html"), folder.join("page.pdf"));
    std::fs::write(&file, page).unwrap();
    let mut command = start(folder, true);
    command.arg("--no-pdf-header-footer").arg(format!("--print-to-pdf={}", paper.display()));
    let output = command.arg(format!("file://{}", file.display())).output().unwrap();
    let bytes = std::fs::read(&paper);
    let bytes = bytes.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    std::fs::remove_file(&paper).unwrap();
    bytes
}

/// Sheets of a printed page.
fn sheets(pdf: &[u8]) -> usize {
    const KEY: &[u8] = b"/Type /Page";
    let is_sheet = |part: &&[u8]| part.starts_with(KEY) && part[KEY.len()] != b's';
    pdf.windows(KEY.len() + 1).filter(is_sheet).count()
}

/// Sheets that a page with anything to show needs at least; one is there for nothing, too.
const SHEETS: usize = 2;

/// What the browser finds wrong with pages, in one theme; each line begins with the page's number.
fn seen(folder: &Path, pages: &[String], dark: bool) -> Vec<String> {
    let file = folder.join("page.html");
    std::fs::write(&file, mirror(pages)).unwrap();
    let options = [
        "--enable-logging=stderr",
        "--virtual-time-budget=4000",
        "--window-size=2000,1000",
        "--dump-dom",
    ];
    let output = start(folder, dark)
        .args(options)
        .arg(format!("file://{}", file.display()))
        .output()
        .unwrap();
    let dom = String::from_utf8_lossy(&output.stdout);
    let found = dom.split("<pre id=\"found\">").nth(1).and_then(|rest| rest.split("</pre>").next());
    let found = found.filter(|found| found.starts_with("looked")).unwrap_or("nobody looked");
    let complaints = String::from_utf8_lossy(&output.stderr);
    let complaints = complaints.lines().filter(|line| line.contains("CONSOLE"));
    let complaints = complaints.map(|line| format!("it complains: {line}"));
    found.lines().filter(|line| *line != "looked").map(str::to_owned).chain(complaints).collect()
}

fn compared() -> SuiteResult {
    SuiteResult::from_json(include_str!("../schema/tests/golden/comparison-1.json")).unwrap()
}

#[test]
#[ignore = "needs chromium: ci/page runs it"]
fn no_page_sticks_out_or_fetches_or_covers_its_own_words() {
    let folder = Folder::new("page-good");
    let crashes = SuiteResult { crashes: sample::suite().crashes, ..sample::empty() };
    let suites = [sample::suite(), sample::many(40), crashes, compared()];
    let pages: Vec<String> = suites.iter().map(|suite| render(suite).unwrap()).collect();
    for dark in [false, true] {
        assert_eq!(seen(&folder.0, &pages, dark), [""; 0], "dark: {dark}");
    }
}

#[test]
#[ignore = "needs chromium: ci/page runs it"]
fn pages_of_real_runs_pass_the_same_checks() {
    let folder = Folder::new("page-real");
    for (name, page) in named() {
        for dark in [false, true] {
            let found = seen(&folder.0, std::slice::from_ref(&page), dark);
            assert_eq!(found, [""; 0], "{name}, dark: {dark}");
        }
        let sheets = sheets(&pdf(&folder.0, &page));
        assert!(sheets >= SHEETS, "{name}: {sheets} sheets");
    }
}

#[test]
#[ignore = "needs chromium: ci/page runs it"]
fn a_page_is_printed_and_one_that_hides_from_paper_is_found() {
    let folder = Folder::new("page-paper");
    let good = render(&sample::many(3)).unwrap();
    let printed = sheets(&pdf(&folder.0, &good));
    assert!(printed >= SHEETS, "{printed} sheets");
    let hidden = good.replace("@media print {", "@media print { body { display: none }");
    assert!(hidden != good);
    assert!(sheets(&pdf(&folder.0, &hidden)) < SHEETS);
    assert_eq!(sheets(b"/Type /Pages\n/Type /Page\n"), 1);
}

#[test]
#[ignore = "needs chromium: ci/page runs it"]
fn what_is_wrong_with_a_page_is_found() {
    let folder = Folder::new("page-bad");
    let good = render(&sample::many(3)).unwrap();
    let label = "<text x=\"2\" y=\"14\"";
    let defects = [
        ("</main>", "<div style=\"width:3000px\">wide</div></main>", "sticks out"),
        ("</main>", "<img alt=\"x\" src=\"http://127.0.0.1:9/x.png\"/></main>", "fetches"),
        ("</main>", "<script>console.error('planted words')</script></main>", "planted words"),
        (label, "<text x=\"-30\" y=\"14\"", "is cut off"),
        (
            label,
            "<text x=\"2\" y=\"14\" font-size=\"14\">over</text><text x=\"4\" y=\"15\"",
            "covers",
        ),
        ("font-size=\"11.5\"", "font-size=\"7\"", "is too small"),
        ("@media print {", "@media print { figure { width: 5000px }", "is cut on paper"),
        ("@media print {", "@media print { :root { --paper: #eee }", "the paper is not white"),
        ("--ink: #16191d", "--ink: #ededed", "is too pale"),
    ];
    let planted = |(from, to, _): &(&str, &str, &str)| {
        let bad = good.replace(from, to);
        assert!(bad != good, "{from} is not in the page");
        bad
    };
    let pages: Vec<String> = defects.iter().map(planted).collect();
    let found = seen(&folder.0, &pages, false);
    for (number, (_, _, words)) in defects.iter().enumerate() {
        let own = |line: &&String| {
            line.starts_with(&format!("page {number},")) || line.contains("planted")
        };
        assert!(found.iter().filter(own).any(|line| line.contains(words)), "{words}: {found:#?}");
    }
    // A dark page must not be printed dark, whichever browser prints it.
    let dark = good.replace("@media screen and (prefers", "@media (prefers");
    assert!(dark != good);
    let found_dark = seen(&folder.0, &[dark], true);
    assert!(
        found_dark.iter().any(|line| line.contains("the paper is not white")),
        "{found_dark:#?}"
    );
    // What was not planted is not found: the last page differs from a good one in one colour only.
    let last = format!("page {},", defects.len() - 1);
    assert!(
        found.iter().filter(|line| line.starts_with(&last)).all(|line| line.contains("pale")),
        "{found:#?}"
    );
}
