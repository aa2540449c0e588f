//! The agent: acts, observes, learns, and at every episode's end tells the objective how much data there is.

mod state;

use control_envs::{EnvSpec, Step};
use rand::RngExt;
use serde::Serialize;
use tch::{Device, Tensor};

use crate::concrete::{LogisticNoise, Regularizer};
use crate::config::{Config, Data, DatasetSize};
use crate::engine::{Engine, Learner, LearnerStep, LossStatistics, engine};
use crate::error::Error;
use crate::exploration::{ExplorationRule, Passes, QSamples, Situation};
use crate::network::{PassNoise, QNetwork};
use crate::randomness::{Generator, Stream, generator};
use crate::replay::{Batch, Lookahead, Replay};

pub use state::AgentState;

/// Most observations of an episode over which its epistemic standard deviation is averaged.
const EPISTEMIC_ROWS: usize = 64;

/// What one learner step did: a row of `updates.csv`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UpdateRecord {
    /// Learner steps so far.
    pub update: u64,
    /// Environment steps so far.
    pub total_steps: u64,
    /// The whole objective: the sum of the next four.
    pub loss: f64,
    /// `tau * mean((q - y)^2) - ln tau`, network units.
    pub data_term: f64,
    /// `l^2/N * sum of ||W||^2/(1-p)`.
    pub weight_term: f64,
    /// `-2/N * sum of K H(p)`.
    pub entropy_term: f64,
    /// `n/N * (tau / tau_0 - ln tau)`: the prior of tau.
    pub precision_term: f64,
    /// Mean absolute TD error of the batch, in units of the return.
    pub td_error: f64,
    /// Mean Q-value of the batch's observations and actions, in units of the return.
    pub q_mean: f64,
    /// Mean epistemic standard deviation of the batch's observations and actions, in units of the return.
    pub epistemic_std: f64,
    /// Norm of the gradient of `loss / tau`, before clipping.
    pub gradient_norm: f64,
    /// Learning rate of the weights.
    pub learning_rate: f64,
    /// The largest return in size that the rewards seen so far allow, and at least that of a reward of 1 at every step:
    /// the values of a fresh network are that large whatever the rewards are.
    pub return_bound: f64,
}

impl UpdateRecord {
    /// Whether the Q-values are far beyond what the rewards allow: over ten times. Optimism and noise account for less.
    pub fn has_diverged(&self) -> bool {
        self.q_mean.abs() > 10.0 * self.return_bound
    }
}

/// A Q-network that learns from its replay, explores by its uncertainty and grows more certain with its data.
///
/// Inside, rewards are scaled by 1 - gamma, so that values stay within the rewards' range whatever the horizon; all
/// that is reported is in units of the environment's return again.
#[derive(Debug)]
pub struct Agent {
    config: Config,
    learner: Learner,
    engine: Box<dyn Engine>,
    replay: Replay,
    batch: Batch,
    rule: Box<dyn ExplorationRule>,
    noise: PassNoise,
    /// The noise of the mask that is held for the episode.
    held: PassNoise,
    /// What it was drawn from, as it was before.
    held_from: Option<LogisticNoise>,
    dataset_size: u64,
    steps: u64,
    updates: u64,
    /// The rule's decisions in this episode, and how many of them were exploratory.
    decisions: u64,
    exploratory: u64,
    exploration: Generator,
    exploration_noise: LogisticNoise,
    replay_generator: Generator,
    learner_noise: LogisticNoise,
    episode_diagnostics: LogisticNoise,
    update_diagnostics: LogisticNoise,
}

impl Agent {
    /// A fresh agent for an environment, its every random choice derived from the config's seed.
    ///
    /// # Errors
    /// Where the replay buffer does not fit into memory, the network is not for such observations, or the engine does not run
    /// on the device or compute such networks.
    pub fn new(config: &Config, spec: &EnvSpec, device: Device) -> Result<Self, Error> {
        let stream = |stream| generator(config.seed, stream);
        let learner = Learner::new(config, spec, device)?;
        let capacity = config.agent.replay_capacity;
        let replay = Replay::new(capacity, spec.observation_space.len()).ok_or_else(|| {
            Error::Usage(format!(
                "agent.replay_capacity = {capacity} does not fit into this machine's memory for observations of {} \
                 numbers; a smaller one is needed",
                spec.observation_space.len()
            ))
        })?;
        Ok(Self {
            engine: engine(config, &learner.online)?,
            learner,
            replay,
            batch: Batch::default(),
            rule: config.exploration.build(),
            noise: PassNoise::default(),
            held: PassNoise::default(),
            held_from: None,
            dataset_size: 0,
            steps: 0,
            updates: 0,
            decisions: 0,
            exploratory: 0,
            exploration: stream(Stream::Exploration),
            exploration_noise: LogisticNoise::new(stream(Stream::ExplorationNoise)),
            replay_generator: stream(Stream::Replay),
            learner_noise: LogisticNoise::new(stream(Stream::Noise)),
            episode_diagnostics: LogisticNoise::new(stream(Stream::EpisodeDiagnostics)),
            update_diagnostics: LogisticNoise::new(stream(Stream::UpdateDiagnostics)),
            config: config.clone(),
        })
    }

    /// Starts an episode: a rule that holds a mask gets a new one.
    pub fn begin_episode(&mut self) {
        (self.decisions, self.exploratory) = (0, 0);
        if self.rule.passes() == Passes::Held {
            self.held_from = Some(self.exploration_noise.clone());
            self.held.draw(&mut self.exploration_noise, self.learner.online.inputs(), 1, 1);
        }
    }

    /// The action to try at `observation`: uniformly random before learning starts, then the exploration rule's.
    ///
    /// # Errors
    /// Where a Q-value is not finite.
    pub fn act(&mut self, observation: &[f32]) -> Result<usize, Error> {
        let actions = self.network().actions();
        if self.steps < self.config.agent.learning_starts {
            return Ok(self.exploration.random_range(0..actions));
        }
        self.anneal();
        let online = &self.learner.online;
        let situation = Situation { progress: self.progress(), noise_variance: 1.0 / online.precision() };
        let noise = match self.rule.passes() {
            Passes::Fresh(passes) => {
                self.noise.draw(&mut self.exploration_noise, online.inputs(), passes, 1);
                Some(&self.noise)
            }
            Passes::Held => Some(&self.held),
            Passes::Mean => None,
        };
        let q = QSamples::new(self.engine.q_values(online, observation, noise), actions);
        if !q.are_finite() {
            return Err(self.not_finite("a Q-value"));
        }
        let action = self.rule.choose(&q, situation, &mut self.exploration);
        self.decisions += 1;
        self.exploratory += u64::from(action != q.greedy_action());
        Ok(action)
    }

    /// The share of the rule's decisions in this episode that were not the greedy action of the same samples. `None`
    /// before its first one: the random actions before learning starts are not the rule's.
    pub fn exploratory_share(&self) -> Option<f64> {
        (self.decisions > 0).then(|| self.exploratory as f64 / self.decisions as f64)
    }

    /// Remembers a transition.
    pub fn observe(&mut self, observation: &[f32], action: usize, step: &Step) {
        self.replay.push(observation, action, step);
        self.steps += 1;
    }

    /// Learns, if it is time to. Every so many learner steps, as the config says, what the last one did is returned.
    ///
    /// # Errors
    /// Where loss or gradient is not finite. A gradient that is not has changed nothing.
    pub fn learn(&mut self) -> Result<Option<UpdateRecord>, Error> {
        let agent = &self.config.agent;
        if self.steps < agent.learning_starts.max(1) || !self.steps.is_multiple_of(agent.train_frequency) {
            return Ok(None);
        }
        let mut record = None;
        for _ in 0..agent.gradient_steps {
            record = self.learner_step()?.or(record);
        }
        Ok(record)
    }

    fn learner_step(&mut self) -> Result<Option<UpdateRecord>, Error> {
        self.anneal();
        let agent = &self.config.agent;
        let lookahead = Lookahead { steps: self.n_step(), gamma: agent.gamma as f32 };
        self.replay.sample(agent.batch_size, lookahead, &mut self.replay_generator, &mut self.batch);
        let scale = (1.0 - agent.gamma) as f32;
        self.batch.rewards.iter_mut().for_each(|reward| *reward *= scale);
        let step = LearnerStep {
            regularizer: self.regularizer(),
            schedule: self.schedule(),
            // In network units a value is a discounted mean of rewards.
            target_bounds: agent.bounded_targets.then(|| self.replay.reward_range()),
            updates_target: (self.updates + 1).is_multiple_of(agent.target_period),
        };
        let loss = self.engine.learn(&mut self.learner, &self.batch, &step, &mut self.learner_noise);
        if !loss.total().is_finite() {
            return Err(self.not_finite("the loss"));
        }
        if !loss.gradient_norm.is_finite() {
            return Err(self.not_finite("the gradient"));
        }
        self.updates += 1;
        let recorded = self.updates.is_multiple_of(self.config.logging.update_period);
        Ok(recorded.then(|| self.record(&loss, step.schedule)))
    }

    fn record(&mut self, loss: &LossStatistics, schedule: f64) -> UpdateRecord {
        let returns = 1.0 / self.value_scale();
        let online = &self.learner.online;
        let (passes, rows) = (self.config.evaluation.passes, self.batch.actions.len());
        self.noise.draw(&mut self.update_diagnostics, online.inputs(), passes, rows);
        let q = self.engine.q_values(online, &self.batch.observations, Some(&self.noise));
        let actions = &self.batch.actions;
        let std = mean_std(q, rows, online.actions(), |row, _| actions[row] as usize);
        UpdateRecord {
            update: self.updates,
            total_steps: self.steps,
            loss: loss.total(),
            data_term: loss.data_term,
            weight_term: loss.weight_term,
            entropy_term: loss.entropy_term,
            precision_term: loss.precision_term,
            td_error: loss.absolute_error * returns,
            q_mean: loss.q_mean * returns,
            epistemic_std: std * returns,
            gradient_norm: loss.gradient_norm,
            learning_rate: self.config.optimizer.learning_rate * schedule,
            return_bound: self.return_bound(),
        }
    }

    /// Ends an episode of so many transitions: N becomes the size of the replay. Returns the episode's epistemic
    /// standard deviation in units of the return: that of the greedy action, over Monte-Carlo passes, averaged over up
    /// to 64 of the episode's observations.
    ///
    /// # Errors
    /// Where a Q-value is not finite.
    pub fn end_episode(&mut self, length: usize) -> Result<f64, Error> {
        self.dataset_size = self.replay.len() as u64;
        let observations = self.replay.recent_observations(length, EPISTEMIC_ROWS);
        let rows = observations.len() / self.replay.dimensions();
        let online = &self.learner.online;
        self.noise.draw(&mut self.episode_diagnostics, online.inputs(), self.config.evaluation.passes, rows);
        let q = self.engine.q_values(online, &observations, Some(&self.noise));
        let greedy = |_, samples: &QSamples<'_>| samples.greedy_action();
        let std = mean_std(q, rows, online.actions(), greedy) / self.value_scale();
        if std.is_finite() { Ok(std) } else { Err(self.not_finite("a Q-value")) }
    }

    /// The sensitivity c of each layer, in squared network units, over the same observations of an episode of so many
    /// transitions.
    pub fn sensitivity(&self, length: usize) -> Vec<f64> {
        let observations = self.replay.recent_observations(length, EPISTEMIC_ROWS);
        let shape = [-1, self.replay.dimensions() as i64];
        let observations = Tensor::from_slice(&observations).view(shape).to_device(self.network().device());
        self.network().sensitivity(&observations)
    }

    /// The aleatoric standard deviation at the greedy action over an episode of so many transitions, in units of the
    /// return: that of the TD targets, averaged over the same observations as the epistemic one.
    pub fn aleatoric_std(&mut self, length: usize) -> f64 {
        let online = &self.learner.online;
        if !online.is_heteroscedastic() {
            return online.precision().sqrt().recip() / self.value_scale();
        }
        let (observations, dimensions) =
            (self.replay.recent_observations(length, EPISTEMIC_ROWS), self.replay.dimensions());
        let (passes, rows) = (self.config.evaluation.passes, observations.len() / dimensions);
        self.noise.draw(&mut self.episode_diagnostics, online.inputs(), passes, rows);
        let observations = Tensor::from_slice(&observations).view([-1, dimensions as i64]);
        let observations = observations.to_device(online.device());
        tch::no_grad(|| online.greedy_aleatoric_std(&observations, &self.noise)) / self.value_scale()
    }

    /// The regulariser of the next learner step. Its precision is 1 because the data term carries tau.
    fn regularizer(&self) -> Regularizer {
        Regularizer {
            length_scale: self.config.dropout.length_scale,
            precision: 1.0,
            dataset_size: self.dataset_size() as f64,
        }
    }

    /// N of the objective: as of the last episode's end, or the replay's size now if none has ended yet, or what the
    /// config holds it at.
    pub fn dataset_size(&self) -> u64 {
        match self.config.dropout.dataset_size {
            DatasetSize::Fixed(size) => size,
            DatasetSize::Of(Data::Final) => self.config.steps.min(self.config.agent.replay_capacity as u64),
            DatasetSize::Of(Data::Replay) if self.dataset_size == 0 => self.replay.len() as u64,
            DatasetSize::Of(Data::Replay) => self.dataset_size,
        }
    }

    /// Sets the temperature by the steps so far. At every use of a network, so that it is a function of nothing else.
    fn anneal(&mut self) {
        self.set_temperature(self.config.dropout.temperature_at(self.progress()));
    }

    /// Sets the temperature of the masks until the agent acts or learns, which sets it by the config again.
    pub fn set_temperature(&mut self, temperature: f64) {
        self.learner.online.set_temperature(temperature);
        self.learner.target.set_temperature(temperature);
    }

    /// The network that acts.
    pub fn network(&self) -> &QNetwork {
        &self.learner.online
    }

    /// Environment steps so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Learner steps so far.
    pub fn updates(&self) -> u64 {
        self.updates
    }

    /// Whether it has taken the environment steps that its config grants.
    pub fn is_finished(&self) -> bool {
        self.steps >= self.config.steps
    }

    /// The share of the training that is over.
    fn progress(&self) -> f64 {
        (self.steps as f64 / self.config.steps as f64).min(1.0)
    }

    /// Steps that a target looks ahead now.
    fn n_step(&self) -> usize {
        let (agent, progress) = (&self.config.agent, self.progress());
        ((1.0 - progress) * agent.n_step as f64 + progress * agent.n_step_final as f64).round() as usize
    }

    /// What is left of the learning rates.
    fn schedule(&self) -> f64 {
        1.0 + self.progress() * (self.config.optimizer.final_fraction - 1.0)
    }

    /// [`UpdateRecord::return_bound`].
    fn return_bound(&self) -> f64 {
        let (lowest, highest) = self.replay.reward_range();
        f64::from(highest.max(-lowest)).max(1.0) / self.value_scale()
    }

    /// Network units in a unit of the return.
    fn value_scale(&self) -> f64 {
        1.0 - self.config.agent.gamma
    }
}

/// Mean over the rows of the standard deviation over the passes of `q` `[passes, rows, actions]`, at the action that
/// `choose` picks in each row.
fn mean_std(q: &[f32], rows: usize, actions: usize, choose: impl Fn(usize, &QSamples<'_>) -> usize) -> f64 {
    let std = |row| {
        let samples = QSamples::of_row(q, rows, actions, row);
        samples.std(choose(row, &samples))
    };
    (0..rows).map(std).sum::<f64>() / rows as f64
}
