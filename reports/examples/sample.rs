//! Writes a sample result as `sample.json`, `sample.html` and `sample.md` into a folder.

use std::path::PathBuf;

#[path = "../tests/support/sample.rs"]
mod sample;

fn main() -> Result<(), Box<dyn core::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("usage: sample FOLDER")?);
    let suite = sample::suite();
    std::fs::write(folder.join("sample.json"), suite.to_json()?)?;
    std::fs::write(folder.join("sample.html"), reports::page::render(&suite)?)?;
    std::fs::write(folder.join("sample.md"), reports::markdown::render(&suite))?;
    std::fs::write(folder.join("many.html"), reports::page::render(&sample::many(100))?)?;
    std::fs::write(folder.join("empty.html"), reports::page::render(&sample::empty())?)?;
    Ok(())
}
