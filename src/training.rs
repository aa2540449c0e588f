//! The loop: environment and agent, on one screen. It knows nothing of files or terminals.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use control_envs::{Env, EnvError};
use serde::{Deserialize, Serialize};

use crate::agent::Agent;
use crate::engine::GroupFigures;
use crate::error::Error;
use crate::randomness::{Generator, Stream, generator};
use crate::replay::Valid;
use crate::rows::{EpisodeRecord, EvaluationRecord, LayerRecord, UpdateRecord};
use crate::statistics::mean;

/// Episodes over which returns are averaged, as Gymnasium's reward thresholds mean it.
const RETURN_WINDOW: usize = 100;

/// How long a training that is to stop goes on to the end of an episode that can't be saved in its middle.
const PATIENCE: Duration = Duration::from_secs(1);

/// How far a training has come: all that the steps to come depend on and neither agent nor environment holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingProgress {
    /// The generator of the environment's resets.
    pub starts: Generator,
    /// Episodes that have ended.
    pub episodes: u64,
    /// The returns of the last of them, up to 100.
    pub returns: VecDeque<f64>,
    /// The episode that is under way.
    pub episode: Option<EpisodeProgress>,
}

/// An episode that is under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpisodeProgress {
    /// The observation to act on. It is saved apart, as numbers and not as text.
    #[serde(skip)]
    pub observation: Vec<f32>,
    /// Sum of its rewards so far.
    pub episode_return: f64,
    /// Its steps so far.
    pub episode_length: u64,
}

impl TrainingProgress {
    /// The start of a training under this seed.
    pub fn start(seed: u64) -> Self {
        Self {
            starts: generator(seed, Stream::Environment),
            episodes: 0,
            returns: VecDeque::with_capacity(RETURN_WINDOW),
            episode: None,
        }
    }

    /// Mean return of the last 100 episodes, or of as many as there are.
    pub fn mean_return(&self) -> Option<f64> {
        (!self.returns.is_empty()).then(|| mean(&self.returns))
    }

    fn begin_episode(&mut self, env: &mut dyn Env, agent: &mut Agent) -> Result<EpisodeProgress, EnvError> {
        let observation = env.reset(&mut self.starts)?;
        agent.begin_episode();
        Ok(EpisodeProgress { observation, episode_return: 0.0, episode_length: 0 })
    }

    fn end_episode(
        &mut self,
        episode: &EpisodeProgress,
        terminated: bool,
        agent: &mut Agent,
    ) -> Result<EpisodeRecord, Error> {
        let figures = agent.end_episode(episode.episode_length as usize)?;
        self.episodes += 1;
        if self.returns.len() == RETURN_WINDOW {
            self.returns.pop_front();
        }
        self.returns.push_back(episode.episode_return);
        Ok(EpisodeRecord {
            episode: self.episodes,
            total_steps: agent.steps(),
            episode_return: episode.episode_return,
            episode_length: episode.episode_length,
            terminated,
            mean_return_100: self.mean_return().unwrap_or_default(),
            dataset_size: agent.dataset_size(),
            precision: agent.network().precision(),
            epistemic_std: figures.epistemic_std.0,
            aleatoric_std: figures.aleatoric_std.0,
            exploratory_share: agent.exploratory_share(),
            p: agent.network().mean_p(),
            layers: figures.groups.iter().map(|group| layer_record(self.episodes, group)).collect(),
        })
    }
}

fn layer_record(episode: u64, group: &GroupFigures) -> LayerRecord {
    let GroupFigures { layer, group, masks, p, squared_norm, sensitivity } = *group;
    LayerRecord { episode, layer, group, masks, p, squared_norm, sensitivity }
}

/// A training between two steps, when nothing is under way: all that has to be saved to resume here.
#[derive(Clone, Copy)]
pub struct TrainingSnapshot<'a> {
    /// The environment.
    pub env: &'a dyn Env,
    /// The agent.
    pub agent: &'a Agent,
    /// How far the training has come.
    pub progress: &'a TrainingProgress,
}

impl TrainingSnapshot<'_> {
    /// Whether a training that is resumed from here goes on as if nothing had happened. It does not in the middle of an
    /// episode in an environment that can't be saved: another one begins there.
    pub fn is_exact(&self) -> bool {
        self.progress.episode.is_none() || self.env.save_state().is_some()
    }
}

/// Who watches a training. Every method does nothing unless it is written.
pub trait Observer {
    /// After every environment step.
    fn on_step(&mut self, _agent: &Agent) {}

    /// After an observation that was far outside the bounds of some dimensions, which are normalised by what is seen of
    /// them from now on.
    fn on_exceeded_bounds(&mut self, _dimensions: &[usize], _observation: &[f32]) {}

    /// After a learner step that left a record.
    ///
    /// # Errors
    /// Whatever makes training on pointless, such as a full disk: the training ends with it.
    fn on_update(&mut self, _record: &UpdateRecord) -> Result<(), Error> {
        Ok(())
    }

    /// After every episode.
    ///
    /// # Errors
    /// As for [`on_update`](Self::on_update).
    fn on_episode(&mut self, _record: &EpisodeRecord, _agent: &Agent) -> Result<(), Error> {
        Ok(())
    }

    /// After an evaluation while training, before [`between_steps`](Self::between_steps).
    ///
    /// # Errors
    /// As for [`on_update`](Self::on_update).
    fn on_evaluation(&mut self, _record: &EvaluationRecord) -> Result<(), Error> {
        Ok(())
    }

    /// After every environment step and all that followed from it: the time to save.
    ///
    /// # Errors
    /// As for [`on_update`](Self::on_update).
    fn between_steps(&mut self, _snapshot: TrainingSnapshot<'_>) -> Result<(), Error> {
        Ok(())
    }

    /// Asked after every environment step: whether to end the training here, or within a second where the episode can't
    /// be saved in its middle.
    fn wants_to_stop(&self) -> bool {
        false
    }
}

/// Nobody watches.
impl Observer for () {}

/// Several observers in turn.
pub struct Observers<'a, const N: usize>(pub [&'a mut dyn Observer; N]);

impl<const N: usize> Observer for Observers<'_, N> {
    fn on_step(&mut self, agent: &Agent) {
        self.0.iter_mut().for_each(|observer| observer.on_step(agent));
    }

    fn on_exceeded_bounds(&mut self, dimensions: &[usize], observation: &[f32]) {
        self.0.iter_mut().for_each(|observer| observer.on_exceeded_bounds(dimensions, observation));
    }

    fn on_update(&mut self, record: &UpdateRecord) -> Result<(), Error> {
        self.0.iter_mut().try_for_each(|observer| observer.on_update(record))
    }

    fn on_episode(&mut self, record: &EpisodeRecord, agent: &Agent) -> Result<(), Error> {
        self.0.iter_mut().try_for_each(|observer| observer.on_episode(record, agent))
    }

    fn on_evaluation(&mut self, record: &EvaluationRecord) -> Result<(), Error> {
        self.0.iter_mut().try_for_each(|observer| observer.on_evaluation(record))
    }

    fn between_steps(&mut self, snapshot: TrainingSnapshot<'_>) -> Result<(), Error> {
        self.0.iter_mut().try_for_each(|observer| observer.between_steps(snapshot))
    }

    fn wants_to_stop(&self) -> bool {
        self.0.iter().any(|observer| observer.wants_to_stop())
    }
}

/// Trains `agent` in `env` from `progress` on until it has taken the environment steps that its config
/// grants.
///
/// # Errors
/// [`Error::Interrupted`] where the observer wanted to stop, the environment's errors, the agent's, the
/// observer's. What was learned up to then is in the agent. After an interruption, as after the end,
/// `progress` can be resumed.
pub fn train(
    env: &mut dyn Env,
    agent: &mut Agent,
    progress: &mut TrainingProgress,
    observer: &mut dyn Observer,
) -> Result<(), Error> {
    let mut asked = None;
    while !agent.is_finished() {
        let mut episode = match progress.episode.take() {
            Some(episode) => episode,
            None => progress.begin_episode(env, agent)?,
        };
        let before = env.action_mask();
        let action = agent.act_among(before.as_deref(), &episode.observation)?;
        let step = env.step(action)?;
        let after = env.action_mask();
        let valid = Valid { before: before.as_deref(), after: after.as_deref() };
        let exceeded = agent.observe_among(valid, &episode.observation, action, &step);
        if !exceeded.is_empty() {
            observer.on_exceeded_bounds(&exceeded, &episode.observation);
        }
        // The environment's own, where a wrapper changes rewards.
        let added_up = episode.episode_return + step.reward;
        episode.episode_return = env.episode().map_or(added_up, |own| own.episode_return);
        episode.episode_length += 1;
        if let Some(record) = agent.learn()? {
            observer.on_update(&record)?;
        }
        observer.on_step(agent);
        if step.ends_episode() {
            let record = progress.end_episode(&episode, step.terminated, agent)?;
            observer.on_episode(&record, agent)?;
        } else {
            episode.observation = step.observation;
            progress.episode = Some(episode);
        }
        let snapshot = TrainingSnapshot { env, agent, progress };
        observer.between_steps(snapshot)?;
        if observer.wants_to_stop() {
            let asked: &Instant = asked.get_or_insert_with(Instant::now);
            if snapshot.is_exact() || asked.elapsed() >= PATIENCE {
                return Err(Error::Interrupted);
            }
        }
    }
    if observer.wants_to_stop() { Err(Error::Interrupted) } else { Ok(()) }
}
