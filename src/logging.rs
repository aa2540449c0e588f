//! What a run writes, and how often: the `[logging]` section of a config.

use serde::{Deserialize, Serialize};

use crate::section::{Ranges, Section};

/// `[logging]`: what a run writes, and how often.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoggingConfig {
    /// Learner steps from one row of `updates.csv` to the next.
    pub update_period: u64,
    /// Seconds from one drawing of the plots (and saving of the model) to the next.
    pub redraw_seconds: f64,
}

impl Default for LoggingConfig {
    fn default() -> Self {
        Self { update_period: 100, redraw_seconds: 15.0 }
    }
}

impl Section for LoggingConfig {
    fn check(&self, ranges: &mut Ranges) {
        let Self { update_period, redraw_seconds } = *self;
        ranges.count("update_period", update_period);
        ranges.number("redraw_seconds", redraw_seconds, 0.1..=1e6);
    }
}
