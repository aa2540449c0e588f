//! `maps.csv`.

use serde::{Deserialize, Serialize};

use super::Row;
use super::number::{nan, optional_single, or_nan, single, single_or_empty};

/// A cell of the state space at one moment of a training: a row of `maps.csv`. There is one for every cell, row of cells by
/// row of cells, and five moments; runs have it where observations are no images
/// ([`StateGrid`](crate::state_grid::StateGrid)).
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct MapRecord {
    /// Environment steps of the training up to then.
    pub env_steps: u64,
    /// The centre of the cell: the first state variable, or the column of a grid.
    #[serde(serialize_with = "single")]
    pub x: f64,
    /// The second state variable, or the row of a grid, from the top down.
    #[serde(serialize_with = "single")]
    pub y: f64,
    /// Transitions of the replay that start in the cell.
    pub visits: u64,
    /// Value of the greedy action, in units of the return; empty before the first reward.
    #[serde(serialize_with = "single_or_empty", deserialize_with = "or_nan")]
    pub value: f64,
    /// The greedy action.
    pub greedy_action: usize,
    /// Epistemic std of its value, in units of the return; empty before the first reward.
    #[serde(serialize_with = "single_or_empty", deserialize_with = "or_nan")]
    pub epistemic_std: f64,
    /// Its local p, the mean over the places of the cell's centre; empty without local dropout.
    #[serde(serialize_with = "optional_single")]
    pub local_p: Option<f64>,
    /// p of the first of these places; empty without local dropout.
    #[serde(serialize_with = "optional_single", default)]
    pub place_p: Option<f64>,
    /// Its sensitivity `w^2 n / N`, n of the transitions starting there with that action, in squared network units: with N,
    /// tau and K = 1 all that its [`Landscape`](crate::concrete::Landscape) depends on.
    #[serde(serialize_with = "optional_single", default)]
    pub place_sensitivity: Option<f64>,
    /// N of the objective. It and what stands beside it are not in the maps of the first runs that have any.
    #[serde(default)]
    pub dataset_size: u64,
    /// Precision tau, in network units.
    #[serde(serialize_with = "single", default = "nan")]
    pub precision: f64,
}

impl Row for MapRecord {
    const FILE: &'static str = "maps.csv";
}

/// The maps in the rows of a table, one for each moment, and how many cells a line of them has. The last map may be in the
/// middle of being written, and is then left out.
pub fn whole_maps(rows: &[MapRecord]) -> (usize, Vec<&[MapRecord]>) {
    let mut maps: Vec<&[MapRecord]> = rows.chunk_by(|a, b| a.env_steps == b.env_steps).collect();
    let columns = rows.chunk_by(|a, b| a.env_steps == b.env_steps && a.y == b.y).next().map_or(0, <[_]>::len);
    let cells = maps.first().map_or(0, |map| map.len());
    if maps.last().is_some_and(|last| last.len() < cells || last.len() % columns != 0) {
        maps.pop();
    }
    (columns, maps)
}
