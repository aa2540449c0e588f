//! The Q-network, its parameters in one flat tensor, and their optimiser.

mod adam;
mod features;
mod parameters;
mod q_network;

pub use adam::Adam;
pub use features::Features;
pub use parameters::{Initial, Parameters};
pub use q_network::{AutoKeyword, Bandwidth, InitialUncertainty, NetworkConfig, PassNoise, QNetwork};
