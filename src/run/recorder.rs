//! What a run comes to, kept while it happens.

use std::time::{Duration, Instant};

use control_envs::EnvSpec;

use super::directory::RunDirectory;
use super::record::Record;
use super::summary::{RunStatistics, Summary};
use super::writer::RunWriter;
use crate::agent::Agent;
use crate::checkpoint::Checkpoints;
use crate::config::Config;
use crate::error::Error;
use crate::evaluation::Evaluation;
use crate::numbers::number;
use crate::rows::{EpisodeRecord, EvaluationRecord, MapRecord, UpdateRecord};
use crate::td::Targets;
use crate::training::{Observer, TrainingSnapshot};

/// For so many environment steps values may be beyond what rewards allow before it is worth a warning.
const EXCESS_STEPS: u64 = 5_000;

/// The observer that sums a run up, and writes its files where it has a folder.
#[derive(Debug)]
pub struct Recorder {
    config: Config,
    reward_threshold: Option<f64>,
    statistics: RunStatistics,
    /// Seconds that the training took before `started`.
    seconds_before: f64,
    /// When the training that is under way started.
    started: Option<Instant>,
    writer: Option<RunWriter>,
    /// How the training last ended.
    ended: Option<String>,
    evaluation: Option<Evaluation>,
    has_warned: bool,
    /// The step from which on values have been beyond what rewards allow.
    beyond_since: Option<u64>,
    /// Whether the newest evaluation was the best so far, and there is no checkpoint of it yet.
    is_best_unsaved: bool,
}

impl Recorder {
    /// A recorder that writes nothing.
    pub fn in_memory(config: &Config, spec: &EnvSpec, agent: &Agent) -> Self {
        let statistics = RunStatistics::new(spec.reward_threshold, &agent.network().mean_p());
        Self {
            config: config.clone(),
            reward_threshold: spec.reward_threshold,
            statistics,
            seconds_before: 0.0,
            started: None,
            writer: None,
            ended: None,
            evaluation: None,
            has_warned: false,
            beyond_since: None,
            is_best_unsaved: false,
        }
    }

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
        let writer = RunWriter::create(directory, config, spec, agent)?;
        Ok(Self { writer: Some(writer), ..Self::in_memory(config, spec, agent) })
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
        record: Record,
    ) -> Result<Self, Error> {
        let writer = RunWriter::reopen(directory, config, spec, agent, checkpoints, &record)?;
        Ok(Self {
            statistics: record.statistics,
            seconds_before: record.training_seconds,
            writer: Some(writer),
            ..Self::in_memory(config, spec, agent)
        })
    }

    /// The run's folder, where it has one.
    pub fn directory(&self) -> Option<&RunDirectory> {
        self.writer.as_ref().map(RunWriter::directory)
    }

    /// The training starts now.
    pub fn start(&mut self) {
        (self.started, self.ended, self.evaluation) = (Some(Instant::now()), None, None);
        if let Some(writer) = &mut self.writer {
            writer.start();
        }
    }

    fn training_seconds(&self) -> f64 {
        self.seconds_before + self.started.map_or(0.0, |started| started.elapsed().as_secs_f64())
    }

    /// Whether values have been beyond what rewards allow for long. Optimism brings them there for a while, early on.
    fn stays_beyond_rewards(&mut self, record: &UpdateRecord) -> bool {
        self.beyond_since =
            record.is_beyond_rewards().then(|| self.beyond_since.unwrap_or(record.total_steps));
        self.beyond_since.is_some_and(|since| record.total_steps >= since + EXCESS_STEPS)
    }

    /// Why values may be beyond what rewards allow, and what helps.
    fn cause_of_excess(&self, record: &UpdateRecord) -> &'static str {
        let agent = &self.config.agent;
        let is_unsure = record.epistemic_std > 0.01 * record.return_bound;
        if agent.targets == Targets::Optimistic && agent.target_beta > 0.0 && is_unsure {
            "the bonus of optimistic targets adds up from step to step; agent.bounded_targets = true keeps the targets \
             to what is possible, and a smaller agent.target_beta adds less"
        } else {
            "the learning overshoots; a smaller agent.target_lerp or optimizer.learning_rate, or agent.bounded_targets \
             = true, may help"
        }
    }

    /// Takes time that was not spent on the training off its seconds.
    pub fn leave_out(&mut self, time: Duration) {
        self.seconds_before -= time.as_secs_f64();
    }

    /// Environment steps up to the newest evaluation; 0 before the first.
    pub fn evaluated_at(&self) -> u64 {
        self.statistics.last_evaluation().map_or(0, |last| last.step)
    }

    /// What the checkpoints of this run are compared by: the evaluation of this very step, or, without evaluations while
    /// training, the mean return of the last 100 episodes.
    fn score(&self, snapshot: &TrainingSnapshot<'_>) -> Option<f64> {
        if self.config.evaluation.period == 0 {
            return snapshot.progress.mean_return();
        }
        let last = self.statistics.last_evaluation().filter(|last| last.step == snapshot.agent.steps());
        last.map(|last| last.mean_return)
    }

    fn save_checkpoint(&mut self, snapshot: TrainingSnapshot<'_>) -> Result<(), Error> {
        self.is_best_unsaved = false;
        let (training_seconds, score) = (self.training_seconds(), self.score(&snapshot));
        let Some(writer) = &mut self.writer else { return Ok(()) };
        let record = Record { statistics: self.statistics.clone(), training_seconds, ..Record::default() };
        writer.save_checkpoint(snapshot, &self.config, score, record)
    }

    /// Writes what a training left: checkpoint, model, summary (without an evaluation so far) and the last
    /// plots. `failure` is what ended it early, if anything did; where it did not come from outside, the training
    /// can't be resumed from the snapshot, and the checkpoints stay as they are. Each file is tried whatever
    /// becomes of the others.
    ///
    /// # Errors
    /// Where a file can't be written.
    pub fn finish(&mut self, snapshot: TrainingSnapshot<'_>, failure: Option<&Error>) -> Result<(), Error> {
        self.ended = Some(match failure {
            None => "finished".to_owned(),
            Some(Error::Interrupted) => "interrupted".to_owned(),
            Some(error) => error.to_string(),
        });
        let seconds = self.training_seconds();
        if matches!(failure, Some(Error::Interrupted)) && self.writer.is_some() && !snapshot.is_exact() {
            let (cut, others) = match self.config.agent.envs {
                1 => ("episode that was under way is", "another"),
                _ => ("episodes that were under way are", "others"),
            };
            tracing::warn!(
                "the {cut} cut, since {} can't be saved in the middle of one; resumed, the run begins {others}",
                self.config.env
            );
        }
        let saved =
            if failure.is_none_or(Error::is_from_outside) { self.save_checkpoint(snapshot) } else { Ok(()) };
        // The argument of `and` is evaluated whatever came before, and the first error is kept.
        let saved =
            saved.and(self.writer.as_mut().map_or(Ok(()), |writer| writer.save_model(snapshot.agent)));
        if let (Err(error), None | Some(Error::Interrupted)) = (&saved, failure) {
            // Whoever finds the summary must not take for finished what lacks its last checkpoint or its model.
            self.ended = Some(error.to_string());
        }
        (self.seconds_before, self.started) = (seconds, None);
        let summary = self.summary(snapshot.agent);
        saved.and(self.writer.as_mut().map_or(Ok(()), |writer| writer.finish(&summary)))
    }

    /// Adds an evaluation of the agent to the summary.
    ///
    /// # Errors
    /// Where it can't be written.
    pub fn evaluated(&mut self, evaluation: Evaluation, agent: &Agent) -> Result<(), Error> {
        self.evaluation = Some(evaluation);
        // A run that is only looked at keeps the summary of its training.
        let writer = self.writer.as_ref().filter(|_| self.ended.is_some());
        writer.map_or(Ok(()), |writer| writer.write_summary(&self.summary(agent)))
    }

    /// Writes a map of the state space.
    ///
    /// # Errors
    /// Where it can't be written.
    pub fn map(&mut self, rows: &[MapRecord]) -> Result<(), Error> {
        self.writer.as_mut().map_or(Ok(()), |writer| writer.map(rows))?;
        if let Some(row) = rows.first() {
            self.statistics.add_map(row.env_steps);
        }
        Ok(())
    }

    /// Environment steps of the newest map, if there is one.
    pub fn mapped_at(&self) -> Option<u64> {
        self.statistics.mapped_at()
    }

    /// What the run has come to so far.
    pub fn summary(&self, agent: &Agent) -> Summary {
        let (seconds, p_final) = (self.training_seconds(), agent.network().mean_p());
        Summary {
            env: self.config.env.clone(),
            exploration: self.config.exploration.rule().to_string(),
            seed: self.config.seed,
            ended: self.ended.clone().unwrap_or_else(|| "not ended".to_owned()),
            total_steps: agent.steps(),
            updates: agent.updates(),
            episodes: self.statistics.episodes(),
            training_seconds: seconds,
            steps_per_second: if seconds > 0.0 { agent.steps() as f64 / seconds } else { 0.0 },
            mean_return_100: self.statistics.mean_return_100(),
            best_mean_return_100: self.statistics.best_mean_return_100(),
            reward_threshold: self.reward_threshold,
            solved_at_step: self.statistics.solved_at_step(),
            dataset_size: agent.dataset_size(),
            precision: agent.network().precision(),
            p_peak: self.statistics.p_peak().iter().zip(&p_final).map(|(peak, p)| peak.max(*p)).collect(),
            p_final,
            has_local_dropout: self.config.has_local_dropout(),
            best_evaluation: self.statistics.best_evaluation(),
            evaluation: self.evaluation.clone(),
        }
    }
}

impl Observer for Recorder {
    fn on_update(&mut self, record: &UpdateRecord) -> Result<(), Error> {
        if self.stays_beyond_rewards(record) && !self.has_warned {
            self.has_warned = true;
            tracing::warn!(
                "at step {} the mean Q-value of a batch is {}, and for {EXCESS_STEPS} steps such values have been beyond \
                 what the rewards so far allow, a return of {} in size: {}",
                record.total_steps,
                number(record.q_mean),
                number(record.return_bound),
                self.cause_of_excess(record)
            );
        }
        self.statistics.add_update(record);
        self.writer.as_mut().map_or(Ok(()), |writer| writer.update(record))
    }

    fn on_episode(&mut self, record: &EpisodeRecord, _agent: &Agent) -> Result<(), Error> {
        let seconds = self.training_seconds();
        self.writer.as_mut().map_or(Ok(()), |writer| writer.episode(record, seconds))?;
        self.statistics.add(record);
        Ok(())
    }

    fn on_evaluation(&mut self, record: &EvaluationRecord) -> Result<(), Error> {
        self.writer.as_mut().map_or(Ok(()), |writer| writer.evaluation(record))?;
        self.is_best_unsaved = self.statistics.add_evaluation(record);
        Ok(())
    }

    fn between_steps(&mut self, snapshot: TrainingSnapshot<'_>) -> Result<(), Error> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        writer.due_places(snapshot.agent)?;
        writer.save_due_model(snapshot.agent)?;
        let is_due = self.is_best_unsaved || writer.is_checkpoint_due(&snapshot, &self.config);
        if is_due { self.save_checkpoint(snapshot) } else { Ok(()) }
    }
}
