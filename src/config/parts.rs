//! What each part takes of a config. The parts know their own sections and no config.

use super::Config;
use crate::agent::AgentSections;
use crate::engine::LearnerSections;
use crate::evaluation::{Evaluator, Occasion};

impl From<&Config> for LearnerSections {
    fn from(config: &Config) -> Self {
        Self {
            seed: config.seed,
            engine: config.engine,
            network: config.network.clone(),
            dropout: config.dropout.clone(),
            local: config.local,
            precision: config.precision.clone(),
            optimizer: config.optimizer.clone(),
            targets: config.agent.targets,
            target_passes: config.agent.target_passes,
            target_beta: config.agent.target_beta,
            target_lerp: config.agent.target_lerp,
        }
    }
}

impl From<&Config> for AgentSections {
    fn from(config: &Config) -> Self {
        Self {
            steps: config.steps,
            learner: config.into(),
            agent: config.agent.clone(),
            exploration: config.exploration,
            reported_passes: config.evaluation.passes,
            update_period: config.logging.update_period,
        }
    }
}

impl From<&Config> for Evaluator {
    fn from(config: &Config) -> Self {
        Self {
            occasion: Occasion::AfterTraining,
            episodes: config.evaluation.episodes.max(1),
            max_episode_steps: config.evaluation.max_episode_steps,
            passes: config.evaluation.passes,
            seed: config.seed,
        }
    }
}
