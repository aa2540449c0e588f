//! What a training leaves: a network that acts.

use std::path::Path;

use control_envs::{Entry, EnvError};
use serde::Serialize;

use super::device::device;
use super::source::EnvSource;
use crate::agent::Agent;
use crate::checkpoint::{CheckpointChoice, Checkpoints};
use crate::concrete::LogisticNoise;
use crate::config::Config;
use crate::engine::{Engine, EngineName, Learner, engine};
use crate::error::Error;
use crate::evaluation::{Evaluation, EvaluationObserver, Evaluator};
use crate::network::{PassNoise, QNetwork};
use crate::panics::caught;
use crate::randomness::{Stream, generator};
use crate::recording::{self, RecordedStep, Recording};
use crate::run::{Record, RunDirectory, model};
use crate::units::NetworkUnits;

/// So many values of observations are recorded at most.
const RECORDED_VALUES: usize = 100_000;

/// What a policy says at an observation. Values are in units of the environment's return, one an action; NaN where
/// no reward was seen in training, since there is no unit then.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ActionValues {
    /// The action with the highest mean: what the policy does.
    pub action: usize,
    /// Mean of Q over the passes.
    pub mean: Vec<f64>,
    /// Standard deviation of Q over the passes: what more data would settle.
    pub epistemic_std: Vec<f64>,
    /// Standard deviation of the TD targets' noise: what no data would settle.
    pub aleatoric_std: Vec<f64>,
}

/// A trained network that acts greedily on the mean over Monte-Carlo passes. It does not learn.
#[derive(Debug)]
pub struct Policy {
    entry: Entry,
    config: Config,
    network: QNetwork,
    engine: Box<dyn Engine>,
    source: LogisticNoise,
    noise: PassNoise,
}

impl Policy {
    /// The policy of the run in `folder`, on the CPU.
    ///
    /// # Errors
    /// Where the folder holds no run, its environment is not in `source`, or its model does not fit.
    pub fn load(folder: impl AsRef<Path>, source: impl EnvSource) -> Result<Self, Error> {
        Self::load_onto("cpu", folder, source)
    }

    /// [`load`](Self::load), onto the device of this name: `cpu`, `cuda` or `cuda:N`.
    ///
    /// # Errors
    /// As for [`load`](Self::load), and where there is no such device.
    pub fn load_onto(device: &str, folder: impl AsRef<Path>, source: impl EnvSource) -> Result<Self, Error> {
        let directory = RunDirectory::open(folder.as_ref())?;
        Self::of_folder(device, &directory, source, |network| {
            model::load(network, &directory.written_model()?)
        })
    }

    /// The policy of a checkpoint of the run in `folder`, onto the device of this name.
    ///
    /// # Errors
    /// As for [`load_onto`](Self::load_onto), and where there is no such checkpoint or it is damaged.
    pub fn load_checkpoint(
        choice: CheckpointChoice,
        device: &str,
        folder: impl AsRef<Path>,
        source: impl EnvSource,
    ) -> Result<Self, Error> {
        let directory = RunDirectory::open(folder.as_ref())?;
        let checkpoint = Checkpoints::new(directory.checkpoints(), 1).chosen::<Record>(choice)?;
        tracing::info!("the network is that of {}", checkpoint.folder.display());
        Self::of_folder(device, &directory, source, |network| checkpoint.restore_network(network))
    }

    /// [`load_checkpoint`](Self::load_checkpoint), or [`load_onto`](Self::load_onto) where none is chosen.
    ///
    /// # Errors
    /// As for these.
    pub fn load_chosen(
        choice: Option<CheckpointChoice>,
        device: &str,
        folder: impl AsRef<Path>,
        source: impl EnvSource,
    ) -> Result<Self, Error> {
        match choice {
            None => Self::load_onto(device, folder, source),
            Some(choice) => Self::load_checkpoint(choice, device, folder, source),
        }
    }

    fn of_folder(
        device: &str,
        directory: &RunDirectory,
        source: impl EnvSource,
        fill: impl FnOnce(&mut QNetwork) -> Result<(), Error>,
    ) -> Result<Self, Error> {
        let config = directory.read_config()?;
        let entry = source.entry(&config).map_err(of_run(directory, "evaluated"))?;
        // The run's device and engine may not be at hand here, and any computes the same network.
        let config = Config { engine: EngineName::Auto, device: device.to_owned(), ..config };
        Self::new(entry, config, fill)
    }

    /// The policy of an agent as it is now; what the agent learns later does not change it.
    pub(super) fn of(agent: &Agent, entry: &Entry, config: &Config) -> Result<Self, Error> {
        let named = agent.network().named("");
        Self::new(entry.clone(), config.clone(), |network| {
            network.restore("", &mut |name, _, values| {
                let source = named.iter().find(|source| source.name == name);
                let source = source.filter(|source| source.values.len() == values.len());
                let missing = || Error::Inconsistent(format!("the network to copy has no fitting `{name}`"));
                values.copy_from_slice(&source.ok_or_else(missing)?.values);
                Ok(())
            })
        })
    }

    fn new(
        entry: Entry,
        config: Config,
        fill: impl FnOnce(&mut QNetwork) -> Result<(), Error>,
    ) -> Result<Self, Error> {
        let mut network = Learner::new(&config, entry.spec(), device(&config.device)?)?.online;
        fill(&mut network)?;
        network.set_temperature(config.evaluation_temperature());
        Ok(Self {
            engine: engine(&config, &network)?,
            source: LogisticNoise::new(generator(config.seed, Stream::EvaluationNoise)),
            noise: PassNoise::default(),
            entry,
            config,
            network,
        })
    }

    /// The environment that it was trained in.
    pub fn environment(&self) -> &Entry {
        &self.entry
    }

    /// Its settings.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Its network.
    pub fn network(&self) -> &QNetwork {
        &self.network
    }

    /// The action to take at `observation`, and what is known of all actions, over `evaluation.passes`
    /// passes. Their noise is drawn anew at every call.
    ///
    /// # Errors
    /// [`Error::Usage`] where the observation is not one of the environment's, and [`Error::NotFinite`].
    pub fn predict(&mut self, observation: &[f32]) -> Result<ActionValues, Error> {
        self.predict_among(None, observation)
    }

    /// The same, the action one of those that are valid, where it is not `None`.
    ///
    /// # Errors
    /// As for [`predict`](Self::predict), and [`Error::Usage`] where there are not as many actions, or none is valid.
    pub fn predict_among(
        &mut self,
        valid: Option<&[bool]>,
        observation: &[f32],
    ) -> Result<ActionValues, Error> {
        let actions = self.network.actions();
        if valid.is_some_and(|valid| valid.len() != actions || !valid.contains(&true)) {
            let given = valid.unwrap_or_default();
            return Err(Error::Usage(format!(
                "{given:?} is no mask of the actions of {}; it must be {actions} truth values, one of them true at least",
                self.entry.id()
            )));
        }
        let dimensions = self.network.dimensions();
        if observation.len() != dimensions || !observation.iter().all(|value| value.is_finite()) {
            return Err(Error::Usage(format!(
                "{observation:?} is no observation of {}; it must be {dimensions} finite numbers",
                self.entry.id()
            )));
        }
        self.noise.draw(&mut self.source, self.network.masks(), self.config.evaluation.passes, 1);
        let prediction =
            self.engine.predict(&self.network, &self.network.input(observation), Some(&self.noise));
        if !prediction.is_finite() {
            return Err(Error::NotFinite { quantity: "a Q-value of the policy".to_owned(), step: None });
        }
        let (samples, scale) = (prediction.row(0).among(valid), self.network.value_scale());
        let each = |value: &dyn Fn(usize) -> f64| -> Vec<f64> {
            (0..samples.actions()).map(|action| scale.to_return(NetworkUnits(value(action))).0).collect()
        };
        Ok(ActionValues {
            action: samples.greedy_action(),
            mean: each(&|action| samples.mean(action)),
            epistemic_std: each(&|action| samples.std(action)),
            aleatoric_std: each(&|action| prediction.aleatoric_std(0, action)),
        })
    }

    /// The noise under which it said what it said last.
    pub fn noise(&self) -> &PassNoise {
        &self.noise
    }

    /// Q of every action in the deterministic pass, every unit kept, in units of the return. It is not the mean over noisy
    /// passes.
    pub fn mean_pass(&mut self, observation: &[f32]) -> Vec<f64> {
        let input = self.network.input(observation);
        let prediction = self.engine.predict(&self.network, &input, None);
        let scale = self.network.value_scale();
        prediction.q.iter().map(|&q| scale.to_return(NetworkUnits(q.into())).0).collect()
    }

    /// Whether the training saw a reward other than 0. Without one values have no unit, and what is said of them in units of
    /// the return is NaN.
    pub fn has_seen_rewards(&self) -> bool {
        self.network.value_scale().to_return(NetworkUnits(1.0)).0.is_finite()
    }

    /// Plays an episode in a fresh environment, up to `most` steps of it (fewer where observations are large and there is
    /// no picture of them, or the observer wants to stop), and records it.
    ///
    /// # Errors
    /// Those of [`predict`](Self::predict), whatever the environment fails with, and [`Error::Panicked`].
    pub fn record(&mut self, most: usize, observer: &dyn EvaluationObserver) -> Result<Recording, Error> {
        caught(|| {
            let mut env = self.entry.make();
            // The first start of the evaluation after the training.
            let mut observation = env.reset(&mut generator(self.config.seed, Stream::Evaluation))?;
            let mut recording = Recording::default();
            let (mut values, mut brought) = (0, 0.0);
            while recording.steps.len() < most && values < RECORDED_VALUES && !recording.is_whole {
                if observer.wants_to_stop() {
                    break;
                }
                let valid = env.action_mask();
                let ActionValues { action, mean, epistemic_std, .. } =
                    self.predict_among(valid.as_deref(), &observation)?;
                let drawing = env.drawing().as_ref().map(recording::compact);
                let step = env.step(action)?;
                let observation = std::mem::replace(&mut observation, step.observation);
                let observation = recording::shown(&observation, drawing.is_some());
                values += observation.len();
                let reward = step.reward;
                brought += reward;
                let episode_return = env.episode().map_or(brought, |episode| episode.episode_return);
                recording.steps.push(RecordedStep {
                    observation,
                    drawing,
                    mean,
                    epistemic_std,
                    action,
                    reward,
                    episode_return,
                });
                recording.is_whole = step.terminated || step.truncated;
            }
            Ok(recording)
        })
    }

    /// Plays in a fresh environment.
    ///
    /// # Errors
    /// Those of [`Evaluator::evaluate`], and [`Error::Panicked`] where the environment panics.
    pub fn evaluate(
        &mut self,
        evaluator: Evaluator,
        observer: &mut dyn EvaluationObserver,
    ) -> Result<Evaluation, Error> {
        let Self { entry, network, engine, .. } = self;
        caught(|| evaluator.evaluate(network, engine.as_mut(), entry.make().as_mut(), observer))
    }
}

/// The error for a run whose environment is not to be found. `what` is what was to be done with the run.
pub(super) fn of_run(directory: &RunDirectory, what: &'static str) -> impl Fn(EnvError) -> Error {
    move |error| {
        let hint = match error {
            EnvError::UnknownEnv { .. } => {
                format!(" A run in an environment of your own is {what} by the program that registers it.")
            }
            _ => String::new(),
        };
        Error::Usage(format!("{}: {error}{hint}", directory.config().display()))
    }
}
