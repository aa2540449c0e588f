//! Upper confidence bound over dropout passes.

use serde::{Deserialize, Serialize};

use super::{DecisionContext, ExplorationRule, Passes, QSamples};
use crate::randomness::Generator;
use crate::section::{Ranges, Section};

/// The action with the highest `mean + beta * std` over Monte-Carlo passes: what the network is unsure of
/// looks good.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ucb {
    /// Weight of the standard deviation.
    pub beta: f64,
    /// Monte-Carlo passes a decision.
    pub passes: usize,
}

impl Default for Ucb {
    fn default() -> Self {
        Self { beta: 1.0, passes: 10 }
    }
}

impl Section for Ucb {
    fn check(&self, ranges: &mut Ranges) {
        let Self { beta, passes } = *self;
        ranges.not_negative("beta", beta);
        ranges.passes("passes", passes);
    }
}

impl ExplorationRule for Ucb {
    fn passes(&self) -> Passes {
        Passes::Fresh(self.passes)
    }

    fn choose(&self, samples: &QSamples<'_>, _context: DecisionContext, _generator: &mut Generator) -> usize {
        samples.best_by(|action| samples.mean(action) + self.beta * samples.std(action))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::randomness::{Stream, generator};

    #[test]
    fn the_bonus_decides() {
        // Action 0: 1 and 3; action 1: 2.5 twice.
        let samples = QSamples::new(&[1.0, 2.5, 3.0, 2.5], 2);
        let context = DecisionContext { progress: 0.0, noise_variance: 1.0 };
        let choose =
            |beta| Ucb { beta, passes: 2 }.choose(&samples, context, &mut generator(0, Stream::Exploration));
        assert_eq!((choose(0.0), choose(0.3), choose(0.4)), (1, 1, 0));
        assert_eq!(
            samples.greedy_action(),
            1,
            "only the largest of the three bonuses makes a decision exploratory"
        );
    }
}
