//! The tables of a run as columns, from their start or from where they were read before.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use serde::Serialize;

use super::columns::Columns;
use crate::error::Error;
use crate::rows::{EpisodeRecord, EvaluationRecord, LayerRecord, Row, UpdateRecord, read_after};
use crate::run::{RunDirectory, episode_times};

/// At how many episodes the state of the layers is kept, for the objective at each of them.
const MOMENTS: usize = 200;
/// So many rows of layers are kept in all, where layers have many dropout groups.
const LAYER_ROWS: usize = 12_000;

/// The tables of a run, or what was added to them.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Tables {
    /// Of `episodes.csv`.
    pub episodes: Columns,
    /// Of `updates.csv`.
    pub updates: Columns,
    /// Of `evaluations.csv`.
    pub evaluations: Columns,
    /// Of `layers.csv`.
    pub layers: Columns,
}

/// Means of stretches of the tables that a page shows fewer rows of.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Means {
    #[serde(skip_serializing_if = "Option::is_none")]
    episodes: Option<Columns>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updates: Option<Columns>,
    #[serde(skip_serializing_if = "Option::is_none")]
    evaluations: Option<Columns>,
    /// Environment steps of the last row.
    until: f64,
}

/// Up to which byte each table has been read. As text it is the id of a dashboard's event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ends {
    episodes: u64,
    updates: u64,
    evaluations: u64,
    layers: u64,
}

impl Tables {
    /// What was added to the tables of a run after `ends`, and where they end now. `None` where these are not the
    /// tables that were read then.
    ///
    /// # Errors
    /// Where a table can't be read.
    pub fn read_after(directory: &RunDirectory, ends: Ends) -> Result<Option<(Self, Ends)>, Error> {
        // The layers of an episode are written before the episode.
        let Some((episodes, episodes_end)) = added(&directory.episodes(), ends.episodes)? else {
            return Ok(None);
        };
        let Some((layers, layers_end)) = added(&directory.layers(), ends.layers)? else { return Ok(None) };
        let Some((updates, updates_end)) = added(&directory.updates(), ends.updates)? else {
            return Ok(None);
        };
        let Some((evaluations, evaluations_end)) = added(&directory.evaluations(), ends.evaluations)? else {
            return Ok(None);
        };
        let tables = Self {
            episodes: timed(of_episodes(&episodes), &episodes, &directory.monitor())?,
            updates: of_updates(&updates),
            evaluations: of_evaluations(&evaluations),
            layers: of_layers(&layers),
        };
        let ends = Ends {
            episodes: episodes_end,
            updates: updates_end,
            evaluations: evaluations_end,
            layers: layers_end,
        };
        Ok(Some((tables, ends)))
    }

    /// The tables with about `most` rows of each at most; all that any column's lowest and highest values tell is
    /// still there.
    pub fn thinned(&self, most: usize) -> Self {
        let (moments, layers) = self.moments();
        let mut episodes = self.episodes.telling(most);
        episodes.extend(moments);
        Self {
            episodes: self.episodes.rows(&episodes),
            updates: self.updates.rows(&self.updates.telling(most)),
            evaluations: self.evaluations.rows(&self.evaluations.telling(most)),
            layers: self.layers.rows(&layers),
        }
    }

    /// Means along the tables that are [thinned](Self::thinned) to `most` rows. What is left of those are extremes: to be
    /// seen, and not to be averaged or smoothed.
    pub fn means(&self, most: usize) -> Option<Means> {
        let count = (most / 4).clamp(100, 600);
        let of = |table: &Columns| (table.len() > most).then(|| table.means(count));
        let tables = [&self.episodes, &self.updates, &self.evaluations];
        let steps = tables.map(|table| table.column("total_steps").last().copied());
        let until = steps.into_iter().flatten().fold(0.0, f64::max);
        let [episodes, updates, evaluations] = tables.map(of);
        let is_any = episodes.is_some() || updates.is_some() || evaluations.is_some();
        is_any.then_some(Means { episodes, updates, evaluations, until })
    }

    /// Rows of episodes at which the state of the layers is kept, evenly spread, and the rows of `layers` that go with
    /// them.
    fn moments(&self) -> (BTreeSet<usize>, BTreeSet<usize>) {
        let (episodes, layers) = (self.episodes.column("episode"), self.layers.column("episode"));
        let groups = layers.iter().take_while(|&episode| Some(episode) == layers.first()).count().max(1);
        let most = MOMENTS.min((LAYER_ROWS / groups).max(2));
        let period = episodes.len().div_ceil(most).max(1);
        // Counted from the last.
        let moments: BTreeSet<usize> = (0..episodes.len()).rev().step_by(period).collect();
        let kept: BTreeSet<u64> = moments.iter().map(|&row| episodes[row] as u64).collect();
        let rows = (0..layers.len()).filter(|&row| kept.contains(&(layers[row] as u64)));
        (moments, rows.collect())
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        [&self.episodes, &self.updates, &self.evaluations, &self.layers].iter().all(|table| table.len() == 0)
    }
}

impl fmt::Display for Ends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { episodes, updates, evaluations, layers } = self;
        write!(f, "{episodes}.{updates}.{evaluations}.{layers}")
    }
}

impl FromStr for Ends {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let numbers: Result<Vec<u64>, _> = text.split('.').map(str::parse).collect();
        match numbers.map_err(|_| ())?[..] {
            [episodes, updates, evaluations, layers] => Ok(Self { episodes, updates, evaluations, layers }),
            _ => Err(()),
        }
    }
}

/// The rows that were added; of a table that a run does not have, none.
fn added<R: Row>(path: &Path, bytes: u64) -> Result<Option<(Vec<R>, u64)>, Error> {
    if path.exists() { read_after(path, bytes) } else { Ok((bytes == 0).then(|| (Vec::new(), 0))) }
}

fn of_episodes(rows: &[EpisodeRecord]) -> Columns {
    let columns = Columns::of(
        rows,
        &[
            ("episode", |row| row.episode as f64),
            ("total_steps", |row| row.total_steps as f64),
            ("episode_return", |row| row.episode_return),
            ("episode_length", |row| row.episode_length as f64),
            ("mean_return_100", |row| row.mean_return_100),
            ("dataset_size", |row| row.dataset_size as f64),
            ("precision", |row| row.precision),
            ("epistemic_std", |row| row.epistemic_std),
            ("aleatoric_std", |row| row.aleatoric_std),
            ("exploratory_share", |row| row.exploratory_share.unwrap_or(f64::NAN)),
        ],
    );
    columns.with_layers(rows, |row| &row.p)
}

/// The episodes with the seconds from the run's start to their ends, where `monitor.csv` tells them: not where the run
/// began with a version without it. The last of its rows may be on their way.
fn timed(columns: Columns, rows: &[EpisodeRecord], monitor: &Path) -> Result<Columns, Error> {
    let Some(last) = rows.last().filter(|_| monitor.exists()) else { return Ok(columns) };
    let times = episode_times(monitor)?;
    if times.len() as u64 + 2 < last.episode {
        return Ok(columns);
    }
    let time = |row: &EpisodeRecord| times.get((row.episode as usize).wrapping_sub(1)).copied();
    Ok(columns.with("seconds", rows.iter().map(|row| time(row).unwrap_or(f64::NAN)).collect()))
}

fn of_updates(rows: &[UpdateRecord]) -> Columns {
    let columns = Columns::of(
        rows,
        &[
            ("total_steps", |row| row.total_steps as f64),
            ("loss", |row| row.loss),
            ("data_term", |row| row.data_term),
            ("weight_term", |row| row.weight_term),
            ("entropy_term", |row| row.entropy_term),
            ("precision_term", |row| row.precision_term),
            ("td_error", |row| row.td_error),
            ("q_mean", |row| row.q_mean),
            ("epistemic_std", |row| row.epistemic_std),
            ("gradient_norm", |row| row.gradient_norm),
            ("learning_rate", |row| row.learning_rate),
            ("dataset_size", |row| row.dataset_size),
            ("precision", |row| row.precision),
        ],
    );
    columns.with_layers(rows, |row| &row.p)
}

fn of_evaluations(rows: &[EvaluationRecord]) -> Columns {
    Columns::of(
        rows,
        &[
            ("total_steps", |row| row.total_steps as f64),
            ("mean_return", |row| row.mean_return),
            ("std_return", |row| row.std_return),
            ("min_return", |row| row.min_return),
            ("max_return", |row| row.max_return),
        ],
    )
}

fn of_layers(rows: &[LayerRecord]) -> Columns {
    Columns::of(
        rows,
        &[
            ("episode", |row| row.episode as f64),
            ("layer", |row| row.layer as f64),
            ("group", |row| row.group as f64),
            ("masks", |row| row.masks as f64),
            ("p", |row| row.p),
            ("squared_norm", |row| row.squared_norm),
            ("sensitivity", |row| row.sensitivity),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables(episodes: u64, groups: usize) -> Tables {
        let rows: Vec<EpisodeRecord> = (1..=episodes)
            .map(|episode| EpisodeRecord { episode, total_steps: 9 * episode, ..EpisodeRecord::default() })
            .collect();
        let layers: Vec<LayerRecord> = rows
            .iter()
            .flat_map(|row| {
                (0..groups).map(|group| LayerRecord { episode: row.episode, group, ..LayerRecord::default() })
            })
            .collect();
        Tables { episodes: of_episodes(&rows), layers: of_layers(&layers), ..Tables::default() }
    }

    #[test]
    fn the_layers_of_every_moment_come_with_their_episode() {
        let thin = tables(10_000, 3).thinned(500);
        let episodes: BTreeSet<u64> =
            thin.episodes.column("episode").iter().map(|&number| number as u64).collect();
        let layers: Vec<u64> = thin.layers.column("episode").iter().map(|&number| number as u64).collect();
        assert_eq!(layers.len(), 3 * MOMENTS);
        assert!(layers.iter().all(|episode| episodes.contains(episode)) && layers.last() == Some(&10_000));
        assert!(episodes.len() <= 700, "{}", episodes.len());
        let few = tables(5, 3);
        // Compared as text, since a NaN is no other.
        assert_eq!(format!("{:?}", few.thinned(500)), format!("{few:?}"));
        // Where every unit has its own p, fewer moments are kept.
        assert!(tables(1_000, 400).thinned(500).layers.len() <= LAYER_ROWS);
    }

    #[test]
    fn every_table_that_is_thinned_has_means() {
        let run = tables(2_000, 0);
        let run = Tables { evaluations: run.episodes.clone(), ..run };
        let means = run.means(600).unwrap();
        let [episodes, evaluations] = [means.episodes, means.evaluations].map(Option::unwrap);
        assert_eq!(episodes.column("total_steps"), evaluations.column("total_steps"));
        assert!(means.updates.is_none() && evaluations.len() <= 150);
        assert!((means.until - 18_000.0).abs() < 1e-9);
        assert!(run.means(3_000).is_none());
    }

    #[test]
    fn episodes_are_timed_where_a_monitor_has_seen_them() {
        let folder = tempfile::tempdir().unwrap();
        let monitor = folder.path().join("monitor.csv");
        let rows = [1, 3].map(|episode| EpisodeRecord { episode, ..EpisodeRecord::default() });
        let seconds = || timed(of_episodes(&rows), &rows, &monitor).unwrap().column("seconds").to_vec();
        assert!(seconds().is_empty());
        let head = "#{\"t_start\": 1.5, \"env_id\": \"X-v0\"}\nr,l,t\n";
        std::fs::write(&monitor, format!("{head}9.0,9,0.25\n9.0,9,0.5\n9.0,9,0.75\n9.0,")).unwrap();
        assert_eq!(seconds(), [0.25, 0.75]);
        // It began later than the run.
        std::fs::write(&monitor, head).unwrap();
        assert!(seconds().is_empty());
    }

    #[test]
    fn where_tables_end_is_an_id() {
        let ends = Ends { episodes: 1, updates: 2, evaluations: 3, layers: 4 };
        assert_eq!((ends.to_string().as_str(), ends.to_string().parse()), ("1.2.3.4", Ok(ends)));
        for wrong in ["", "1.2.3", "1.2.3.4.5", "1.2.3.-4", "1.2.3.x"] {
            assert_eq!(wrong.parse::<Ends>(), Err(()), "{wrong}");
        }
    }
}
