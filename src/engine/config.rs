//! The sections of a config that a learner goes by.

use serde::{Deserialize, Serialize};

use crate::concrete::{DropoutGroups, PrecisionPrior};
use crate::section::{Ranges, Section};

/// `[dropout]`: the Concrete Dropout layers and their regulariser.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropoutConfig {
    /// Whether p is learned, or held where it starts (Gal & Ghahramani 2016).
    pub learned: bool,
    /// What a learned p steps by.
    pub step: DropoutStep,
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
            step: DropoutStep::Adam,
            initial_p: 0.1,
            length_scale: 0.01,
            groups: DropoutGroups::Layer,
            temperature: 0.1,
            temperature_final_fraction: 1.0,
            dataset_size: DatasetSize::Of(Data::Replay),
        }
    }
}

impl Section for DropoutConfig {
    fn check(&self, ranges: &mut Ranges) {
        let Self {
            learned,
            step: _,
            initial_p,
            length_scale,
            groups: _,
            temperature,
            temperature_final_fraction,
            dataset_size,
        } = *self;
        ranges.require(
            "initial_p",
            initial_p,
            (1e-6..=1.0 - 1e-6).contains(&initial_p) || (!learned && initial_p == 0.0),
            "a number from 0.000001 to 0.999999, or 0 with dropout.learned = false",
        );
        ranges.not_negative("length_scale", length_scale);
        ranges.positive("temperature", temperature);
        ranges.number("temperature_final_fraction", temperature_final_fraction, 1e-6..=1.0);
        if let DatasetSize::Fixed(size) = dataset_size {
            let allowed = "\"replay\", \"final\", or a whole number of 1 or more";
            ranges.require("dataset_size", size, (1..=Ranges::LARGEST).contains(&size), allowed);
        }
    }
}

/// What the learned p of the layers steps by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DropoutStep {
    /// Adam, down the gradient of the concrete relaxation (Gal, Hron & Kendall 2017).
    Adam,
    /// The natural gradient of the objective with its likelihood to first order, as
    /// [`Landscape`](crate::concrete::Landscape) has it: p follows its minimum. A control, to see what p at its minimum does.
    Natural,
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
    /// The transitions in the replay buffer, counted at every episode's end, and within a longer one every 1,000 steps and
    /// whenever they have doubled.
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
    /// Whether a learned tau depends on observation and action (heteroscedastic noise), or is one for all
    /// (homoscedastic), as it always is of a table.
    pub heteroscedastic: bool,
    /// Tau at the start, or for good; of a learned one also where its prior has its weight.
    pub initial: f64,
    /// How many targets with errors of variance `1 / initial` the prior of a learned tau counts for; 0 for no
    /// prior.
    pub prior_count: f64,
}

impl Default for PrecisionConfig {
    fn default() -> Self {
        Self { learned: true, heteroscedastic: false, initial: 10.0, prior_count: 100.0 }
    }
}

impl PrecisionConfig {
    /// The prior of a tau that is learned.
    pub fn prior(&self) -> PrecisionPrior {
        PrecisionPrior { precision: self.initial, count: self.prior_count }
    }
}

impl Section for PrecisionConfig {
    fn check(&self, ranges: &mut Ranges) {
        let Self { learned, heteroscedastic, initial, prior_count } = *self;
        ranges.require(
            "heteroscedastic",
            heteroscedastic,
            learned || !heteroscedastic,
            "false where precision.learned = false",
        );
        ranges.positive("initial", initial);
        ranges.not_negative("prior_count", prior_count);
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

impl Section for OptimizerConfig {
    fn check(&self, ranges: &mut Ranges) {
        let Self { learning_rate, dropout_learning_rate, final_fraction, max_gradient_norm } = *self;
        ranges.positive("learning_rate", learning_rate);
        ranges.not_negative("dropout_learning_rate", dropout_learning_rate);
        ranges.probability("final_fraction", final_fraction);
        ranges.positive("max_gradient_norm", max_gradient_norm);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_temperature_falls_by_a_factor() {
        let dropout =
            DropoutConfig { temperature: 0.4, temperature_final_fraction: 0.25, ..DropoutConfig::default() };
        assert!((dropout.temperature_at(0.5) - 0.2).abs() < 1e-12);
        assert!((dropout.temperature_at(1.0) - 0.1).abs() < 1e-12);
    }
}
