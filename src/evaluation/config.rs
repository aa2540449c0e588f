//! The `[evaluation]` section of a config.

use serde::{Deserialize, Serialize};

use crate::section::{Ranges, Section};

/// `[evaluation]`: what is played when the training is over, and while it goes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluationConfig {
    /// Episodes when the training is over; 0 for no evaluation then.
    pub episodes: u64,
    /// Environment steps of the training from one evaluation to the next; 0 for none before its end.
    pub period: u64,
    /// Episodes of each of these.
    pub period_episodes: u64,
    /// Steps after which an episode is cut in an environment without a step limit of its own.
    pub max_episode_steps: u64,
    /// Monte-Carlo passes whose mean decides. The epistemic standard deviations that are reported are over as
    /// many.
    pub passes: usize,
    /// The masks of these passes; those of a training's own reports stay relaxed.
    pub mask: EvaluationMask,
}

impl Default for EvaluationConfig {
    fn default() -> Self {
        Self {
            episodes: 50,
            period: 5_000,
            period_episodes: 5,
            max_episode_steps: 10_000,
            passes: 10,
            mask: EvaluationMask::Relaxed,
        }
    }
}

impl Section for EvaluationConfig {
    fn check(&self, ranges: &mut Ranges) {
        let Self { episodes, period, period_episodes, max_episode_steps, passes, mask: _ } = *self;
        ranges.whole_or_zero("episodes", episodes);
        ranges.whole_or_zero("period", period);
        ranges.count("period_episodes", period_episodes);
        ranges.count("max_episode_steps", max_episode_steps);
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
