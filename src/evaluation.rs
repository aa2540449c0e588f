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
        )
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

/// How a network is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evaluator {
    /// Episodes to play, at least one.
    pub episodes: u64,
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
        let mut starts = generator(self.seed, Stream::Evaluation);
        let mut source = LogisticNoise::new(generator(self.seed, Stream::EvaluationNoise));
        let mut noise = PassNoise::default();
        let scale = network.value_scale();
        let (mut returns, mut steps) = (Vec::new(), 0_u64);
        for _ in 0..self.episodes {
            let mut observation = env.reset(&mut starts)?;
            let mut episode_return = 0.0;
            loop {
                if observer.wants_to_stop() {
                    return Err(Error::Interrupted);
                }
                noise.draw(&mut source, network.masks(), self.passes, 1);
                let prediction = engine.predict(network, &observation, Some(&noise));
                if !prediction.is_finite() {
                    let quantity = "a Q-value of the evaluation".to_owned();
                    return Err(Error::NotFinite { quantity, step: steps });
                }
                let action = prediction.row(0).greedy_action();
                let step = env.step(action)?;
                observer.on_step(&Decision { prediction, action, scale }, &step);
                episode_return += step.reward;
                steps += 1;
                if step.ends_episode() {
                    break;
                }
                observation = step.observation;
            }
            returns.push(episode_return);
        }
        Ok(Evaluation::of(&returns, steps))
    }
}

impl Evaluation {
    /// Sums up the returns of at least one episode, which took `steps` steps together.
    fn of(returns: &[f64], steps: u64) -> Self {
        Self {
            episodes: returns.len() as u64,
            mean_return: mean(returns),
            std_return: population_std(returns),
            min_return: returns.iter().copied().fold(f64::INFINITY, f64::min),
            max_return: returns.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            mean_length: steps as f64 / returns.len() as f64,
        }
    }
}
