//! Several machines, one suite: shards run as the examples say, and put together again.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use report_schema::{SuiteResult, Verdict};
use yaml_rust2::{Yaml, YamlLoader};

use crate::support::{Place, code, harness, said, shipped};

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

#[test]
fn shards_share_one_rate_of_false_alarms_against_a_baseline() {
    let place = five();
    let kept = place.out().join("kept");
    assert_eq!(code(&place.run().output().unwrap()), 0);
    let mut save = harness();
    save.args(["baseline", "save", "first"]).arg(place.out().join("latest"));
    assert_eq!(code(&save.arg("--dir").arg(&kept).output().unwrap()), 0);
    let mut alpha = 0.0;
    for shard in ["1/2", "2/2"] {
        let mut run = place.run();
        run.args(["--baseline", "first", "--shard", shard]).arg("--baselines").arg(&kept);
        let output = run.output().unwrap();
        // One trial is too few for an answer.
        assert_eq!(code(&output), 5, "{}", said(&output));
        let result = place.result();
        assert_eq!(result.shard.unwrap().against, Some(5));
        let comparison = &result.comparisons[0];
        let fair = 0.01 * comparison.cells.len() as f64 / 5.0;
        assert!((comparison.alpha - fair).abs() < 1e-12, "{comparison:?}");
        alpha += comparison.alpha;
    }
    assert!((alpha - 0.01).abs() < 1e-12, "{alpha}");
}

/// Fields of mappings, one after the other.
fn at<'a>(yaml: &'a Yaml, path: &[&str]) -> &'a Yaml {
    path.iter().fold(yaml, |yaml, key| &yaml[*key])
}

/// The Job of the example.
fn job() -> Yaml {
    let text = fs::read_to_string(Path::new(EXAMPLES).join("kubernetes-job.yaml")).unwrap();
    YamlLoader::load_from_str(&text).unwrap().remove(0)
}

/// How many pods there are, and the container that each of them runs.
fn pods(job: &Yaml) -> (u32, &Yaml) {
    let spec = &job["spec"];
    let count = u32::try_from(spec["completions"].as_i64().unwrap()).unwrap();
    (count, &at(spec, &["template", "spec", "containers"])[0])
}

/// Runs one pod's command as the cluster would.
fn pod(place: &Place, index: u32, out: &Path) -> Output {
    let job = job();
    let (count, container) = pods(&job);
    let command: Vec<&str> =
        container["command"].as_vec().unwrap().iter().filter_map(Yaml::as_str).collect();
    let path = Path::new(env!("CARGO_BIN_EXE_harness")).parent().unwrap().display().to_string();
    let path = format!("{path}:{}", std::env::var("PATH").unwrap_or_default());
    let mut pod = Command::new(command[0]);
    pod.args(&command[1..]).arg(container["args"][0].as_str().unwrap()).env("PATH", &path);
    pod.env("OUT", out).env("SHARDS", count.to_string());
    pod.env("JOB_COMPLETION_INDEX", index.to_string());
    pod.env("SCENARIOS", &place.scenario).env("PROFILE", "smoke").output().unwrap()
}

#[test]
fn the_kubernetes_example_is_an_indexed_job_whose_command_runs_every_cell_once() {
    let place = five();
    let job = job();
    assert_eq!((job["apiVersion"].as_str(), job["kind"].as_str()), (Some("batch/v1"), Some("Job")));
    let spec = &job["spec"];
    assert_eq!(spec["completionMode"].as_str(), Some("Indexed"));
    let (count, container) = pods(&job);
    assert_eq!(spec["parallelism"].as_i64(), Some(i64::from(count)));
    let env = container["env"].as_vec().unwrap();
    let told = env.iter().find(|each| each["name"].as_str() == Some("SHARDS")).unwrap();
    assert_eq!(told["value"].as_str(), Some(count.to_string().as_str()));
    for index in 0..count {
        let output = pod(&place, index, &place.out());
        assert_eq!(code(&output), 0, "{}", said(&output));
    }
    let output = merge(&shards(&place.out(), count), &place.out(), &[]);
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert_eq!(cells(&place.out()), ALL);
}

#[test]
fn a_shard_that_finds_something_ends_no_other_and_merging_tells_it() {
    // One shard that fails may not end the Job: neither as a pod nor by the limits of the Job.
    let job = job();
    let spec = &job["spec"];
    assert!(spec["backoffLimit"].is_badvalue(), "the Job would end with its first failed pod");
    assert!(spec["backoffLimitPerIndex"].as_i64().is_some());
    assert_eq!(spec["maxFailedIndexes"].as_i64(), Some(i64::from(pods(&job).0)));
    let restart = at(spec, &["template", "spec", "restartPolicy"]);
    assert_eq!(restart.as_str(), Some("Never"), "limits by index ask for it");
    let place = five();
    let text = fs::read_to_string(&place.scenario).unwrap();
    let impossible = "\n[[expect]]\nid = \"none\"\ncheck = \"delivered <= 1\"\n";
    fs::write(&place.scenario, text + impossible).unwrap();
    let (count, _) = pods(&job);
    for index in 0..count {
        let output = pod(&place, index, &place.out());
        assert_eq!(code(&output), 0, "{}", said(&output));
        assert!(said(&output).contains("do not hold"), "{}", said(&output));
    }
    let output = merge(&shards(&place.out(), count), &place.out(), &[]);
    assert_eq!(code(&output), 1, "{}", said(&output));
    // One that has left nothing has not done its work.
    let output = pod(&place, 0, Path::new("/dev/null/results"));
    assert_eq!(code(&output), 7, "{}", said(&output));
}

#[test]
fn waiting_for_a_job_ends_when_it_has_failed_too() {
    let folder = tempfile::tempdir().unwrap();
    let stand_in = folder.path().join("kubectl");
    let script = Path::new(EXAMPLES).join("kubernetes-wait.sh");
    for (answer, limit, wanted) in [
        ("echo 'Complete '", "60", 0),
        ("echo 'SuccessCriteriaMet Complete '", "60", 0),
        ("echo 'FailureTarget Failed '", "60", 1),
        ("echo 'Suspended '", "1", 124),
        ("exit 1", "1", 124),
    ] {
        fs::write(&stand_in, format!("#!/bin/sh\n{answer}\n")).unwrap();
        fs::set_permissions(&stand_in, fs::Permissions::from_mode(0o755)).unwrap();
        let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("bash");
        command.arg(&script).args(["harness", limit]).env("PATH", path).env("PAUSE_S", "0.1");
        let output = command.output().unwrap();
        assert_eq!(code(&output), wanted, "{answer}: {}", said(&output));
    }
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
    let longer = run("2/2", "d", &["--repeats", "2"]);
    let set = run("2/2", "e", &["--set", "run.warmup=10ms"]);
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
    refused(&[first.clone(), longer], "its settings is --repeats 2");
    refused(&[first.clone(), set], "its settings is --set run.warmup=10ms");
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

#[test]
fn a_run_and_its_kills_make_one_page_with_one_verdict() {
    let place = Place::new("stream]", "count = 200");
    let run = place.run().output().unwrap();
    assert_eq!(code(&run), 0, "{}", said(&run));
    let mut crash = harness();
    crash.current_dir(shipped("..")).args([
        "crash",
        "--only",
        "writer/W_COMMIT",
        "--kills",
        "1",
        "--out",
    ]);
    let crash = crash.arg(place.out().join("crash")).output().unwrap();
    assert_eq!(code(&crash), 0, "{}", said(&crash));
    let mut model = harness();
    model.args(["model", "slot/one-reader", "--engine", "explore", "--no-mutants", "--out"]);
    let model = model.arg(place.out().join("model")).output().unwrap();
    assert_eq!(code(&model), 0, "{}", said(&model));
    let parts = ["latest", "crash/latest", "model/latest"].map(|part| place.out().join(part));
    let output = merge(&parts, &place.out(), &[]);
    assert_eq!(code(&output), 0, "{}", said(&output));
    let page = fs::read_to_string(place.out().join("whole/latest/report.html")).unwrap();
    for part in ["<h1>SHIP</h1>", "id=\"gates\"", "id=\"models\"", "id=\"crashes\""] {
        assert!(page.contains(part), "{part}");
    }
    assert_eq!(page.matches("Put together from 3 runs").count(), 1);
    assert_eq!(cells(&place.out()), ["tiny"]);
}
