//! Evaluation: greedy on the mean over Monte-Carlo passes.

mod config;

use std::fmt;

use control_envs::{Env, Step};
use serde::{Deserialize, Serialize};

use crate::concrete::LogisticNoise;
use crate::engine::{Engine, Prediction};
use crate::error::Error;
use crate::network::{PassNoise, QNetwork};
use crate::randomness::{Stream, generator};
use crate::statistics::{mean, population_std};

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
            "mean return {:.1} +- {:.1} over {} episodes, from {} to {}, {:.1} steps each",
            self.mean_return,
            self.std_return,
            self.episodes,
            self.min_return,
            self.max_return,
            self.mean_length
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
}

/// Plays `episodes` episodes (at least one) in `env`, taking the action whose mean over `passes` noisy passes is
/// highest. Starts and noise derive from `seed`. `stop` is asked before every step.
///
/// # Errors
/// [`Error::Interrupted`] where `stop` says so, whatever the environment fails with, and Q-values that are not finite.
pub fn evaluate(
    network: &QNetwork,
    engine: &mut dyn Engine,
    env: &mut dyn Env,
    episodes: u64,
    passes: usize,
    seed: u64,
    stop: impl Fn() -> bool,
) -> Result<Evaluation, Error> {
    evaluate_with(network, engine, env, episodes, passes, seed, stop, |_, _| {})
}

/// [`evaluate`], with every decision and what followed shown to `watch`.
///
/// # Errors
/// As for [`evaluate`].
#[expect(clippy::too_many_arguments, reason = "those of `evaluate`, and who watches")]
pub fn evaluate_with(
    network: &QNetwork,
    engine: &mut dyn Engine,
    env: &mut dyn Env,
    episodes: u64,
    passes: usize,
    seed: u64,
    stop: impl Fn() -> bool,
    mut watch: impl FnMut(&Decision<'_>, &Step),
) -> Result<Evaluation, Error> {
    let mut starts = generator(seed, Stream::Evaluation);
    let mut source = LogisticNoise::new(generator(seed, Stream::EvaluationNoise));
    let mut noise = PassNoise::default();
    let (mut returns, mut steps) = (Vec::new(), 0_u64);
    for _ in 0..episodes {
        let mut observation = env.reset(&mut starts)?;
        let mut episode_return = 0.0;
        loop {
            if stop() {
                return Err(Error::Interrupted);
            }
            noise.draw(&mut source, network.masks(), passes, 1);
            let prediction = engine.predict(network, &observation, Some(&noise));
            if !prediction.is_finite() {
                return Err(Error::NotFinite {
                    quantity: "a Q-value of the evaluation".to_owned(),
                    step: steps,
                });
            }
            let action = prediction.row(0).greedy_action();
            let step = env.step(action)?;
            watch(&Decision { prediction, action }, &step);
            episode_return += step.reward;
            steps += 1;
            if step.ends_episode() {
                break;
            }
            observation = step.observation;
        }
        returns.push(episode_return);
    }
    Ok(Evaluation {
        episodes,
        mean_return: mean(&returns),
        std_return: population_std(&returns),
        min_return: returns.iter().copied().fold(f64::INFINITY, f64::min),
        max_return: returns.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        mean_length: steps as f64 / returns.len() as f64,
    })
}
