//! Training, evaluating and resuming from another crate.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod periodic;

use std::fs;
use std::path::{Path, PathBuf};

use concrete_dqn::agent::Agent;
use concrete_dqn::rows::EpisodeRecord;
use concrete_dqn::training::{Observer, Observers};
use concrete_dqn::{Config, Error, Policy, SavedRun, Session};
use control_envs::rand::Rng;
use control_envs::{Argument, CartPole, DeepSea, Dimension, Env, EnvError, EnvSpec, Registry, Step};

fn config(steps: u64) -> Config {
    let settings = "
        network.hidden = [16, 16]
        agent = { learning_starts = 200, batch_size = 16 }
        evaluation.passes = 3
    ";
    Config { steps, ..Config::for_env("cartpole").unwrap().with(settings).unwrap() }
}

fn session(steps: u64) -> Session {
    Session::new(&Registry::builtin(), config(steps)).unwrap()
}

/// Rows, and the end after some episodes.
#[derive(Default)]
struct Watch {
    rows: Vec<EpisodeRecord>,
    last: Option<usize>,
}

impl Observer for Watch {
    fn on_episode(&mut self, record: &EpisodeRecord, _agent: &Agent) -> Result<(), Error> {
        self.rows.push(record.clone());
        Ok(())
    }

    fn wants_to_stop(&self) -> bool {
        self.last == Some(self.rows.len())
    }
}

/// Sees to it that this summary does not say of a training under way how it ended before.
struct Unsaid(PathBuf);

impl Observer for Unsaid {
    fn on_step(&mut self, _agent: &Agent) {
        assert!(!self.0.exists());
    }
}

#[test]
fn in_memory_in_a_folder_interrupted_and_resumed_are_one_training() {
    let mut whole = Watch::default();
    let mut in_memory = session(1_000);
    let summary = in_memory.train(&mut whole).unwrap();
    assert_eq!((summary.ended.as_str(), summary.total_steps), ("finished", 1_000));
    assert_eq!((in_memory.folder(), summary.evaluation), (None, None));

    let runs = tempfile::tempdir().unwrap();
    let folder = runs.path().join("mine");
    let mut parts = Watch { last: Some(5), ..Watch::default() };
    let mut written = session(1_000).in_folder(&folder).unwrap();
    assert!(matches!(written.train(&mut parts), Err(Error::Interrupted)));
    assert_eq!((written.summary().ended.as_str(), written.summary().episodes), ("interrupted", 5));
    parts.last = Some(9);
    assert!(matches!(written.train(&mut parts), Err(Error::Interrupted)));
    drop(written);
    parts.last = None;
    let mut resumed = Session::resume(&folder, &Registry::builtin()).unwrap();
    assert!(folder.join("summary.json").exists());
    let mut unsaid = Unsaid(folder.join("summary.json"));
    let of_resumed = resumed.train(&mut Observers([&mut parts, &mut unsaid])).unwrap();
    assert_eq!(parts.rows, whole.rows);
    assert_eq!((of_resumed.p_final, of_resumed.p_peak), (summary.p_final, summary.p_peak));

    // One evaluation, whoever plays it.
    let evaluation = resumed.evaluate(4).unwrap();
    assert_eq!(evaluation, in_memory.evaluate(4).unwrap());
    assert_eq!(resumed.summary().evaluation.as_ref(), Some(&evaluation));
    let mut policy = Policy::load(&folder, CartPole::new).unwrap();
    let observation = [0.0, 0.1, -0.02, 0.3];
    assert_eq!(policy.predict(&observation).unwrap(), resumed.predict(&observation).unwrap());
    drop(resumed);
    assert!(SavedRun::open(&folder).unwrap().is_finished());
}

#[test]
fn a_finished_run_is_lengthened_and_a_policy_stays_as_it_was() {
    let runs = tempfile::tempdir().unwrap();
    let folder = runs.path().join("mine");
    session(600).in_folder(&folder).unwrap().train(&mut ()).unwrap();
    let mut saved = SavedRun::open(&folder).unwrap();
    saved.config.steps = 800;
    let mut session = saved.resume(&Registry::builtin()).unwrap();
    let before = session.predict(&[0.0; 4]).unwrap();
    assert_eq!(session.train(&mut ()).unwrap().total_steps, 800);
    let after = session.predict(&[0.0; 4]).unwrap();
    assert_ne!(before.mean, after.mean, "the policy is of the agent as it is now");
    let values = [&after.mean, &after.epistemic_std, &after.aleatoric_std];
    assert!(values.iter().all(|values| values.len() == 2 && values.iter().all(|value| value.is_finite())));
    assert!(after.mean[after.action] >= after.mean[1 - after.action]);
}

/// Panics at a step.
struct Panics {
    spec: EnvSpec,
    steps: u32,
}

impl Panics {
    fn new() -> Self {
        let x = Dimension::new("x", "", -1.0, 1.0);
        Self { spec: EnvSpec::new("Panics-v0", [x], ["a", "b"]).with_max_episode_steps(10), steps: 0 }
    }
}

impl Env for Panics {
    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn reset(&mut self, _rng: &mut dyn Rng) -> Result<Vec<f32>, EnvError> {
        Ok(vec![0.0])
    }

    fn step(&mut self, _action: usize) -> Result<Step, EnvError> {
        self.steps += 1;
        assert!(self.steps < 55, "step 55");
        Ok(Step::new(vec![0.5], 1.0, false))
    }
}

#[test]
fn a_panic_is_an_error_and_what_was_learned_is_written() {
    let runs = tempfile::tempdir().unwrap();
    let config = Config::for_env("Panics-v0").unwrap().with("agent.learning_starts = 20").unwrap();
    let mut session = Session::new(Panics::new, config).unwrap().in_new_folder(runs.path()).unwrap();
    let error = session.train(&mut ()).unwrap_err();
    assert!(matches!(&error, Error::Panicked(message) if message == "step 55"), "{error}");
    assert_eq!((session.summary().total_steps, session.summary().episodes), (54, 5));
    let folder = session.folder().unwrap();
    let rows = std::fs::read_to_string(folder.join("episodes.csv")).unwrap();
    assert_eq!(rows.lines().count(), 1 + 5);
    assert!(folder.join("model.safetensors").is_file() && folder.join("summary.json").is_file());

    let makes_none = || -> CartPole { panic!("no environment") };
    assert!(matches!(Session::new(makes_none, Config::default()), Err(Error::Panicked(_))));
}

#[test]
fn arguments_reach_an_environment_of_ones_own_and_stay_with_its_run() {
    let mut registry = Registry::new();
    registry
        .register_with("sea", [Argument::whole("rows", 4, 2..=9, "how deep it is")], |args| {
            let rows: i64 = args.get("rows")?;
            DeepSea::with_arguments(&DeepSea::arguments().with([("size", rows)])?)
        })
        .unwrap();
    let config = |settings: &str| {
        let config = Config { env: "sea".to_owned(), env_args: toml::Table::new(), ..config(300) };
        config.with(settings).unwrap()
    };
    let session = |settings: &str| Session::new(&registry, config(settings));
    // The defaults are written out too.
    assert_eq!(session("").unwrap().config().env_args["rows"].as_integer(), Some(4));
    let runs = tempfile::tempdir().unwrap();
    let folder = runs.path().join("mine");
    let mut five = session("env_args.rows = 5").unwrap().in_folder(&folder).unwrap();
    assert_eq!(five.environment().spec().observation_space.len(), 25);
    assert_eq!(five.train(&mut ()).unwrap().episodes, 60);
    drop(five);
    assert!(Policy::load(&folder, &registry).unwrap().predict(&[0.0; 25]).is_ok());
    let mut saved = SavedRun::open(&folder).unwrap();
    saved.config.steps = 400;
    assert_eq!(saved.resume(&registry).unwrap().train(&mut ()).unwrap().episodes, 80);

    // An entry brings its arguments along, and those of the config lie over them.
    let entry = registry.get("sea").unwrap().with_args([("rows", 6)]).unwrap();
    let rows = |settings: &str| {
        Session::new(&entry, config(settings)).unwrap().config().env_args["rows"].as_integer()
    };
    assert_eq!((rows(""), rows("env_args.rows = 7")), (Some(6), Some(7)));

    let message = session("env_args.rows = 1").unwrap_err().to_string();
    assert!(message.contains("the argument `rows` of environment `DeepSea-v0` is 1"), "{message}");
    let message =
        Session::new(CartPole::new, Config::default().with("env_args.rows = 1").unwrap()).unwrap_err();
    assert!(message.to_string().contains("it takes none"), "{message}");
}

#[test]
fn what_is_wrong_is_said() {
    let says = |result: Result<(), Error>, words: &str| {
        let error = result.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    };
    let runs = tempfile::tempdir().unwrap();
    let folder = runs.path().join("mine");
    let first = session(300).in_folder(&folder).unwrap();
    let again = |folder: &Path| session(300).in_folder(folder).map(|_| ());
    says(again(&folder), "holds a run already; resume that one");
    says(SavedRun::open(&folder).map(|_| ()), "another process is writing into");
    drop(first);
    says(Session::resume(&folder, Panics::new).map(|_| ()), "there is no environment `CartPole-v1`");
    says(Policy::load(runs.path(), CartPole::new).map(|_| ()), "holds no config.toml");
    says(Session::new(Panics::new, Config::default()).map(|_| ()), "did you mean `Panics-v0`?");
    let mut config = config(300);
    config.agent.gamma = 2.0;
    says(Session::new(CartPole::new, config).map(|_| ()), "the config: agent.gamma = 2");
    says(Config::default().with("agent.gama = 1").map(|_| ()), "did you mean agent.gamma");
    says(session(300).predict(&[0.0; 3]).map(|_| ()), "it must be 4 finite numbers");
    says(session(300).predict(&[f32::NAN; 4]).map(|_| ()), "no observation of CartPole-v1");
}

#[test]
fn what_could_not_be_saved_is_neither_finished_nor_lost_without_a_word() {
    for last in [None, Some(3)] {
        let runs = tempfile::tempdir().unwrap();
        let folder = runs.path().join("mine");
        let mut training = session(300).in_folder(&folder).unwrap();
        // What is in the way of the checkpoint at the end.
        fs::write(folder.join("checkpoints"), "").unwrap();
        let problem = training.train(&mut Watch { last, ..Watch::default() }).unwrap_err().to_string();
        assert!(problem.contains("checkpoints"), "{problem}");
        assert_eq!(training.summary().ended, problem);
        drop(training);
        // Without it, the run can be made again.
        fs::remove_file(folder.join("checkpoints")).unwrap();
        let mut again = Session::resume(&folder, &Registry::builtin()).unwrap();
        assert_eq!(again.train(&mut ()).unwrap().ended, "finished");
    }
}
