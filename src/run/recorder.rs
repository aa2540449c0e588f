//! Writes a run while it happens.

use std::time::{Duration, Instant};

use control_envs::EnvSpec;

use super::directory::{RunDirectory, write_json};
use super::metrics::{EpisodesCsv, UpdatesCsv};
use super::model;
use super::plots::RunLabel;
use super::redraw::Redraw;
use super::summary::{EpisodeStatistics, Summary};
use crate::agent::{Agent, UpdateRecord};
use crate::config::Config;
use crate::error::Error;
use crate::evaluation::Evaluation;
use crate::training::{EpisodeRecord, Observer};

/// The observer that writes a run's files: a row as it happens, model and plots every so many seconds.
#[derive(Debug)]
pub struct Recorder {
    directory: RunDirectory,
    config: Config,
    reward_threshold: Option<f64>,
    episodes: EpisodesCsv,
    updates: UpdatesCsv,
    statistics: EpisodeStatistics,
    redraw: Redraw,
    started: Instant,
    model_saved: Instant,
    period: Duration,
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
        let label = RunLabel::of(config, spec.reward_threshold);
        let period = Duration::from_secs_f64(config.logging.redraw_seconds);
        Ok(Self {
            episodes: EpisodesCsv::create(&directory.episodes(), agent.network().layers().len())?,
            updates: UpdatesCsv::create(&directory.updates())?,
            statistics: EpisodeStatistics::new(spec.reward_threshold, &agent.network().p()),
            redraw: Redraw::start(directory.path().to_owned(), label, period),
            config: config.clone(),
            reward_threshold: spec.reward_threshold,
            directory,
            started: Instant::now(),
            model_saved: Instant::now(),
            period,
        })
    }

    /// Writes what the training left: model, summary (without an evaluation so far) and the last plots. `failure` is
    /// what ended it early, if anything did. Each file is tried whatever becomes of the others.
    pub fn finish(mut self, agent: &Agent, failure: Option<&Error>) -> FinishedRun {
        let seconds = self.started.elapsed().as_secs_f64();
        let summary = Summary {
            env: self.config.env.clone(),
            exploration: self.config.exploration.rule.to_string(),
            seed: self.config.seed,
            ended: match failure {
                None => "finished".to_owned(),
                Some(Error::Interrupted) => "interrupted".to_owned(),
                Some(error) => error.to_string(),
            },
            total_steps: agent.steps(),
            updates: agent.updates(),
            episodes: self.statistics.last().map_or(0, |record| record.episode),
            training_seconds: seconds,
            steps_per_second: agent.steps() as f64 / seconds,
            mean_return_100: self.statistics.last().map(|record| record.mean_return_100),
            best_mean_return_100: self.statistics.best_mean_return_100(),
            reward_threshold: self.reward_threshold,
            solved_at_step: self.statistics.solved_at_step(),
            dataset_size: agent.dataset_size(),
            precision: agent.network().precision(),
            p_final: agent.network().p(),
            p_peak: self.statistics.p_peak().to_vec(),
            evaluation: None,
        };
        let written = model::save(agent.network(), &self.directory.model())
            .and(write_json(&self.directory.summary(), &summary));
        // `and` has evaluated both and keeps the first error. Plots can be drawn again from the files.
        if let Err(error) = self.redraw.finish() {
            tracing::warn!("the plots could not be drawn, `plot RUN` will try again: {error}");
        }
        FinishedRun { directory: self.directory, summary, written }
    }
}

impl Observer for Recorder {
    fn on_update(&mut self, record: &UpdateRecord) -> Result<(), Error> {
        self.updates.append(record)
    }

    fn on_episode(&mut self, record: &EpisodeRecord, agent: &Agent) -> Result<(), Error> {
        self.episodes.append(record)?;
        self.statistics.add(record);
        if self.model_saved.elapsed() >= self.period {
            model::save(agent.network(), &self.directory.model())?;
            self.model_saved = Instant::now();
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
