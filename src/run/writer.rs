//! The files of a run, written while it happens.

use std::time::{Duration, Instant};

use control_envs::EnvSpec;

use super::directory::RunDirectory;
use super::events::Events;
use super::model;
use super::record::Record;
use super::redraw::Redraw;
use super::summary::Summary;
use super::tables::Tables;
use crate::agent::Agent;
use crate::checkpoint::Checkpoints;
use crate::config::Config;
use crate::error::Error;
use crate::files::{self, read_json, write_json};
use crate::plot::RunLabel;
use crate::rows::{EpisodeRecord, EvaluationRecord, MapRecord, UpdateRecord};
use crate::training::TrainingSnapshot;

/// How many times over a checkpoint is due when it is written in the middle of an episode that can't be saved: better
/// one that loses the episode than none where episodes do not end.
const OVERDUE: f64 = 5.0;

/// Environment steps from one histogram of local dropout to the next.
const PLACES_PERIOD: u64 = 1_000;

/// Writes a row as it happens, and the model and the plots every `logging.redraw_seconds`.
#[derive(Debug)]
pub struct RunWriter {
    directory: RunDirectory,
    tables: Tables,
    events: Events,
    label: RunLabel,
    period: Duration,
    /// Draws the plots while the run trains.
    redraw: Option<Redraw>,
    model_saved: Instant,
    /// `None` where none are to be written.
    checkpoints: Option<Checkpoints>,
    checkpoint_saved: Instant,
    episodes_since: u64,
}

impl RunWriter {
    /// Creates the files of a run in `directory`.
    ///
    /// # Errors
    /// Where they can't be written.
    pub fn create(
        directory: RunDirectory,
        config: &Config,
        spec: &EnvSpec,
        agent: &Agent,
    ) -> Result<Self, Error> {
        let tables = Tables::create(&directory, &config.env, agent.network().dropout_parts())?;
        let events = Events::create(&directory)?;
        let checkpoints = Checkpoints::new(directory.checkpoints(), config.checkpoint.keep);
        Ok(Self::over(directory, config, spec, (tables, events), checkpoints))
    }

    /// Opens the files of a run in `directory` as they were when the `record` of a checkpoint was made: the
    /// rows that came after it are cut off.
    ///
    /// # Errors
    /// Where they are not as they were then, or can't be written.
    pub fn reopen(
        directory: RunDirectory,
        config: &Config,
        spec: &EnvSpec,
        agent: &Agent,
        checkpoints: Checkpoints,
        record: &Record,
    ) -> Result<Self, Error> {
        let layers = agent.network().dropout_parts();
        let tables = Tables::reopen(&directory, layers, record.tables)?;
        let events = Events::resume(&directory, agent.steps())?;
        Ok(Self::over(directory, config, spec, (tables, events), checkpoints))
    }

    fn over(
        directory: RunDirectory,
        config: &Config,
        spec: &EnvSpec,
        (tables, events): (Tables, Events),
        checkpoints: Checkpoints,
    ) -> Self {
        let now = Instant::now();
        Self {
            directory,
            tables,
            events,
            label: RunLabel::of(config, Some(spec)),
            period: Duration::from_secs_f64(config.logging.redraw_seconds),
            redraw: None,
            model_saved: now,
            checkpoints: (config.checkpoint.keep > 0).then_some(checkpoints),
            checkpoint_saved: now,
            episodes_since: 0,
        }
    }

    /// The run's folder.
    pub fn directory(&self) -> &RunDirectory {
        &self.directory
    }

    /// The training starts now.
    pub fn start(&mut self) {
        let folder = self.directory.path().to_owned();
        self.redraw = Some(Redraw::start(folder, self.label.clone(), self.period));
        (self.model_saved, self.checkpoint_saved) = (Instant::now(), Instant::now());
        // What is said of a training that failed or was interrupted is not so any more. One that was finished stays finished
        // up to its step.
        let summary = self.directory.summary();
        if read_json(&summary).is_ok_and(|summary: Summary| summary.ended != "finished") {
            files::remove(&summary);
        }
    }

    /// Writes a learner step's row.
    pub fn update(&mut self, record: &UpdateRecord) -> Result<(), Error> {
        self.tables.append_update(record)?;
        self.events.update(record)
    }

    /// Writes an episode's row. `seconds` are those that the training has taken so far.
    pub fn episode(&mut self, record: &EpisodeRecord, seconds: f64) -> Result<(), Error> {
        self.episodes_since += 1;
        self.tables.append_episode(record)?;
        self.events.episode(record, seconds)
    }

    /// Writes an evaluation's row.
    pub fn evaluation(&mut self, record: &EvaluationRecord) -> Result<(), Error> {
        self.tables.append_evaluation(record)?;
        self.events.evaluation(record)
    }

    /// Writes how p of local dropout is spread, where there is any and it is time to.
    pub fn due_places(&mut self, agent: &Agent) -> Result<(), Error> {
        match agent.network().local() {
            Some(local) if agent.steps().is_multiple_of(PLACES_PERIOD) => {
                self.events.local(agent.steps(), local)
            }
            _ => Ok(()),
        }
    }

    /// Writes the rows of a map.
    pub fn map(&mut self, rows: &[MapRecord]) -> Result<(), Error> {
        self.tables.append_map(rows)
    }

    /// Writes the model, where it is time to.
    pub fn save_due_model(&mut self, agent: &Agent) -> Result<(), Error> {
        if self.model_saved.elapsed() >= self.period { self.save_model(agent) } else { Ok(()) }
    }

    /// Whether it is time for a checkpoint, and not better to wait for the end of the episode, or it has been time for so
    /// long that one without the episode under way is better than none.
    pub fn is_checkpoint_due(&self, snapshot: &TrainingSnapshot<'_>, config: &Config) -> bool {
        let every = &config.checkpoint;
        let seconds = self.checkpoint_saved.elapsed().as_secs_f64();
        let is_due =
            seconds >= every.seconds || (every.episodes > 0 && self.episodes_since >= every.episodes);
        let is_overdue = seconds >= OVERDUE * every.seconds.max(1.0);
        is_due && self.checkpoints.is_some() && (is_overdue || !snapshot.waits_for_an_end())
    }

    /// Writes a checkpoint, where checkpoints are written at all. `record` lacks the lengths of the files.
    pub fn save_checkpoint(
        &mut self,
        snapshot: TrainingSnapshot<'_>,
        config: &Config,
        score: Option<f64>,
        record: Record,
    ) -> Result<(), Error> {
        let Some(checkpoints) = &mut self.checkpoints else { return Ok(()) };
        let record = Record { tables: self.tables.sync()?, ..record };
        checkpoints.save(snapshot, config.to_toml(), score, record)?;
        (self.checkpoint_saved, self.episodes_since) = (Instant::now(), 0);
        Ok(())
    }

    /// Writes the model.
    pub fn save_model(&mut self, agent: &Agent) -> Result<(), Error> {
        // A model that is poisoned must not take the place of one that is not.
        agent.check_finite()?;
        model::save(agent.network(), &self.directory.model())?;
        self.model_saved = Instant::now();
        Ok(())
    }

    /// Writes the summary and the last plots, which are tried whatever becomes of the summary.
    pub fn finish(&mut self, summary: &Summary) -> Result<(), Error> {
        let written = self.write_summary(summary);
        // Plots can be drawn again from the files.
        if let Some(Err(error)) = self.redraw.take().map(|mut redraw| redraw.finish()) {
            tracing::warn!("the plots could not be drawn, `plot RUN` will try again: {error}");
        }
        written
    }

    /// Writes the summary.
    pub fn write_summary(&self, summary: &Summary) -> Result<(), Error> {
        write_json(&self.directory.summary(), summary)
    }
}
