//! The Q-network, its parameters in one flat tensor, and their optimiser.

mod adam;
mod config;
mod features;
mod parameters;
mod q_network;

pub use adam::Adam;
pub use config::{AutoKeyword, Bandwidth, NetworkConfig};
pub use features::Features;
pub use parameters::{Initial, Parameters};
pub use q_network::{InitialUncertainty, PassNoise, QNetwork};
