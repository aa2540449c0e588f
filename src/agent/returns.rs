//! The scale of returns, found from the rewards.

use control_envs::Step;
use serde::{Deserialize, Serialize};

/// The largest absolute return so far.
///
/// Step by step it follows the discounted sum of the rewards up to now, `R <- r + gamma R` (as the reward normalisation of
/// Stable-Baselines3 and Gymnasium does), which is as large as the returns are. An episode that is cut off would have
/// gone on: its rewards count as if they went on at their discounted mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Returns {
    /// Of the episode under way in each environment.
    episodes: Vec<EpisodeReturn>,
    largest: f64,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EpisodeReturn {
    /// R.
    discounted: f64,
    /// What R would be if every reward were 1.
    weight: f64,
}

impl Returns {
    /// Of so many environments, before the first reward.
    pub fn of_environments(environments: usize) -> Self {
        Self { episodes: vec![EpisodeReturn::default(); environments], largest: 0.0 }
    }

    /// How many environments it is of.
    pub fn environments(&self) -> usize {
        self.episodes.len()
    }

    /// Another episode begins in an environment.
    pub fn begin_episode(&mut self, environment: usize) {
        self.episodes[environment] = EpisodeReturn::default();
    }

    /// Takes a step of an environment in. Returns the largest absolute return, where it has grown.
    pub fn observe(&mut self, environment: usize, step: &Step, gamma: f64) -> Option<f32> {
        let episode = &mut self.episodes[environment];
        episode.discounted = step.reward + gamma * episode.discounted;
        episode.weight = 1.0 + gamma * episode.weight;
        let mut size = episode.discounted.abs();
        if step.truncated && !step.terminated && gamma < 1.0 {
            size /= (1.0 - gamma) * episode.weight;
        }
        let grown = size > self.largest && size.is_finite();
        if step.ends_episode() {
            self.begin_episode(environment);
        }
        grown.then(|| {
            self.largest = size;
            size as f32
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(reward: f64, terminated: bool, truncated: bool) -> Step {
        Step { observation: vec![], reward, terminated, truncated }
    }

    #[test]
    fn the_largest_return_by_hand() {
        let mut returns = Returns::of_environments(1);
        assert_eq!(returns.observe(0, &step(0.0, false, false), 0.5), None, "no reward, no scale");
        assert_eq!(returns.observe(0, &step(-2.0, false, false), 0.5), Some(2.0));
        assert_eq!(returns.observe(0, &step(-2.0, false, false), 0.5), Some(3.0));
        assert_eq!(returns.observe(0, &step(1.0, true, false), 0.5), None);
        // Of a new episode: 1 at every step, cut after two. R is 1.5 where it would be 2 for ever.
        assert_eq!(returns.observe(0, &step(4.0, false, false), 0.5), Some(4.0));
        assert_eq!(returns.observe(0, &step(4.0, false, true), 0.5), Some(8.0));
        assert_eq!(returns.observe(0, &step(8.0, true, true), 0.5), None, "it ended by itself");
        assert_eq!(returns.observe(0, &step(8.5, false, true), 1.0), Some(8.5), "gamma = 1 adds up");
    }

    #[test]
    fn environments_add_up_apart() {
        let mut returns = Returns::of_environments(2);
        assert_eq!(returns.observe(0, &step(2.0, false, false), 0.5), Some(2.0));
        assert_eq!(returns.observe(1, &step(2.0, false, false), 0.5), None);
        assert_eq!(returns.observe(1, &step(2.0, true, false), 0.5), Some(3.0));
        assert_eq!(returns.observe(0, &step(2.5, false, false), 0.5), Some(3.5));
    }

    #[test]
    fn a_power_of_two_is_exact() {
        let rewards = [0.3, -1.7, 0.01, 5.3, -0.2];
        let found = |factor: f64| {
            let mut returns = Returns::of_environments(1);
            rewards.map(|reward| returns.observe(0, &step(reward * factor, false, false), 0.99))
        };
        for (one, large) in found(1.0).into_iter().zip(found(1_048_576.0)) {
            assert_eq!(one.map(|scale| scale * 1_048_576.0), large);
        }
    }
}
