//! The Q-network, its parameters in one flat tensor, and their optimiser.

mod adam;
mod architecture;
mod config;
mod features;
mod flat_tensor;
mod layer;
mod local;
mod parameters;
mod pass_noise;
mod places;
mod q_network;

pub use adam::{Adam, AdamStep, Segment};
pub use architecture::InitialUncertainty;
pub use config::{AutoKeyword, Bandwidth, ConvConfig, LARGEST_TENSOR, NetworkConfig, NetworkKind};
pub use features::Features;
pub use layer::LayerShape;
pub use local::{LocalConfig, LocalDropout, LocalP, PlaceFigures};
pub use parameters::{Fill, Initial, MissingParameter, NamedValues, Parameter, Parameters, Slot};
pub use pass_noise::PassNoise;
pub use places::{Places, TilingNumbers};
pub use q_network::QNetwork;
