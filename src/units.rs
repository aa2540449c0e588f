//! Units of values: those of the environment's return, and those of the network.
//!
//! Inside, rewards are scaled by 1 - gamma, so that values stay within the rewards' range whatever the horizon. What is
//! reported is in units of the return.

use serde::{Deserialize, Serialize};

/// A value, or a standard deviation of one, as the network puts it out.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct NetworkUnits(pub f64);

/// A value, or a standard deviation of one, in units of the environment's return.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReturnUnits(pub f64);

/// Network units in a unit of the return.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ValueScale(f64);

impl ValueScale {
    /// That of a discount factor below 1.
    pub fn of_discount(gamma: f64) -> Self {
        Self(1.0 - gamma)
    }

    /// What multiplies a reward on its way to the network.
    pub fn of_reward(self) -> f32 {
        self.0 as f32
    }

    /// In units of the return.
    pub fn to_return(self, value: NetworkUnits) -> ReturnUnits {
        ReturnUnits(value.0 / self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundredth_of_the_return_at_a_discount_of_0_99() {
        let scale = ValueScale::of_discount(0.99);
        assert!((scale.to_return(NetworkUnits(0.05)).0 - 5.0).abs() < 1e-12);
        assert!((scale.of_reward() - 0.01).abs() < 1e-8);
    }
}
