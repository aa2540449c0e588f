//! Whole trainings, checked for what they reach. Half a minute on two quiet cores, so only on demand:
//!
//! ```sh
//! cargo test --release --test learning -- --ignored --nocapture
//! ```
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use concrete_dqn::files::read_json;
use concrete_dqn::run::Summary;

/// Trains with the real program, two seeds at a time, and returns the summaries in the order of the seeds.
fn train(runs: &Path, seeds: &[u64], flags: &[&str]) -> Vec<Summary> {
    for pair in seeds.chunks(2) {
        let children: Vec<_> = pair
            .iter()
            .map(|seed| {
                Command::new(env!("CARGO_BIN_EXE_concrete-dqn"))
                    .args(flags)
                    .args(["--seed", &seed.to_string(), "-q", "--runs-dir"])
                    .arg(runs)
                    .spawn()
                    .unwrap()
            })
            .collect();
        for mut child in children {
            assert!(child.wait().unwrap().success());
        }
    }
    let mut summaries: Vec<Summary> =
        folders(runs).iter().map(|run| read_json(&run.join("summary.json")).unwrap()).collect();
    summaries.sort_by_key(|summary| summary.seed);
    for summary in &summaries {
        println!("seed {}: {}", summary.seed, summary.evaluation.as_ref().unwrap());
    }
    summaries
}

fn folders(runs: &Path) -> Vec<PathBuf> {
    fs::read_dir(runs).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
#[ignore = "whole trainings"]
fn cartpole_is_solved_and_p_shrinks() {
    let runs = tempfile::tempdir().unwrap();
    let summaries = train(runs.path(), &[0, 1, 2, 3, 4], &["--env", "cartpole", "--steps", "30000"]);
    let returns: Vec<f64> =
        summaries.iter().map(|summary| summary.evaluation.as_ref().unwrap().mean_return).collect();
    let mean = returns.iter().sum::<f64>() / returns.len() as f64;
    assert!(mean >= 490.0, "{returns:?}");
    assert!(returns.iter().filter(|&&mean| mean == 500.0).count() >= 4, "{returns:?}");
    for summary in summaries {
        for (layer, (last, peak)) in summary.p_final.iter().zip(&summary.p_peak).enumerate() {
            assert!(last <= &(peak / 5.0), "layer {layer} of seed {}: {last}, peak {peak}", summary.seed);
        }
        // 30,000 transitions fit into the replay, so N is what had been seen when the last episode ended.
        assert!(summary.dataset_size <= 30_000 && summary.dataset_size > 29_500, "{}", summary.dataset_size);
    }
}

#[test]
#[ignore = "whole trainings"]
fn n_held_leaves_p_larger() {
    // Tau fixed and equal, so that N alone decides; otherwise as in examples/growing_n.rs.
    let settings = ["precision.learned=false", "precision.initial=600", "agent.targets=double-q"];
    let flags = |size| {
        let mut flags =
            vec!["--env", "cartpole", "--steps", "30000", "--exploration", "epsilon-greedy", "--set", size];
        flags.extend(settings.iter().flat_map(|setting| ["--set", setting]));
        flags
    };
    let (follows, held) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let follows = train(follows.path(), &[0, 1], &flags("dropout.dataset_size=replay"));
    let held = train(held.path(), &[0, 1], &flags("dropout.dataset_size=100"));
    for (follows, held) in follows.iter().zip(&held) {
        println!("seed {}: p {:?} with N grown, {:?} with N held", held.seed, follows.p_final, held.p_final);
        for (layer, (grown, kept)) in follows.p_final.iter().zip(&held.p_final).enumerate() {
            assert!(kept > &(2.0 * grown), "layer {layer} of seed {}: {kept} held, {grown} grown", held.seed);
        }
    }
}
