//! Environments whose episodes do not end: all that goes by episodes elsewhere goes by steps there.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod program;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Output, Stdio};
use std::time::{Duration, Instant};

use control_envs::rand::Rng;
use control_envs::{Dimension, Env, EnvError, EnvSpec, Registry, Step, contract};
use program::{QUICK, folders, same_run, summary, text};

/// Goes round and round; the second action is paid.
struct Endless {
    spec: EnvSpec,
    time: u32,
    can_be_saved: bool,
    /// Steps that are left of the one episode that ends, if there is one.
    left: Option<u32>,
}

impl Endless {
    fn new(id: &str, can_be_saved: bool) -> Self {
        let spec = EnvSpec::new(id, [Dimension::new("x", "m", -1.0, 1.0)], ["rest", "work"]);
        Self { spec, time: 0, can_be_saved, left: None }
    }

    fn observation(&self) -> Vec<f32> {
        vec![(self.time as f32 * 0.37).sin()]
    }
}

impl Env for Endless {
    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn reset(&mut self, rng: &mut dyn Rng) -> Result<Vec<f32>, EnvError> {
        self.time = rng.next_u32() % 16;
        Ok(self.observation())
    }

    fn step(&mut self, action: usize) -> Result<Step, EnvError> {
        self.time = (self.time + 1) % 1_000;
        self.left = self.left.and_then(|left| left.checked_sub(1));
        Ok(Step::new(self.observation(), action as f64, self.left == Some(0)))
    }

    fn save_state(&self) -> Option<Vec<u8>> {
        self.can_be_saved.then(|| self.time.to_le_bytes().to_vec())
    }

    fn restore_state(&mut self, state: &[u8]) -> Result<(), EnvError> {
        let refused = || EnvError::NotRestored { env: self.spec.id.clone() };
        self.time = u32::from_le_bytes(state.try_into().map_err(|_| refused())?);
        Ok(())
    }
}

fn registry() -> Registry {
    let mut registry = Registry::new();
    registry.register("endless", || Endless::new("Endless-v0", true)).unwrap();
    registry.register("unsaved", || Endless::new("Unsaved-v0", false)).unwrap();
    let ends_once = || Endless { left: Some(300), ..Endless::new("Once-v0", false) };
    registry.register("once", ends_once).unwrap();
    registry
}

/// What another test has to set for the program to run.
const ARGUMENTS: &str = "ENDLESS_ARGUMENTS";

/// Not a test of its own: the program with these environments, which the others start as a process.
#[test]
fn as_a_program() {
    let Ok(arguments) = std::env::var(ARGUMENTS) else { return };
    let code = concrete_dqn::cli::run(&registry(), arguments.split('\n').map(Into::into));
    assert_eq!(code, ExitCode::SUCCESS);
}

fn start(arguments: &[&str]) -> Child {
    let arguments = [&["concrete-dqn"], arguments].concat().join("\n");
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "as_a_program", "--nocapture"])
        .env(ARGUMENTS, arguments)
        .env_remove("RUST_LOG")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// A training with quick evaluations, whose rates do not depend on the number of its steps.
fn train(env: &str, steps: &str, runs: &Path) -> Child {
    let own = [
        "evaluation.max_episode_steps=50",
        "evaluation.period=700",
        "evaluation.period_episodes=1",
        "optimizer.final_fraction=1",
        "agent.n_step_final=3",
        "checkpoint.seconds=0.2",
        "logging.redraw_seconds=1000",
    ];
    let own = own.iter().flat_map(|setting| ["--set", setting]);
    let flags = ["--env", env, "--steps", steps, "--runs-dir", runs.to_str().unwrap()];
    start(&QUICK.into_iter().chain(own).chain(flags).collect::<Vec<_>>())
}

fn only(runs: &Path) -> PathBuf {
    let mut found = folders(runs);
    assert_eq!(found.len(), 1);
    found.remove(0)
}

/// Waits until the run has begun and `is_so` of its folder.
fn once(runs: &Path, is_so: impl Fn(&Path) -> bool) -> PathBuf {
    let started = Instant::now();
    loop {
        assert!(started.elapsed() < Duration::from_secs(120), "it did not come about");
        if let Ok(Some(Ok(run))) = fs::read_dir(runs).map(|mut found| found.next())
            && is_so(&run.path())
        {
            return run.path();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn rows(file: &Path) -> usize {
    fs::read_to_string(file).map_or(0, |text| text.lines().count().saturating_sub(1))
}

/// Ctrl-C, and what the program says in the end.
fn interrupted(child: Child) -> Output {
    let asked = Instant::now();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    // A second or two; more than that only where the machine is busy.
    assert!(asked.elapsed() < Duration::from_secs(120), "{:?}", asked.elapsed());
    output
}

/// Makes a run that has been interrupted one of 300 more steps, and resumes it.
fn resumed(run: &Path) -> (String, Output) {
    let steps = summary(run)["total_steps"].as_u64().unwrap() + 300;
    let config = fs::read_to_string(run.join("config.toml")).unwrap();
    let config = config.replace("steps = 100000000", &format!("steps = {steps}"));
    fs::write(run.join("config.toml"), config).unwrap();
    let output = start(&["resume", run.to_str().unwrap()]).wait_with_output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    (steps.to_string(), output)
}

#[test]
fn ctrl_c_ends_a_run_in_the_middle_of_an_episode_and_it_is_resumed_to_the_byte() {
    let parent = tempfile::tempdir().unwrap();
    let child = train("endless", "100000000", &parent.path().join("runs"));
    let run = once(&parent.path().join("runs"), |run| rows(&run.join("evaluations.csv")) > 1);
    interrupted(child);
    assert_eq!(
        (summary(&run)["ended"].as_str(), summary(&run)["episodes"].as_u64()),
        (Some("interrupted"), Some(0))
    );
    let (steps, output) = resumed(&run);
    assert!(text(&output.stdout).contains("none, since no episode ended"), "{}", text(&output.stdout));

    let alone = train("endless", &steps, &parent.path().join("alone")).wait_with_output().unwrap();
    assert!(alone.status.success(), "{}", text(&alone.stderr));
    same_run(&only(&parent.path().join("alone")), &run);
    let said = text(&alone.stderr);
    assert!(said.contains("no episode of Endless-v0 ended in 1000 random steps"), "{said}");
    assert!(text(&alone.stdout).contains("2 of them cut before their end"), "{}", text(&alone.stdout));
    assert_eq!(summary(&run)["evaluation"]["cut"], 2);
    for figure in ["dropout", "overview", "return"] {
        let svg = fs::read_to_string(run.join(format!("plots/{figure}.svg"))).unwrap();
        assert!(!svg.contains("no episodes yet"), "{figure} shows what goes by steps");
    }
}

#[test]
fn an_episode_that_cannot_be_saved_is_cut() {
    let runs = tempfile::tempdir().unwrap();
    let child = train("unsaved", "100000000", runs.path());
    // Of the best evaluation, or long overdue.
    let checkpoints =
        |run: &Path| fs::read_dir(run.join("checkpoints")).is_ok_and(|found| found.flatten().count() > 1);
    let run = once(runs.path(), checkpoints);
    let said = text(&interrupted(child).stderr);
    assert!(
        said.contains("the episode that was under way is cut, since Unsaved-v0 can't be saved"),
        "{said}"
    );
    let steps = summary(&run)["total_steps"].as_u64().unwrap();
    let state = fs::read_to_string(run.join(format!("checkpoints/step-{steps:012}/state.json"))).unwrap();
    let state: serde_json::Value = serde_json::from_str(&state).unwrap();
    assert!(state["progress"]["episode"].is_null());
    let (steps, _) = resumed(&run);
    assert_eq!(summary(&run)["total_steps"].to_string(), steps);
}

#[test]
fn n_grows_within_an_episode_after_one_that_ended() {
    let runs = tempfile::tempdir().unwrap();
    assert!(train("once", "2600", runs.path()).wait().unwrap().success());
    let run = only(runs.path());
    assert_eq!(summary(&run)["episodes"], 1);
    let updates: Vec<concrete_dqn::rows::UpdateRecord> =
        concrete_dqn::rows::read(&run.join("updates.csv")).unwrap();
    assert!(updates.len() > 100);
    for row in updates {
        let counted = row.total_steps as f64 - row.dataset_size;
        assert!((0.0..1_000.0).contains(&counted), "N = {} at step {}", row.dataset_size, row.total_steps);
        // Three layers and local dropout.
        assert!(row.p.len() == 4 && row.precision > 0.0);
    }
}

#[test]
fn the_contract_tells_of_it() {
    let warnings = contract::check(|| Endless::new("Endless-v0", true), 1, 500).unwrap();
    assert!(warnings.len() == 1 && warnings[0].contains("ended in 500 random steps"), "{warnings:?}");
    let limited = || {
        let mut endless = Endless::new("Limited-v0", true);
        endless.spec.max_episode_steps = Some(10_000);
        endless
    };
    assert_eq!(contract::check(limited, 1, 500), Ok(Vec::new()));
}
