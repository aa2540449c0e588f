//! The agent's random numbers.

use serde::{Deserialize, Serialize};

use crate::concrete::LogisticNoise;
use crate::randomness::{Generator, Stream, generator};

/// A generator for everything that the agent leaves to chance, saved as they are.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Streams {
    /// Random actions.
    pub exploration: Generator,
    /// Masks of decisions.
    pub exploration_noise: LogisticNoise,
    /// Which transitions make a batch.
    pub replay: Generator,
    /// Masks of learner steps.
    pub learner_noise: LogisticNoise,
    /// Masks of the figures at an episode's end.
    pub episode_diagnostics: LogisticNoise,
    /// Masks of the figures of a learner step.
    pub update_diagnostics: LogisticNoise,
}

impl Streams {
    /// The generators under a seed.
    pub fn new(seed: u64) -> Self {
        let noise = |stream| LogisticNoise::new(generator(seed, stream));
        Self {
            exploration: generator(seed, Stream::Exploration),
            exploration_noise: noise(Stream::ExplorationNoise),
            replay: generator(seed, Stream::Replay),
            learner_noise: noise(Stream::Noise),
            episode_diagnostics: noise(Stream::EpisodeDiagnostics),
            update_diagnostics: noise(Stream::UpdateDiagnostics),
        }
    }
}
