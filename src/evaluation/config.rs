//! The `[evaluation]` section of a config.

use serde::{Deserialize, Serialize};

use crate::section::{Ranges, Section};

/// `[evaluation]`: what is played when the training is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluationConfig {
    /// Episodes; 0 for no evaluation.
    pub episodes: u64,
    /// Monte-Carlo passes whose mean decides. The epistemic standard deviations that are reported are over as
    /// many.
    pub passes: usize,
    /// The masks of these passes; those of a training's own reports stay relaxed.
    pub mask: EvaluationMask,
}

impl Default for EvaluationConfig {
    fn default() -> Self {
        Self { episodes: 50, passes: 10, mask: EvaluationMask::Relaxed }
    }
}

impl Section for EvaluationConfig {
    fn check(&self, ranges: &mut Ranges) {
        let Self { episodes, passes, mask: _ } = *self;
        ranges.whole_or_zero("episodes", episodes);
        ranges.passes("passes", passes);
    }
}

/// The masks of an evaluation's passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EvaluationMask {
    /// At the temperature at which the training ends.
    Relaxed,
    /// Every unit is kept or dropped, nothing between.
    Hard,
}
