//! `episodes.csv`.

use serde::{Deserialize, Serialize};

use super::Row;
use super::layer::LayerRecord;
use super::number::{exact, nan, optional_single, or_nan, single, single_or_empty};

/// What one training episode was: a row of `episodes.csv`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EpisodeRecord {
    /// Number of the episode, from 1.
    pub episode: u64,
    /// Environment steps up to its end.
    pub total_steps: u64,
    /// Sum of its rewards, undiscounted.
    #[serde(serialize_with = "exact")]
    pub episode_return: f64,
    /// Its steps.
    pub episode_length: u64,
    /// Whether it terminated; otherwise it was truncated.
    pub terminated: bool,
    /// Mean return of the last 100 episodes, or of as many as there are.
    #[serde(serialize_with = "exact")]
    pub mean_return_100: f64,
    /// N of the objective from now on.
    pub dataset_size: u64,
    /// Precision tau of the targets, in network units.
    #[serde(serialize_with = "single")]
    pub precision: f64,
    /// Epistemic standard deviation at some of the episode's observations, in units of the return.
    #[serde(serialize_with = "single_or_empty", deserialize_with = "or_nan")]
    pub epistemic_std: f64,
    /// Aleatoric standard deviation of its TD targets, in units of the return.
    #[serde(serialize_with = "single_or_empty", deserialize_with = "or_nan", default = "nan")]
    pub aleatoric_std: f64,
    /// Share of the exploration rule's decisions that were not greedy; `None` where all actions came before learning
    /// starts.
    #[serde(serialize_with = "optional_single")]
    pub exploratory_share: Option<f64>,
    /// Mean dropout probability of every layer, from input to output, `p_0`, `p_1`, ..., and last of local dropout, if there is
    /// any.
    #[serde(skip)]
    pub p: Vec<f64>,
    /// The rows of `layers.csv` that go with it.
    #[serde(skip)]
    pub layers: Vec<LayerRecord>,
}

impl Row for EpisodeRecord {
    const FILE: &'static str = "episodes.csv";
    const LAYER_COLUMNS: Option<&'static str> = Some("p_");

    fn of_layers(&self) -> &[f64] {
        &self.p
    }

    fn set_of_layers(&mut self, values: Vec<f64>) {
        self.p = values;
    }
}
