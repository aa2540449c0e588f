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
}
