//! `evaluations.csv`.

use serde::{Deserialize, Serialize};

use super::Row;
use super::number::exact;
use crate::evaluation::Evaluation;

/// What an evaluation while training came to: a row of `evaluations.csv`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EvaluationRecord {
    /// Environment steps of the training up to then.
    pub total_steps: u64,
    /// Episodes played.
    pub episodes: u64,
    /// Mean of their returns.
    #[serde(serialize_with = "exact")]
    pub mean_return: f64,
    /// Population standard deviation of the returns.
    #[serde(serialize_with = "exact")]
    pub std_return: f64,
    /// Lowest return.
    #[serde(serialize_with = "exact")]
    pub min_return: f64,
    /// Highest return.
    #[serde(serialize_with = "exact")]
    pub max_return: f64,
    /// Mean number of steps.
    #[serde(serialize_with = "exact")]
    pub mean_length: f64,
    /// How many of the episodes were cut before their end.
    pub cut: u64,
}

impl EvaluationRecord {
    /// The row of an evaluation after so many environment steps of the training.
    pub fn new(total_steps: u64, evaluation: &Evaluation) -> Self {
        let Evaluation { episodes, mean_return, std_return, min_return, max_return, mean_length, cut } =
            *evaluation;
        Self { total_steps, episodes, mean_return, std_return, min_return, max_return, mean_length, cut }
    }
}

impl Row for EvaluationRecord {
    const FILE: &'static str = "evaluations.csv";
}
