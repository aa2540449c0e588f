//! `layers.csv`.

use serde::{Deserialize, Serialize};

use super::Row;
use super::number::single;

/// A dropout group at the end of an episode: a row of `layers.csv`. With the episode's N and tau it is all that the
/// group's [`Landscape`](crate::concrete::Landscape) depends on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct LayerRecord {
    /// Number of the episode, from 1.
    pub episode: u64,
    /// Number of the layer, from input to output.
    pub layer: usize,
    /// Number of the group in its layer.
    pub group: usize,
    /// K, the masks that share its p.
    pub masks: usize,
    /// Dropout probability.
    #[serde(serialize_with = "single")]
    pub p: f64,
    /// `||W||^2` of the weights that its masks multiply.
    #[serde(serialize_with = "single")]
    pub squared_norm: f64,
    /// Sensitivity c at some of the episode's observations, in squared network units.
    #[serde(serialize_with = "single")]
    pub sensitivity: f64,
}

impl Row for LayerRecord {
    const FILE: &'static str = "layers.csv";
}
