//! What a checkpoint keeps of a run.

use serde::{Deserialize, Serialize};

use super::summary::RunStatistics;
use super::tables::TableLengths;

/// What a checkpoint keeps of a run's files and figures.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    pub(super) tables: TableLengths,
    pub(super) statistics: RunStatistics,
    pub(super) training_seconds: f64,
}
