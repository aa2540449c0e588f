//! An agent as it is saved: its numbers by name, its replay, and its counters and generators.

use serde::{Deserialize, Serialize};

use super::Agent;
use super::counters::Counters;
use super::episodes::EpisodeState;
use super::observations::Seen;
use super::returns::Returns;
use super::streams::Streams;
use crate::error::Error;
use crate::network::{Fill, LocalDropout, NamedValues};
use crate::replay::Replay;

/// What an agent remembers beside its named numbers and its replay.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentState {
    counters: Counters,
    /// Of every environment.
    episodes: Vec<EpisodeState>,
    returns: Returns,
    /// Of the dimensions that are normalised.
    observations: Vec<Seen>,
    streams: Streams,
    adam_steps: i32,
}

impl AgentState {
    /// Environment steps so far.
    pub fn steps(&self) -> u64 {
        self.counters.steps
    }
}

impl Agent {
    /// Its counters and generators as they are now.
    pub fn state(&self) -> AgentState {
        AgentState {
            counters: self.counters.clone(),
            episodes: self.episodes.clone(),
            returns: self.returns.clone(),
            observations: self.observations.seen().to_vec(),
            streams: self.streams.clone(),
            adam_steps: self.learner.adam.steps(),
        }
    }

    /// Takes counters and generators over, after numbers and replay, which are restored by themselves, and the counts of
    /// local dropout; without those the replay's transitions are counted. `None` where they are of another number of
    /// environments, or of other places.
    pub fn restore(&mut self, state: AgentState, local_counts: Option<Vec<u32>>) -> Option<()> {
        let environments = self.episodes.len();
        if state.episodes.len() != environments || state.returns.environments() != environments {
            return None;
        }
        match local_counts {
            Some(counts) => self.learner.online.set_local_counts(counts)?,
            None => self.count_places(),
        }
        self.counters = state.counters;
        self.returns = state.returns;
        self.observations.restore(state.observations);
        self.streams = state.streams;
        self.learner.adam.set_steps(state.adam_steps);
        self.episodes = state.episodes;
        // Drawn again, which is smaller to keep than what was drawn.
        self.episodes.iter_mut().for_each(|episode| episode.redraw_mask(self.learner.online.masks()));
        Some(())
    }

    /// Counts the replay's transitions in the places of local dropout anew.
    pub(super) fn count_places(&mut self) {
        self.learner.online.count_all_local(self.replay.transitions());
    }

    /// How many transitions local dropout counts in each place, by action. They are not those of the replay to the last:
    /// a place is told apart by how a dimension was scaled at the time.
    pub fn local_counts(&self) -> Option<&[u32]> {
        self.network().local().map(LocalDropout::counts)
    }

    /// All that learning changes, by name: networks and Adam's moments.
    pub fn named(&self) -> Vec<NamedValues<'_>> {
        self.learner.named()
    }

    /// Lets `fill` write all that [`named`](Self::named) names.
    ///
    /// # Errors
    /// The first that `fill` returns.
    pub fn restore_named<E>(&mut self, fill: &mut Fill<'_, E>) -> Result<(), E> {
        self.learner.restore(fill)
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
        let is_broken = |named: &NamedValues<'_>| !named.values.iter().all(|value| value.is_finite());
        match self.named().into_iter().find(is_broken) {
            None => Ok(()),
            Some(NamedValues { name, .. }) => Err(Error::NotFinite {
                quantity: format!("the tensor `{name}`"),
                step: Some(self.counters.steps),
            }),
        }
    }

    /// The error for a quantity that turned out not to be finite, or for the tensor that made it so.
    pub(super) fn not_finite(&self, quantity: &str) -> Error {
        let symptom = || Error::NotFinite { quantity: quantity.to_owned(), step: Some(self.counters.steps) };
        self.check_finite().err().unwrap_or_else(symptom)
    }
}
