//! The Q-network, its parameters in one flat tensor, and their optimiser.

mod adam;
mod architecture;
mod config;
mod features;
mod flat_tensor;
mod layer;
mod parameters;
mod pass_noise;
mod prediction;
mod q_network;

pub use adam::{Adam, AdamStep};
pub use config::{AutoKeyword, Bandwidth, ConvConfig, NetworkConfig, NetworkKind};
pub use features::Features;
pub use flat_tensor::FlatTensor;
pub use layer::{Layer, LayerShape};
pub use parameters::{Initial, Parameters};
pub use pass_noise::PassNoise;
pub use prediction::Prediction;
pub use q_network::{InitialUncertainty, QNetwork};
