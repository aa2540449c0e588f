//! The configuration of a run: defaults, then the environment's preset, then a file, then flags.

mod count;
mod environment;
mod layer;
mod lists;
mod parts;
mod presets;
mod resolve;
mod rule;
mod seeds;
mod settings;
mod unknown;
mod wrappers;

use control_envs::Wrappers;
use serde::{Deserialize, Serialize};
use toml::Table;

use crate::agent::AgentConfig;
use crate::checkpoint::CheckpointConfig;
use crate::engine::{DropoutConfig, EngineName, OptimizerConfig, PrecisionConfig};
use crate::evaluation::{EvaluationConfig, EvaluationMask};
use crate::exploration::ExplorationConfig;
use crate::network::{LARGEST_TENSOR, LocalConfig, NetworkConfig, NetworkKind};
use crate::section::{Ranges, Section};

pub use crate::logging::LoggingConfig;
pub(crate) use count::count;
pub use environment::with_arguments;
pub use layer::ConfigLayer;
pub use presets::{preset, presets};
pub use seeds::Seeds;
pub use settings::settings;

/// Everything that a run depends on. Written into the run, it is itself a valid `--config`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Environment, by id or alias.
    pub env: String,
    /// The environment's arguments. Those that are not given are the environment's defaults; a run's settings name all.
    #[serde(default, skip_serializing_if = "Table::is_empty")]
    pub env_args: Table,
    /// What the environment is wrapped in.
    #[serde(default)]
    pub wrappers: Wrappers,
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
    /// Dropout with a p for every place.
    pub local: LocalConfig,
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
    /// When it is saved, to be resumed.
    pub checkpoint: CheckpointConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            env: "CartPole-v1".to_owned(),
            env_args: Table::new(),
            wrappers: Wrappers::default(),
            seed: 0,
            steps: 50_000,
            device: "cpu".to_owned(),
            engine: EngineName::Auto,
            network: NetworkConfig::default(),
            dropout: DropoutConfig::default(),
            local: LocalConfig::default(),
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

impl Section for Config {
    fn check(&self, ranges: &mut Ranges) {
        let Self {
            // The environment checks them itself, where it is found.
            env: _,
            env_args: _,
            wrappers,
            seed,
            steps,
            device: _,
            engine: _,
            network,
            dropout,
            local,
            precision,
            optimizer,
            agent,
            exploration,
            evaluation,
            logging,
            checkpoint,
        } = self;
        ranges.whole("seed", *seed, 0..=Ranges::LARGEST);
        ranges.count("steps", *steps);
        ranges.section("wrappers", wrappers);
        ranges.section("network", network);
        ranges.section("dropout", dropout);
        ranges.section("local", local);
        ranges.section("precision", precision);
        ranges.section("optimizer", optimizer);
        ranges.section("agent", agent);
        ranges.section("exploration", exploration);
        ranges.section("evaluation", evaluation);
        ranges.section("logging", logging);
        ranges.section("checkpoint", checkpoint);
        // What is fine one by one can be more than a machine has in all.
        let passes = agent.target_passes.max(evaluation.passes);
        let widest = network.hidden.iter().copied().max().unwrap_or(1);
        let units = (passes.saturating_mul(agent.batch_size) as i64).saturating_mul(widest);
        ranges.require(
            "agent.batch_size",
            agent.batch_size,
            units <= LARGEST_TENSOR,
            "small enough for batch_size x target_passes (or evaluation.passes) x the widest layer \
             to be at most 268435456",
        );
    }
}

impl Config {
    /// Whether there is a p for every place.
    pub fn has_local_dropout(&self) -> bool {
        self.network.kind == NetworkKind::Table || self.local.tilings > 0
    }

    /// Temperature of the masks in an evaluation; 0 for hard ones.
    pub fn evaluation_temperature(&self) -> f64 {
        match self.evaluation.mask {
            EvaluationMask::Relaxed => self.dropout.temperature_at(1.0),
            EvaluationMask::Hard => 0.0,
        }
    }
}
