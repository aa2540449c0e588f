//! The columns of a run's tables that are drawn.

use std::path::Path;

use crate::error::Error;
use crate::rows::{EpisodeRecord, EvaluationRecord, LayerRecord, MapRecord, Row, UpdateRecord, read};

/// What is drawn of a run.
#[derive(Debug, Default)]
pub(crate) struct RunTables {
    pub episodes: Episodes,
    pub updates: Updates,
    pub evaluations: Evaluations,
    pub course: Course,
    pub maps: Vec<MapRecord>,
    pub groups: Vec<Group>,
}

impl RunTables {
    /// Reads the tables of a run, the last of whose dropout probabilities is the mean of local dropout, if it has that. One
    /// that was stopped early, and one of an older version, may lack all but `episodes.csv`.
    pub fn read(run_dir: &Path, has_local_dropout: bool) -> Result<Self, Error> {
        let episodes: Vec<EpisodeRecord> = read(&run_dir.join(EpisodeRecord::FILE))?;
        let updates: Vec<UpdateRecord> = read_if_any(run_dir)?;
        Ok(Self {
            groups: Group::all(&episodes, read_if_any(run_dir)?),
            course: Course::of(&episodes, &updates, has_local_dropout),
            episodes: Episodes::of(&episodes),
            updates: Updates::of(&updates),
            evaluations: Evaluations::of(&read_if_any(run_dir)?),
            maps: read_if_any(run_dir)?,
        })
    }
}

fn read_if_any<R: Row>(run_dir: &Path) -> Result<Vec<R>, Error> {
    let path = run_dir.join(R::FILE);
    if path.exists() { read(&path) } else { Ok(Vec::new()) }
}

/// What changes with the steps, whether episodes end or not: the rows of `episodes.csv` and `updates.csv` in one order.
/// The updates of older versions say nothing of it.
#[derive(Debug, Default)]
pub(crate) struct Course {
    pub total_steps: Vec<f64>,
    pub dataset_size: Vec<f64>,
    pub precision: Vec<f64>,
    /// One column for each dropout layer, the layer nearest to the observation first.
    pub dropout: Vec<Vec<f64>>,
    /// The mean of local dropout.
    pub local_dropout: Option<Vec<f64>>,
}

impl Course {
    fn of(episodes: &[EpisodeRecord], updates: &[UpdateRecord], has_local_dropout: bool) -> Self {
        let of_episode = |row: &EpisodeRecord| (row.total_steps, row.dataset_size as f64, row.precision);
        let updates = updates.iter().filter(|row| row.dataset_size.is_finite());
        let mut rows: Vec<_> = updates
            .map(|row| ((row.total_steps, row.dataset_size, row.precision), &row.p))
            .chain(episodes.iter().map(|row| (of_episode(row), &row.p)))
            .collect();
        // Stable: an episode ends after the learner step that its last environment step brought.
        rows.sort_by_key(|((step, ..), _)| *step);
        let parts = rows.first().map_or(0, |(_, p)| p.len());
        let p = |part: usize| rows.iter().map(|(_, p)| p.get(part).copied().unwrap_or(f64::NAN)).collect();
        let mut dropout: Vec<_> = (0..parts).map(p).collect();
        let local_dropout = if has_local_dropout { dropout.pop() } else { None };
        Self {
            total_steps: rows.iter().map(|((step, ..), _)| *step as f64).collect(),
            dataset_size: rows.iter().map(|((_, size, _), _)| *size).collect(),
            precision: rows.iter().map(|((.., precision), _)| *precision).collect(),
            dropout,
            local_dropout,
        }
    }
}

/// A dropout group at the end of an episode, with what its objective needs of the episode.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Group {
    pub total_steps: f64,
    pub dataset_size: f64,
    pub precision: f64,
    pub layer: LayerRecord,
}

impl Group {
    /// Episode by episode, as `layers.csv` has them.
    fn all(episodes: &[EpisodeRecord], layers: Vec<LayerRecord>) -> Vec<Self> {
        let of = |layer: LayerRecord| {
            let episode = episodes.binary_search_by_key(&layer.episode, |row| row.episode).ok()?;
            let EpisodeRecord { total_steps, dataset_size, precision, .. } = episodes[episode];
            Some(Self {
                total_steps: total_steps as f64,
                dataset_size: dataset_size as f64,
                precision,
                layer,
            })
        };
        layers.into_iter().filter_map(of).collect()
    }
}

/// What `episodes.csv` says, one entry an episode in every column.
#[derive(Debug, Default)]
pub(crate) struct Episodes {
    pub total_steps: Vec<f64>,
    pub episode_return: Vec<f64>,
    pub mean_return: Vec<f64>,
    pub epistemic_std: Vec<f64>,
}

impl Episodes {
    fn of(rows: &[EpisodeRecord]) -> Self {
        let column = |number: fn(&EpisodeRecord) -> f64| rows.iter().map(number).collect();
        Self {
            total_steps: column(|row| row.total_steps as f64),
            episode_return: column(|row| row.episode_return),
            mean_return: column(|row| row.mean_return_100),
            epistemic_std: column(|row| row.epistemic_std),
        }
    }
}

/// What `evaluations.csv` says, one entry an evaluation in every column.
#[derive(Debug, Default)]
pub(crate) struct Evaluations {
    pub total_steps: Vec<f64>,
    pub mean_return: Vec<f64>,
}

impl Evaluations {
    fn of(rows: &[EvaluationRecord]) -> Self {
        Self {
            total_steps: rows.iter().map(|row| row.total_steps as f64).collect(),
            mean_return: rows.iter().map(|row| row.mean_return).collect(),
        }
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
    fn of(rows: &[UpdateRecord]) -> Self {
        let column = |number: fn(&UpdateRecord) -> f64| rows.iter().map(number).collect();
        Self {
            total_steps: column(|row| row.total_steps as f64),
            td_error: column(|row| row.td_error),
            epistemic_std: column(|row| row.epistemic_std),
        }
    }
}
