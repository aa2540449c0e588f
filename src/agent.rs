//! The agent: acts, observes, learns, and at every episode's end tells the objective how much data there is.

use control_envs::{EnvSpec, Step};
use rand::RngExt;
use serde::Serialize;
use tch::{Device, Kind, Tensor};

use crate::concrete::{LogisticNoise, Regularizer};
use crate::config::{Config, DatasetSize, Targets};
use crate::error::Error;
use crate::exploration::{ExplorationRule, Passes, QSamples};
use crate::network::{Adam, InitialUncertainty, PassNoise, QNetwork};
use crate::randomness::{Generator, Stream, generator};
use crate::replay::{Batch, Replay};
use crate::td;

/// Most observations of an episode over which its epistemic standard deviation is averaged.
const EPISTEMIC_ROWS: usize = 64;

/// What one learner step did: a row of `updates.csv`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UpdateRecord {
    /// Learner steps so far.
    pub update: u64,
    /// Environment steps so far.
    pub total_steps: u64,
    /// The whole objective: the sum of the next three.
    pub loss: f64,
    /// `tau * mean((q - y)^2) - ln tau`, network units.
    pub data_term: f64,
    /// `l^2/N * sum of ||W||^2/(1-p)`.
    pub weight_term: f64,
    /// `-2/N * sum of K H(p)`.
    pub entropy_term: f64,
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
}

/// A Q-network that learns from its replay, explores by its uncertainty and grows more certain with its data.
///
/// Inside, rewards are scaled by 1 - gamma, so that values stay within the rewards' range whatever the horizon; all
/// that is reported is in units of the environment's return again.
#[derive(Debug)]
pub struct Agent {
    config: Config,
    online: QNetwork,
    target: QNetwork,
    adam: Adam,
    replay: Replay,
    batch: Batch,
    rule: Box<dyn ExplorationRule>,
    held: Option<PassNoise>,
    dataset_size: u64,
    steps: u64,
    updates: u64,
    exploration: Generator,
    exploration_noise: LogisticNoise,
    replay_generator: Generator,
    learner_noise: LogisticNoise,
    episode_diagnostics: LogisticNoise,
    update_diagnostics: LogisticNoise,
}

/// A batch on the network's device, rewards in network units. Shapes as in [`Batch`], but actions `[rows, 1]`.
struct BatchTensors {
    observations: Tensor,
    actions: Tensor,
    rewards: Tensor,
    continues: Tensor,
    next_observations: Tensor,
}

/// What a batch's loss is made of.
struct Objective {
    /// Q of the actions taken, `[rows]`.
    q: Tensor,
    /// Q less target, `[rows]`.
    errors: Tensor,
    data_term: Tensor,
    weight_term: Tensor,
    entropy_term: Tensor,
    /// The sum of the three terms; one element, as each of them.
    loss: Tensor,
}

impl Agent {
    /// A fresh agent for an environment, its every random choice derived from the config's seed.
    ///
    /// # Errors
    /// Where the replay buffer does not fit into memory.
    pub fn new(config: &Config, spec: &EnvSpec, device: Device) -> Result<Self, Error> {
        let stream = |stream| generator(config.seed, stream);
        let (online, target) = Self::networks(config, spec, device);
        let (weights, dropout) = (config.optimizer.learning_rate, config.optimizer.dropout_learning_rate);
        let learning_rates = online.parameters().constant_by_name(|name| {
            if name.ends_with("p_logit") || name == "log_precision" { dropout as f32 } else { weights as f32 }
        });
        let capacity = config.agent.replay_capacity;
        let replay = Replay::new(capacity, spec.observation_space.len()).ok_or_else(|| {
            Error::Usage(format!(
                "agent.replay_capacity = {capacity} does not fit into this machine's memory for observations of {} \
                 numbers; a smaller one is needed",
                spec.observation_space.len()
            ))
        })?;
        Ok(Self {
            online,
            target,
            adam: Adam::new(learning_rates),
            replay,
            batch: Batch::default(),
            rule: config.exploration.build(),
            held: None,
            dataset_size: 0,
            steps: 0,
            updates: 0,
            exploration: stream(Stream::Exploration),
            exploration_noise: LogisticNoise::new(stream(Stream::ExplorationNoise)),
            replay_generator: stream(Stream::Replay),
            learner_noise: LogisticNoise::new(stream(Stream::Noise)),
            episode_diagnostics: LogisticNoise::new(stream(Stream::EpisodeDiagnostics)),
            update_diagnostics: LogisticNoise::new(stream(Stream::UpdateDiagnostics)),
            config: config.clone(),
        })
    }

    /// The online and the target network of a fresh agent.
    pub fn networks(config: &Config, spec: &EnvSpec, device: Device) -> (QNetwork, QNetwork) {
        let start = InitialUncertainty {
            p: config.dropout.initial_p,
            temperature: config.dropout.temperature,
            precision: config.precision.initial,
        };
        let mut generator = generator(config.seed, Stream::Initialisation);
        QNetwork::pair(&config.network, start, spec, &mut generator, device)
    }

    /// Starts an episode: a rule that holds a mask gets a new one.
    pub fn begin_episode(&mut self) {
        if self.rule.passes() == Passes::Held {
            self.held = Some(self.online.draw_noise(&mut self.exploration_noise, &[1]));
        }
    }

    /// The action to try at `observation`: uniformly random before learning starts, then the exploration rule's.
    ///
    /// # Errors
    /// Where a Q-value is not finite.
    pub fn act(&mut self, observation: &[f32]) -> Result<usize, Error> {
        if self.steps < self.config.agent.learning_starts {
            return Ok(self.exploration.random_range(0..self.actions()));
        }
        let observation = self.tensor(observation).unsqueeze(0);
        let q = tch::no_grad(|| match (self.rule.passes(), &self.held) {
            (Passes::Fresh(passes), _) => {
                let noise = self.online.draw_noise(&mut self.exploration_noise, &[passes]);
                self.online.sample(&observation, &noise)
            }
            (Passes::Held, Some(noise)) => self.online.sample(&observation, noise),
            (Passes::Mean | Passes::Held, _) => self.online.mean(&observation),
        });
        let samples =
            QSamples::from_tensor(&q).ok_or(Error::NotFinite { quantity: "a Q-value", step: self.steps })?;
        Ok(self.rule.choose(&samples, self.progress(), &mut self.exploration))
    }

    /// Remembers a transition.
    pub fn observe(&mut self, observation: &[f32], action: usize, step: &Step) {
        self.replay.push(observation, action, step);
        self.steps += 1;
    }

    /// One learner step, if one is due. Every so many of them, as the config says, what it did is returned.
    ///
    /// # Errors
    /// Where the gradient is not finite; the parameters are then as before.
    pub fn learn(&mut self) -> Result<Option<UpdateRecord>, Error> {
        let agent = &self.config.agent;
        if self.steps < agent.learning_starts.max(1) || !self.steps.is_multiple_of(agent.train_frequency) {
            return Ok(None);
        }
        let batch = self.sample_batch();
        let objective = self.objective(&batch);
        let gradient_norm = self.descend(&objective.loss)?;
        let recorded = self.updates.is_multiple_of(self.config.logging.update_period);
        Ok(recorded.then(|| self.record(&batch, &objective, gradient_norm)))
    }

    fn sample_batch(&mut self) -> BatchTensors {
        let rows = self.config.agent.batch_size;
        self.replay.sample(rows, &mut self.replay_generator, &mut self.batch);
        let matrix = |values: &[f32]| self.tensor(values).view([rows as i64, -1]);
        BatchTensors {
            observations: matrix(&self.batch.observations),
            actions: Tensor::from_slice(&self.batch.actions).to_device(self.device()).unsqueeze(1),
            rewards: self.tensor(&self.batch.rewards) * self.value_scale(),
            continues: self.tensor(&self.batch.continues),
            next_observations: matrix(&self.batch.next_observations),
        }
    }

    /// The loss of one noisy pass over a batch, and its parts.
    fn objective(&mut self, batch: &BatchTensors) -> Objective {
        let targets = tch::no_grad(|| self.targets(batch));
        let noise = self.online.draw_noise(&mut self.learner_noise, &[self.config.agent.batch_size as i64]);
        let q =
            self.online.sample(&batch.observations, &noise).gather(1, &batch.actions, false).squeeze_dim(1);
        let errors = &q - &targets;
        let log_precision = self.online.log_precision();
        let data_term = if self.config.precision.learned {
            td::gaussian_nll(&errors, log_precision)
        } else {
            td::gaussian_nll(&errors, &log_precision.detach())
        };
        let (weight_term, entropy_term) = self.online.regularization(&self.regularizer());
        let loss = &data_term + &weight_term + &entropy_term;
        Objective { q, errors, data_term, weight_term, entropy_term, loss }
    }

    /// One step of Adam down the loss, and the target network's. Returns the norm of the gradient of `loss / tau`.
    fn descend(&mut self, loss: &Tensor) -> Result<f64, Error> {
        let mut gradient = self.online.parameters().gradient(loss);
        // Measured on loss / tau, the mean-squared-error form: the gradient of the likelihood grows with tau as the fit
        // gets better, and clipping it there would silence the batches with the most to learn from.
        let norm = gradient.norm().double_value(&[]) / self.online.precision();
        // Before the step: a gradient that is not finite must not reach the parameters.
        if !norm.is_finite() {
            return Err(Error::NotFinite { quantity: "the gradient", step: self.steps });
        }
        let longest = self.config.optimizer.max_gradient_norm;
        if norm > longest {
            let _ = gradient.g_mul_scalar_(longest / norm);
        }
        self.updates += 1;
        let schedule = self.schedule();
        tch::no_grad(|| {
            self.adam.step(self.online.parameters_mut().flat_mut(), &gradient, schedule);
            self.online.bound_precision();
            if self.updates.is_multiple_of(self.config.agent.target_period) {
                self.target.parameters_mut().lerp(self.online.parameters(), self.config.agent.target_lerp);
            }
        });
        Ok(norm)
    }

    fn record(&mut self, batch: &BatchTensors, objective: &Objective, gradient_norm: f64) -> UpdateRecord {
        let mean = |tensor: &Tensor| tensor.mean(Kind::Float).double_value(&[]);
        let returns = 1.0 / self.value_scale();
        let leading = self.measuring_passes(&batch.observations);
        let noise = self.online.draw_noise(&mut self.update_diagnostics, &leading);
        UpdateRecord {
            update: self.updates,
            total_steps: self.steps,
            loss: mean(&objective.loss),
            data_term: mean(&objective.data_term),
            weight_term: mean(&objective.weight_term),
            entropy_term: mean(&objective.entropy_term),
            td_error: mean(&objective.errors.abs()) * returns,
            q_mean: mean(&objective.q) * returns,
            epistemic_std: self.epistemic_std(&batch.observations, Some(&batch.actions), &noise),
            gradient_norm,
            learning_rate: self.config.optimizer.learning_rate * self.schedule(),
        }
    }

    /// Ends an episode of so many transitions: N becomes the size of the replay. Returns the episode's epistemic
    /// standard deviation in units of the return: that of the greedy action, over Monte-Carlo passes, averaged over up
    /// to 64 of the episode's observations.
    pub fn end_episode(&mut self, length: usize) -> f64 {
        self.dataset_size = self.replay.len() as u64;
        let observations = self.replay.recent_observations(length, EPISTEMIC_ROWS);
        let observations = self.tensor(&observations).view([-1, self.replay.dimensions() as i64]);
        let leading = self.measuring_passes(&observations);
        let noise = self.online.draw_noise(&mut self.episode_diagnostics, &leading);
        self.epistemic_std(&observations, None, &noise)
    }

    fn targets(&mut self, batch: &BatchTensors) -> Tensor {
        let agent = &self.config.agent;
        let BatchTensors { rewards, continues, next_observations: next, .. } = batch;
        let online = self.online.mean(next);
        let targets = match agent.targets {
            Targets::DoubleQ => {
                td::double_q_targets(&online, &self.target.mean(next), rewards, continues, agent.gamma)
            }
            Targets::Optimistic => {
                let leading = [agent.target_passes, agent.batch_size as i64];
                let noise = self.target.draw_noise(&mut self.learner_noise, &leading);
                let samples = self.target.sample(next, &noise);
                td::optimistic_targets(&online, &samples, rewards, continues, agent.gamma, agent.target_beta)
            }
        };
        if agent.bounded_targets {
            // In network units a value is a discounted mean of rewards.
            let (lowest, highest) = self.replay.reward_range();
            targets.clamp(f64::from(lowest), f64::from(highest))
        } else {
            targets
        }
    }

    /// Mean over `observations` `[rows, dimensions]` of the standard deviation of Q over the passes of `noise`, at
    /// `actions` `[rows, 1]` or at the action with the highest mean; in units of the return.
    fn epistemic_std(&self, observations: &Tensor, actions: Option<&Tensor>, noise: &PassNoise) -> f64 {
        tch::no_grad(|| {
            let (std, mean) = self.online.sample(observations, noise).std_mean_dim(0, true, false);
            let greedy = mean.argmax(-1, true);
            let std = std.gather(1, actions.unwrap_or(&greedy), false).mean(Kind::Float);
            std.double_value(&[]) / self.value_scale()
        })
    }

    /// The leading shape of noise that measures the uncertainty at `observations`: as many passes as in an evaluation.
    fn measuring_passes(&self, observations: &Tensor) -> [i64; 2] {
        [self.config.evaluation.passes, observations.size()[0]]
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
            DatasetSize::Follows(_) if self.dataset_size == 0 => self.replay.len() as u64,
            DatasetSize::Follows(_) => self.dataset_size,
        }
    }

    /// The network that acts.
    pub fn network(&self) -> &QNetwork {
        &self.online
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

    /// What is left of the learning rates.
    fn schedule(&self) -> f64 {
        1.0 + self.progress() * (self.config.optimizer.final_fraction - 1.0)
    }

    /// Network units in a unit of the return.
    fn value_scale(&self) -> f64 {
        1.0 - self.config.agent.gamma
    }

    fn actions(&self) -> usize {
        self.online.actions()
    }

    fn device(&self) -> Device {
        self.online.device()
    }

    fn tensor(&self, values: &[f32]) -> Tensor {
        Tensor::from_slice(values).to_device(self.device())
    }
}
