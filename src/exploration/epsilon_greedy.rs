//! Epsilon-greedy: the baseline.

use rand::RngExt;

use super::{ExplorationRule, Passes, QSamples, Situation};
use crate::randomness::Generator;

/// A uniformly random action with probability epsilon, else the best of the mean pass. Epsilon falls linearly over a
/// share of the training and then stays, as in Stable-Baselines3 and CleanRL.
#[derive(Debug, Clone, Copy)]
pub struct EpsilonGreedy {
    /// Epsilon at the start.
    pub initial: f64,
    /// Epsilon once it has fallen.
    pub last: f64,
    /// Share of the training over which it falls, above 0.
    pub fraction: f64,
}

impl EpsilonGreedy {
    /// Epsilon at `progress` from 0 to 1.
    pub fn epsilon(&self, progress: f64) -> f64 {
        let fallen = (progress / self.fraction).min(1.0);
        (1.0 - fallen) * self.initial + fallen * self.last
    }
}

impl ExplorationRule for EpsilonGreedy {
    fn passes(&self) -> Passes {
        Passes::Mean
    }

    fn choose(&self, samples: &QSamples<'_>, situation: Situation, generator: &mut Generator) -> usize {
        if generator.random::<f64>() < self.epsilon(situation.progress) {
            generator.random_range(0..samples.actions())
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
        let rule = EpsilonGreedy { initial: 1.0, last: 0.1, fraction: 0.5 };
        assert_eq!((rule.epsilon(0.0), rule.epsilon(0.5), rule.epsilon(1.0)), (1.0, 0.1, 0.1));
        assert!((rule.epsilon(0.25) - 0.55).abs() < 1e-12);
    }

    #[test]
    fn a_share_epsilon_of_the_actions_is_random() {
        // The action that is not greedy is taken with probability epsilon / 2 = 0.1: 10,000 draws, five standard errors.
        let rule = EpsilonGreedy { initial: 0.2, last: 0.2, fraction: 1.0 };
        let samples = QSamples::new(&[1.0, 0.0], 2);
        let mut generator = generator(2, Stream::Exploration);
        let situation = Situation { progress: 0.0, noise_variance: 1.0 };
        let mut explores = || rule.choose(&samples, situation, &mut generator) != samples.greedy_action();
        let exploratory = (0..10_000).filter(|_| explores()).count();
        assert!((exploratory as f64 / 10_000.0 - 0.1).abs() < 5.0 * (0.1_f64 * 0.9 / 10_000.0).sqrt());
    }
}
