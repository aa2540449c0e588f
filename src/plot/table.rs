//! The columns of a run's tables that are drawn.

use std::path::Path;

use crate::error::Error;
use crate::rows::{EpisodeRecord, Row, UpdateRecord, read};

/// What `episodes.csv` says, one entry an episode in every column.
#[derive(Debug, Default)]
pub(crate) struct Episodes {
    pub total_steps: Vec<f64>,
    pub episode_return: Vec<f64>,
    pub mean_return: Vec<f64>,
    pub dataset_size: Vec<f64>,
    pub precision: Vec<f64>,
    pub epistemic_std: Vec<f64>,
    /// One column for each dropout layer, the layer nearest to the observation first.
    pub dropout: Vec<Vec<f64>>,
}

impl Episodes {
    /// Reads `episodes.csv` of a run.
    pub fn read(run_dir: &Path) -> Result<Self, Error> {
        let rows: Vec<EpisodeRecord> = read(&run_dir.join(EpisodeRecord::FILE))?;
        let column = |number: fn(&EpisodeRecord) -> f64| rows.iter().map(number).collect();
        let layers = rows.first().map_or(0, |row| row.p.len());
        Ok(Self {
            total_steps: column(|row| row.total_steps as f64),
            episode_return: column(|row| row.episode_return),
            mean_return: column(|row| row.mean_return_100),
            dataset_size: column(|row| row.dataset_size as f64),
            precision: column(|row| row.precision),
            epistemic_std: column(|row| row.epistemic_std),
            dropout: (0..layers).map(|layer| rows.iter().map(|row| row.p[layer]).collect()).collect(),
        })
    }
}

/// What `updates.csv` says, one entry each logged update in every column.
#[derive(Debug, Default)]
pub(crate) struct Updates {
    pub total_steps: Vec<f64>,
    pub td_error: Vec<f64>,
    pub epistemic_std: Vec<f64>,
}

impl Updates {
    /// Reads `updates.csv` of a run. A run that was stopped before its first update may not have the file.
    pub fn read(run_dir: &Path) -> Result<Self, Error> {
        let path = run_dir.join(UpdateRecord::FILE);
        let rows: Vec<UpdateRecord> = if path.exists() { read(&path)? } else { Vec::new() };
        let column = |number: fn(&UpdateRecord) -> f64| rows.iter().map(number).collect();
        Ok(Self {
            total_steps: column(|row| row.total_steps as f64),
            td_error: column(|row| row.td_error),
            epistemic_std: column(|row| row.epistemic_std),
        })
    }
}
