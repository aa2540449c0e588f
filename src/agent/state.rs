//! An agent as it is saved: its numbers as named tensors, its replay, and a few counters and generators.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::Agent;
use crate::concrete::LogisticNoise;
use crate::error::Error;
use crate::randomness::Generator;
use crate::replay::Replay;

/// What an agent remembers beside its tensors and its replay.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentState {
    /// Environment steps so far.
    pub steps: u64,
    /// Learner steps so far.
    pub updates: u64,
    adam_steps: i32,
    dataset_size: u64,
    decisions: u64,
    exploratory: u64,
    exploration: Generator,
    exploration_noise: LogisticNoise,
    held_from: Option<LogisticNoise>,
    replay: Generator,
    learner_noise: LogisticNoise,
    episode_diagnostics: LogisticNoise,
    update_diagnostics: LogisticNoise,
}

impl Agent {
    /// Its counters and generators as they are now.
    pub fn state(&self) -> AgentState {
        AgentState {
            steps: self.steps,
            updates: self.updates,
            adam_steps: self.learner.adam.steps(),
            dataset_size: self.dataset_size,
            decisions: self.decisions,
            exploratory: self.exploratory,
            exploration: self.exploration.clone(),
            exploration_noise: self.exploration_noise.clone(),
            held_from: self.held_from.clone(),
            replay: self.replay_generator.clone(),
            learner_noise: self.learner_noise.clone(),
            episode_diagnostics: self.episode_diagnostics.clone(),
            update_diagnostics: self.update_diagnostics.clone(),
        }
    }

    /// Takes counters and generators over. Tensors and replay are restored by themselves.
    pub fn restore(&mut self, state: AgentState) {
        self.steps = state.steps;
        self.updates = state.updates;
        self.learner.adam.set_steps(state.adam_steps);
        self.dataset_size = state.dataset_size;
        (self.decisions, self.exploratory) = (state.decisions, state.exploratory);
        self.exploration = state.exploration;
        self.exploration_noise = state.exploration_noise;
        self.replay_generator = state.replay;
        self.learner_noise = state.learner_noise;
        self.episode_diagnostics = state.episode_diagnostics;
        self.update_diagnostics = state.update_diagnostics;
        if let Some(source) = state.held_from {
            // Drawn again, which is smaller to keep than what was drawn.
            self.held.draw(&mut source.clone(), self.learner.online.inputs(), 1, 1);
            self.held_from = Some(source);
        }
    }

    /// All that learning changes, by name, sharing its memory: networks and Adam's moments.
    pub fn named_tensors(&self) -> Vec<(String, Tensor)> {
        self.learner.named_tensors()
    }

    /// What it has seen.
    pub fn replay(&self) -> &Replay {
        &self.replay
    }

    /// What it has seen, to be restored.
    pub fn replay_mut(&mut self) -> &mut Replay {
        &mut self.replay
    }

    /// Looks for a number that is not finite among all that learning changes.
    ///
    /// # Errors
    /// [`Error::NotFinite`], which names the tensor.
    pub fn check_finite(&self) -> Result<(), Error> {
        let is_finite = |tensor: &Tensor| tensor.isfinite().all().int64_value(&[]) != 0;
        match self.named_tensors().into_iter().find(|(_, tensor)| !is_finite(tensor)) {
            None => Ok(()),
            Some((name, _)) => {
                Err(Error::NotFinite { quantity: format!("the tensor `{name}`"), step: self.steps })
            }
        }
    }

    /// The error for a quantity that turned out not to be finite, or for the tensor that made it so.
    pub(super) fn not_finite(&self, quantity: &str) -> Error {
        let symptom = || Error::NotFinite { quantity: quantity.to_owned(), step: self.steps };
        self.check_finite().err().unwrap_or_else(symptom)
    }
}
