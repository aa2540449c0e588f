//! The agent: acts, observes, learns, and tells the objective how much data there is.

mod acting;
mod config;
mod counters;
mod episodes;
mod observations;
mod returns;
mod schedules;
mod state;
mod streams;

use control_envs::{EnvSpec, Step};
use tch::Device;

use self::counters::Counters;
use self::episodes::EpisodeState;
use self::observations::Observations;
use self::returns::Returns;
pub(crate) use self::schedules::Schedules;
use self::streams::Streams;
use crate::concrete::Regularizer;
use crate::engine::{
    Data, DatasetSize, DropoutStep, Engine, GroupFigures, Learner, LearnerStep, LossStatistics, engine,
};
use crate::error::Error;
use crate::exploration::ExplorationRule;
use crate::network::{PassNoise, QNetwork};
use crate::replay::{Batch, Lookahead, Replay, Transition, Valid};
use crate::rows::UpdateRecord;
use crate::units::{ReturnUnits, ValueScale};

pub use acting::Decision;
pub use config::{AgentConfig, AgentSections};
pub use observations::Misfit;
pub use state::AgentState;

/// Most environment steps from one count of the data to the next, so that N grows in an episode without an end too.
const COUNT_PERIOD: u64 = 1_000;

/// Most observations of an episode at which its figures are taken, so that an episode's end costs little.
const EPISODE_ROWS: usize = 8;

/// What is told of an episode: figures at up to 8 of its observations, evenly spread.
#[derive(Debug, Clone, PartialEq)]
pub struct EpisodeFigures {
    /// Mean epistemic standard deviation of the greedy action, over Monte-Carlo passes.
    pub epistemic_std: ReturnUnits,
    /// Mean aleatoric standard deviation of the greedy action: that of its TD targets.
    pub aleatoric_std: ReturnUnits,
    /// Every dropout group of every layer.
    pub groups: Vec<GroupFigures>,
}

/// A Q-network that learns from its replay, explores by its uncertainty and grows more certain with its data.
///
/// Inside, values are in [network units](crate::units); all that is reported is in units of the environment's return.
#[derive(Debug)]
pub struct Agent {
    config: AgentSections,
    learner: Learner,
    engine: Box<dyn Engine>,
    replay: Replay,
    batch: Batch,
    rule: Box<dyn ExplorationRule>,
    noise: PassNoise,
    /// The network's input of the decisions that are made, `[decisions, inputs]`.
    inputs: Vec<f32>,
    counters: Counters,
    /// The episode under way in each environment.
    episodes: Vec<EpisodeState>,
    returns: Returns,
    observations: Observations,
    streams: Streams,
    schedules: Schedules,
}

impl Agent {
    /// A fresh agent for an environment, its every random choice derived from the config's seed.
    ///
    /// # Errors
    /// Where the replay buffer does not fit into memory or has fewer transitions than there are environments, the network is
    /// not for such observations, or the engine does not run on the device or compute such networks.
    pub fn new(config: impl Into<AgentSections>, spec: &EnvSpec, device: Device) -> Result<Self, Error> {
        let config = config.into();
        let learner = Learner::new(config.learner.clone(), spec, device)?;
        let (envs, capacity) = (config.agent.envs, config.agent.replay_capacity);
        if envs == 0 || envs > capacity {
            return Err(Error::Usage(format!(
                "agent.envs = {envs} is not valid; it must be from 1 to agent.replay_capacity = {capacity}"
            )));
        }
        let replay = Replay::of_environments(envs, capacity, learner.online.inputs()).ok_or_else(|| {
            Error::Usage(format!(
                "agent.replay_capacity = {capacity} does not fit into this machine's memory for observations of {} \
                 numbers; a smaller one is needed",
                spec.observation_space.len()
            ))
        })?;
        Ok(Self {
            engine: engine(config.learner.clone(), &learner.online)?,
            learner,
            replay,
            batch: Batch::default(),
            rule: config.exploration.build(),
            noise: PassNoise::default(),
            inputs: Vec::new(),
            counters: Counters::default(),
            episodes: vec![EpisodeState::default(); envs],
            returns: Returns::of_environments(envs),
            observations: Observations::new(&spec.observation_space),
            streams: Streams::new(config.learner.seed),
            schedules: Schedules::new(&config),
            config,
        })
    }

    /// The environment whose transition is to be observed next, from 0 on: they take turns.
    pub fn turn(&self) -> usize {
        self.replay.turn()
    }

    /// How many take turns.
    pub fn environments(&self) -> usize {
        self.episodes.len()
    }

    /// Remembers a transition of the environment whose [turn](Self::turn) it is, and learns from it the scale of returns
    /// and, where bounds do not tell it, of observations.
    /// At least every 1,000 of them, and whenever it has doubled, N becomes the size of the replay.
    /// Returns the dimensions whose bounds turned out not to tell their scale; they are normalised from now on.
    pub fn observe(&mut self, observation: &[f32], action: usize, step: &Step) -> Vec<Misfit> {
        self.observe_among(Valid::default(), observation, action, step)
    }

    /// The same where it is known which actions are valid before and after.
    pub fn observe_among(
        &mut self,
        valid: Valid<'_>,
        observation: &[f32],
        action: usize,
        step: &Step,
    ) -> Vec<Misfit> {
        let mut misfits = self.observations.find_exceeded(observation, self.replay.observations());
        // While nothing was learned that would have to be learned again.
        if self.counters.steps + 1 == self.config.agent.learning_starts {
            misfits.extend(self.observations.find_unfilled(observation, self.replay.observations()));
        }
        for scaling in self.observations.observe(observation) {
            self.learner.scale_dimension(scaling.dimension, scaling.centre, scaling.half_width);
        }
        if let Some(scale) = self.returns.observe(self.replay.turn(), step, self.config.agent.gamma) {
            let n = self.dataset_size();
            match self.counters.updates {
                0 => self.learner.begin_return_scale(scale),
                _ => self.learner.set_return_scale(scale, n),
            }
        }
        if !misfits.is_empty() {
            // The places of a dimension that was scaled by its bounds until now are other ones.
            self.count_places();
        }
        let online = &mut self.learner.online;
        let (input, next) = (online.input(observation), online.input(&step.observation));
        // In before out, so that a place that both are in is never empty between.
        online.count_local(&input, action, true);
        if let Some((oldest, action)) = self.replay.next_to_go() {
            online.count_local(oldest, action, false);
        }
        let transition = Transition::of(observation, action, step);
        self.replay.push(Transition { observation: &input, next_observation: &next, valid, ..transition });
        self.counters.steps += 1;
        self.counters.since_count += 1;
        let has_doubled = self.counters.counted.is_some_and(|counted| self.replay.len() as u64 > 2 * counted);
        if self.counters.since_count >= COUNT_PERIOD || has_doubled {
            self.count_data();
        }
        misfits
    }

    /// N becomes the size of the replay.
    fn count_data(&mut self) {
        (self.counters.counted, self.counters.since_count) = (Some(self.replay.len() as u64), 0);
    }

    /// The dimensions of the observation that are scaled by what is seen of them, since their bounds do not tell.
    pub fn normalized_dimensions(&self) -> impl Iterator<Item = usize> + '_ {
        self.observations.normalized()
    }

    /// Learns, if it is time to. Every `logging.update_period` learner steps what the last one did is returned.
    ///
    /// # Errors
    /// Where loss or gradient is not finite. A gradient that is not has changed nothing.
    pub fn learn(&mut self) -> Result<Option<UpdateRecord>, Error> {
        let (agent, steps) = (&self.config.agent, self.counters.steps);
        if steps < agent.learning_starts.max(1) || !steps.is_multiple_of(agent.train_frequency) {
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
        let (agent, progress) = (&self.config.agent, self.progress());
        let lookahead = Lookahead {
            steps: self.schedules.n_step.at(progress).round() as usize,
            gamma: agent.gamma as f32,
        };
        self.replay.sample(agent.batch_size, lookahead, &mut self.streams.replay, &mut self.batch);
        let scale = self.value_scale().of_reward();
        let target_bounds = if agent.bounded_targets { self.possible_values() } else { None };
        self.batch.rewards.iter_mut().for_each(|reward| *reward *= scale);
        let step = LearnerStep {
            regularizer: self.regularizer(),
            schedule: self.schedules.learning_rate.at(progress),
            target_bounds,
            updates_target: (self.counters.updates + 1).is_multiple_of(agent.target_period),
        };
        let loss = self.engine.learn(&mut self.learner, &self.batch, &step, &mut self.streams.learner_noise);
        if !loss.total().is_finite() {
            return Err(self.not_finite("the loss"));
        }
        if !loss.gradient_norm.is_finite() {
            return Err(self.not_finite("the gradient"));
        }
        let dropout = &self.config.learner.dropout;
        if dropout.learned && dropout.step == DropoutStep::Natural {
            self.engine.natural_step(&mut self.learner.online, &self.batch.observations, &step.regularizer);
        }
        self.counters.updates += 1;
        let recorded = self.counters.updates.is_multiple_of(self.config.update_period);
        Ok(recorded.then(|| self.record(&loss, step.schedule)))
    }

    fn record(&mut self, loss: &LossStatistics, schedule: f64) -> UpdateRecord {
        let scale = self.value_scale();
        let online = &self.learner.online;
        let (passes, rows) = (self.config.reported_passes, self.batch.actions.len());
        self.noise.draw(&mut self.streams.update_diagnostics, online.masks(), passes, rows);
        let prediction = self.engine.predict(online, &self.batch.observations, Some(&self.noise));
        let stds = prediction.mean_stds(|row, _| self.batch.actions[row] as usize);
        UpdateRecord {
            update: self.counters.updates,
            total_steps: self.counters.steps,
            loss: loss.total(),
            data_term: loss.data_term,
            weight_term: loss.weight_term,
            entropy_term: loss.entropy_term,
            precision_term: loss.precision_term,
            td_error: scale.to_return(loss.absolute_error).0,
            q_mean: scale.to_return(loss.q_mean).0,
            epistemic_std: scale.to_return(stds.epistemic).0,
            gradient_norm: loss.gradient_norm,
            learning_rate: self.config.learner.optimizer.learning_rate * schedule,
            dataset_size: self.dataset_size() as f64,
            precision: self.network().precision(),
            return_bound: self.return_bound().0,
            p: self.network().mean_p(),
        }
    }

    /// Ends an episode of `length` transitions in the environment that was observed last: N becomes the size of the replay.
    /// Returns figures of the episode.
    ///
    /// # Errors
    /// Where a Q-value is not finite.
    pub fn end_episode(&mut self, length: usize) -> Result<EpisodeFigures, Error> {
        self.anneal();
        self.count_data();
        let observations = self.replay.recent_observations(length, EPISODE_ROWS);
        let rows = observations.len() / self.replay.dimensions();
        let (scale, passes) = (self.value_scale(), self.config.reported_passes);
        let online = &self.learner.online;
        self.noise.draw(&mut self.streams.episode_diagnostics, online.masks(), passes, rows);
        let prediction = self.engine.predict(online, &observations, Some(&self.noise));
        if !prediction.is_finite() {
            return Err(self.not_finite("a Q-value"));
        }
        let (valid, actions) = (self.replay.recent_valid(length, EPISODE_ROWS), online.actions());
        let of_row = |row: usize| valid.get(row * actions..(row + 1) * actions);
        let stds = prediction.mean_stds(|row, samples| samples.among(of_row(row)).greedy_action());
        Ok(EpisodeFigures {
            epistemic_std: scale.to_return(stds.epistemic),
            aleatoric_std: scale.to_return(stds.aleatoric),
            groups: self.engine.groups(online, &observations),
        })
    }

    /// The regulariser of the next learner step. Its precision is 1 because the data term carries tau.
    fn regularizer(&self) -> Regularizer {
        Regularizer {
            length_scale: self.config.learner.dropout.length_scale,
            precision: 1.0,
            dataset_size: self.dataset_size() as f64,
        }
    }

    /// N of the objective: as of the last episode's end, or of a later count within a long one; the replay's size now
    /// before the first; or what the config holds it at.
    pub fn dataset_size(&self) -> u64 {
        match self.config.learner.dropout.dataset_size {
            DatasetSize::Fixed(size) => size,
            DatasetSize::Of(Data::Final) => self.config.steps.min(self.config.agent.replay_capacity as u64),
            DatasetSize::Of(Data::Replay) => self.counters.counted.unwrap_or(self.replay.len() as u64),
        }
    }

    /// Sets the temperature by the steps so far. At every use of a network, so that it is a function of nothing else.
    fn anneal(&mut self) {
        self.set_temperature(self.config.learner.dropout.temperature_at(self.progress()));
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
        self.counters.steps
    }

    /// Learner steps so far.
    pub fn updates(&self) -> u64 {
        self.counters.updates
    }

    /// Whether it has taken the environment steps that its config grants.
    pub fn is_finished(&self) -> bool {
        self.counters.steps >= self.config.steps
    }

    /// The share of the training that is over.
    fn progress(&self) -> f64 {
        self.schedules.progress(self.counters.steps)
    }

    /// The lowest and the highest value that the rewards so far allow, in network units. `None` before the first reward.
    fn possible_values(&self) -> Option<(f32, f32)> {
        let bound = |reward: f32| {
            let forever = ReturnUnits(f64::from(reward) / (1.0 - self.config.agent.gamma));
            self.value_scale().to_network(forever).map(|value| value.0 as f32)
        };
        let (lowest, highest) = self.replay.reward_range();
        bound(lowest).zip(bound(highest))
    }

    /// [`UpdateRecord::return_bound`].
    fn return_bound(&self) -> ReturnUnits {
        let (lowest, highest) = self.replay.reward_range();
        ReturnUnits(f64::from(highest.max(-lowest)) / (1.0 - self.config.agent.gamma))
    }

    fn value_scale(&self) -> ValueScale {
        self.learner.online.value_scale()
    }
}
