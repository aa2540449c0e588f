//! Evaluation: greedy on the mean over Monte-Carlo passes.

mod config;

use std::fmt;

use control_envs::{Env, Step};
use serde::{Deserialize, Serialize};

use crate::concrete::LogisticNoise;
use crate::engine::{Engine, Prediction};
use crate::error::Error;
use crate::network::{PassNoise, QNetwork};
use crate::numbers;
use crate::randomness::{Stream, generator};
use crate::statistics::{mean, population_std};
use crate::units::ValueScale;

pub use config::{EvaluationConfig, EvaluationMask};

/// Returns of evaluation episodes, summed up. The field names are those of `evaluate --json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Episodes played.
    pub episodes: u64,
    /// Mean return.
    pub mean_return: f64,
    /// Population standard deviation of the returns, as Stable-Baselines3 reports it.
    pub std_return: f64,
    /// Lowest return.
    pub min_return: f64,
    /// Highest return.
    pub max_return: f64,
    /// Mean number of steps.
    pub mean_length: f64,
    /// How many of the episodes were cut before their end.
    #[serde(default)]
    pub cut: u64,
}

impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "mean return {} +- {} over {} episodes, from {} to {}, {} steps each",
            numbers::mean(self.mean_return),
            numbers::mean(self.std_return),
            self.episodes,
            numbers::short(self.min_return),
            numbers::short(self.max_return),
            numbers::mean(self.mean_length)
        )?;
        match self.cut {
            0 => Ok(()),
            cut => write!(f, "; {cut} of them cut before their end, since the environment has no step limit"),
        }
    }
}

/// A decision of an evaluation.
#[derive(Debug, Clone, Copy)]
pub struct Decision<'a> {
    /// What the passes predicted, in one row.
    pub prediction: Prediction<'a>,
    /// What was done: the action with the highest mean.
    pub action: usize,
    /// What the predicted values are in units of the return.
    pub scale: ValueScale,
}

/// Who watches an evaluation. Every method does nothing unless it is written.
pub trait EvaluationObserver {
    /// After every environment step: the decision and what followed.
    fn on_step(&mut self, _decision: &Decision<'_>, _step: &Step) {}

    /// Asked before every environment step: whether to end the evaluation here.
    fn wants_to_stop(&self) -> bool {
        false
    }
}

/// Nobody watches.
impl EvaluationObserver for () {}

/// When an evaluation takes place. Each has random streams of its own, so that the best policy of a training is not
/// chosen by the very episodes that it is judged by in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// When the training is over.
    AfterTraining,
    /// Every so often while it goes on.
    WhileTraining,
}

impl Occasion {
    /// The streams of starts and of noise.
    fn streams(self) -> (Stream, Stream) {
        match self {
            Self::AfterTraining => (Stream::Evaluation, Stream::EvaluationNoise),
            Self::WhileTraining => (Stream::PeriodicEvaluation, Stream::PeriodicEvaluationNoise),
        }
    }
}

/// How a network is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evaluator {
    /// What its random streams are.
    pub occasion: Occasion,
    /// Episodes to play, at least one.
    pub episodes: u64,
    /// Steps after which an episode is cut in an environment without a step limit of its own.
    pub max_episode_steps: u64,
    /// Noisy passes to a decision.
    pub passes: usize,
    /// Seed of starts and noise.
    pub seed: u64,
}

impl Evaluator {
    /// Plays in `env`, taking the action with the highest mean over the passes.
    ///
    /// # Errors
    /// [`Error::Interrupted`] where the observer wanted to stop, whatever the environment fails with, and
    /// Q-values that are not finite.
    pub fn evaluate(
        &self,
        network: &QNetwork,
        engine: &mut dyn Engine,
        env: &mut dyn Env,
        observer: &mut dyn EvaluationObserver,
    ) -> Result<Evaluation, Error> {
        let (starts, noise) = self.occasion.streams();
        let mut starts = generator(self.seed, starts);
        let mut source = LogisticNoise::new(generator(self.seed, noise));
        let mut noise = PassNoise::default();
        let scale = network.value_scale();
        let limit = env.spec().max_episode_steps.map_or(self.max_episode_steps, |_| u64::MAX);
        let (mut returns, mut steps, mut cut) = (Vec::new(), 0_u64, 0);
        for _ in 0..self.episodes {
            let mut observation = env.reset(&mut starts)?;
            let (mut episode_return, mut length) = (0.0, 0);
            loop {
                if observer.wants_to_stop() {
                    return Err(Error::Interrupted);
                }
                noise.draw(&mut source, network.masks(), self.passes, 1);
                let prediction = engine.predict(network, &network.input(&observation), Some(&noise));
                if !prediction.is_finite() {
                    let quantity = "a Q-value of the evaluation".to_owned();
                    return Err(Error::NotFinite { quantity, step: None });
                }
                let valid = env.action_mask();
                let action = prediction.row(0).among(valid.as_deref()).greedy_action();
                let mut step = env.step(action)?;
                length += 1;
                if length >= limit && !step.ends_episode() {
                    step.truncated = true;
                    cut += 1;
                }
                observer.on_step(&Decision { prediction, action, scale }, &step);
                // The environment's own, where a wrapper changes rewards.
                episode_return = env.episode().map_or(episode_return + step.reward, |own| own.episode_return);
                steps += 1;
                if step.ends_episode() {
                    break;
                }
                observation = step.observation;
            }
            returns.push(episode_return);
        }
        Ok(Evaluation::of(&returns, steps, cut))
    }
}

impl Evaluation {
    /// Sums up the returns of at least one episode, which took `steps` steps together; `cut` of them were cut.
    fn of(returns: &[f64], steps: u64, cut: u64) -> Self {
        Self {
            episodes: returns.len() as u64,
            mean_return: mean(returns),
            std_return: population_std(returns),
            min_return: returns.iter().copied().fold(f64::INFINITY, f64::min),
            max_return: returns.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            mean_length: steps as f64 / returns.len() as f64,
            cut,
        }
    }
}
