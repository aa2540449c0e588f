//! `experiment` with ranges. Optuna is played by a script here, except in the test that says so.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod program;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;

use concrete_dqn::experiment::Plan;
use concrete_dqn::statistics::interquartile_mean;
use control_envs::Registry;
use program::{assert_fails, program, runs_of_experiment, summary, text};
use serde_json::{Value, json};

const FILE: &str = r#"
environments = ["cartpole"]
seeds = "0-2"
sample = 3

[settings]
steps = 300
network.hidden = [16, 16]
agent.learning_starts = 100
agent.batch_size = 16
evaluation.episodes = 2
logging.redraw_seconds = 1000

[ranges]
agent.n_step = { low = 1, high = 4 }
optimizer.learning_rate = { low = 1e-5, high = 1e12, log = true }
"#;

/// Answers with settings in a fixed order, of which the second diverges, and keeps what it was asked.
const ASKED: &str = r#"#!/usr/bin/env python3
import json, os, sys
asked = sys.stdin.readline()
with open(os.environ["REQUESTS"], "a") as file:
    file.write(asked)
request = json.loads(asked)
known = [[1, 0.001], [2, 1e12], [3, 0.0025], [4, 0.01], [1, 0.002]]
first = len(request["trials"])
print(json.dumps({"asked": known[first : first + request["number"]]}))
"#;

struct Site(tempfile::TempDir);

impl Site {
    fn new() -> Self {
        let site = Self(tempfile::tempdir().unwrap());
        fs::write(site.path("python"), ASKED).unwrap();
        fs::set_permissions(site.path("python"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(site.path("search.toml"), FILE).unwrap();
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, python: &Path, flags: &[&str]) -> Output {
        self.run_file("search.toml", "output", python, flags)
    }

    fn run_file(&self, file: &str, output: &str, python: &Path, flags: &[&str]) -> Output {
        program()
            .arg("experiment")
            .arg(self.path(file))
            .arg("--output")
            .arg(self.path(output))
            .args(flags)
            .env("CONCRETE_DQN_PYTHON", python)
            .env("REQUESTS", self.path("requests"))
            .output()
            .unwrap()
    }

    fn requests(&self) -> Vec<Value> {
        let lines = fs::read_to_string(self.path("requests")).unwrap();
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn score(&self, trial: &str) -> f64 {
        let runs = runs_of_experiment(&self.path("output"));
        let own = runs.iter().filter(|run| run.parent().unwrap().ends_with(trial));
        let returns: Vec<f64> =
            own.map(|run| summary(run)["evaluation"]["mean_return"].as_f64().unwrap()).collect();
        assert_eq!(returns.len(), 3);
        interquartile_mean(&returns)
    }
}

#[test]
fn settings_are_asked_for_trained_on_all_seeds_and_told_by_their_interquartile_mean() {
    let site = Site::new();
    let python = site.path("python");
    let done = site.run(&python, &["--jobs", "2"]);
    // The second setting diverges, which is told, and keeps the third from nothing.
    assert_fails(&done, 1, &["trial-001, cartpole, seed 0 failed: ", "the learning has diverged"]);
    let requests = site.requests();
    assert_eq!(requests.len(), 3, "three seeds are more than two jobs, so one setting a round");
    assert_eq!(
        requests[0],
        json!({
            "ranges": [
                {"key": "agent.n_step", "kind": "whole", "low": 1, "high": 4, "log": false},
                {"key": "optimizer.learning_rate", "kind": "real", "low": 1e-5, "high": 1e12, "log": true},
            ],
            "trials": [],
            "number": 1,
        })
    );
    let (first, last) = (site.score("trial-000"), site.score("trial-002"));
    assert_eq!(
        requests[2]["trials"],
        json!([{"values": [1, 0.001], "score": first}, {"values": [2, 1e12], "score": null}])
    );
    let report = text(&done.stdout);
    let (best, rate) = if last >= first { ("trial-002", "0.0025") } else { ("trial-000", "0.001") };
    assert!(report.contains(&format!("best        {best} of 3, ")), "{report}");
    let settings = fs::read_to_string(site.path("output/best.toml")).unwrap();
    assert!(settings.contains(&format!("learning_rate = {rate}\n")), "{settings}");
    assert!(site.path("output/plots/cartpole-return.svg").is_file());

    // One more is one round more, which knows of all before; what is finished is not run again.
    fs::write(site.path("search.toml"), FILE.replace("sample = 3", "sample = 4")).unwrap();
    let before = runs_of_experiment(&site.path("output"));
    assert_eq!(before.len(), 9);
    let more = site.run(&python, &["--jobs", "6"]);
    assert_eq!(more.status.code(), Some(1), "{}", text(&more.stderr));
    let requests = site.requests();
    assert_eq!((requests.len(), requests[3]["trials"].as_array().unwrap().len()), (4, 3));
    assert_eq!(requests[3]["number"], 1, "and no more than are wanted");
    assert_eq!(runs_of_experiment(&site.path("output")).len(), 12);
    // The folder's own file has it all, and can be run as it is.
    let plan = Plan::read(&site.path("output/experiment.toml"), &Registry::builtin()).unwrap();
    assert_eq!(plan.variants, ["trial-000", "trial-001", "trial-002", "trial-003"]);
    let own = fs::read_to_string(site.path("output/experiment.toml")).unwrap();
    for output in ["output", "elsewhere"] {
        fs::create_dir_all(site.path(output)).unwrap();
        fs::write(site.path(output).join("more.toml"), own.replace("sample = 4", "sample = 5")).unwrap();
        let more = site.run_file(&format!("{output}/more.toml"), output, &python, &["--jobs", "6"]);
        assert_eq!(more.status.code(), Some(1), "{}", text(&more.stderr));
        let plan = Plan::read(&site.path(output).join("experiment.toml"), &Registry::builtin()).unwrap();
        assert_eq!(plan.variants.len(), 5);
        assert_eq!(runs_of_experiment(&site.path(output)).len(), 15);
    }
    assert_eq!(site.requests().len(), 6);
}

#[test]
fn what_is_wrong_is_said_before_anything_starts() {
    let site = Site::new();
    let python = site.path("python");
    for (changed, into, part) in [
        ("sample = 3", "", "there are ranges and no sample"),
        ("sample = 3", "sample = 0", "sample = 0 must be a whole number"),
        ("[ranges]", "[variants.a]", "there is a sample and no ranges"),
        ("low = 1, high = 4", "low = 0, high = 4", "search.toml, [ranges]: agent.n_step = 0"),
        ("agent.n_step", "agent.steps", "search.toml, [ranges]: there is no key agent.steps"),
        ("agent.n_step", "seed", "search.toml, [ranges]: seed cannot be set here, because seeds says it"),
        ("episodes = 2", "episodes = 0", "evaluation.episodes must not be 0"),
        ("[\"cartpole\"]", "[\"cartpole\", \"acrobot\"]", "a search takes one environment"),
    ] {
        assert!(FILE.contains(changed));
        fs::write(site.path("search.toml"), FILE.replace(changed, into)).unwrap();
        assert_fails(&site.run(&python, &[]), 2, &[part]);
    }
    fs::write(site.path("search.toml"), FILE).unwrap();
    assert_fails(&site.run(&python, &["--on", "slurm"]), 2, &["which a job array can't", "--on ray"]);
    assert!(!site.path("output").exists());
    assert_fails(
        &site.run(Path::new("/no/python"), &[]),
        2,
        &["/no/python", "`pip install optuna==5.0.0`", "CONCRETE_DQN_PYTHON"],
    );
    assert!(runs_of_experiment(&site.path("output")).is_empty());
}

/// With the Python that `TEST_RAY_PYTHON` names, which has python/requirements-cluster.txt; without it nothing is tried.
#[test]
fn optuna_asks_for_settings_in_the_ranges() {
    let Some(python) = std::env::var_os("TEST_RAY_PYTHON") else {
        return eprintln!("skipped: TEST_RAY_PYTHON names no Python with Optuna");
    };
    let site = Site::new();
    fs::write(site.path("search.toml"), FILE.replace("1e12", "1e-2").replace("sample = 3", "sample = 5"))
        .unwrap();
    let done = site.run(Path::new(&python), &["--jobs", "6"]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    assert_eq!(runs_of_experiment(&site.path("output")).len(), 15);
    let trials = fs::read_to_string(site.path("output/trials.toml")).unwrap();
    let rates: Vec<f64> = trials
        .lines()
        .filter_map(|line| line.strip_prefix("optimizer.learning_rate = ").map(|rate| rate.parse().unwrap()))
        .collect();
    assert!(rates.len() == 5 && rates.iter().all(|rate| (1e-5..=1e-2).contains(rate)), "{rates:?}");
    assert!(rates.windows(2).all(|pair| pair[0] != pair[1]));
}
