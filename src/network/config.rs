//! The `[network]` section of a config.

use serde::{Deserialize, Serialize};

use super::features::Features;
use crate::concrete::ConvMask;
use crate::section::{Ranges, Section};

/// A gigabyte of f32: the most numbers that one tensor may hold.
pub const LARGEST_TENSOR: i64 = 1 << 28;

/// The shape of a Q-network: the `[network]` section of a config.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkConfig {
    /// What stands in front of the linear layers.
    pub kind: NetworkKind,
    /// Units of each hidden linear layer, from input to output.
    pub hidden: Vec<i64>,
    /// Whether layers have biases. A bias is not dropped, so a Q-function that is constant can
    /// live in it alone and carry no uncertainty: without biases it can't.
    pub biases: bool,
    /// Number of random Fourier frequencies in front of a dense network, 0 for none. An image has none.
    pub fourier_features: usize,
    /// Their bandwidth, in radians per scaled observation unit.
    pub fourier_bandwidth: Bandwidth,
    /// The convolutions of a convolutional network.
    pub conv: ConvConfig,
}

/// What stands in front of the linear layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NetworkKind {
    /// Random Fourier features of the observation.
    Dense,
    /// Convolutions over the observation, which has to be an image.
    Conv,
    /// No layers at all: a value for every observation, which has to be one-hot, and every action.
    Table,
}

/// `[network.conv]`: the convolutions, each followed by a ReLU. Zeros around the image keep its size where
/// the stride is 1 and the kernel's side is odd.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConvConfig {
    /// Feature maps of each convolution, from input to output.
    pub channels: Vec<i64>,
    /// Side of the kernels, in pixels.
    pub kernel: i64,
    /// From one place of a kernel to the next, in pixels.
    pub stride: i64,
    /// What a mask covers: a unit, or a whole feature map.
    pub mask: ConvMask,
}

impl Default for ConvConfig {
    fn default() -> Self {
        Self { channels: vec![16], kernel: 3, stride: 1, mask: ConvMask::FeatureMap }
    }
}

impl Section for ConvConfig {
    fn check(&self, ranges: &mut Ranges) {
        let Self { channels, kernel, stride, mask: _ } = self;
        ranges.require(
            "channels",
            format!("{channels:?}"),
            (1..=16).contains(&channels.len()) && channels.iter().all(|maps| (1..=4096).contains(maps)),
            "1 to 16 convolutions of 1 to 4096 feature maps",
        );
        ranges.whole("kernel", *kernel, 1..=64);
        ranges.whole("stride", *stride, 1..=64);
    }
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
            kind: NetworkKind::Dense,
            hidden: vec![128, 128],
            biases: false,
            fourier_features: 32,
            fourier_bandwidth: Bandwidth::Auto(AutoKeyword::Auto),
            conv: ConvConfig::default(),
        }
    }
}

impl Section for NetworkConfig {
    fn check(&self, ranges: &mut Ranges) {
        let Self { kind: _, hidden, biases: _, fourier_features, fourier_bandwidth, conv } = self;
        let shown = format!("{hidden:?}");
        ranges.require(
            "hidden",
            &shown,
            (1..=16).contains(&hidden.len()) && hidden.iter().all(|units| (1..=16_384).contains(units)),
            "1 to 16 layers of 1 to 16384 units",
        );
        let weights = hidden.windows(2).map(|pair| pair[0].saturating_mul(pair[1]));
        ranges.require(
            "hidden",
            &shown,
            weights.fold(0, i64::saturating_add) <= LARGEST_TENSOR,
            "small enough for at most 268435456 weights",
        );
        ranges.whole("fourier_features", *fourier_features, 0..=16_384);
        if let Bandwidth::Fixed(bandwidth) = *fourier_bandwidth {
            let allowed = "a number from 1e-12 to 1e12, or \"auto\"";
            ranges.require("fourier_bandwidth", bandwidth, Ranges::is_positive(bandwidth), allowed);
        }
        ranges.section("conv", conv);
    }
}

impl NetworkConfig {
    /// Number of Fourier frequencies, none for images.
    pub fn frequencies(&self) -> usize {
        match self.kind {
            NetworkKind::Dense => self.fourier_features,
            NetworkKind::Conv | NetworkKind::Table => 0,
        }
    }

    /// The bandwidth of the Fourier features for this number of inputs.
    pub fn bandwidth(&self, inputs: usize) -> f64 {
        match self.fourier_bandwidth {
            Bandwidth::Fixed(bandwidth) => bandwidth,
            Bandwidth::Auto(_) => Features::bandwidth_for(inputs),
        }
    }
}
