//! The sections of a config that belong to the agent as a whole.

use serde::{Deserialize, Serialize};

use super::Config;
use crate::concrete::DropoutGroups;
pub use crate::td::Targets;

/// `[dropout]`: the Concrete Dropout layers and their regulariser.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropoutConfig {
    /// Whether p is learned, or held where it starts (Gal & Ghahramani 2016).
    pub learned: bool,
    /// Probability p that every layer starts with. Where p is held it may be 0: no dropout.
    pub initial_p: f64,
    /// Length scale l of the prior over the weights.
    pub length_scale: f64,
    /// Which masks share a p: those of a layer, or none.
    pub groups: DropoutGroups,
    /// Temperature t of the concrete masks at the start.
    pub temperature: f64,
    /// Share of t that is left at the end; it falls by the same factor at every step. 1 holds it.
    pub temperature_final_fraction: f64,
    /// N of the objective.
    pub dataset_size: DatasetSize,
}

impl DropoutConfig {
    /// t when this share of the training is over.
    pub fn temperature_at(&self, progress: f64) -> f64 {
        self.temperature * self.temperature_final_fraction.powf(progress)
    }
}

impl Default for DropoutConfig {
    fn default() -> Self {
        Self {
            learned: true,
            initial_p: 0.1,
            length_scale: 0.01,
            groups: DropoutGroups::Layer,
            temperature: 0.1,
            temperature_final_fraction: 1.0,
            dataset_size: DatasetSize::Of(Data::Replay),
        }
    }
}

/// N of the objective.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "\"replay\", \"final\", or a whole number to hold N at")]
pub enum DatasetSize {
    /// Held at a number, for control experiments.
    Fixed(u64),
    /// The size of something.
    Of(Data),
}

/// The data that N counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Data {
    /// The transitions in the replay buffer, counted at every episode's end.
    Replay,
    /// Those that it will hold when the training ends, from the start on; a control too.
    Final,
}

/// `[precision]`: tau of the TD targets, in network units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrecisionConfig {
    /// Whether tau is learned or fixed.
    pub learned: bool,
    /// Whether a learned tau depends on observation and action (heteroscedastic noise), or is one for all (homoscedastic).
    pub heteroscedastic: bool,
    /// Tau at the start, or for good; of a learned one also where its prior has its weight.
    pub initial: f64,
    /// How many targets with errors of variance `1 / initial` the prior of a learned tau counts for; 0 for no prior.
    pub prior_count: f64,
}

impl Default for PrecisionConfig {
    fn default() -> Self {
        Self { learned: true, heteroscedastic: false, initial: 10.0, prior_count: 100.0 }
    }
}

/// `[optimizer]`: Adam.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptimizerConfig {
    /// Learning rate of weights and biases at the start.
    pub learning_rate: f64,
    /// Learning rate of the p logits and of log tau at the start.
    pub dropout_learning_rate: f64,
    /// Share of the learning rates that is left at the end; they fall linearly over the training.
    pub final_fraction: f64,
    /// Largest norm of the gradient of `loss / tau`; a longer one is scaled down to it.
    pub max_gradient_norm: f64,
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self {
            learning_rate: 1e-3,
            dropout_learning_rate: 1e-2,
            final_fraction: 0.01,
            max_gradient_norm: 10.0,
        }
    }
}

/// `[agent]`: replay and TD learning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentConfig {
    /// Discount factor.
    pub gamma: f64,
    /// Steps whose rewards a target adds up before it trusts a value, at the start.
    pub n_step: usize,
    /// The same at the end; in between it changes linearly, in whole steps.
    pub n_step_final: usize,
    /// Transitions in a batch.
    pub batch_size: usize,
    /// Environment steps, with random actions, before the first learner step.
    pub learning_starts: u64,
    /// Environment steps from one time of learning to the next.
    pub train_frequency: u64,
    /// Learner steps each time.
    pub gradient_steps: u64,
    /// Most transitions that the replay buffer holds.
    pub replay_capacity: usize,
    /// The form of the TD targets.
    pub targets: Targets,
    /// Noisy passes of the target network for optimistic targets.
    pub target_passes: usize,
    /// Weight of the standard deviation in optimistic targets.
    pub target_beta: f64,
    /// Whether targets are clamped to what the rewards seen so far can add up to. It bounds overestimation, and optimism.
    pub bounded_targets: bool,
    /// Share of the way that the target network moves towards the online network at an update; 1 copies it, which goes
    /// with a long `target_period`.
    pub target_lerp: f64,
    /// Learner steps from one update of the target network to the next; with a long period, `target_lerp` is to be 1.
    pub target_period: u64,
}

impl Default for AgentConfig {
    fn default() -> Self {
        Self {
            gamma: 0.99,
            n_step: 3,
            n_step_final: 2,
            batch_size: 64,
            learning_starts: 500,
            train_frequency: 1,
            gradient_steps: 1,
            replay_capacity: 100_000,
            targets: Targets::Optimistic,
            target_passes: 5,
            target_beta: 1.0,
            bounded_targets: false,
            target_lerp: 0.05,
            target_period: 1,
        }
    }
}

/// `[evaluation]`: what is played when the training is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluationConfig {
    /// Episodes; 0 for no evaluation.
    pub episodes: u64,
    /// Monte-Carlo passes whose mean decides. The epistemic standard deviations that are reported are over as many.
    pub passes: usize,
    /// The masks of these passes; those of a training's own reports stay relaxed.
    pub mask: Mask,
}

/// The masks of an evaluation's passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mask {
    /// At the temperature at which the training ends.
    Relaxed,
    /// Every unit is kept or dropped, nothing between.
    Hard,
}

impl Config {
    /// Temperature of the masks in an evaluation; 0 for hard ones.
    pub fn evaluation_temperature(&self) -> f64 {
        match self.evaluation.mask {
            Mask::Relaxed => self.dropout.temperature_at(1.0),
            Mask::Hard => 0.0,
        }
    }
}

impl Default for EvaluationConfig {
    fn default() -> Self {
        Self { episodes: 50, passes: 10, mask: Mask::Relaxed }
    }
}

/// `[checkpoint]`: when a run is saved, to be gone on from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointConfig {
    /// Seconds from one checkpoint to the next.
    pub seconds: f64,
    /// Episodes from one checkpoint to the next, whatever the time; 0 to go by the time alone.
    pub episodes: u64,
    /// How many of the last checkpoints are kept beside the best; 0 to write none at all.
    pub keep: usize,
}

impl Default for CheckpointConfig {
    fn default() -> Self {
        Self { seconds: 60.0, episodes: 0, keep: 3 }
    }
}

/// `[logging]`: what a run writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoggingConfig {
    /// Learner steps from one row of `updates.csv` to the next.
    pub update_period: u64,
    /// Seconds from one drawing of the plots (and saving of the model) to the next.
    pub redraw_seconds: f64,
}

impl Default for LoggingConfig {
    fn default() -> Self {
        Self { update_period: 100, redraw_seconds: 15.0 }
    }
}
