//! Writes a sample result as `sample.json`, `sample.html` and `sample.md` into a folder.

use std::path::PathBuf;

use reports::page::Beside;

#[path = "../tests/support/sample.rs"]
mod sample;

fn main() -> Result<(), Box<dyn core::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("usage: sample FOLDER")?);
    std::fs::create_dir_all(&folder)?;
    let suite = sample::suite();
    std::fs::write(folder.join("sample.json"), suite.to_json()?)?;
    std::fs::write(folder.join("sample.html"), reports::page::render(&suite)?)?;
    std::fs::write(folder.join("sample.md"), reports::markdown::render(&suite))?;
    let history = [suite.clone()];
    let mut later = suite.clone();
    later.started_unix_ms += 86_400_000;
    let files = ["result.json".to_owned(), "metrics.txt".to_owned()];
    let scenarios = [("scenarios/latency/open.toml".to_owned(), "name = \"open\"\n".to_owned())];
    let beside = Beside { history: &history, scenarios: &scenarios, files: &files };
    std::fs::write(folder.join("beside.html"), reports::page::render_with(&later, &beside)?)?;
    let golden = include_str!("../schema/tests/golden/comparison-1.json");
    let compared = report_schema::SuiteResult::from_json(golden)?;
    std::fs::write(folder.join("compared.html"), reports::page::render(&compared)?)?;
    std::fs::write(folder.join("many.html"), reports::page::render(&sample::many(100))?)?;
    std::fs::write(folder.join("empty.html"), reports::page::render(&sample::empty())?)?;
    Ok(())
}
