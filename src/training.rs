//! The loop: environment and agent, on one screen. It knows nothing of files or terminals.

use std::collections::VecDeque;
use std::mem;
use std::time::{Duration, Instant};

use control_envs::Env;
use serde::{Deserialize, Serialize};

use crate::agent::{Agent, Decision, Misfit};
use crate::engine::GroupFigures;
use crate::error::Error;
use crate::randomness::{Generator, Stream, generator};
use crate::replay::Valid;
use crate::rows::{EpisodeRecord, EvaluationRecord, LayerRecord, UpdateRecord};
use crate::statistics::mean;

/// Episodes over which returns are averaged, as Gymnasium's reward thresholds mean it.
pub const RETURN_WINDOW: usize = 100;

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
    /// Where each environment is.
    pub environments: Vec<EnvironmentProgress>,
}

/// Where an environment is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentProgress {
    /// The episode that is under way.
    pub episode: Option<EpisodeProgress>,
    /// The action that was decided for it and not taken yet, since others had their turn.
    pub action: Option<usize>,
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
    /// The start of a training under this seed, in so many environments.
    pub fn start(seed: u64, environments: usize) -> Self {
        Self {
            starts: generator(seed, Stream::Environment),
            episodes: 0,
            returns: VecDeque::with_capacity(RETURN_WINDOW),
            environments: vec![EnvironmentProgress::default(); environments],
        }
    }

    /// Mean return of the last 100 episodes, or of as many as there are.
    pub fn mean_return(&self) -> Option<f64> {
        (!self.returns.is_empty()).then(|| mean(&self.returns))
    }

    /// Decides for the environments whose turn is still to come in this round and that have no action yet: for all of them
    /// when a round begins. Episodes begin where none is under way.
    fn decide(&mut self, envs: &mut [Box<dyn Env>], agent: &mut Agent) -> Result<(), Error> {
        let turn = agent.turn();
        let undecided: Vec<usize> =
            (turn..envs.len()).filter(|&index| self.environments[index].action.is_none()).collect();
        let mut masks = Vec::with_capacity(undecided.len());
        for &index in &undecided {
            let episode = &mut self.environments[index].episode;
            if episode.is_none() {
                let observation = envs[index].reset(&mut self.starts)?;
                agent.begin_episode(index);
                *episode = Some(EpisodeProgress { observation, episode_return: 0.0, episode_length: 0 });
            }
            masks.push(envs[index].action_mask());
        }
        let decisions: Vec<Decision<'_>> = undecided
            .iter()
            .zip(&masks)
            .filter_map(|(&environment, valid)| {
                let episode = self.environments[environment].episode.as_ref()?;
                Some(Decision { environment, observation: &episode.observation, valid: valid.as_deref() })
            })
            .collect();
        let mut actions = Vec::with_capacity(decisions.len());
        agent.act_each(&decisions, |environment, action| actions.push((environment, action)))?;
        for (environment, action) in actions {
            self.environments[environment].action = Some(action);
            envs[environment].begin_step(action)?;
        }
        Ok(())
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
    /// The environments.
    pub envs: &'a [Box<dyn Env>],
    /// The agent.
    pub agent: &'a Agent,
    /// How far the training has come.
    pub progress: &'a TrainingProgress,
}

impl TrainingSnapshot<'_> {
    /// Whether a training that is resumed from here goes on as if nothing had happened. It does not in the middle of an
    /// episode in an environment that can't be saved: another one begins there.
    pub fn is_exact(&self) -> bool {
        self.cut_episodes().next().is_none()
    }

    /// Whether to wait for a later step from which it can be resumed exactly: the end of the one episode that can't be
    /// saved. Those of several environments hardly ever end at once.
    pub fn waits_for_an_end(&self) -> bool {
        self.cut_episodes().take(2).count() == 1
    }

    /// The environments whose episode is not saved.
    fn cut_episodes(&self) -> impl Iterator<Item = &dyn Env> {
        let environments = self.progress.environments.iter().zip(self.envs);
        let cut =
            environments.filter(|(progress, env)| progress.episode.is_some() && env.save_state().is_none());
        cut.map(|(_, env)| env.as_ref())
    }
}

/// Who watches a training. Every method does nothing unless it is written.
pub trait Observer {
    /// After every environment step.
    fn on_step(&mut self, _agent: &Agent) {}

    /// After an observation with which the bounds of some dimensions turned out not to tell their scale, so that they are
    /// normalised by what is seen of them from now on.
    fn on_misfits(&mut self, _misfits: &[Misfit], _observation: &[f32]) {}

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

    fn on_misfits(&mut self, misfits: &[Misfit], observation: &[f32]) {
        self.0.iter_mut().for_each(|observer| observer.on_misfits(misfits, observation));
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

/// Trains `agent` in environments that take turns, from `progress` on, until it has taken the environment steps that its
/// config grants.
///
/// Actions are decided for all of them at once when a round begins, and episodes that have ended begin anew then; after
/// every single step the agent may learn, as from one environment.
///
/// # Errors
/// [`Error::Usage`] where there are not as many environments as the agent and `progress` are for,
/// [`Error::Interrupted`] where the observer wanted to stop, the environments' errors, the agent's, the
/// observer's. What was learned up to then is in the agent. After an interruption, as after the end,
/// `progress` can be resumed.
pub fn train(
    envs: &mut [Box<dyn Env>],
    agent: &mut Agent,
    progress: &mut TrainingProgress,
    observer: &mut dyn Observer,
) -> Result<(), Error> {
    let planned = agent.environments();
    if [envs.len(), progress.environments.len()] != [planned; 2] {
        return Err(Error::Usage(format!(
            "agent.envs = {planned}, but there are {} environments, and where the training was is of {}",
            envs.len(),
            progress.environments.len()
        )));
    }
    let mut asked = None;
    while !agent.is_finished() {
        let turn = agent.turn();
        if progress.environments[turn].action.is_none() {
            progress.decide(envs, agent)?;
        }
        let env = &mut envs[turn];
        let EnvironmentProgress { episode: Some(mut episode), action: Some(action) } =
            mem::take(&mut progress.environments[turn])
        else {
            continue;
        };
        let before = env.action_mask();
        let step = env.step(action)?;
        let after = env.action_mask();
        let valid = Valid { before: before.as_deref(), after: after.as_deref() };
        let misfits = agent.observe_among(valid, &episode.observation, action, &step);
        if !misfits.is_empty() {
            observer.on_misfits(&misfits, &episode.observation);
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
            progress.environments[turn].episode = Some(episode);
        }
        let snapshot = TrainingSnapshot { envs, agent, progress };
        observer.between_steps(snapshot)?;
        if observer.wants_to_stop() {
            let asked: &Instant = asked.get_or_insert_with(Instant::now);
            if !snapshot.waits_for_an_end() || asked.elapsed() >= PATIENCE {
                return Err(Error::Interrupted);
            }
        }
    }
    if observer.wants_to_stop() { Err(Error::Interrupted) } else { Ok(()) }
}
