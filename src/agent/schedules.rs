//! What changes over a training, as functions of the share of it that is over.

use serde::{Deserialize, Serialize};

use super::AgentSections;
use crate::engine::LearnerSections;

/// A number that changes along a straight line.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Linear {
    /// At the start.
    pub start: f64,
    /// At the end.
    pub end: f64,
}

impl Linear {
    /// The number at `progress` from 0 to 1.
    pub fn at(self, progress: f64) -> f64 {
        (1.0 - progress) * self.start + progress * self.end
    }
}

/// What changes along a line over a training. The temperature of the masks has
/// [its own form](crate::engine::DropoutConfig::temperature_at).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Schedules {
    /// Environment steps of the whole training.
    pub steps: u64,
    /// Steps that a target looks ahead, before rounding.
    pub n_step: Linear,
    /// What is left of the learning rates.
    pub learning_rate: Linear,
}

impl Schedules {
    /// Those that a config asks for.
    pub fn new(sections: &AgentSections) -> Self {
        let AgentSections { steps, learner: LearnerSections { optimizer, .. }, agent, .. } = sections;
        Self {
            steps: *steps,
            n_step: Linear { start: agent.n_step as f64, end: agent.n_step_final as f64 },
            learning_rate: Linear { start: 1.0, end: optimizer.final_fraction },
        }
    }

    /// The share of the training that is over after `steps` environment steps.
    pub fn progress(&self, steps: u64) -> f64 {
        (steps as f64 / self.steps as f64).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn schedules_by_hand() {
        assert_eq!(Linear { start: 3.0, end: 2.0 }.at(0.25), 2.75);
        let schedules = Schedules::new(&AgentSections::from(&Config { steps: 200, ..Config::default() }));
        assert_eq!((schedules.progress(50), schedules.progress(500)), (0.25, 1.0));
    }
}
