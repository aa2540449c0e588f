//! `experiment --on slurm`: the script, run by programs that stand in for Slurm's.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod program;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use program::{assert_fails, is_caught, program, runs_of_experiment, same_experiment, text};

const FILE: &str = r#"
environments = ["cartpole"]
seeds = "0-1"
[settings]
steps = 3000
network.hidden = [16, 16]
agent.learning_starts = 100
agent.batch_size = 16
evaluation.episodes = 2
checkpoint.seconds = 0.05
logging.redraw_seconds = 1000
[variants.it]
"#;

/// A folder with an experiment's file, and with programs that are found before all others.
struct Site(tempfile::TempDir);

impl Site {
    fn new() -> Self {
        let site = Self(tempfile::Builder::new().prefix("it's läufe ").tempdir().unwrap());
        fs::write(site.file(), FILE).unwrap();
        fs::create_dir(site.path("bin")).unwrap();
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self) -> PathBuf {
        self.path("small.toml")
    }

    /// A program that writes down what it is called with.
    fn program(&self, name: &str, then: &str) {
        let path = self.path("bin").join(name);
        let calls = self.path(name);
        fs::write(&path, format!("#!/bin/sh\nprintf '%s\\n' \"$*\" >>\"{}\"\n{then}\n", calls.display()))
            .unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// With the programs of this site first on the path, or, so that no real job is submitted, alone.
    fn found_first(&self, mut command: Command) -> Command {
        let others = match self.path("bin/sbatch").exists() {
            true => std::env::var("PATH").unwrap(),
            false => String::new(),
        };
        command.env("PATH", format!("{}:{others}", self.path("bin").display()));
        command
    }

    fn experiment(&self, output: &str, flags: &[&str]) -> Output {
        let mut command = self.found_first(program());
        command.arg("experiment").arg(self.file()).arg("--output").arg(self.path(output)).args(flags);
        command.output().unwrap()
    }

    fn task(&self, script: &Path, number: usize) -> Command {
        let mut command = self.found_first(Command::new("bash"));
        command
            .arg(script)
            .env("SLURM_ARRAY_JOB_ID", "7")
            .env("SLURM_ARRAY_TASK_ID", number.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

#[test]
fn a_task_that_meets_its_limit_goes_back_into_the_queue_and_goes_on() {
    let site = Site::new();
    site.program("sbatch", "echo Submitted batch job 7");
    site.program("scontrol", "");
    assert!(site.experiment("local", &["-q"]).status.success());

    let printed =
        site.experiment("array", &["--on", "slurm", "--dry-run", "--jobs", "5", "--sbatch=--time=1:00:00"]);
    assert!(!site.path("array").exists(), "a dry run writes nothing");
    let submitted = site.experiment("array", &["--on", "slurm", "--jobs", "5", "--sbatch=--time=1:00:00"]);
    assert!(submitted.status.success(), "{}", text(&submitted.stderr));
    let script = site.path("array/slurm.sh");
    assert_eq!(text(&printed.stdout), fs::read_to_string(&script).unwrap());
    for line in [
        "#SBATCH --array=0-1%5",
        "#SBATCH --requeue",
        "#SBATCH --signal=B:USR1@120",
        "#SBATCH --time=1:00:00",
    ] {
        assert!(text(&printed.stdout).lines().any(|other| other == line), "{}", text(&printed.stdout));
    }
    let said = text(&submitted.stdout);
    assert!(said.starts_with("Submitted batch job 7\n") && said.contains(" --gather"), "{said}");
    assert_eq!(fs::read_to_string(site.path("sbatch")).unwrap(), format!("{}\n", script.display()));

    // The first one is told to end in its middle, as Slurm tells the shell before the limit.
    let task = site.task(&script, 0).spawn().unwrap();
    let started = Instant::now();
    while !runs_of_experiment(&site.path("array")).iter().any(|run| is_caught(run)) {
        assert!(started.elapsed() < Duration::from_secs(120), "no checkpoint was written");
        sleep(Duration::from_millis(5));
    }
    assert!(Command::new("kill").args(["-USR1", &task.id().to_string()]).status().unwrap().success());
    let ended = task.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(130), "{}", text(&ended.stderr));
    assert_eq!(fs::read_to_string(site.path("scontrol")).unwrap(), "requeue 7_0\n");
    let again = site.task(&script, 0).output().unwrap();
    assert!(
        again.status.success() && text(&again.stderr).contains("resumed at step "),
        "{}",
        text(&again.stderr)
    );
    let other = site.task(&script, 1).output().unwrap();
    assert!(other.status.success(), "{}", text(&other.stderr));
    // One that is done is not done again.
    let before = fs::metadata(runs_of_experiment(&site.path("array"))[1].join("summary.json"))
        .unwrap()
        .modified()
        .unwrap();
    assert!(site.task(&script, 1).output().unwrap().status.success());
    let after = fs::metadata(runs_of_experiment(&site.path("array"))[1].join("summary.json"))
        .unwrap()
        .modified()
        .unwrap();
    assert_eq!(before, after);

    // The command that it said sums up.
    let gather = said.lines().find_map(|line| line.strip_prefix("when done   ")).unwrap();
    assert!(Command::new("sh").args(["-c", gather]).output().unwrap().status.success());
    same_experiment(&site.path("array"), &site.path("local"));
    let nothing = site.experiment("array", &["--on", "slurm"]);
    assert!(text(&nothing.stdout).starts_with("all runs are finished"), "{}", text(&nothing.stdout));
}

#[test]
fn what_is_wrong_is_said() {
    let site = Site::new();
    assert_fails(
        &site.experiment("x", &["--on", "slurm"]),
        2,
        &["sbatch could not be started", "submit ", "slurm.sh"],
    );
    site.program("sbatch", "echo 'Invalid partition' >&2; exit 1");
    assert_fails(&site.experiment("x", &["--on", "slurm"]), 1, &["sbatch refused ", "Invalid partition"]);
    assert_fails(&site.experiment("y", &["--sbatch=--time=1"]), 2, &["--sbatch is for --on slurm; add that"]);
    assert_fails(&site.experiment("y", &["--on", "cloud"]), 2, &["--on", "local", "ray", "slurm"]);
    assert_fails(
        &site.experiment("y", &["--cell", "it, cartpole, seed 9"]),
        2,
        &["no such run", "it, cartpole, seed 0"],
    );
    let whole = "it must be a whole number of 0 or more, such as 3";
    for retries in ["x", "-1"] {
        assert_fails(&site.experiment("y", &["--on", "ray", "--retries", retries]), 2, &["--retries", whole]);
    }
    assert_fails(&site.experiment("y", &["--retries", "2"]), 2, &["--retries is for --on ray; add that"]);
    assert_fails(
        &site.experiment("y", &["--on", "ray", "--cell", "it, cartpole, seed 0"]),
        2,
        &["--on", "--cell"],
    );
    assert_fails(
        &site.experiment("y", &["--gather"]),
        2,
        &["no run of ", "/y, so there is nothing to sum up"],
    );
    assert!(!site.path("y").exists());
}

#[test]
fn the_plan_is_json_and_a_run_can_be_done_alone() {
    let site = Site::new();
    let plan = || -> serde_json::Value {
        serde_json::from_slice(&site.experiment("out", &["--plan"]).stdout).unwrap()
    };
    let cells = plan()["cells"].as_array().unwrap().clone();
    assert_eq!(cells.len(), 2);
    assert_eq!((&cells[1]["name"], &cells[1]["variant"]), (&"it, cartpole, seed 1".into(), &"it".into()));
    assert_eq!((&cells[1]["environment"], &cells[1]["seed"]), (&"CartPole-v1".into(), &1.into()));
    assert_eq!((&cells[1]["state"], &cells[1]["run"]), (&"new".into(), &serde_json::Value::Null));
    assert_eq!(cells[1]["settings"]["network"]["hidden"], serde_json::json!([16, 16]));
    assert!(!site.path("out").exists());

    let done = site.experiment("out", &["--cell", "it, cartpole, seed 1", "-q"]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    let run = &runs_of_experiment(&site.path("out"))[0];
    assert_eq!(text(&done.stdout), format!("{}\n", run.display()));
    let cell = &plan()["cells"][1];
    assert_eq!((&cell["state"], &cell["run"]), (&"finished".into(), &run.to_str().unwrap().into()));

    // The file that tasks read which wait for their turn stays what they were submitted with.
    let submitted = site.path("out/experiment.toml");
    assert!(site.experiment("out", &["--gather"]).status.success());
    assert_eq!(fs::read_to_string(&submitted).unwrap(), FILE);
    fs::write(site.file(), format!("{FILE}[variants.other]\n")).unwrap();
    assert!(site.experiment("out", &["--gather"]).status.success());
    assert_eq!(fs::read_to_string(&submitted).unwrap(), FILE);
}
