//! A run that is ended and resumed is the run that was never ended, to the byte.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

#[path = "program/minefield.rs"]
mod minefield;
mod program;

use std::fs;
use std::path::{Path, PathBuf};

use concrete_dqn::Error;
use concrete_dqn::agent::Agent;
use concrete_dqn::checkpoint::Checkpoints;
use concrete_dqn::config::{Config, ConfigLayer};
use concrete_dqn::rows::{EpisodeRecord, UpdateRecord};
use concrete_dqn::training::{EnvironmentProgress, Observer, TrainingProgress, TrainingSnapshot, train};
use control_envs::rand::Rng;
use control_envs::{Dimension, Env, EnvError, EnvSpec, Registry, Step};
use minefield::Minefield;
use program::{assert_fails, folders, program, quick, same_learning, summary, text};
use tch::Device;

/// Rows since the start, and a checkpoint of one step where it is asked for.
#[derive(Debug, Default)]
struct Watch {
    rows: Vec<String>,
    save_at: Option<(u64, Checkpoints)>,
}

impl Observer for Watch {
    fn on_update(&mut self, record: &UpdateRecord) -> Result<(), Error> {
        self.rows.push(format!("{record:?}"));
        Ok(())
    }

    fn on_episode(&mut self, record: &EpisodeRecord, _agent: &Agent) -> Result<(), Error> {
        self.rows.push(format!("{record:?}"));
        Ok(())
    }

    fn between_steps(&mut self, snapshot: TrainingSnapshot<'_>) -> Result<(), Error> {
        match &mut self.save_at {
            Some((step, checkpoints)) if *step == snapshot.agent.steps() => {
                checkpoints.save(snapshot, String::new(), None, self.rows.len())
            }
            _ => Ok(()),
        }
    }

    fn wants_to_stop(&self) -> bool {
        false
    }
}

/// A small network, quick to train, and a replay that is full long before the end.
fn config(settings: &[(&str, &str)]) -> Config {
    let small = "steps = 500\n[network]\nhidden = [16, 16]\nfourier_features = 4\n[agent]\nlearning_starts = 100\n\
                 batch_size = 16\nreplay_capacity = 150\n[logging]\nupdate_period = 10";
    let mut layers = vec![ConfigLayer::parse("test", small).unwrap()];
    layers.extend(
        settings.iter().map(|(key, value)| ConfigLayer::assignment(&format!("{key}={value}")).unwrap()),
    );
    Config::resolve(&layers).unwrap()
}

/// The built-in environments, one with actions that are not valid, and one without bounds.
fn registry() -> Registry {
    let mut registry = Minefield::registry();
    registry.register("drift", Drift::new).unwrap();
    registry
}

/// Two numbers that drift by what is done: one without bounds, and one that leaves them.
struct Drift {
    spec: EnvSpec,
    position: f32,
}

impl Drift {
    fn new() -> Self {
        let infinity = f32::INFINITY;
        let dimensions =
            [Dimension::new("free", "", -infinity, infinity), Dimension::new("out", "", -1.0, 1.0)];
        Self {
            spec: EnvSpec::new("Drift-v0", dimensions, ["back", "on"]).with_max_episode_steps(40),
            position: 0.0,
        }
    }

    fn observation(&self) -> Vec<f32> {
        vec![10.0 * self.position, 0.2 * self.position]
    }
}

impl Env for Drift {
    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn reset(&mut self, rng: &mut dyn Rng) -> Result<Vec<f32>, EnvError> {
        self.position = (rng.next_u32() % 8) as f32;
        Ok(self.observation())
    }

    fn step(&mut self, action: usize) -> Result<Step, EnvError> {
        self.position += [-0.5, 1.0][action];
        Ok(Step::new(self.observation(), f64::from(self.position), false))
    }

    fn save_state(&self) -> Option<Vec<u8>> {
        Some(self.position.to_le_bytes().to_vec())
    }

    fn restore_state(&mut self, state: &[u8]) -> Result<(), EnvError> {
        let error = |_| EnvError::NotRestored { env: self.spec.id.clone() };
        self.position = f32::from_le_bytes(state.try_into().map_err(error)?);
        Ok(())
    }
}

fn fresh(config: &Config) -> (Vec<Box<dyn Env>>, Agent) {
    tch::set_num_threads(1);
    let entry = config.entry(&registry()).unwrap();
    let agent = Agent::new(config, entry.spec(), Device::Cpu).unwrap();
    ((0..config.agent.envs).map(|_| entry.make()).collect(), agent)
}

/// All numbers of an agent, as bits.
fn bits(agent: &Agent) -> Vec<u32> {
    agent.named().into_iter().flat_map(|named| named.values.into_owned()).map(f32::to_bits).collect()
}

#[test]
fn every_rule_environment_and_engine_goes_on_as_if_nothing_had_happened() {
    for env in ["CartPole-v1", "MountainCar-v0", "Acrobot-v1"] {
        for rule in ["ucb", "thompson", "epsilon-greedy", "greedy"] {
            goes_on(&config(&[("env", env), ("exploration.rule", rule)]), 307);
        }
    }
    goes_on(&config(&[("engine", "autograd")]), 307);
    goes_on(&config(&[("env", "Catch-v0")]), 307);
    for env in ["CartPoleSwingup-v0", "SparseMountainCar-v0"] {
        goes_on(&config(&[("env", env)]), 307);
    }
    // In the middle of an episode whose chance is drawn at its start.
    goes_on(&config(&[("env", "DeepSea-v0"), ("env_args.size", "6"), ("env_args.stochastic", "true")]), 307);
    // With local dropout, whose counts are those of the replay, which here forgets.
    for rule in ["ucb", "thompson"] {
        let local = [("local.tilings", "4"), ("exploration.rule", rule), ("agent.replay_capacity", "150")];
        goes_on(&config(&local), 307);
        goes_on(
            &config(&[("env", "DeepSea-v0"), ("exploration.rule", rule), ("agent.replay_capacity", "150")]),
            307,
        );
    }
    // Where not every action is valid, and before the replay is full, when its masks are saved piece by piece.
    for rule in ["ucb", "thompson", "epsilon-greedy"] {
        goes_on(&config(&[("env", "Minefield-v0"), ("exploration.rule", rule)]), 307);
    }
    goes_on(&config(&[("env", "Minefield-v0"), ("agent.replay_capacity", "1000")]), 307);
    // Where places move with what is seen of a number that has no bounds, and of one that leaves them.
    for rule in ["ucb", "thompson"] {
        goes_on(&config(&[("env", "Drift-v0"), ("exploration.rule", rule)]), 307);
    }
    // In wrappers, in the middle of an episode.
    for wrapper in
        ["frame_stack=3", "sticky_actions=0.25", "action_repeat=2", "clip_rewards=true", "time_limit=17"]
    {
        let (key, value) = wrapper.split_once('=').unwrap();
        goes_on(&config(&[(&format!("wrappers.{key}"), value)]), 307);
    }
    let all = "{frame_stack=2,sticky_actions=0.5,action_repeat=2,clip_rewards=true,time_limit=23}";
    for env in ["CartPole-v1", "Catch-v0", "Minefield-v0"] {
        goes_on(&config(&[("env", env), ("wrappers", all)]), 307);
    }
    // Several environments, between two rounds and in the middle of one, when some have an action to take.
    for rule in ["ucb", "thompson", "information-directed", "epsilon-greedy"] {
        goes_on(&config(&[("agent.envs", "3"), ("exploration.rule", rule)]), 306);
        goes_on(&config(&[("agent.envs", "7"), ("exploration.rule", rule), ("env", "Minefield-v0")]), 307);
    }
    goes_on(&config(&[("agent.envs", "4"), ("agent.replay_capacity", "1000")]), 99);
    // Before learning starts, and before the first step after it.
    goes_on(&config(&[]), 1);
    goes_on(&config(&[]), 99);
    goes_on(&config(&[("agent.targets", "double-q"), ("agent.target_period", "7")]), 200);
}

fn goes_on(config: &Config, step: u64) {
    let folder = tempfile::tempdir().unwrap();
    let (mut envs, mut agent) = fresh(config);
    let mut progress = TrainingProgress::start(config.seed, config.agent.envs);
    let mut whole =
        Watch { save_at: Some((step, Checkpoints::new(folder.path().into(), 1))), ..Watch::default() };
    train(&mut envs, &mut agent, &mut progress, &mut whole).unwrap();

    let (mut other_envs, mut other_agent) = fresh(config);
    let mut checkpoints = Checkpoints::new(folder.path().into(), 1);
    let found = checkpoints.newest::<usize>().unwrap().unwrap();
    let mut other_progress = checkpoints.restore(&found, &mut other_envs, &mut other_agent).unwrap();
    assert_eq!(other_agent.steps(), step);
    let mut rest = Watch::default();
    train(&mut other_envs, &mut other_agent, &mut other_progress, &mut rest).unwrap();
    assert_eq!(whole.rows[found.state.record..], rest.rows, "{config:?}");
    assert_eq!(bits(&agent), bits(&other_agent), "{config:?}");
    assert_eq!(progress, other_progress);
}

fn training(runs: &Path, arguments: &[&str]) -> PathBuf {
    let output = program()
        .args(quick(arguments))
        .args(arguments)
        .args(["-q", "--runs-dir"])
        .arg(runs)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let mut folders = folders(runs);
    assert_eq!(folders.len(), 1, "{folders:?}");
    folders.remove(0)
}

fn resume(run: &Path, arguments: &[&str]) -> std::process::Output {
    program().arg("resume").arg(run).args(arguments).output().unwrap()
}

#[test]
fn a_finished_run_is_extended_as_if_it_had_been_longer_from_the_start() {
    let parent = tempfile::tempdir().unwrap();
    // Rates and a lookahead that do not depend on how long the training is to be.
    let constant = ["--set", "optimizer.final_fraction=1", "--set", "agent.n_step_final=3"];
    let flags = [&constant[..], &["--seed", "3", "--steps"]].concat();
    // A path with spaces and other letters than ASCII.
    let short = training(&parent.path().join("läufe und mehr"), &[&flags[..], &["600"]].concat());
    let long = training(&parent.path().join("long"), &[&flags[..], &["900"]].concat());

    let output = resume(&short, &[]);
    assert!(output.status.success() && text(&output.stdout).contains("has finished all its 600 steps"));
    assert_fails(&resume(&short, &["--steps", "599"]), 2, &["--steps 599 is fewer than the 600"]);
    let output = resume(&short, &["--steps", "900"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    same_learning(&short, &long);
    let config = fs::read_to_string(short.join("config.toml")).unwrap();
    assert!(config.contains("steps = 900"), "the config says what the run is now");
    let meta: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(short.join("meta.json")).unwrap()).unwrap();
    assert_eq!(meta["resumed"][0]["step"], 600);
    assert!(
        summary(&short)["training_seconds"].as_f64()
            > summary(&long)["training_seconds"].as_f64().map(|s| s / 10.0)
    );
}

#[test]
fn a_run_of_several_environments_goes_on_in_as_many() {
    let runs = tempfile::tempdir().unwrap();
    let run = training(runs.path(), &["--envs", "3", "--steps", "400"]);
    let output = resume(&run, &["--steps", "500"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(summary(&run)["total_steps"], 500);
    let config = fs::read_to_string(run.join("config.toml")).unwrap();
    assert!(config.contains("envs = 3\n"));
    fs::write(run.join("config.toml"), config.replace("envs = 3\n", "envs = 2\n")).unwrap();
    let sentence = "is of a training with agent.envs = 3, so it can't go on with agent.envs = 2";
    assert_fails(&resume(&run, &["--steps", "600"]), 2, &[sentence]);
}

#[test]
fn a_run_that_goes_on_for_longer_says_what_its_schedules_do() {
    let runs = tempfile::tempdir().unwrap();
    let flags = ["--steps", "600", "-x", "epsilon-greedy", "--set", "optimizer.learning_rate=1e-3"];
    let run = training(runs.path(), &[&flags[..], &["--set", "optimizer.final_fraction=0.02"]].concat());
    let output = resume(&run, &["--steps", "800"]);
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains(
            "the schedules are stretched from 600 to 800 steps: learning rate from 2.00e-5 to 2.65e-4"
        ),
        "{said}"
    );
}

#[test]
fn a_run_without_checkpoints_is_not_written_over() {
    let runs = tempfile::tempdir().unwrap();
    let run = training(runs.path(), &["--steps", "300", "--set", "checkpoint.keep=0"]);
    let files =
        ["episodes.csv", "layers.csv", "updates.csv", "model.safetensors", "summary.json", "config.toml"];
    let contents = || files.map(|file| fs::read(run.join(file)).unwrap());
    let before = contents();
    let refused = |reason| {
        let sentence = format!("{} cannot be resumed, since it has no checkpoints ({reason})", run.display());
        assert_fails(
            &resume(&run, &["--steps", "400"]),
            2,
            &[&sentence, "start over", "train anew", "--config"],
        );
        assert!(contents() == before, "nothing was written over");
        assert!(text(&resume(&run, &[]).stdout).contains("it has no checkpoint to train on from"));
    };
    refused("checkpoint.keep = 0 has it write none");
    // Ended early, it has as much to lose.
    let summary = fs::read_to_string(run.join("summary.json")).unwrap();
    fs::write(run.join("summary.json"), summary.replace("\"finished\"", "\"interrupted\"")).unwrap();
    assert_fails(&resume(&run, &[]), 2, &["checkpoint.keep = 0 has it write none"]);
    fs::write(run.join("summary.json"), summary).unwrap();

    // What finished with checkpoints that are gone by now has too.
    let config = fs::read_to_string(run.join("config.toml")).unwrap();
    fs::write(run.join("config.toml"), config.replace("keep = 0", "keep = 3")).unwrap();
    let before = contents();
    assert_fails(&resume(&run, &["--steps", "400"]), 2, &["they were removed after it had finished"]);
    assert!(contents() == before, "nothing was written over");

    // As if it had been killed before its first checkpoint: it starts again, and keeps what it had.
    fs::remove_file(run.join("summary.json")).unwrap();
    for time in 1..=2 {
        let output = resume(&run, &["--steps", "400"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let aside = run.join(format!("before-restart-{time}"));
        assert!(text(&output.stderr).contains(aside.to_str().unwrap()), "{}", text(&output.stderr));
        if time == 1 {
            assert!(fs::read(aside.join("episodes.csv")).unwrap() == before[0]);
            assert!(fs::read(aside.join("model.safetensors")).unwrap() == before[3]);
        }
        fs::remove_file(run.join("summary.json")).unwrap();
        fs::remove_dir_all(run.join("checkpoints")).unwrap();
    }
}

/// Episodes of ten steps that can't be saved in their middle.
struct Unsaved {
    spec: EnvSpec,
    x: f32,
}

impl Unsaved {
    fn new() -> Self {
        let spec = EnvSpec::new("Unsaved-v0", [Dimension::new("x", "m", 0.0, 10.0)], ["go", "stop"])
            .with_max_episode_steps(10);
        Self { spec, x: 0.0 }
    }
}

impl Env for Unsaved {
    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn reset(&mut self, rng: &mut dyn Rng) -> Result<Vec<f32>, EnvError> {
        self.x = (rng.next_u32() % 4) as f32;
        Ok(vec![self.x])
    }

    fn step(&mut self, action: usize) -> Result<Step, EnvError> {
        self.x = if action == 0 { (self.x + 1.0).min(10.0) } else { self.x };
        Ok(Step::new(vec![self.x], f64::from(self.x), self.x >= 10.0))
    }
}

#[test]
fn an_environment_that_cannot_be_saved_begins_another_episode() {
    for (environments, step) in [(1, 300), (4, 301)] {
        let config = config(&[("agent.envs", &environments.to_string())]);
        let folder = tempfile::tempdir().unwrap();
        let mut registry = Registry::new();
        registry.register("unsaved", Unsaved::new).unwrap();
        let fresh = || {
            let envs: Vec<_> = (0..environments).map(|_| registry.make("unsaved").unwrap()).collect();
            let agent = Agent::new(&config, envs[0].spec(), Device::Cpu).unwrap();
            (envs, agent)
        };
        let (mut envs, mut agent) = fresh();
        let mut progress = TrainingProgress::start(0, environments);
        let save_at = Some((step, Checkpoints::new(folder.path().into(), 1)));
        train(&mut envs, &mut agent, &mut progress, &mut Watch { save_at, ..Watch::default() }).unwrap();
        let saved = Checkpoints::new(folder.path().into(), 1).newest::<usize>().unwrap().unwrap();
        // In the middle of an episode it is left out, and so is the action that was decided for it.
        assert_eq!(saved.state.progress.environments, vec![EnvironmentProgress::default(); environments]);
        let (mut envs, mut agent) = fresh();
        let mut checkpoints = Checkpoints::new(folder.path().into(), 1);
        let mut progress = checkpoints.restore(&saved, &mut envs, &mut agent).unwrap();
        train(&mut envs, &mut agent, &mut progress, &mut ()).unwrap();
        assert_eq!(agent.steps(), 500);
    }
}
