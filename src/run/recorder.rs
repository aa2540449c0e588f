//! Writes a run while it happens.

use std::time::{Duration, Instant};

use control_envs::EnvSpec;
use serde::{Deserialize, Serialize};

use super::directory::RunDirectory;
use super::model;
use super::redraw::Redraw;
use super::summary::{EpisodeStatistics, Summary};
use super::tables::{TableLengths, Tables};
use crate::agent::Agent;
use crate::checkpoint::Checkpoints;
use crate::config::Config;
use crate::error::Error;
use crate::evaluation::Evaluation;
use crate::files::write_json;
use crate::plot::RunLabel;
use crate::rows::{EpisodeRecord, UpdateRecord};
use crate::training::{Observer, TrainingSnapshot};

/// What a recorder has to know to go on in another process.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    tables: TableLengths,
    statistics: EpisodeStatistics,
    training_seconds: f64,
}

/// The observer that writes a run's files: a row as it happens, model, plots and checkpoints every so many seconds.
#[derive(Debug)]
pub struct Recorder {
    directory: RunDirectory,
    config: Config,
    reward_threshold: Option<f64>,
    tables: Tables,
    statistics: EpisodeStatistics,
    redraw: Redraw,
    /// Seconds that the training took in processes before this one.
    seconds_before: f64,
    started: Instant,
    model_saved: Instant,
    period: Duration,
    /// `None` where none are to be written.
    checkpoints: Option<Checkpoints>,
    checkpoint_saved: Instant,
    episodes_since: u64,
    has_warned: bool,
}

impl Recorder {
    /// Starts the files of a run in `directory`.
    ///
    /// # Errors
    /// Where they can't be written.
    pub fn start(
        directory: RunDirectory,
        config: &Config,
        spec: &EnvSpec,
        agent: &Agent,
    ) -> Result<Self, Error> {
        let tables = Tables::create(&directory, agent.network().masks().len())?;
        let statistics = EpisodeStatistics::new(spec.reward_threshold, &agent.network().mean_p());
        let checkpoints = Checkpoints::new(directory.checkpoints(), config.checkpoint.keep);
        let record = Record { statistics, ..Record::default() };
        Ok(Self::over(directory, config, spec, tables, checkpoints, record))
    }

    /// Goes on with the files of a run in `directory` from where the `record` of a checkpoint says, and cuts off the
    /// rows that came after it.
    ///
    /// # Errors
    /// Where they are not as they were then, or can't be written.
    pub fn resume(
        directory: RunDirectory,
        config: &Config,
        spec: &EnvSpec,
        agent: &Agent,
        checkpoints: Checkpoints,
        record: Record,
    ) -> Result<Self, Error> {
        let tables = Tables::reopen(&directory, agent.network().masks().len(), record.tables)?;
        Ok(Self::over(directory, config, spec, tables, checkpoints, record))
    }

    fn over(
        directory: RunDirectory,
        config: &Config,
        spec: &EnvSpec,
        tables: Tables,
        checkpoints: Checkpoints,
        record: Record,
    ) -> Self {
        let label = RunLabel::of(config, spec.reward_threshold);
        let period = Duration::from_secs_f64(config.logging.redraw_seconds);
        let now = Instant::now();
        Self {
            tables,
            statistics: record.statistics,
            redraw: Redraw::start(directory.path().to_owned(), label, period),
            config: config.clone(),
            reward_threshold: spec.reward_threshold,
            directory,
            seconds_before: record.training_seconds,
            started: now,
            model_saved: now,
            period,
            checkpoints: (config.checkpoint.keep > 0).then_some(checkpoints),
            checkpoint_saved: now,
            episodes_since: 0,
            has_warned: false,
        }
    }

    fn training_seconds(&self) -> f64 {
        self.seconds_before + self.started.elapsed().as_secs_f64()
    }

    fn save_checkpoint(&mut self, snapshot: TrainingSnapshot<'_>) -> Result<(), Error> {
        let training_seconds = self.training_seconds();
        let Some(checkpoints) = &mut self.checkpoints else { return Ok(()) };
        let record =
            Record { tables: self.tables.sync()?, statistics: self.statistics.clone(), training_seconds };
        checkpoints.save(snapshot, self.config.to_toml(), record)?;
        (self.checkpoint_saved, self.episodes_since) = (Instant::now(), 0);
        Ok(())
    }

    fn save_model(&mut self, agent: &Agent) -> Result<(), Error> {
        // A model that is poisoned must not take the place of one that is not.
        agent.check_finite()?;
        model::save(agent.network(), &self.directory.model())?;
        self.model_saved = Instant::now();
        Ok(())
    }

    /// Writes what the training left: checkpoint, model, summary (without an evaluation so far) and the last plots.
    /// `failure` is what ended it early, if anything did; where it was no interruption, the snapshot is none to go on from,
    /// and the checkpoints stay as they are. Each file is tried whatever becomes of the others.
    pub fn finish(mut self, snapshot: TrainingSnapshot<'_>, failure: Option<&Error>) -> FinishedRun {
        let agent = snapshot.agent;
        let seconds = self.training_seconds();
        let saved = match failure {
            None | Some(Error::Interrupted) => self.save_checkpoint(snapshot),
            Some(_) => Ok(()),
        };
        let summary = Summary {
            env: self.config.env.clone(),
            exploration: self.config.exploration.rule().to_string(),
            seed: self.config.seed,
            ended: match failure {
                None => "finished".to_owned(),
                Some(Error::Interrupted) => "interrupted".to_owned(),
                Some(error) => error.to_string(),
            },
            total_steps: agent.steps(),
            updates: agent.updates(),
            episodes: self.statistics.episodes(),
            training_seconds: seconds,
            steps_per_second: agent.steps() as f64 / seconds,
            mean_return_100: self.statistics.mean_return_100(),
            best_mean_return_100: self.statistics.best_mean_return_100(),
            reward_threshold: self.reward_threshold,
            solved_at_step: self.statistics.solved_at_step(),
            dataset_size: agent.dataset_size(),
            precision: agent.network().precision(),
            p_final: agent.network().mean_p(),
            p_peak: self.statistics.p_peak().to_vec(),
            evaluation: None,
        };
        // The arguments of `and` are evaluated whatever came before, and the first error is kept. Plots can be drawn again
        // from the files.
        let written = saved.and(self.save_model(agent)).and(write_json(&self.directory.summary(), &summary));
        if let Err(error) = self.redraw.finish() {
            tracing::warn!("the plots could not be drawn, `plot RUN` will try again: {error}");
        }
        FinishedRun { directory: self.directory, summary, written }
    }
}

impl Observer for Recorder {
    fn on_update(&mut self, record: &UpdateRecord) -> Result<(), Error> {
        if record.has_diverged() && !self.has_warned {
            self.has_warned = true;
            tracing::warn!(
                "the learning seems to diverge: at step {} the mean Q-value of a batch is {:.3e}, and no return can be \
                 larger in size than {:.3e} by the rewards so far; a smaller optimizer.learning_rate, \
                 agent.target_lerp or agent.target_beta, or agent.bounded_targets = true, may help",
                record.total_steps,
                record.q_mean,
                record.return_bound
            );
        }
        self.tables.append_update(record)
    }

    fn on_episode(&mut self, record: &EpisodeRecord, agent: &Agent) -> Result<(), Error> {
        self.tables.append_episode(record)?;
        self.statistics.add(record);
        self.episodes_since += 1;
        if self.model_saved.elapsed() >= self.period { self.save_model(agent) } else { Ok(()) }
    }

    fn between_steps(&mut self, snapshot: TrainingSnapshot<'_>) -> Result<(), Error> {
        let every = &self.config.checkpoint;
        let is_due = self.checkpoint_saved.elapsed().as_secs_f64() >= every.seconds
            || (every.episodes > 0 && self.episodes_since >= every.episodes);
        let can_go_on_from_here =
            || snapshot.progress.episode.is_none() || snapshot.env.save_state().is_some();
        if is_due && self.checkpoints.is_some() && can_go_on_from_here() {
            self.save_checkpoint(snapshot)?;
        }
        Ok(())
    }
}

/// A run whose training is over and written.
#[derive(Debug)]
pub struct FinishedRun {
    /// Its folder.
    pub directory: RunDirectory,
    /// What it came to.
    pub summary: Summary,
    /// Whether model and summary could be written.
    pub written: Result<(), Error>,
}

impl FinishedRun {
    /// Adds the evaluation to the summary.
    ///
    /// # Errors
    /// Where it can't be written.
    pub fn evaluated(&mut self, evaluation: Evaluation) -> Result<(), Error> {
        self.summary.evaluation = Some(evaluation);
        write_json(&self.directory.summary(), &self.summary)
    }
}
