//! What others' programs read of a run: TensorBoard, Stable-Baselines3, pandas, polars.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod program;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use concrete_dqn::rows::{EpisodeRecord, EvaluationRecord, Row, UpdateRecord, read};
use program::{folders, program, python, text, train};
use serde::Deserialize;

#[derive(Deserialize)]
struct Found {
    scalars: BTreeMap<String, Vec<(u64, f64)>>,
    served: BTreeMap<String, Vec<(u64, f64)>>,
    histograms: BTreeMap<String, Vec<(u64, f64, f64)>>,
    monitor: Monitor,
}

#[derive(Deserialize)]
struct Monitor {
    r: Vec<f64>,
    l: Vec<u64>,
    t: Vec<f64>,
}

fn read_run(python: &Path, run: &Path) -> Found {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/read_run.py");
    let output = Command::new(python).arg(script).arg(run).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn rows<R: Row>(run: &Path) -> Vec<R> {
    read(&run.join(R::FILE)).unwrap()
}

/// The series has a point for every row in which there is a number, and no other. Tables have six digits and events 24 bits.
fn assert_series(found: &Found, tag: &str, wanted: impl IntoIterator<Item = (u64, f64)>) {
    let wanted: Vec<_> = wanted.into_iter().filter(|(_, value)| value.is_finite()).collect();
    let series = &found.scalars[tag];
    let steps = |points: &[(u64, f64)]| points.iter().map(|point| point.0).collect::<Vec<_>>();
    assert_eq!(steps(series), steps(&wanted), "{tag}");
    for ((step, found), (_, wanted)) in series.iter().zip(&wanted) {
        assert!((found - wanted).abs() <= 6e-6 * wanted.abs(), "{tag} at {step}: {found} and {wanted}");
    }
}

/// Everything is in TensorBoard and in monitor.csv as it is in the tables.
fn assert_read(found: &Found, run: &Path) {
    assert_eq!(found.served, found.scalars);
    let episodes: Vec<EpisodeRecord> = rows(run);
    let of_episodes = |value: fn(&EpisodeRecord) -> f64| {
        episodes.iter().map(move |row| (row.total_steps, value(row))).collect::<Vec<_>>()
    };
    assert_series(found, "charts/episodic_return", of_episodes(|row| row.episode_return));
    assert_series(found, "rollout/ep_rew_mean", of_episodes(|row| row.mean_return_100));
    assert_series(
        found,
        "rollout/exploration_rate",
        of_episodes(|row| row.exploratory_share.unwrap_or(f64::NAN)),
    );
    let lengths: Vec<f64> = episodes.iter().map(|row| row.episode_length as f64).collect();
    let mean_lengths = (1..=lengths.len()).map(|end| {
        let window = &lengths[end.saturating_sub(100)..end];
        (episodes[end - 1].total_steps, window.iter().sum::<f64>() / window.len() as f64)
    });
    assert_series(found, "rollout/ep_len_mean", mean_lengths);
    assert!(found.scalars["time/fps"].iter().all(|(_, rate)| *rate > 0.0));

    let updates: Vec<UpdateRecord> = rows(run);
    assert!(!updates.is_empty());
    let of_updates = |value: fn(&UpdateRecord) -> f64| {
        updates.iter().map(move |row| (row.total_steps, value(row))).collect::<Vec<_>>()
    };
    assert_series(found, "train/loss", of_updates(|row| row.loss));
    assert_series(found, "train/learning_rate", of_updates(|row| row.learning_rate));
    assert_series(found, "uncertainty/epistemic_std", of_updates(|row| row.epistemic_std));
    assert_series(found, "dropout/N", of_updates(|row| row.dataset_size));
    for layer in 0..updates[0].p.len() {
        let p = updates.iter().map(|row| (row.total_steps, row.p[layer]));
        assert_series(found, &format!("dropout/p_{layer}"), p);
    }
    assert!(found.scalars.contains_key("loss/kl"));

    let evaluations: Vec<EvaluationRecord> = rows(run);
    assert!(!evaluations.is_empty());
    let returns = evaluations.iter().map(|row| (row.total_steps, row.mean_return));
    assert_series(found, "eval/mean_reward", returns);
    let lengths = evaluations.iter().map(|row| (row.total_steps, row.mean_length));
    assert_series(found, "eval/mean_ep_length", lengths);

    let Monitor { r, l, t } = &found.monitor;
    assert_eq!(*r, episodes.iter().map(|row| row.episode_return).collect::<Vec<_>>());
    assert_eq!(*l, episodes.iter().map(|row| row.episode_length).collect::<Vec<_>>());
    assert!(t[0] >= 0.0 && t.is_sorted());
}

const PACKAGES: [&str; 4] = ["tensorboard", "gymnasium", "pandas", "stable_baselines3"];

#[test]
fn tensorboard_and_stable_baselines_read_a_run_and_nothing_twice_after_a_resume() {
    let Some(python) = python(&PACKAGES) else { return };
    let runs = tempfile::tempdir().unwrap();
    let flags = ["--env", "cartpole", "--steps", "900", "-q", "--set", "evaluation.period=200"];
    let checkpoints = ["--set", "checkpoint.episodes=5", "--set", "checkpoint.keep=2"];
    let output = train(runs.path(), &[&flags[..], &checkpoints].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let run = folders(runs.path()).remove(0);
    let events = || folders(&run).into_iter().filter(|file| file.to_str().unwrap().contains("tfevents"));
    assert_read(&read_run(&python, &run), &run);

    // As if it had been killed long after a checkpoint, in the middle of writing an event.
    fs::remove_dir_all(newest_checkpoint(&run)).unwrap();
    let mut first = File::options().append(true).open(events().next().unwrap()).unwrap();
    first.write_all(b"\x18\0\0\0\0").unwrap();
    let output = program().arg("resume").arg(&run).args(["--steps", "1000"]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("from step") && !text(&output.stderr).contains("from step 900"));
    assert!(rows::<UpdateRecord>(&run).last().unwrap().total_steps > 950);
    assert_eq!(events().count(), 2);
    assert_read(&read_run(&python, &run), &run);
}

#[test]
fn the_lines_in_the_docs_read_a_run() {
    let Some(python) = python(&["pandas", "polars"]) else { return };
    let runs = tempfile::tempdir().unwrap();
    assert!(train(runs.path(), &["--steps", "900", "-q"]).status.success());
    let run = folders(runs.path()).remove(0);
    let docs = include_str!("../docs/tools.md");
    let blocks = docs.split("```python\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    // Stable-Baselines3 itself needs torch; the test above reads with that file of it.
    let blocks: Vec<_> = blocks.filter(|block| !block.contains("stable_baselines3")).collect();
    assert_eq!(blocks.len(), 2);
    let mean = rows::<EpisodeRecord>(&run).last().unwrap().mean_return_100;
    for block in blocks {
        let block = block.replace("RUN", run.to_str().unwrap());
        let output = Command::new(&python).args(["-c", &block]).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        let printed: f64 = text(&output.stdout).trim().parse().unwrap();
        assert!((printed - mean).abs() < 1e-9, "{printed} and {mean}");
    }
}

fn newest_checkpoint(run: &Path) -> PathBuf {
    let mut steps = folders(&run.join("checkpoints"));
    steps.retain(|folder| folder.file_name().unwrap().to_str().unwrap().starts_with("step-"));
    steps.pop().unwrap()
}

#[test]
fn tensorboard_shows_how_p_is_spread_over_the_places() {
    let Some(python) = python(&PACKAGES) else { return };
    let runs = tempfile::tempdir().unwrap();
    let flags = ["--env", "deep-sea", "--env-arg", "size=4", "--steps", "2000", "-q"];
    let flags = [&flags[..], &["--set", "evaluation.period=1000"]].concat();
    assert!(train(runs.path(), &flags).status.success());
    let run = folders(runs.path()).remove(0);
    let found = read_run(&python, &run);
    assert_read(&found, &run);
    // 16 cells and the place of what is in none, 2 actions each; every one is in a bucket.
    assert_eq!(found.histograms["dropout/local_p"], [(1_000, 34.0, 34.0), (2_000, 34.0, 34.0)]);
}
