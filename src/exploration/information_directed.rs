//! Information-directed sampling.

use serde::{Deserialize, Serialize};

use super::{DecisionContext, ExplorationRule, Passes, QSamples};
use crate::randomness::Generator;
use crate::section::{Ranges, Section};

/// The action with the least squared regret for what it tells, `regret(a)^2 / information(a)` (Nikolov,
/// Kirschner, Berkenkamp & Krause 2019, "Information-Directed Exploration for Deep Reinforcement Learning",
/// algorithm 1), where
///
/// ```text
/// regret(a)      = max_b (mean(b) + lambda std(b)) - (mean(a) - lambda std(a))
/// information(a) = ln(1 + std(a)^2 / noise variance) + epsilon
/// ```
///
/// Where nothing is left to learn the information is the same small epsilon everywhere, and the rule is
/// greedy. The noise variance is that of the TD targets, 1 / tau, the same for every action (the paper's is
/// that of a return distribution's, an action's own).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InformationDirected {
    /// lambda: how many standard deviations the confidence bounds are away.
    pub beta: f64,
    /// Monte-Carlo passes a decision.
    pub passes: usize,
}

impl Default for InformationDirected {
    fn default() -> Self {
        Self { beta: 1.0, passes: 10 }
    }
}

impl Section for InformationDirected {
    fn check(&self, ranges: &mut Ranges) {
        let Self { beta, passes } = *self;
        ranges.not_negative("beta", beta);
        ranges.passes("passes", passes);
    }
}

/// What an action is taken to tell at the least; the paper's epsilon_2.
const LEAST_INFORMATION: f64 = 1e-5;

impl ExplorationRule for InformationDirected {
    fn passes(&self) -> Passes {
        Passes::Fresh(self.passes)
    }

    fn choose(&self, samples: &QSamples<'_>, context: DecisionContext, _generator: &mut Generator) -> usize {
        let bound = |action, sign: f64| samples.mean(action) + sign * self.beta * samples.std(action);
        let highest = samples.valid_actions().map(|action| bound(action, 1.0)).fold(f64::MIN, f64::max);
        samples.best_by(|action| {
            let regret = highest - bound(action, -1.0);
            let information = (samples.std(action).powi(2) / context.noise_variance).ln_1p();
            -regret * regret / (information + LEAST_INFORMATION)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::randomness::{Stream, generator};

    fn choose(samples: &[f32], noise_variance: f64) -> usize {
        let context = DecisionContext { progress: 0.0, noise_variance };
        let rule = InformationDirected { beta: 1.0, passes: 2 };
        rule.choose(&QSamples::new(samples, 2), context, &mut generator(0, Stream::Exploration))
    }

    #[test]
    fn regret_is_weighed_against_information() {
        // Action 0: mean 2, std sqrt(2); action 1: mean 2.5 for certain. The upper bounds are 3.414 and 2.5,
        // so that the regrets are 3.414 - 0.586 = 2.828 and 0.914: squares of 8 and 0.836. With noise of
        // variance 1 action 0 tells ln 3 = 1.099, and 8 / 1.099 = 7.3 is far below 0.836 / 1e-5.
        assert_eq!(choose(&[1.0, 2.5, 3.0, 2.5], 1.0), 0);
        // With noise of variance 1e6 it tells 2e-6: 8 / 1.2e-5 is far above 0.836 / 1e-5.
        assert_eq!(choose(&[1.0, 2.5, 3.0, 2.5], 1e6), 1);
    }

    #[test]
    fn what_is_certain_to_be_best_is_taken() {
        assert_eq!(choose(&[1.0, 2.0, 1.0, 2.0], 0.1), 1);
        assert_eq!(choose(&[2.0, 2.0, 2.0, 2.0], 0.1), 0, "of equals the first");
    }

    #[test]
    fn two_unsure_actions_by_hand() {
        // Means 1 and 0.8, standard deviations 0.1414 and 0.5657, noise of variance 0.04. Upper bounds
        // 1.1414, 1.3657; lower 0.8586, 0.2343; regrets 0.5071, 1.1314, squared 0.2572, 1.28; information ln
        // 1.5 = 0.4055, ln 9 = 2.197; ratios 0.634, 0.583.
        assert_eq!(choose(&[0.9, 0.4, 1.1, 1.2], 0.04), 1);
        // With noise of variance 0.4: information ln 1.05 = 0.0488, ln 1.8 = 0.5878; ratios 5.27, 2.18. With
        // 0.001: ln 21 = 3.045, ln 321 = 5.771; ratios 0.0845, 0.2218.
        assert_eq!(choose(&[0.9, 0.4, 1.1, 1.2], 0.4), 1);
        assert_eq!(choose(&[0.9, 0.4, 1.1, 1.2], 0.001), 0);
    }
}
