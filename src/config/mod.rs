//! The configuration of a run: defaults, then the environment's preset, then a file, then flags.

mod layers;
mod presets;
mod ranges;
mod sections;
mod seeds;
mod settings;

use serde::{Deserialize, Serialize};

use crate::engine::EngineName;
use crate::exploration::ExplorationConfig;
use crate::network::NetworkConfig;

pub use layers::Layer;
pub use presets::{preset, presets};
pub use sections::{
    AgentConfig, CheckpointConfig, Data, DatasetSize, DropoutConfig, EvaluationConfig, LoggingConfig, Mask,
    OptimizerConfig, PrecisionConfig, Targets,
};
pub use seeds::Seeds;
pub use settings::settings;

/// Everything that a run depends on. Written into the run, it is itself a valid `--config`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Environment, by id or alias.
    pub env: String,
    /// Seed of every random choice.
    pub seed: u64,
    /// Environment steps to train for.
    pub steps: u64,
    /// `cpu`, `cuda` or `cuda:N`.
    pub device: String,
    /// How the networks are computed.
    pub engine: EngineName,
    /// The Q-network.
    pub network: NetworkConfig,
    /// Concrete Dropout.
    pub dropout: DropoutConfig,
    /// The targets' precision.
    pub precision: PrecisionConfig,
    /// Adam.
    pub optimizer: OptimizerConfig,
    /// Replay and TD learning.
    pub agent: AgentConfig,
    /// The exploration rule.
    pub exploration: ExplorationConfig,
    /// Evaluation after the training.
    pub evaluation: EvaluationConfig,
    /// What is written, and how often.
    pub logging: LoggingConfig,
    /// When it is saved, to be gone on from.
    pub checkpoint: CheckpointConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            env: "CartPole-v1".to_owned(),
            seed: 0,
            steps: 50_000,
            device: "cpu".to_owned(),
            engine: EngineName::Auto,
            network: NetworkConfig::default(),
            dropout: DropoutConfig::default(),
            precision: PrecisionConfig::default(),
            optimizer: OptimizerConfig::default(),
            agent: AgentConfig::default(),
            exploration: ExplorationConfig::default(),
            evaluation: EvaluationConfig::default(),
            logging: LoggingConfig::default(),
            checkpoint: CheckpointConfig::default(),
        }
    }
}
