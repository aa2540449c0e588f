//! Epsilon-greedy: the baseline.

use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::{DecisionContext, ExplorationRule, Passes, QSamples};
use crate::randomness::Generator;
use crate::section::{Ranges, Section};

/// A uniformly random action with probability epsilon, else the best of the mean pass. Epsilon falls linearly
/// over a share of the training and then stays, as in Stable-Baselines3 and CleanRL.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpsilonGreedy {
    /// Epsilon at the start.
    pub epsilon_initial: f64,
    /// Epsilon once it has fallen.
    pub epsilon_final: f64,
    /// Share of the training over which it falls.
    pub epsilon_fraction: f64,
}

impl Default for EpsilonGreedy {
    fn default() -> Self {
        Self { epsilon_initial: 1.0, epsilon_final: 0.05, epsilon_fraction: 0.2 }
    }
}

impl Section for EpsilonGreedy {
    fn check(&self, ranges: &mut Ranges) {
        let Self { epsilon_initial, epsilon_final, epsilon_fraction } = *self;
        ranges.probability("epsilon_initial", epsilon_initial);
        ranges.probability("epsilon_final", epsilon_final);
        ranges.share("epsilon_fraction", epsilon_fraction);
    }
}

impl EpsilonGreedy {
    /// Epsilon at `progress` from 0 to 1.
    pub fn epsilon(&self, progress: f64) -> f64 {
        let fallen = (progress / self.epsilon_fraction).min(1.0);
        (1.0 - fallen) * self.epsilon_initial + fallen * self.epsilon_final
    }
}

impl ExplorationRule for EpsilonGreedy {
    fn passes(&self) -> Passes {
        Passes::Mean
    }

    fn choose(&self, samples: &QSamples<'_>, context: DecisionContext, generator: &mut Generator) -> usize {
        if generator.random::<f64>() < self.epsilon(context.progress) {
            let mut actions = samples.valid_actions();
            let chosen = generator.random_range(0..actions.clone().count().max(1));
            actions.nth(chosen).unwrap_or(0)
        } else {
            samples.greedy_action()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::randomness::{Stream, generator};

    #[test]
    fn epsilon_falls_linearly_and_stays() {
        let rule = EpsilonGreedy { epsilon_initial: 1.0, epsilon_final: 0.1, epsilon_fraction: 0.5 };
        assert_eq!((rule.epsilon(0.0), rule.epsilon(0.5), rule.epsilon(1.0)), (1.0, 0.1, 0.1));
        assert!((rule.epsilon(0.25) - 0.55).abs() < 1e-12);
    }

    #[test]
    fn a_share_epsilon_of_the_actions_is_random() {
        // The action that is not greedy is taken with probability epsilon / 2 = 0.1: 10,000 draws, five
        // standard errors.
        let rule = EpsilonGreedy { epsilon_initial: 0.2, epsilon_final: 0.2, epsilon_fraction: 1.0 };
        let samples = QSamples::new(&[1.0, 0.0], 2);
        let mut generator = generator(2, Stream::Exploration);
        let context = DecisionContext { progress: 0.0, noise_variance: 1.0 };
        let mut explores = || rule.choose(&samples, context, &mut generator) != samples.greedy_action();
        let exploratory = (0..10_000).filter(|_| explores()).count();
        assert!((exploratory as f64 / 10_000.0 - 0.1).abs() < 5.0 * (0.1_f64 * 0.9 / 10_000.0).sqrt());
    }
}
