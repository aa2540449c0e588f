//! Units of values: those of the environment's return, and those of the network.
//!
//! Inside, rewards are divided by the largest return that was seen, so that nothing depends on the scale of rewards.
//! What is reported is in units of the return.

use serde::{Deserialize, Serialize};

/// A value, or a standard deviation of one, as the network puts it out.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct NetworkUnits(pub f64);

/// A value, or a standard deviation of one, in units of the environment's return.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReturnUnits(pub f64);

/// Units of the return in a network unit, once a reward has told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ValueScale(Option<f64>);

impl ValueScale {
    /// As many units of the return; 0 where no reward has told yet.
    pub fn of(scale: f32) -> Self {
        Self((scale > 0.0).then(|| f64::from(scale)))
    }

    /// What multiplies a reward on its way to the network. While there is no scale every reward is 0.
    pub fn of_reward(self) -> f32 {
        self.0.map_or(1.0, |scale| (1.0 / scale) as f32)
    }

    /// In units of the return; NaN while there is no scale, since the value means nothing yet.
    pub fn to_return(self, value: NetworkUnits) -> ReturnUnits {
        ReturnUnits(self.0.map_or(f64::NAN, |scale| value.0 * scale))
    }

    /// In network units, where there is a scale.
    pub fn to_network(self, value: ReturnUnits) -> Option<NetworkUnits> {
        self.0.map(|scale| NetworkUnits(value.0 / scale))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_by_hand() {
        let scale = ValueScale::of(20.0);
        assert_eq!(scale.to_return(NetworkUnits(0.25)), ReturnUnits(5.0));
        assert_eq!(scale.to_network(ReturnUnits(5.0)), Some(NetworkUnits(0.25)));
        assert!((scale.of_reward() - 0.05).abs() < 1e-8);
    }

    #[test]
    fn without_a_scale_a_value_has_no_unit() {
        let scale = ValueScale::of(0.0);
        assert!(scale.to_return(NetworkUnits(1.0)).0.is_nan());
        assert_eq!((scale.to_network(ReturnUnits(1.0)), scale.of_reward()), (None, 1.0));
    }
}
