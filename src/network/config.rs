//! The `[network]` section of a config.

use serde::{Deserialize, Serialize};

use super::features::Features;

/// The shape of a Q-network: the `[network]` section of a config.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkConfig {
    /// Units of each hidden layer, from input to output.
    pub hidden: Vec<i64>,
    /// Whether the linear layers have biases. A bias is not dropped, so a Q-function that is constant can live in it
    /// alone and carry no uncertainty: without biases it can't.
    pub biases: bool,
    /// Number of random Fourier frequencies in front of the network, 0 for none.
    pub fourier_features: usize,
    /// Their bandwidth, in radians per scaled observation unit.
    pub fourier_bandwidth: Bandwidth,
}

/// The bandwidth of the Fourier features.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a number, or \"auto\"")]
pub enum Bandwidth {
    /// A given standard deviation of the frequencies.
    Fixed(f64),
    /// [`Features::bandwidth_for`] the number of inputs.
    Auto(AutoKeyword),
}

/// The word `auto`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AutoKeyword {
    /// `auto`
    Auto,
}

impl Default for NetworkConfig {
    fn default() -> Self {
        Self {
            hidden: vec![128, 128],
            biases: false,
            fourier_features: 32,
            fourier_bandwidth: Bandwidth::Auto(AutoKeyword::Auto),
        }
    }
}

impl NetworkConfig {
    /// The bandwidth of the Fourier features for so many inputs.
    pub fn bandwidth(&self, inputs: usize) -> f64 {
        match self.fourier_bandwidth {
            Bandwidth::Fixed(bandwidth) => bandwidth,
            Bandwidth::Auto(_) => Features::bandwidth_for(inputs),
        }
    }
}
