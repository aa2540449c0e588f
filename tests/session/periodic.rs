//! What is done every so often while a session trains: evaluations, maps of the state space, checkpoints.

use std::cell::Cell;
use std::path::Path;

use concrete_dqn::agent::Agent;
use concrete_dqn::checkpoint::{CheckpointChoice, Checkpoints};
use concrete_dqn::evaluation::{Evaluator, Occasion};
use concrete_dqn::rows::{EvaluationRecord, MapRecord, read};
use concrete_dqn::training::{Observer, TrainingProgress, TrainingSnapshot};
use concrete_dqn::{Config, Error, Policy, SavedRun, Session};
use control_envs::rand::Rng;
use control_envs::{CartPole, Dimension, Env, EnvError, EnvSpec, Registry, Step};
use tch::Device;

use crate::{Panics, config};

/// The files that learning decides.
fn learned(folder: &Path) -> Vec<Vec<u8>> {
    let files = ["episodes.csv", "layers.csv", "updates.csv", "model.safetensors"];
    files.iter().map(|file| std::fs::read(folder.join(file)).unwrap()).collect()
}

#[test]
fn evaluations_change_nothing_that_is_learned() {
    let runs = tempfile::tempdir().unwrap();
    let train = |name: &str, period: u64| {
        let mut config = config(1_200);
        (config.evaluation.period, config.evaluation.period_episodes) = (period, 3);
        let mut session = Session::new(&Registry::builtin(), config).unwrap();
        session = session.in_folder(runs.path().join(name)).unwrap();
        session.train(&mut ()).unwrap()
    };
    let (without, with) = (train("without", 0), train("with", 350));
    assert_eq!(learned(&runs.path().join("without")), learned(&runs.path().join("with")));
    assert_eq!(without.best_evaluation, None);

    let rows: Vec<EvaluationRecord> = read(&runs.path().join("with/evaluations.csv")).unwrap();
    assert_eq!(rows.iter().map(|row| row.total_steps).collect::<Vec<_>>(), [350, 700, 1_050]);
    assert!(rows.iter().all(|row| (row.episodes, row.cut) == (3, 0) && row.min_return <= row.mean_return));
    let best = with.best_evaluation.unwrap();
    assert!(rows.iter().all(|row| row.mean_return <= best.mean_return));
    // Its checkpoint is kept, and has the network that was evaluated.
    let policy = |choice| Policy::load_checkpoint(choice, "cpu", runs.path().join("with"), CartPole::new);
    let play = |policy: &mut Policy| {
        let of_run = Evaluator::from(policy.config());
        let evaluator = Evaluator { occasion: Occasion::WhileTraining, episodes: 3, ..of_run };
        policy.evaluate(evaluator, &mut ()).unwrap().mean_return
    };
    assert_eq!(play(&mut policy(CheckpointChoice::Best).unwrap()), best.mean_return);
    assert_eq!(play(&mut policy(CheckpointChoice::Step(best.step)).unwrap()), best.mean_return);
    let mut last = policy(CheckpointChoice::Last).unwrap();
    let mut model = Policy::load(runs.path().join("with"), CartPole::new).unwrap();
    assert_eq!(last.predict(&[0.1; 4]).unwrap(), model.predict(&[0.1; 4]).unwrap());
    let missing = policy(CheckpointChoice::Step(7)).unwrap_err();
    let said = missing.to_string();
    assert!(
        missing.exit_code() == 2 && said.contains("no checkpoint of step 7; there are those of step"),
        "{said}"
    );
    assert!(said.contains(&best.step.to_string()) && said.contains("1200"), "{said}");
}

/// Wants to stop when it has been asked so many times.
struct StopsWhenAsked(Cell<u32>);

impl Observer for StopsWhenAsked {
    fn wants_to_stop(&self) -> bool {
        self.0.set(self.0.get().saturating_sub(1));
        self.0.get() == 0
    }
}

#[test]
fn an_interrupted_evaluation_is_played_again() {
    let runs = tempfile::tempdir().unwrap();
    let session = |name: &str| {
        // Half of the steps are a moment of the maps, too.
        let mut config = config(800);
        config.evaluation.period = 400;
        Session::new(&Registry::builtin(), config).unwrap().in_folder(runs.path().join(name)).unwrap()
    };
    session("whole").train(&mut ()).unwrap();
    let mut parts = session("parts");
    // Asked after each of 399 steps, and then before each of the evaluation's.
    let stopped = parts.train(&mut StopsWhenAsked(Cell::new(410)));
    assert!(matches!(stopped, Err(Error::Interrupted)));
    assert_eq!((parts.summary().total_steps, parts.summary().best_evaluation), (400, None));
    drop(parts);
    Session::resume(runs.path().join("parts"), &Registry::builtin()).unwrap().train(&mut ()).unwrap();
    let text = |name: &str, file: &str| std::fs::read_to_string(runs.path().join(name).join(file)).unwrap();
    assert_eq!(text("whole", "evaluations.csv").lines().count(), 3);
    for file in ["evaluations.csv", "maps.csv"] {
        assert_eq!(text("whole", file), text("parts", file));
    }
    // The checkpoint of that step has the score, so the best is the same one.
    let states = |name: &str| {
        let of = |step: u64| text(name, &format!("checkpoints/step-{step:012}/state.json"));
        [400, 800].map(|step| serde_json::from_str::<serde_json::Value>(&of(step)).unwrap()["score"].clone())
    };
    assert_eq!(states("whole"), states("parts"));
    assert!(states("parts").iter().all(serde_json::Value::is_number));
    let best = |name: &str| {
        let mut best =
            Policy::load_checkpoint(CheckpointChoice::Best, "cpu", runs.path().join(name), CartPole::new)
                .unwrap();
        best.predict(&[0.1; 4]).unwrap()
    };
    assert_eq!(best("whole"), best("parts"));
    assert_eq!(learned(&runs.path().join("whole")), learned(&runs.path().join("parts")));
}

#[test]
fn an_evaluation_that_fails_ends_the_run_with_its_error() {
    // Panics at its 55th step, which a training in another instance has not come to yet.
    let mut config = Config::for_env("Panics-v0").unwrap().with("agent.learning_starts = 20").unwrap();
    (config.evaluation.period, config.evaluation.period_episodes) = (20, 6);
    let mut session = Session::new(Panics::new, config).unwrap();
    let error = session.train(&mut ()).unwrap_err();
    assert!(matches!(&error, Error::Panicked(message) if message == "step 55"), "{error}");
    assert_eq!(session.summary().total_steps, 20);
}

/// Goes round a square without an end, and can't be saved.
struct Round {
    spec: EnvSpec,
    time: f32,
}

impl Round {
    fn new() -> Self {
        Self::within(1.0)
    }

    fn within(bound: f32) -> Self {
        let dimensions = ["x", "y"].map(|name| Dimension::new(name, "m", -bound, bound));
        Self { spec: EnvSpec::new("Round-v0", dimensions, ["rest", "work"]), time: 0.0 }
    }
}

impl Env for Round {
    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn reset(&mut self, _rng: &mut dyn Rng) -> Result<Vec<f32>, EnvError> {
        self.time = 0.0;
        Ok(vec![0.0, 1.0])
    }

    fn step(&mut self, action: usize) -> Result<Step, EnvError> {
        self.time += 0.3;
        Ok(Step::new(vec![self.time.sin(), self.time.cos()], action as f64, false))
    }
}

#[test]
fn a_run_that_is_extended_has_one_map_of_each_moment() {
    let runs = tempfile::tempdir().unwrap();
    let folder = runs.path().join("run");
    let settings = "env = 'Round-v0'\nsteps = 200\nevaluation = { period = 100, period_episodes = 1, max_episode_steps = 20 }";
    let config =
        Config::default().with("network.hidden = [8]").and_then(|config| config.with(settings)).unwrap();
    Session::new(Round::new, config).unwrap().in_folder(&folder).unwrap().train(&mut ()).unwrap();
    // The episode under way is cut, so that the evaluation that waited for its end is due at once; step 200 is a moment of
    // the longer run too.
    let mut saved = SavedRun::open(&folder).unwrap();
    saved.config.steps = 400;
    saved.resume(Round::new).unwrap().train(&mut ()).unwrap();
    let evaluations: Vec<EvaluationRecord> = read(&folder.join("evaluations.csv")).unwrap();
    assert_eq!(evaluations[0].total_steps, 200);
    let rows: Vec<MapRecord> = read(&folder.join("maps.csv")).unwrap();
    let maps: Vec<(u64, usize)> =
        rows.chunk_by(|a, b| a.env_steps == b.env_steps).map(|map| (map[0].env_steps, map.len())).collect();
    assert_eq!(maps, [4, 12, 40, 100, 200, 400].map(|step| (step, 1_600)));
}

#[test]
fn what_observations_are_normalised_by_is_saved_and_changes_in_no_evaluation() {
    let runs = tempfile::tempdir().unwrap();
    let folder = runs.path().join("run");
    let make = || Round::within(f32::INFINITY);
    let settings =
        "env = 'Round-v0'\nsteps = 300\nagent.learning_starts = 100\nevaluation.max_episode_steps = 7";
    let config =
        Config::default().with("network.hidden = [8]").and_then(|config| config.with(settings)).unwrap();
    let mut session = Session::new(make, config).unwrap().in_folder(&folder).unwrap();
    session.train(&mut ()).unwrap();
    assert_eq!(session.agent().normalized_dimensions().collect::<Vec<_>>(), [0, 1]);
    let mut loaded = Policy::load(&folder, make).unwrap();
    assert_eq!(loaded.predict(&[0.3, -0.2]).unwrap(), session.predict(&[0.3, -0.2]).unwrap());
    // Seven steps from the start are another part of the circle than all of it, so what is seen there would scale otherwise.
    let evaluator = Evaluator { episodes: 30, ..Evaluator::from(loaded.config()) };
    loaded.evaluate(evaluator, &mut ()).unwrap();
    assert_eq!(loaded.predict(&[0.3, -0.2]).unwrap(), session.predict(&[0.3, -0.2]).unwrap());
}

#[test]
fn the_best_checkpoint_is_kept_however_old_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let mut env = Registry::builtin().make("cartpole").unwrap();
    let mut agent = Agent::new(&config(100), env.spec(), Device::Cpu).unwrap();
    let mut progress = TrainingProgress::start(0, 1);
    let observation = env.reset(&mut progress.starts).unwrap();
    let mut save = |checkpoints: &mut Checkpoints, score: f64| {
        let step = env.step(0).unwrap();
        agent.observe(&observation, 0, &step);
        let envs = std::slice::from_ref(&env);
        let snapshot = TrainingSnapshot { envs, agent: &agent, progress: &progress };
        checkpoints.save(snapshot, String::new(), Some(score), 0).unwrap();
        let names = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let steps = names.filter_map(|name| name.to_str()?.strip_prefix("step-")?.parse::<u64>().ok());
        let mut steps: Vec<u64> = steps.collect();
        steps.sort_unstable();
        steps
    };
    let mut checkpoints = Checkpoints::new(folder.path().into(), 1);
    let kept = [1.0, 5.0, 2.0, 3.0].map(|score| save(&mut checkpoints, score));
    assert_eq!(kept, [vec![1], vec![2], vec![2, 3], vec![2, 4]]);
    // Also by a process that finds them.
    let mut found = Checkpoints::new(folder.path().into(), 1);
    assert!(found.newest::<u32>().unwrap().is_some());
    assert_eq!([4.0, 6.0].map(|score| save(&mut found, score)), [vec![2, 5], vec![6]]);
}
