//! What an episode comes to.

use rand::Rng;

use super::forwarded;
use crate::{Env, EnvError, EnvSpec, Step, saved};

/// What an episode has come to so far, or came to if it is over.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct EpisodeStatistics {
    /// Sum of its rewards.
    pub episode_return: f64,
    /// Its steps.
    pub length: u64,
}

/// Adds up rewards and counts steps, and tells of them in [`Env::episode`]: those of the environment itself, where
/// wrappers around this one change rewards or repeat actions.
#[derive(Debug, Clone)]
pub struct RecordEpisodeStatistics<E: Env> {
    env: E,
    episode: EpisodeStatistics,
}

impl<E: Env> RecordEpisodeStatistics<E> {
    /// Wraps `env`.
    pub fn new(env: E) -> Self {
        Self { env, episode: EpisodeStatistics::default() }
    }
}

impl<E: Env> Env for RecordEpisodeStatistics<E> {
    fn reset(&mut self, rng: &mut dyn Rng) -> Result<Vec<f32>, EnvError> {
        self.episode = EpisodeStatistics::default();
        self.env.reset(rng)
    }

    fn step(&mut self, action: usize) -> Result<Step, EnvError> {
        let step = self.env.step(action)?;
        self.episode.episode_return += step.reward;
        self.episode.length += 1;
        Ok(step)
    }

    fn save_state(&self) -> Option<Vec<u8>> {
        let own = saved::count_and(self.episode.length, saved::numbers(&[self.episode.episode_return]));
        Some(saved::both(&own, self.env.save_state()?))
    }

    fn restore_state(&mut self, state: &[u8]) -> Result<(), EnvError> {
        let (own, inner) = saved::read_both(state, self.spec())?;
        let (length, numbers) = saved::read_count(own, self.spec())?;
        let [episode_return] = saved::read_numbers(numbers, self.spec())?;
        self.env.restore_state(inner)?;
        self.episode = EpisodeStatistics { episode_return, length };
        Ok(())
    }

    fn episode(&self) -> Option<EpisodeStatistics> {
        Some(self.episode)
    }

    forwarded!(spec, begin_step, drawing, action_mask);
}
