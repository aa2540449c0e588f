//! Evaluations while a training goes on.

use std::time::Instant;

use control_envs::Entry;

use super::policy::Policy;
use super::state_map::{is_moment, state_map};
use crate::agent::{Agent, Misfit};
use crate::config::Config;
use crate::error::Error;
use crate::evaluation::{Evaluation, EvaluationObserver, Evaluator, Occasion};
use crate::rows::{EpisodeRecord, EvaluationRecord, UpdateRecord};
use crate::run::Recorder;
use crate::state_grid::StateGrid;
use crate::training::{Observer, TrainingSnapshot};

/// Most steps that an evaluation waits for a moment from which the run can be resumed exactly, since a checkpoint may
/// follow it.
const PATIENCE: u64 = 1_000;

/// The observer of a training that is recorded, watched, and evaluated every `evaluation.period` steps: in a fresh
/// environment and with random streams of its own, so that nothing that is learned depends on it.
pub struct EvaluatedTraining<'a> {
    pub entry: &'a Entry,
    pub config: &'a Config,
    pub recorder: &'a mut Recorder,
    pub observer: &'a mut dyn Observer,
}

impl EvaluatedTraining<'_> {
    /// Does what an interruption in the middle of an evaluation left undone between two steps.
    pub fn make_up(&mut self, snapshot: TrainingSnapshot<'_>) -> Result<(), Error> {
        if self.is_due(&snapshot) { self.between_steps(snapshot) } else { Ok(()) }
    }

    /// Evaluates the policy as it is now, where it is time to.
    fn evaluate_if_due(&mut self, snapshot: TrainingSnapshot<'_>) -> Result<(), Error> {
        if !self.is_due(&snapshot) {
            return Ok(());
        }
        let started = Instant::now();
        let played = self.evaluate(snapshot.agent);
        self.recorder.leave_out(started.elapsed());
        let steps = snapshot.agent.steps();
        let evaluation = played.inspect_err(|error| {
            if !matches!(error, Error::Interrupted) {
                tracing::warn!(
                    "the evaluation at step {steps} failed, and the run ends with it; evaluation.period = 0 trains \
                     without evaluations"
                );
            }
        })?;
        let record = EvaluationRecord::new(steps, &evaluation);
        self.recorder.on_evaluation(&record)?;
        self.observer.on_evaluation(&record)
    }

    /// Maps the state space, where it is not one of images, the run has a folder and it is time to.
    fn map_if_due(&mut self, snapshot: TrainingSnapshot<'_>) -> Result<(), Error> {
        let agent = snapshot.agent;
        if self.recorder.directory().is_none() || !is_moment(agent.steps(), self.config.steps) {
            return Ok(());
        }
        // One of this step may be there already, where an evaluation of it is made up for after an extension.
        if self.recorder.mapped_at() == Some(agent.steps()) {
            return Ok(());
        }
        let Some(grid) = StateGrid::of(self.entry.spec()) else { return Ok(()) };
        let started = Instant::now();
        let mut policy = Policy::of(agent, self.entry, self.config)?;
        self.recorder.map(&state_map(&grid, &mut policy, agent)?)?;
        self.recorder.leave_out(started.elapsed());
        Ok(())
    }

    fn is_due(&self, snapshot: &TrainingSnapshot<'_>) -> bool {
        let (period, steps) = (self.config.evaluation.period, snapshot.agent.steps());
        if period == 0 {
            return false;
        }
        let due = (self.recorder.evaluated_at() / period + 1).saturating_mul(period);
        steps >= due && (!snapshot.waits_for_an_end() || steps >= due + PATIENCE)
    }

    fn evaluate(&self, agent: &Agent) -> Result<Evaluation, Error> {
        let evaluator = Evaluator {
            occasion: Occasion::WhileTraining,
            episodes: self.config.evaluation.period_episodes,
            ..Evaluator::from(self.config)
        };
        Policy::of(agent, self.entry, self.config)?.evaluate(evaluator, &mut UntilStopped(&*self.observer))
    }
}

/// Ends an evaluation when the training is to end.
struct UntilStopped<'a>(&'a dyn Observer);

impl EvaluationObserver for UntilStopped<'_> {
    fn wants_to_stop(&self) -> bool {
        self.0.wants_to_stop()
    }
}

impl Observer for EvaluatedTraining<'_> {
    fn on_step(&mut self, agent: &Agent) {
        self.observer.on_step(agent);
    }

    fn on_misfits(&mut self, misfits: &[Misfit], observation: &[f32]) {
        self.observer.on_misfits(misfits, observation);
    }

    fn on_update(&mut self, record: &UpdateRecord) -> Result<(), Error> {
        self.recorder.on_update(record)?;
        self.observer.on_update(record)
    }

    fn on_episode(&mut self, record: &EpisodeRecord, agent: &Agent) -> Result<(), Error> {
        self.recorder.on_episode(record, agent)?;
        self.observer.on_episode(record, agent)
    }

    fn between_steps(&mut self, snapshot: TrainingSnapshot<'_>) -> Result<(), Error> {
        // First, so that a checkpoint of this step has the evaluation and the map of this step.
        self.evaluate_if_due(snapshot)?;
        self.map_if_due(snapshot)?;
        self.recorder.between_steps(snapshot)?;
        self.observer.between_steps(snapshot)
    }

    fn wants_to_stop(&self) -> bool {
        self.observer.wants_to_stop()
    }
}
