//! The columns of a run's tables, read while another process may still be writing them.

use std::path::{Path, PathBuf};

use super::PlotError;

/// What `episodes.csv` says, one entry an episode in every column. An empty cell is a NaN.
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
    pub fn read(run_dir: &Path) -> Result<Self, PlotError> {
        let Some(table) = Table::read(run_dir.join("episodes.csv"))? else { return Ok(Self::default()) };
        let layers = (0..).take_while(|layer| table.has(&format!("p_{layer}"))).count();
        Ok(Self {
            total_steps: table.column("total_steps")?,
            episode_return: table.column("episode_return")?,
            mean_return: table.column("mean_return_100")?,
            dataset_size: table.column("dataset_size")?,
            precision: table.column("precision")?,
            epistemic_std: table.column("epistemic_std")?,
            dropout: (0..layers)
                .map(|layer| table.column(&format!("p_{layer}")))
                .collect::<Result<_, _>>()?,
        })
    }
}

/// What `episodes.csv` says of one layer at the end of one episode.
#[derive(Debug)]
pub(crate) struct LayerState {
    pub p: f64,
    pub squared_norm: f64,
    pub sensitivity: f64,
    pub dataset_size: f64,
    pub precision: f64,
}

impl LayerState {
    /// The states of a layer by number of the episode, from the first on. Empty where the run has no such layer.
    pub fn read(run_dir: &Path, layer: usize) -> Result<Vec<(u64, Self)>, PlotError> {
        let Some(table) = Table::read(run_dir.join("episodes.csv"))? else { return Ok(Vec::new()) };
        if !table.has(&format!("p_{layer}")) {
            return Ok(Vec::new());
        }
        let of_layer = |name: &str| table.column(&format!("{name}_{layer}"));
        let (p, squared_norm, sensitivity) =
            (of_layer("p")?, of_layer("squared_norm")?, of_layer("sensitivity")?);
        let (dataset_size, precision) = (table.column("dataset_size")?, table.column("precision")?);
        let episodes = table.column("episode")?;
        let state = |row: usize| Self {
            p: p[row],
            squared_norm: squared_norm[row],
            sensitivity: sensitivity[row],
            dataset_size: dataset_size[row],
            precision: precision[row],
        };
        Ok(episodes.iter().enumerate().map(|(row, episode)| (*episode as u64, state(row))).collect())
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
    pub fn read(run_dir: &Path) -> Result<Self, PlotError> {
        let path = run_dir.join("updates.csv");
        if !path.exists() {
            return Ok(Self::default());
        }
        let Some(table) = Table::read(path)? else { return Ok(Self::default()) };
        Ok(Self {
            total_steps: table.column("total_steps")?,
            td_error: table.column("td_error")?,
            epistemic_std: table.column("epistemic_std")?,
        })
    }
}

/// The text of a table and where its columns are.
struct Table {
    path: PathBuf,
    header: csv::StringRecord,
    rows: Vec<csv::StringRecord>,
}

impl Table {
    /// Reads the whole lines of a table; `None` if not even the header is whole.
    fn read(path: PathBuf) -> Result<Option<Self>, PlotError> {
        let text = std::fs::read(&path).map_err(|source| PlotError::Read { path: path.clone(), source })?;
        // What follows the last line end is a row in the middle of being written.
        let Some(end) = text.iter().rposition(|byte| *byte == b'\n') else { return Ok(None) };
        let mut reader = csv::Reader::from_reader(&text[..end]);
        let invalid = |error: csv::Error| PlotError::InvalidRow {
            line: error.position().map_or(1, csv::Position::line),
            problem: match error.kind() {
                csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                    format!("it has {len} cells where the header has {expected_len}")
                }
                csv::ErrorKind::Utf8 { .. } => "it is not text in UTF-8".to_owned(),
                _ => error.to_string(),
            },
            path: path.clone(),
        };
        let header = reader.headers().map_err(invalid)?.clone();
        let rows = reader.records().collect::<Result<_, _>>().map_err(invalid)?;
        Ok(Some(Self { path, header, rows }))
    }

    fn has(&self, column: &str) -> bool {
        self.header.iter().any(|name| name == column)
    }

    /// The numbers of a column, an empty cell as NaN.
    fn column(&self, column: &str) -> Result<Vec<f64>, PlotError> {
        let index = self
            .header
            .iter()
            .position(|name| name == column)
            .ok_or_else(|| PlotError::MissingColumn { path: self.path.clone(), column: column.to_owned() })?;
        self.rows.iter().map(|row| self.number(row, index, column)).collect()
    }

    fn number(&self, row: &csv::StringRecord, index: usize, column: &str) -> Result<f64, PlotError> {
        match row.get(index).map(str::trim) {
            None | Some("") => Ok(f64::NAN),
            Some(cell) => cell.parse().map_err(|_| PlotError::InvalidRow {
                path: self.path.clone(),
                line: row.position().map_or(0, csv::Position::line),
                problem: format!("column `{column}` holds `{cell}`, which is not a number"),
            }),
        }
    }
}
