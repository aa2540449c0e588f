//! The tables of a run.

use serde::{Deserialize, Serialize};

use super::directory::RunDirectory;
use super::monitor::Monitor;
use crate::error::Error;
use crate::rows::{EpisodeRecord, EvaluationRecord, LayerRecord, MapRecord, RowWriter, UpdateRecord};

/// The tables of a run, each on disk up to its last row.
#[derive(Debug)]
pub struct Tables {
    episodes: RowWriter<EpisodeRecord>,
    layers: RowWriter<LayerRecord>,
    updates: RowWriter<UpdateRecord>,
    evaluations: RowWriter<EvaluationRecord>,
    maps: RowWriter<MapRecord>,
    monitor: Monitor,
}

/// How many bytes each of the tables has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableLengths {
    episodes: u64,
    layers: u64,
    updates: u64,
    evaluations: u64,
    maps: u64,
    monitor: u64,
}

impl Tables {
    /// Creates the tables of a run with `layers` layers in the environment `env`.
    ///
    /// # Errors
    /// Where they exist or can't be written.
    pub fn create(directory: &RunDirectory, env: &str, layers: usize) -> Result<Self, Error> {
        Ok(Self {
            episodes: RowWriter::create(&directory.episodes(), layers)?,
            layers: RowWriter::create(&directory.layers(), layers)?,
            updates: RowWriter::create(&directory.updates(), layers)?,
            evaluations: RowWriter::create(&directory.evaluations(), layers)?,
            maps: RowWriter::create(&directory.maps(), layers)?,
            monitor: Monitor::create(&directory.monitor(), env)?,
        })
    }

    /// Opens the tables as they were when they had these lengths: the rows after them are cut off.
    ///
    /// # Errors
    /// Where one is shorter, has other columns, or can't be written.
    pub fn reopen(directory: &RunDirectory, layers: usize, lengths: TableLengths) -> Result<Self, Error> {
        Ok(Self {
            episodes: RowWriter::reopen(&directory.episodes(), layers, lengths.episodes)?,
            layers: RowWriter::reopen(&directory.layers(), layers, lengths.layers)?,
            updates: RowWriter::reopen(&directory.updates(), layers, lengths.updates)?,
            evaluations: RowWriter::reopen(&directory.evaluations(), layers, lengths.evaluations)?,
            maps: RowWriter::reopen(&directory.maps(), layers, lengths.maps)?,
            monitor: Monitor::reopen(&directory.monitor(), lengths.monitor)?,
        })
    }

    /// Appends an episode and its layers.
    ///
    /// # Errors
    /// Where they can't be written.
    pub fn append_episode(&mut self, record: &EpisodeRecord) -> Result<(), Error> {
        // The layers first, so that whoever reads a run that is being written finds those of every episode.
        self.layers.append(&record.layers)?;
        self.monitor.append(record)?;
        self.episodes.append([record])
    }

    /// Appends a learner step.
    ///
    /// # Errors
    /// Where it can't be written.
    pub fn append_update(&mut self, record: &UpdateRecord) -> Result<(), Error> {
        self.updates.append([record])
    }

    /// Appends an evaluation.
    ///
    /// # Errors
    /// Where it can't be written.
    pub fn append_evaluation(&mut self, record: &EvaluationRecord) -> Result<(), Error> {
        self.evaluations.append([record])
    }

    /// Appends a map of the state space.
    ///
    /// # Errors
    /// Where it can't be written.
    pub fn append_map(&mut self, rows: &[MapRecord]) -> Result<(), Error> {
        self.maps.append(rows)
    }

    /// Waits until all rows are on the disk and returns how many bytes they are.
    ///
    /// # Errors
    /// Where they can't be written.
    pub fn sync(&self) -> Result<TableLengths, Error> {
        Ok(TableLengths {
            episodes: self.episodes.sync()?,
            layers: self.layers.sync()?,
            updates: self.updates.sync()?,
            evaluations: self.evaluations.sync()?,
            maps: self.maps.sync()?,
            monitor: self.monitor.sync()?,
        })
    }
}
