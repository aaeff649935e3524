//! The exposition is OpenMetrics, as a small checker sees it; the checker is tested by what it refuses.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{HashMap, HashSet};

use assert_cmd::Command;
use datahub::config::{BlockConfig, ConsumerSync};
use datahub::consumer::Consumer;
use datahub::memory::Shared;
use datahub::name::BlockName;
use datahub::place::Place;
use datahub::producer::Producer;
use datahub::ring::reader::JoinAt;
use datahub::shm::Folder;
use datahub::wait::Timeout;

/// A sample: its name with labels, and its value.
type Samples = HashMap<String, f64>;

/// Reads an exposition strictly.
fn check(text: &str) -> Result<Samples, String> {
    let body = text.strip_suffix("# EOF\n").ok_or("does not end with # EOF")?;
    let (mut samples, mut families) = (Samples::new(), HashSet::new());
    let mut family: Option<(String, String)> = None;
    for line in body.lines() {
        if let Some(rest) = line.strip_prefix("# ") {
            let mut words = rest.splitn(3, ' ');
            let (keyword, name) = (words.next().unwrap_or(""), words.next().ok_or(line)?);
            let value = words.next().ok_or_else(|| format!("nothing follows in {line}"))?;
            match keyword {
                "TYPE" if !families.insert(name.to_owned()) => {
                    return Err(format!("family {name} comes twice"));
                }
                "TYPE" => family = Some((name.to_owned(), value.to_owned())),
                "UNIT" if !name.ends_with(&format!("_{value}")) => {
                    return Err(format!("{name} does not end with its unit {value}"));
                }
                "HELP" | "UNIT" => {}
                _ => return Err(format!("unknown comment {line}")),
            }
            let current = family.as_ref().map(|(current, _)| current.as_str());
            if current != Some(name) {
                return Err(format!("{line} stands in another family"));
            }
            continue;
        }
        let (name, kind) = family.as_ref().ok_or("a sample without a family")?;
        let (series, value) = line.rsplit_once(' ').ok_or_else(|| format!("no value in {line}"))?;
        let value: f64 = value.parse().map_err(|_| format!("{line} has no number"))?;
        check_series(series, name, kind)?;
        if kind == "counter" && (value < 0.0 || !value.is_finite()) {
            return Err(format!("{line} is no count"));
        }
        if samples.insert(series.to_owned(), value).is_some() {
            return Err(format!("{series} comes twice"));
        }
    }
    Ok(samples)
}

fn check_series(series: &str, family: &str, kind: &str) -> Result<(), String> {
    let (name, labels) = series.split_once('{').ok_or_else(|| format!("{series} has no labels"))?;
    let suffix = match kind {
        "counter" => "_total",
        "info" => "_info",
        "gauge" => "",
        other => return Err(format!("unknown type {other}")),
    };
    if name != format!("{family}{suffix}") {
        return Err(format!("{name} does not belong to {family}, a {kind}"));
    }
    if !name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') {
        return Err(format!("{name} is no name"));
    }
    let labels = labels.strip_suffix('}').ok_or_else(|| format!("{series} is open"))?;
    for label in labels.split(',') {
        let (key, value) = label.split_once('=').ok_or_else(|| format!("{label} is no label"))?;
        let quoted = value.len() >= 2 && value.starts_with('"') && value.ends_with('"');
        if !quoted || !key.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
            return Err(format!("{label} is no label"));
        }
    }
    if labels.contains("block=\"") { Ok(()) } else { Err(format!("{series} names no block")) }
}

#[test]
fn the_checker_refuses_what_is_wrong() {
    let good = "# TYPE a_bytes counter\n# UNIT a_bytes bytes\n# HELP a_bytes A.\n\
                a_bytes_total{block=\"x\"} 1\n# EOF\n";
    assert_eq!(check(good).unwrap().get("a_bytes_total{block=\"x\"}"), Some(&1.0));
    let damage = [
        ("# EOF\n", ""),
        ("_total{", "{"),
        ("} 1", "} -1"),
        ("} 1", "} one"),
        ("# UNIT a_bytes bytes", "# UNIT a_bytes seconds"),
        ("# HELP a_bytes", "# HELP b_bytes"),
        ("block=\"x\"", "block=x"),
        ("block=", "name="),
        ("counter", "counted"),
        ("# HELP a_bytes A.\n", "# TYPE a_bytes counter\n"),
        (
            "a_bytes_total{block=\"x\"} 1\n",
            "a_bytes_total{block=\"x\"} 1\na_bytes_total{block=\"x\"} 1\n",
        ),
    ];
    for (old, new) in damage {
        let text = good.replacen(old, new, 1);
        assert!(text != good && check(&text).is_err(), "{old:?} → {new:?} was accepted");
    }
}

fn export(folder: &Folder, arguments: &[&str]) -> String {
    let mut command = Command::cargo_bin("datahub").unwrap();
    let output = command.arg("--folder").arg(folder.path()).arg("export").args(arguments);
    let output = output.output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn what_is_exported_is_openmetrics_and_true() {
    let root = tempfile::tempdir_in("/dev/shm").unwrap();
    let folder = Folder::at(root.path());
    assert_eq!(export(&folder, &[]), "# EOF\n");

    let mut producers = ["imu", "camera"].map(|name| {
        let config = BlockConfig::new(ConsumerSync::SequentialSync, 4, 8).unwrap();
        let name = BlockName::new(name).unwrap();
        Producer::create_with(Shared, &folder, &name, config).unwrap()
    });
    let name = BlockName::new("imu").unwrap();
    let place = Place::Named { folder: folder.clone(), name };
    let mut consumer = Consumer::attach(place, JoinAt::Oldest).unwrap();
    for _ in 0..3 {
        producers[0].acquire_write_slot(Timeout::Now).unwrap().commit(8).unwrap();
    }
    consumer.acquire_consume_slot(Timeout::Now).unwrap().release();
    std::fs::write(root.path().join("datahub.noise"), b"noise").unwrap();

    let samples = check(&export(&folder, &[])).unwrap();
    let wanted = [
        ("datahub_usable{block=\"imu\"}", 1.0),
        ("datahub_usable{block=\"noise\"}", 0.0),
        ("datahub_slots_written_total{block=\"imu\"}", 3.0),
        ("datahub_slots_written_total{block=\"camera\"}", 0.0),
        ("datahub_written_bytes_total{block=\"imu\"}", 24.0),
        ("datahub_slots_read_total{block=\"imu\"}", 1.0),
        ("datahub_commit_index{block=\"imu\"}", 3.0),
        ("datahub_producer_alive{block=\"imu\"}", 1.0),
        ("datahub_consumer_lag_payloads{block=\"imu\",consumer=\"0\"}", 2.0),
        ("datahub_ring_occupancy_ratio{block=\"imu\"}", 0.5),
        ("datahub_slots{block=\"imu\",state=\"committed\"}", 3.0),
        // Taken ahead of time for the next commit.
        ("datahub_slots{block=\"imu\",state=\"writing\"}", 1.0),
        ("datahub_slots{block=\"imu\",state=\"free\"}", 1.0),
        ("datahub_healthy{block=\"imu\"}", 1.0),
        ("datahub_findings{block=\"imu\",severity=\"critical\"}", 0.0),
    ];
    for (series, value) in wanted {
        assert_eq!(samples.get(series), Some(&value), "{series}");
    }
    let one = check(&export(&folder, &["camera"])).unwrap();
    assert!(one.keys().all(|series| series.contains("block=\"camera\"")), "{one:?}");
}
