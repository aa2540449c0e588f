//! The Q-network, its parameters in one flat tensor, and their optimiser.

mod adam;
mod config;
mod features;
mod memory;
mod parameters;
mod pass_noise;
mod q_network;

pub use adam::{Adam, AdamStep};
pub use config::{AutoKeyword, Bandwidth, NetworkConfig};
pub use features::Features;
pub use parameters::{Initial, Parameters};
pub use pass_noise::PassNoise;
pub use q_network::{InitialUncertainty, QNetwork};
