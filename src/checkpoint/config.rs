//! The `[checkpoint]` section of a config.

use serde::{Deserialize, Serialize};

use crate::section::{Ranges, Section};

/// `[checkpoint]`: when a run is saved, to be resumed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointConfig {
    /// Seconds from one checkpoint to the next.
    pub seconds: f64,
    /// Episodes from one checkpoint to the next, whatever the time; 0 to go by the time alone.
    pub episodes: u64,
    /// How many of the last checkpoints are kept beside the best; 0 to write none at all.
    pub keep: usize,
}

impl Default for CheckpointConfig {
    fn default() -> Self {
        Self { seconds: 60.0, episodes: 0, keep: 3 }
    }
}

impl Section for CheckpointConfig {
    fn check(&self, ranges: &mut Ranges) {
        let Self { seconds, episodes, keep } = *self;
        ranges.number("seconds", seconds, 0.0..=1e6);
        ranges.whole_or_zero("episodes", episodes);
        ranges.whole("keep", keep, 0..=1000);
    }
}
