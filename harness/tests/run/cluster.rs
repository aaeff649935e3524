//! Several machines, one suite: shards run as the examples say, and put together again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use report_schema::{SuiteResult, Verdict};
use yaml_rust2::{Yaml, YamlLoader};

use crate::support::{Place, code, harness, said};

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/cluster");

/// A scenario of five cells.
fn five() -> Place {
    let place = Place::new("stream]", "count = 200");
    let text = fs::read_to_string(&place.scenario).unwrap();
    let matrix = "\n[matrix]\nblock.slots = [4, 5, 6, 7, 8]\n";
    fs::write(&place.scenario, text + matrix).unwrap();
    place
}

fn shards(out: &Path, count: u32) -> Vec<PathBuf> {
    (1..=count).map(|shard| out.join(format!("shard-{shard}/latest"))).collect()
}

/// Merges what is there, into `out/whole`.
fn merge(shards: &[PathBuf], out: &Path, options: &[&str]) -> Output {
    let mut command = harness();
    command.arg("merge").args(shards).args(options).arg("--out").arg(out.join("whole"));
    command.output().unwrap()
}

fn cells(out: &Path) -> Vec<String> {
    let text = fs::read_to_string(out.join("whole/latest/result.json")).unwrap();
    let result = SuiteResult::from_json(&text).unwrap();
    assert!(result.shard.is_none());
    let cells = result.scenarios.iter().flat_map(|scenario| &scenario.cells);
    cells.map(|cell| cell.id.clone()).collect()
}

const ALL: [&str; 5] =
    ["tiny/slots=4", "tiny/slots=5", "tiny/slots=6", "tiny/slots=7", "tiny/slots=8"];

#[test]
fn the_slurm_example_runs_every_cell_once() {
    let place = five();
    let script = Path::new(EXAMPLES).join("slurm-array.sh");
    let checked = Command::new("bash").arg("-n").arg(&script).status().unwrap();
    assert!(checked.success());
    let text = fs::read_to_string(&script).unwrap();
    assert!(text.contains("#SBATCH --array=1-4\n"), "{text}");
    for task in 1..=4 {
        let mut command = Command::new("bash");
        command.arg(&script).env("SLURM_ARRAY_TASK_ID", task.to_string());
        command.env("SLURM_ARRAY_TASK_COUNT", "4").env("PROFILE", "smoke");
        command.env("HARNESS", env!("CARGO_BIN_EXE_harness")).env("OUT", place.out());
        let output = command.env("SCENARIOS", &place.scenario).output().unwrap();
        assert_eq!(code(&output), 0, "{}", said(&output));
    }
    let output = merge(&shards(&place.out(), 4), &place.out(), &[]);
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert_eq!(cells(&place.out()), ALL);
    assert!(place.out().join("whole/latest/report.html").exists());
}

/// Fields of mappings, one after the other.
fn at<'a>(yaml: &'a Yaml, path: &[&str]) -> &'a Yaml {
    path.iter().fold(yaml, |yaml, key| &yaml[*key])
}

#[test]
fn the_kubernetes_example_is_an_indexed_job_whose_command_runs_every_cell_once() {
    let place = five();
    let text = fs::read_to_string(Path::new(EXAMPLES).join("kubernetes-job.yaml")).unwrap();
    let job = YamlLoader::load_from_str(&text).unwrap().remove(0);
    assert_eq!((job["apiVersion"].as_str(), job["kind"].as_str()), (Some("batch/v1"), Some("Job")));
    let spec = &job["spec"];
    assert_eq!(spec["completionMode"].as_str(), Some("Indexed"));
    let count = u32::try_from(spec["completions"].as_i64().unwrap()).unwrap();
    assert_eq!(spec["parallelism"].as_i64(), Some(i64::from(count)));
    let container = &at(spec, &["template", "spec", "containers"])[0];
    let env = container["env"].as_vec().unwrap();
    let value = |name: &str| {
        let found = env.iter().find(|each| each["name"].as_str() == Some(name)).unwrap();
        found["value"].as_str().unwrap()
    };
    assert_eq!(value("SHARDS"), count.to_string());
    let command: Vec<&str> =
        container["command"].as_vec().unwrap().iter().filter_map(Yaml::as_str).collect();
    let script = container["args"][0].as_str().unwrap();
    let path = Path::new(env!("CARGO_BIN_EXE_harness")).parent().unwrap().display().to_string();
    let path = format!("{path}:{}", std::env::var("PATH").unwrap_or_default());
    for index in 0..count {
        let mut pod = Command::new(command[0]);
        pod.args(&command[1..]).arg(script).env("PATH", &path).env("OUT", place.out());
        pod.env("SHARDS", value("SHARDS")).env("JOB_COMPLETION_INDEX", index.to_string());
        pod.env("SCENARIOS", &place.scenario).env("PROFILE", "smoke");
        let output = pod.output().unwrap();
        assert_eq!(code(&output), 0, "{}", said(&output));
    }
    let output = merge(&shards(&place.out(), count), &place.out(), &[]);
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert_eq!(cells(&place.out()), ALL);
}

#[test]
fn a_shard_that_is_missing_comes_twice_or_is_of_another_run_is_refused() {
    let place = five();
    let run = |shard: &str, out: &str, more: &[&str]| {
        let mut command = harness();
        command.arg("run").arg(&place.scenario).args(["--shard", shard]).args(more);
        command.arg("--out").arg(place.out().join(out));
        let output = command.output().unwrap();
        assert_eq!(code(&output), 0, "{}", said(&output));
        place.out().join(out).join("latest")
    };
    let first = run("1/2", "a", &[]);
    let second = run("2/2", "b", &[]);
    let other = run("2/2", "c", &["--seed", "99"]);
    let out = place.out();
    let refused = |shards: &[PathBuf], why: &str| {
        let output = merge(shards, &out, &[]);
        assert_eq!(code(&output), 2, "{why}: {}", said(&output));
        assert!(said(&output).contains(why), "{why}: {}", said(&output));
        assert!(!out.join("whole/latest").exists(), "{why}: something was written");
    };
    refused(
        std::slice::from_ref(&first),
        "shard 2/2 is missing or not finished: 2 cells did not run",
    );
    refused(&[first.clone(), first.clone(), second.clone()], "is also in");
    refused(&[first.clone(), other], "its seed is 99");
    let output = merge(&[first, second], &out, &[]);
    assert_eq!(code(&output), 0, "{}", said(&output));
    let output = merge(&[out.join("b/latest")], &out, &["--partial"]);
    assert_eq!(code(&output), 5, "{}", said(&output));
    assert!(said(&output).contains("shard 1/2 is missing"), "{}", said(&output));
    assert!(said(&output).contains("but not everything ran"), "{}", said(&output));
    let text = fs::read_to_string(out.join("whole/latest/result.json")).unwrap();
    assert_eq!(SuiteResult::from_json(&text).unwrap().verdict, Verdict::Inconclusive);
}

#[test]
fn shards_of_scenarios_with_seeds_of_their_own_belong_together() {
    let place = Place::new("stream]", "count = 200");
    let text = fs::read_to_string(&place.scenario).unwrap();
    let other = place.scenario.with_file_name("other.toml");
    let text =
        text.replace(r#"name = "tiny""#, r#"name = "other""#).replace("seed = 7", "seed = 8");
    fs::write(&other, text).unwrap();
    for shard in 1..=2 {
        let mut command = harness();
        command.arg("run").args([&place.scenario, &other]);
        command.args(["--shard", &format!("{shard}/2")]);
        let out = place.out().join(format!("shard-{shard}"));
        let output = command.arg("--out").arg(out).output().unwrap();
        assert_eq!(code(&output), 0, "{}", said(&output));
    }
    let output = merge(&shards(&place.out(), 2), &place.out(), &[]);
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert_eq!(cells(&place.out()), ["other", "tiny"]);
}

#[test]
fn a_shard_without_a_cell_runs_nothing_and_says_so() {
    let place = five();
    let output = place.run().args(["--shard", "6/9"]).output().unwrap();
    assert_eq!(code(&output), 4, "{}", said(&output));
    assert!(said(&output).contains("shard 6/9 has no cell"), "{}", said(&output));
    let output = place.run().args(["--shard", "3/2"]).output().unwrap();
    assert_eq!(code(&output), 2, "{}", said(&output));
}
