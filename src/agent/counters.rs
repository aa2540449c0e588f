//! What the agent counts.

use serde::{Deserialize, Serialize};

/// The agent's counters, saved as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counters {
    /// Environment steps so far.
    pub steps: u64,
    /// Learner steps so far.
    pub updates: u64,
    /// The replay's size when it was last counted, as at an episode's end; `None` before the first time.
    pub counted: Option<u64>,
    /// Environment steps since then.
    pub since_count: u64,
    /// The exploration rule's decisions in this episode.
    pub decisions: u64,
    /// How many of them were exploratory.
    pub exploratory: u64,
    /// What the masks of local dropout are drawn from, for a rule that holds them.
    pub local_draw: u64,
}

impl Counters {
    /// The share of the rule's decisions in this episode that were not the greedy action of the same samples. `None`
    /// before its first one: the random actions before learning starts are not the rule's.
    pub fn exploratory_share(&self) -> Option<f64> {
        (self.decisions > 0).then(|| self.exploratory as f64 / self.decisions as f64)
    }
}
