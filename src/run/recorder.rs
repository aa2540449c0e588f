//! What a run comes to, kept while it happens.

use std::time::Instant;

use control_envs::EnvSpec;

use super::directory::RunDirectory;
use super::record::Record;
use super::summary::{EpisodeStatistics, Summary};
use super::writer::RunWriter;
use crate::agent::Agent;
use crate::checkpoint::Checkpoints;
use crate::config::Config;
use crate::error::Error;
use crate::evaluation::Evaluation;
use crate::numbers::number;
use crate::rows::{EpisodeRecord, UpdateRecord};
use crate::td::Targets;
use crate::training::{Observer, TrainingSnapshot};

/// The observer that sums a run up, and writes its files where it has a folder.
#[derive(Debug)]
pub struct Recorder {
    config: Config,
    reward_threshold: Option<f64>,
    statistics: EpisodeStatistics,
    /// Seconds that the training took before `started`.
    seconds_before: f64,
    /// When the training that is under way started.
    started: Option<Instant>,
    writer: Option<RunWriter>,
    /// How the training last ended.
    ended: Option<String>,
    evaluation: Option<Evaluation>,
    has_warned: bool,
}

impl Recorder {
    /// A recorder that writes nothing.
    pub fn in_memory(config: &Config, spec: &EnvSpec, agent: &Agent) -> Self {
        let statistics = EpisodeStatistics::new(spec.reward_threshold, &agent.network().mean_p());
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

    fn save_checkpoint(&mut self, snapshot: TrainingSnapshot<'_>) -> Result<(), Error> {
        let training_seconds = self.training_seconds();
        let Some(writer) = &mut self.writer else { return Ok(()) };
        let record = Record { statistics: self.statistics.clone(), training_seconds, ..Record::default() };
        writer.save_checkpoint(snapshot, &self.config, record)
    }

    /// Writes what a training left: checkpoint, model, summary (without an evaluation so far) and the last
    /// plots. `failure` is what ended it early, if anything did; where it was no interruption, the training
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
        let saved = match failure {
            None | Some(Error::Interrupted) => self.save_checkpoint(snapshot),
            Some(_) => Ok(()),
        };
        (self.seconds_before, self.started) = (seconds, None);
        let (agent, summary) = (snapshot.agent, self.summary(snapshot.agent));
        saved.and(self.writer.as_mut().map_or(Ok(()), |writer| writer.finish(agent, &summary)))
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

    /// What the run has come to so far.
    pub fn summary(&self, agent: &Agent) -> Summary {
        let seconds = self.training_seconds();
        let p_final = agent.network().mean_p();
        // The training may end within an episode, above all that was reached at the ends of episodes.
        let p_peak = self.statistics.p_peak().iter().zip(&p_final).map(|(peak, p)| peak.max(*p)).collect();
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
            p_final,
            p_peak,
            evaluation: self.evaluation.clone(),
        }
    }
}

impl Observer for Recorder {
    fn on_update(&mut self, record: &UpdateRecord) -> Result<(), Error> {
        if record.is_beyond_rewards() && !self.has_warned {
            self.has_warned = true;
            tracing::warn!(
                "at step {} the mean Q-value of a batch is {}, and by the rewards so far no return can be larger in size \
                 than {}: {}",
                record.total_steps,
                number(record.q_mean),
                number(record.return_bound),
                self.cause_of_excess(record)
            );
        }
        self.writer.as_mut().map_or(Ok(()), |writer| writer.update(record))
    }

    fn on_episode(&mut self, record: &EpisodeRecord, agent: &Agent) -> Result<(), Error> {
        self.writer.as_mut().map_or(Ok(()), |writer| writer.episode(record))?;
        self.statistics.add(record);
        self.writer.as_mut().map_or(Ok(()), |writer| writer.save_due_model(agent))
    }

    fn between_steps(&mut self, snapshot: TrainingSnapshot<'_>) -> Result<(), Error> {
        let is_due = |writer: &RunWriter| writer.is_checkpoint_due(&snapshot, &self.config);
        if self.writer.as_ref().is_some_and(is_due) { self.save_checkpoint(snapshot) } else { Ok(()) }
    }
}
