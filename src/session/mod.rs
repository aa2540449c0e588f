//! Training, evaluating and resuming: what the command line and programs of one's own stand on.
//!
//! A [`Session`] is an agent and its environment. It trains, in memory or with everything written into a
//! folder; a [`SavedRun`] is such a folder, to be resumed; a [`Policy`] is a trained network that acts.
//! Nothing here touches the terminal: what is worth a warning goes to [`tracing`], and what happens is told
//! to an [`Observer`].

mod bounds;
mod device;
mod periodic;
mod policy;
mod saved;
mod source;
mod state_map;

use std::fmt;
use std::path::Path;

use control_envs::{Entry, Env};

use self::bounds::BoundsWatch;
use crate::agent::Agent;
use crate::config::Config;
use crate::error::Error;
use crate::evaluation::{Evaluation, EvaluationObserver, Evaluator};
use crate::files::{FolderLock, write_compact_json, write_json};
use crate::panics::caught;
use crate::report::{self, Subject};
use crate::run::{Meta, Recorder, RunDirectory, Summary};
use crate::training::{Observer, Observers, TrainingProgress, TrainingSnapshot, train};
use device::device;
use periodic::EvaluatedTraining;

pub use policy::{ActionValues, Policy};
pub use saved::SavedRun;
pub use source::EnvSource;

/// So many steps of an episode are recorded at most.
const RECORDED_STEPS: usize = 1_000;

/// An agent in its environment.
///
/// ```
/// use concrete_dqn::{Config, Session};
/// use control_envs::Registry;
///
/// # fn main() -> Result<(), concrete_dqn::Error> {
/// let config = Config::for_env("CartPole-v1")?.with("steps = 1_000")?;
/// let mut session = Session::new(&Registry::builtin(), config)?;
/// let summary = session.train(&mut ())?;
/// let evaluation = session.evaluate(5)?;
/// assert_eq!((summary.total_steps, evaluation.episodes), (1_000, 5));
/// let values = session.predict(&[0.0, 0.0, 0.05, 0.0])?;
/// assert_eq!((values.mean.len(), values.epistemic_std.len()), (2, 2));
/// # Ok(())
/// # }
/// ```
///
/// The threads of libtorch are left to the program: with the autograd engine, networks of this size are
/// fastest with `tch::set_num_threads(1)`.
pub struct Session {
    entry: Entry,
    config: Config,
    envs: Vec<Box<dyn Env>>,
    agent: Agent,
    progress: TrainingProgress,
    recorder: Recorder,
    /// The agent's policy as it is now; made when it is asked for.
    policy: Option<Policy>,
    /// Held for as long as the session may write.
    lock: Option<FolderLock>,
}

impl Session {
    /// A fresh agent in the environment that the config names, which keeps everything in memory.
    ///
    /// # Errors
    /// [`Error::Usage`] where the config is not valid, names a device that there is not, or is not for this
    /// environment; [`Error::Env`] where `source` has no such environment; [`Error::Panicked`] where making
    /// it panics.
    pub fn new(source: impl EnvSource, config: Config) -> Result<Self, Error> {
        config.check()?;
        let (entry, envs) = caught(|| {
            let entry = source.entry(&config)?;
            let envs = (0..config.agent.envs).map(|_| entry.make()).collect();
            Ok((entry, envs))
        })?;
        let config = config.in_environment(&entry);
        let agent = Agent::new(&config, entry.spec(), device(&config.device)?)?;
        Ok(Self {
            progress: TrainingProgress::start(config.seed, config.agent.envs),
            recorder: Recorder::in_memory(&config, entry.spec(), &agent),
            policy: None,
            lock: None,
            entry,
            config,
            envs,
            agent,
        })
    }

    /// Has everything written into `folder`, which must not hold a run yet: settings, rows, checkpoints,
    /// model, plots.
    ///
    /// # Errors
    /// [`Error::Usage`] where the folder holds a run, and where a file can't be written.
    pub fn in_folder(self, folder: impl AsRef<Path>) -> Result<Self, Error> {
        let (directory, lock) = RunDirectory::create_at(folder.as_ref(), &self.config)?;
        self.recorded_in(directory, lock)
    }

    /// [`in_folder`](Self::in_folder), into a new folder in `runs`, named after environment (with the arguments
    /// that are not as by default), exploration rule, the settings that are not the preset's, seed and time.
    ///
    /// # Errors
    /// Where a file can't be written.
    pub fn in_new_folder(self, runs: impl AsRef<Path>) -> Result<Self, Error> {
        let label = self.entry.args().label(self.entry.alias());
        let (directory, lock) = RunDirectory::create(runs.as_ref(), &label, &self.config)?;
        self.recorded_in(directory, lock)
    }

    fn recorded_in(mut self, directory: RunDirectory, lock: FolderLock) -> Result<Self, Error> {
        self.lock = Some(lock);
        write_json(&directory.meta(), &Meta::gather(&self.config.device))?;
        self.recorder = Recorder::create(directory, &self.config, self.entry.spec(), &self.agent)?;
        Ok(self)
    }

    /// The run in `folder`, from its newest checkpoint on. A [`SavedRun`] lets some settings be changed
    /// before.
    ///
    /// # Errors
    /// Those of [`SavedRun::open`] and [`SavedRun::resume`].
    pub fn resume(folder: impl AsRef<Path>, source: impl EnvSource) -> Result<Self, Error> {
        SavedRun::open(folder)?.resume(source)
    }

    /// Trains until the agent has taken the steps of the config, or the observer wants to stop. Every
    /// `evaluation.period` steps the policy is evaluated, which changes nothing that is learned.
    ///
    /// # Errors
    /// [`Error::Interrupted`] where the observer wanted to stop, the environment's errors,
    /// [`Error::Panicked`] where it panics, the agent's and the observer's, and what kept a file from being
    /// written. Whatever ended the training, all that was learned is written, and [`summary`](Self::summary)
    /// tells what it came to. After an interruption, training again resumes.
    pub fn train(&mut self, observer: &mut dyn Observer) -> Result<Summary, Error> {
        let Self { entry, config, envs, agent, progress, recorder, .. } = self;
        self.policy = None;
        recorder.start();
        let mut bounds = BoundsWatch::start(entry.spec(), agent);
        let ended = caught(|| {
            let mut watched = Observers([&mut bounds, observer]);
            let mut training =
                EvaluatedTraining { entry, config, recorder: &mut *recorder, observer: &mut watched };
            // One that was interrupted comes before what is learned next.
            training.make_up(TrainingSnapshot { envs, agent, progress })?;
            train(envs, agent, progress, &mut training)
        });
        let snapshot = TrainingSnapshot { envs, agent, progress };
        let written = recorder.finish(snapshot, ended.as_ref().err());
        self.write_report();
        match (ended, written) {
            // That it saved and ended is not true then.
            (Ok(()) | Err(Error::Interrupted), Err(error)) => Err(error),
            // It is what a poisoned model is not written for.
            (Err(error), Err(Error::NotFinite { .. })) => Err(error),
            (Err(error), Err(other)) => {
                tracing::warn!("what had been learned could not all be written: {other}");
                Err(error)
            }
            (ended, Ok(())) => ended.map(|()| self.summary()),
        }
    }

    /// Plays `episodes` episodes, at least one, in a fresh environment with the agent's
    /// [`policy`](Self::policy), and adds the evaluation to the summary of the training.
    ///
    /// # Errors
    /// Those of [`Policy::evaluate`], and where the summary can't be written.
    pub fn evaluate(&mut self, episodes: u64) -> Result<Evaluation, Error> {
        self.evaluate_watched(episodes, &mut ())
    }

    /// [`evaluate`](Self::evaluate), watched.
    ///
    /// # Errors
    /// As for [`evaluate`](Self::evaluate), and [`Error::Interrupted`] where the observer wanted to stop.
    pub fn evaluate_watched(
        &mut self,
        episodes: u64,
        observer: &mut dyn EvaluationObserver,
    ) -> Result<Evaluation, Error> {
        let evaluator = Evaluator { episodes: episodes.max(1), ..Evaluator::from(&self.config) };
        let evaluation = self.policy()?.evaluate(evaluator, observer)?;
        self.recorder.evaluated(evaluation.clone(), &self.agent)?;
        self.record_episode(observer);
        self.write_report();
        Ok(evaluation)
    }

    /// The greedy action at `observation`, and mean and standard deviations of every action's Q-value.
    ///
    /// # Errors
    /// Those of [`Policy::predict`].
    pub fn predict(&mut self, observation: &[f32]) -> Result<ActionValues, Error> {
        self.policy()?.predict(observation)
    }

    /// The agent's policy as it is now.
    ///
    /// # Errors
    /// Where the network does not fit into memory a second time.
    pub fn policy(&mut self) -> Result<&mut Policy, Error> {
        let policy = match self.policy.take() {
            Some(policy) => policy,
            None => Policy::of(&self.agent, &self.entry, &self.config)?,
        };
        Ok(self.policy.insert(policy))
    }

    /// The settings.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The environment.
    pub fn environment(&self) -> &Entry {
        &self.entry
    }

    /// The agent.
    pub fn agent(&self) -> &Agent {
        &self.agent
    }

    /// The folder of the run, where it has one.
    pub fn folder(&self) -> Option<&Path> {
        self.recorder.directory().map(RunDirectory::path)
    }

    /// What a page is to show of it, where it has a folder.
    pub fn subject(&self) -> Option<Subject> {
        let directory = self.recorder.directory()?.clone();
        Some(Subject { directory, config: self.config.clone(), spec: Some(self.entry.spec().clone()) })
    }

    /// Writes an episode of the policy, for the page. A policy of its own plays it, so that what others say next stays the
    /// same.
    fn record_episode(&self, observer: &dyn EvaluationObserver) {
        let Some(directory) = self.recorder.directory() else { return };
        let recorded = Policy::of(&self.agent, &self.entry, &self.config)
            .and_then(|mut policy| policy.record(RECORDED_STEPS, observer))
            .and_then(|recording| write_compact_json(&directory.recording(), &recording));
        if let Err(error) = recorded {
            tracing::warn!("no episode could be recorded for the page of the run: {error}");
        }
    }

    /// Writes the page of the run. It can be written again from the files.
    fn write_report(&self) {
        let written = self.subject().map_or(Ok(()), |subject| report::write(subject).map(|_| ()));
        if let Err(error) = written {
            tracing::warn!("the page of the run could not be written, `report RUN` will try again: {error}");
        }
    }

    /// What the training has come to, however it ended.
    pub fn summary(&self) -> Summary {
        self.recorder.summary(&self.agent)
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { entry, agent, recorder, .. } = self;
        f.debug_struct("Session")
            .field("entry", entry)
            .field("agent", agent)
            .field("recorder", recorder)
            .finish_non_exhaustive()
    }
}
