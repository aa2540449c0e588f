//! `updates.csv`.

use serde::{Deserialize, Serialize};

use super::Row;
use super::number::{exact, nan, or_nan, single, single_or_empty};

/// What one learner step did: a row of `updates.csv`. What is in units of the return is empty until a reward has told
/// their scale.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct UpdateRecord {
    /// Learner steps so far.
    pub update: u64,
    /// Environment steps so far.
    pub total_steps: u64,
    /// The whole objective: the sum of the next four.
    #[serde(serialize_with = "single")]
    pub loss: f64,
    /// `tau * mean((q - y)^2 + local variance) - ln tau`, network units.
    #[serde(serialize_with = "single")]
    pub data_term: f64,
    /// `l^2/N * sum of ||W||^2/(1-p)`.
    #[serde(serialize_with = "single")]
    pub weight_term: f64,
    /// `-2/N * sum of K H(p)`.
    #[serde(serialize_with = "single")]
    pub entropy_term: f64,
    /// `n/N * (tau / tau_0 - ln tau)`: the prior of tau.
    #[serde(serialize_with = "single", default = "nan")]
    pub precision_term: f64,
    /// Mean absolute TD error of the batch, in units of the return.
    #[serde(serialize_with = "single_or_empty", deserialize_with = "or_nan")]
    pub td_error: f64,
    /// Mean Q-value of the batch's observations and actions, in units of the return.
    #[serde(serialize_with = "single_or_empty", deserialize_with = "or_nan")]
    pub q_mean: f64,
    /// Mean epistemic standard deviation of the batch's observations and actions, in units of the return.
    #[serde(serialize_with = "single_or_empty", deserialize_with = "or_nan")]
    pub epistemic_std: f64,
    /// Norm of the gradient of `loss / tau`, before clipping.
    #[serde(serialize_with = "single")]
    pub gradient_norm: f64,
    /// Learning rate of the weights.
    #[serde(serialize_with = "single")]
    pub learning_rate: f64,
    /// N of the objective.
    #[serde(serialize_with = "exact", default = "nan")]
    pub dataset_size: f64,
    /// Precision tau of the targets, in network units.
    #[serde(serialize_with = "single", default = "nan")]
    pub precision: f64,
    /// The largest absolute return that the rewards seen so far allow: that of the largest absolute reward at every step.
    /// Infinite where gamma is 1.
    #[serde(skip)]
    pub return_bound: f64,
    /// Mean dropout probability of every layer, from input to output: `p_0`, `p_1`, ...
    #[serde(skip)]
    pub p: Vec<f64>,
}

impl UpdateRecord {
    /// Whether the Q-values are beyond what the rewards allow, by more than a tenth.
    pub fn is_beyond_rewards(&self) -> bool {
        self.q_mean.abs() > 1.1 * self.return_bound
    }
}

impl Row for UpdateRecord {
    const FILE: &'static str = "updates.csv";
    const LAYER_COLUMNS: Option<&'static str> = Some("p_");

    fn of_layers(&self) -> &[f64] {
        &self.p
    }

    fn set_of_layers(&mut self, values: Vec<f64>) {
        self.p = values;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_may_exceed_what_rewards_allow_by_a_tenth() {
        let of = |q_mean| UpdateRecord { q_mean, return_bound: 100.0, ..UpdateRecord::default() };
        assert!([0.0, 109.9, -109.9].iter().all(|&q_mean| !of(q_mean).is_beyond_rewards()));
        assert!([110.1, -110.1, 373.0].iter().all(|&q_mean| of(q_mean).is_beyond_rewards()));
        let unbounded = UpdateRecord { return_bound: f64::INFINITY, ..of(1e30) };
        assert!(!unbounded.is_beyond_rewards(), "gamma = 1");
    }
}
