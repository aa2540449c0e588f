//! Evaluation: greedy on the mean over Monte-Carlo passes.

use std::fmt;

use control_envs::Env;
use serde::{Deserialize, Serialize};
use tch::{Device, Tensor};

use crate::concrete::LogisticNoise;
use crate::error::Error;
use crate::network::QNetwork;
use crate::randomness::{Stream, generator};

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
            self.mean_return, self.std_return, self.episodes, self.min_return, self.max_return, self.mean_length
        )
    }
}

/// Plays `episodes` episodes (at least one) in `env`, taking the action whose mean over `passes` noisy passes is
/// highest. Starts and noise derive from `seed`.
///
/// # Errors
/// Whatever the environment fails with, and Q-values that are not finite.
pub fn evaluate(
    network: &QNetwork,
    env: &mut dyn Env,
    episodes: u64,
    passes: i64,
    seed: u64,
) -> Result<Evaluation, Error> {
    let mut starts = generator(seed, Stream::Evaluation);
    let mut noise = LogisticNoise::new(generator(seed, Stream::EvaluationNoise));
    let (mut returns, mut lengths) = (Vec::new(), 0_u64);
    for _ in 0..episodes {
        let mut observation = env.reset(&mut starts)?;
        let mut episode_return = 0.0;
        loop {
            let step = env.step(best_action(network, &observation, passes, &mut noise))?;
            episode_return += step.reward;
            lengths += 1;
            if step.terminated || step.truncated {
                break;
            }
            observation = step.observation;
        }
        returns.push(episode_return);
    }
    let count = returns.len() as f64;
    let mean = returns.iter().sum::<f64>() / count;
    let variance = returns.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / count;
    Ok(Evaluation {
        episodes,
        mean_return: mean,
        std_return: variance.sqrt(),
        min_return: returns.iter().copied().fold(f64::INFINITY, f64::min),
        max_return: returns.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        mean_length: lengths as f64 / count,
    })
}

fn best_action(network: &QNetwork, observation: &[f32], passes: i64, noise: &mut LogisticNoise) -> usize {
    tch::no_grad(|| {
        let observation = Tensor::from_slice(observation).to_device(network.device()).unsqueeze(0);
        let noise = network.draw_noise(noise, &[passes]);
        let mean = network.sample(&observation, &noise).mean_dim(0, false, tch::Kind::Float);
        mean.argmax(0, false).to_device(Device::Cpu).int64_value(&[]) as usize
    })
}
