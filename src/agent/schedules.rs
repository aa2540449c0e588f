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

/// A number that changes by the same factor at every step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Geometric {
    /// At the start.
    pub start: f64,
    /// Share of it that is left at the end.
    pub final_fraction: f64,
}

impl Geometric {
    /// The number at `progress` from 0 to 1.
    pub fn at(self, progress: f64) -> f64 {
        self.start * self.final_fraction.powf(progress)
    }
}

/// All schedules of a training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Schedules {
    /// Environment steps of the whole training.
    pub steps: u64,
    /// Steps that a target looks ahead, before rounding.
    pub n_step: Linear,
    /// What is left of the learning rates.
    pub learning_rate: Linear,
    /// Temperature of the masks.
    pub temperature: Geometric,
}

impl Schedules {
    /// Those that a config asks for.
    pub fn new(sections: &AgentSections) -> Self {
        let AgentSections { steps, learner: LearnerSections { optimizer, dropout, .. }, agent, .. } =
            sections;
        Self {
            steps: *steps,
            n_step: Linear { start: agent.n_step as f64, end: agent.n_step_final as f64 },
            learning_rate: Linear { start: 1.0, end: optimizer.final_fraction },
            temperature: Geometric {
                start: dropout.temperature,
                final_fraction: dropout.temperature_final_fraction,
            },
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
        let annealed = Geometric { start: 0.4, final_fraction: 0.25 };
        assert!((annealed.at(0.5) - 0.2).abs() < 1e-12 && (annealed.at(1.0) - 0.1).abs() < 1e-12);
        let schedules = Schedules::new(&AgentSections::from(&Config { steps: 200, ..Config::default() }));
        assert_eq!((schedules.progress(50), schedules.progress(500)), (0.25, 1.0));
    }
}
