//! The program with environments in Python processes: trained, evaluated, resumed, and what it says and keeps when a
//! process is killed, hangs or raises. The process is played by `envs/tests/gymnasium/fake_python.py`.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod program;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use control_envs::rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use program::{assert_fails, folders, program, quick, summary, text};

const FAKE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/envs/tests/gymnasium/fake_python.py");

fn bridged() -> Command {
    let mut command = program();
    command.envs([("CONCRETE_DQN_PYTHON", FAKE), ("CONCRETE_DQN_GYM_TIMEOUT", "3")]);
    command
}

fn run(arguments: &[&str]) -> Output {
    bridged().args(arguments).output().unwrap()
}

fn train(runs: &Path, arguments: &[&str]) -> Output {
    bridged().args(quick(arguments)).args(arguments).arg("--runs-dir").arg(runs).output().unwrap()
}

#[test]
fn one_is_trained_evaluated_resumed_and_explained() {
    let runs = tempfile::tempdir().unwrap();
    let arguments = ["--env", "gym:fine", "--steps", "400", "--set", "evaluation.period=200"];
    let trained = train(runs.path(), &arguments);
    assert!(trained.status.success(), "{}", text(&trained.stderr));
    let folder = &folders(runs.path())[0];
    assert!(folder.file_name().unwrap().to_string_lossy().starts_with("gym-fine__ucb__"));
    let config = fs::read_to_string(folder.join("config.toml")).unwrap();
    assert!(config.contains("env = \"gym:fine\"") && !config.contains("env_args"), "{config}");
    assert_eq!(summary(folder)["evaluation"]["mean_return"], 10.0);

    let folder = folder.to_str().unwrap();
    let evaluated = run(&["evaluate", folder, "--episodes", "3", "--json"]);
    assert!(text(&evaluated.stdout).contains("\"episodes\":3"), "{}", text(&evaluated.stderr));
    let mut predicting =
        bridged().args(["predict", folder]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    predicting.stdin.take().unwrap().write_all(b"[3.0, 0.5]\n[3.0]\nthree\n[4, 0]\n").unwrap();
    let printed = text(&predicting.wait_with_output().unwrap().stdout);
    let lines: Vec<serde_json::Value> =
        printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0], serde_json::json!({"env": "gym:fine", "observation": 2, "actions": ["wait", "go"]}));
    for line in [1, 4] {
        let action = lines[line]["action"].as_u64().unwrap();
        assert!(action < 2 && lines[line]["epistemic_std"].as_array().unwrap().len() == 2, "{printed}");
    }
    let error = |line: usize| lines[line]["error"].as_str().unwrap();
    assert!(error(2).contains("it must be 2 finite numbers") && error(3).contains("no list of numbers"));
    assert_eq!(lines.len(), 5);

    let resumed = run(&["resume", folder, "--steps", "500"]);
    assert!(resumed.status.success(), "{}", text(&resumed.stderr));
    assert_eq!(summary(Path::new(folder))["total_steps"], 500);
    let explained = text(&run(&["envs", "gym:fine"]).stdout);
    assert!(explained.starts_with("gym:fine\n") && explained.contains("--env-arg NAME=VALUE"), "{explained}");
    assert!(text(&run(&["envs"]).stdout).contains("gym:NAME"));
}

#[test]
fn an_argument_that_gymnasium_could_not_take_is_refused() {
    let runs = tempfile::tempdir().unwrap();
    let output = train(runs.path(), &["--env", "gym:fine", "--env-arg", "sizes=[1, 2]"]);
    assert_fails(
        &output,
        2,
        &["--env-arg sizes=[1, 2]", "`sizes`", "true or false, a finite number or a text"],
    );
    let output = program().env("CONCRETE_DQN_PYTHON", "/no/python").args(["--env", "gym:X-v0"]).output();
    assert_fails(&output.unwrap(), 2, &["--env gym:X-v0: ", "/no/python", "CONCRETE_DQN_PYTHON"]);
}

/// A run whose processes, one for each of its environments, go wrong at this step of their own, and then once more when it is
/// resumed.
fn outlived(how: &str, moment: u64, envs: u64) {
    let runs = tempfile::tempdir().unwrap();
    let env = format!("gym:{how}@{moment}");
    let output =
        train(runs.path(), &["--env", &env, "--set", "evaluation.period=0", "--envs", &envs.to_string()]);
    assert_fails(&output, 1, &[&format!("error: environment `{env}` failed: it")]);
    let folder = &folders(runs.path())[0];
    for (name, steps) in [("first", envs * (moment - 1)), ("resumed", 2 * envs * (moment - 1))] {
        if name == "resumed" {
            let line = text(&output.stdout);
            assert!(line.contains(&format!(" resume {}", folder.display())), "{line}");
            let output = run(&["resume", folder.to_str().unwrap()]);
            assert_fails(&output, 1, &[&format!("error: environment `{env}` failed: it")]);
        }
        let summary = summary(folder);
        assert_eq!(summary["total_steps"], steps, "{env}, {name}");
        assert!(summary["ended"].as_str().unwrap().contains("failed: it"));
        // Ten steps an episode, and what is left of one is not lost to the replay.
        let episodes = fs::read_to_string(folder.join("episodes.csv")).unwrap().lines().count() as u64;
        let expected = envs * ((moment - 1) / 10) * if name == "first" { 1 } else { 2 };
        assert_eq!(episodes.saturating_sub(1), expected, "{env}, {name}");
        assert!(folder.join("model.safetensors").is_file() && folder.join("plots").is_dir());
    }
}

#[test]
fn a_run_outlives_its_process() {
    for (how, moment) in [("kill", 250), ("hang", 137), ("raise", 400), ("kill", 1)] {
        outlived(how, moment, 1);
    }
    for (how, moment) in [("kill", 83), ("hang", 41), ("raise", 61)] {
        outlived(how, moment, 3);
    }
}

#[test]
#[ignore = "takes minutes"]
fn a_hundred_runs_outlive_their_processes() {
    let mut moments = Xoshiro256PlusPlus::seed_from_u64(7);
    for trial in 0..102 {
        outlived(["kill", "hang", "raise"][trial % 3], moments.random_range(1..600), 1);
    }
    println!(
        "| a Python process is killed, hangs or raises at a random step | 102 times, and 102 resumed | a sentence each, no step lost |"
    );
}
