//! The real program, run as a user runs it: what the tests of the command line share.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]
#![allow(dead_code, reason = "not every test needs every helper")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Settings under which a training takes a second. What sets one of them itself takes [`quick`].
pub const QUICK: [&str; 10] = [
    "--set",
    "network.hidden=[16,16]",
    "--set",
    "agent.learning_starts=100",
    "--set",
    "agent.batch_size=16",
    "--set",
    "evaluation.episodes=2",
    "--set",
    "logging.update_period=20",
];

/// [`QUICK`] without what `arguments` set themselves.
pub fn quick(arguments: &[&str]) -> Vec<&'static str> {
    let is_set = |setting: &str| {
        let key = setting.split('=').next().unwrap();
        arguments.iter().any(|argument| argument.trim_start_matches("--set=").starts_with(&format!("{key}=")))
    };
    QUICK.chunks(2).filter(|pair| !is_set(pair[1])).flatten().copied().collect()
}

pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_concrete-dqn"));
    command.env_remove("RUST_LOG");
    command
}

pub fn run(arguments: &[&str]) -> Output {
    program().args(arguments).output().unwrap()
}

pub fn train(runs: &Path, arguments: &[&str]) -> Output {
    program().args(quick(arguments)).args(arguments).arg("--runs-dir").arg(runs).output().unwrap()
}

/// The folders below `runs`, in the order of their names.
pub fn folders(runs: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<_> = fs::read_dir(runs).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub fn summary(run: &Path) -> serde_json::Value {
    serde_json::from_str(&fs::read_to_string(run.join("summary.json")).unwrap()).unwrap()
}

pub fn assert_fails(output: &Output, code: i32, parts: &[&str]) {
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
    for part in parts {
        assert!(stderr.contains(part), "`{part}` is missing in: {stderr}");
    }
}

/// Names a Python that has what tests/python/requirements.txt lists; it is not skipped then where something is missing.
const PYTHON: &str = "TEST_PYTHON";

/// A Python that has these packages. `None`, with a message, where the one on the path has not.
pub fn python(packages: &[&str]) -> Option<PathBuf> {
    if let Some(named) = std::env::var_os(PYTHON) {
        return Some(named.into());
    }
    let has = |package: &&str| {
        let find =
            format!("import importlib.util, sys; sys.exit(importlib.util.find_spec('{package}') is None)");
        Command::new("python3").args(["-c", &find]).status().is_ok_and(|status| status.success())
    };
    let missing: Vec<_> = packages.iter().filter(|package| !has(package)).collect();
    if missing.is_empty() {
        return Some("python3".into());
    }
    eprintln!("skipped: python3 lacks {missing:?}; set {PYTHON} to one with tests/python/requirements.txt");
    None
}

/// The two runs computed the same, to the byte.
pub fn same_run(one: &Path, other: &Path) {
    same_learning(one, other);
    same_files(one, other, &["maps.csv"]);
}

fn same_files(one: &Path, other: &Path, files: &[&str]) {
    for file in files {
        assert!(fs::read(one.join(file)).unwrap() == fs::read(other.join(file)).unwrap(), "{file} differs");
    }
}

/// The same but for the maps, which are made after shares of the steps that a training is to have.
pub fn same_learning(one: &Path, other: &Path) {
    same_files(
        one,
        other,
        &["episodes.csv", "layers.csv", "updates.csv", "evaluations.csv", "model.safetensors"],
    );
    let of = |run: &Path, key: &str| summary(run)[key].clone();
    for key in [
        "total_steps",
        "updates",
        "episodes",
        "evaluation",
        "best_mean_return_100",
        "p_peak",
        "ended",
        "best_evaluation",
    ] {
        assert_eq!(of(one, key), of(other, key), "{key}");
    }
}

/// Whether a run that has not ended has a checkpoint.
pub fn is_caught(run: &Path) -> bool {
    let names = fs::read_dir(run.join("checkpoints")).into_iter().flatten();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let is_whole = |name: String| name.starts_with("step-") && !name.contains('.');
    !run.join("summary.json").is_file() && names.into_iter().any(is_whole)
}

/// The runs of an experiment, variant after variant.
pub fn runs_of_experiment(output: &Path) -> Vec<PathBuf> {
    let listed = |folder: &Path| if folder.is_dir() { folders(folder) } else { Vec::new() };
    listed(&output.join("runs")).iter().flat_map(|variant| listed(variant)).collect()
}

/// Every run of an experiment is the one of the other, and there are no others; the tables are the same too.
pub fn same_experiment(one: &Path, other: &Path) {
    let sorted = |output: &Path| {
        let runs = runs_of_experiment(output).into_iter();
        let variant = |run: &PathBuf| run.parent().unwrap().file_name().unwrap().to_owned();
        let mut runs: Vec<_> = runs.map(|run| (variant(&run), summary(&run)["seed"].as_u64(), run)).collect();
        runs.sort();
        runs
    };
    let (one_runs, other_runs) = (sorted(one), sorted(other));
    assert_eq!(one_runs.len(), other_runs.len());
    for ((variant, seed, run), (other_variant, other_seed, other_run)) in one_runs.iter().zip(&other_runs) {
        assert_eq!((variant, seed), (other_variant, other_seed));
        same_run(run, other_run);
    }
    for table in ["table.md", "table.csv"] {
        assert_eq!(fs::read(one.join(table)).unwrap(), fs::read(other.join(table)).unwrap(), "{table}");
    }
}

/// Waits for what has to happen. `None` after all patience.
pub fn wait_for<T>(mut until: impl FnMut() -> Option<T>) -> Option<T> {
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(300) {
        let found = until();
        if found.is_some() {
            return found;
        }
        sleep(Duration::from_millis(5));
    }
    None
}
