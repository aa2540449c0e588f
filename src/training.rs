//! The loop: environment and agent, on one screen. It knows nothing of files or terminals.

use std::collections::VecDeque;

use control_envs::Env;

use crate::agent::{Agent, UpdateRecord};
use crate::error::Error;
use crate::randomness::Generator;

/// Episodes over which returns are averaged, as Gymnasium's reward thresholds mean it.
const RETURN_WINDOW: usize = 100;

/// What one training episode was: a row of `episodes.csv`.
#[derive(Debug, Clone, PartialEq)]
pub struct EpisodeRecord {
    /// Number of the episode, from 1.
    pub episode: u64,
    /// Environment steps up to its end.
    pub total_steps: u64,
    /// Sum of its rewards, undiscounted.
    pub episode_return: f64,
    /// Its steps.
    pub episode_length: u64,
    /// Whether it terminated; otherwise it was truncated.
    pub terminated: bool,
    /// Mean return of the last 100 episodes, or of as many as there are.
    pub mean_return_100: f64,
    /// N of the objective from now on.
    pub dataset_size: u64,
    /// Precision tau of the targets, in network units.
    pub precision: f64,
    /// Epistemic standard deviation over the episode's observations, in units of the return.
    pub epistemic_std: f64,
    /// Share of the exploration rule's decisions that were not greedy; `None` where all actions came before learning
    /// starts.
    pub exploratory_share: Option<f64>,
    /// Dropout probability of every layer, from input to output.
    pub p: Vec<f64>,
    /// `||W||^2` of every layer.
    pub squared_norm: Vec<f64>,
    /// Sensitivity c of every layer over the episode's observations, in squared network units.
    pub sensitivity: Vec<f64>,
}

/// Who watches a training. Every method does nothing unless it is written.
pub trait Observer {
    /// After every environment step.
    fn on_step(&mut self, _agent: &Agent) {}

    /// After a learner step that left a record.
    ///
    /// # Errors
    /// Whatever makes going on pointless, such as a full disk: the training ends with it.
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

    /// Asked after every episode: whether to end the training here.
    fn wants_to_stop(&self) -> bool {
        false
    }
}

/// Nobody watches.
impl Observer for () {}

/// Trains `agent` in `env` until it has taken the environment steps that its config grants.
///
/// # Errors
/// [`Error::Interrupted`] where the observer wanted to stop, the environment's errors, the agent's, the observer's.
/// What was learned up to then is in the agent.
pub fn train(
    env: &mut dyn Env,
    agent: &mut Agent,
    generator: &mut Generator,
    observer: &mut dyn Observer,
) -> Result<(), Error> {
    let mut returns = VecDeque::with_capacity(RETURN_WINDOW);
    let mut episode = 0;
    while !agent.is_finished() {
        let mut observation = env.reset(generator)?;
        agent.begin_episode();
        let (mut episode_return, mut episode_length) = (0.0, 0);
        let terminated = loop {
            let action = agent.act(&observation)?;
            let step = env.step(action)?;
            agent.observe(&observation, action, &step);
            episode_return += step.reward;
            episode_length += 1;
            if let Some(record) = agent.learn()? {
                observer.on_update(&record)?;
            }
            observer.on_step(agent);
            if step.ends_episode() {
                break step.terminated;
            }
            if agent.is_finished() {
                return if observer.wants_to_stop() { Err(Error::Interrupted) } else { Ok(()) };
            }
            observation = step.observation;
        };

        let epistemic_std = agent.end_episode(episode_length as usize);
        episode += 1;
        if returns.len() == RETURN_WINDOW {
            returns.pop_front();
        }
        returns.push_back(episode_return);
        let record = EpisodeRecord {
            episode,
            total_steps: agent.steps(),
            episode_return,
            episode_length,
            terminated,
            mean_return_100: returns.iter().sum::<f64>() / returns.len() as f64,
            dataset_size: agent.dataset_size(),
            precision: agent.network().precision(),
            epistemic_std,
            exploratory_share: agent.exploratory_share(),
            p: agent.network().p(),
            squared_norm: agent.network().squared_norms(),
            sensitivity: agent.sensitivity(episode_length as usize),
        };
        observer.on_episode(&record, agent)?;
        if observer.wants_to_stop() {
            return Err(Error::Interrupted);
        }
    }
    Ok(())
}
