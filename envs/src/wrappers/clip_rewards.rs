//! Rewards that are clipped.

use rand::Rng;

use super::forwarded;
use crate::{Env, EnvError, EnvSpec, Step};

/// Clips every reward to [-1, 1] (Mnih et al. 2015). What an episode came to before is told by
/// [`RecordEpisodeStatistics`](super::RecordEpisodeStatistics) within it.
#[derive(Debug, Clone)]
pub struct ClipRewards<E: Env> {
    env: E,
}

impl<E: Env> ClipRewards<E> {
    /// Wraps `env`.
    pub fn new(env: E) -> Self {
        Self { env }
    }
}

impl<E: Env> Env for ClipRewards<E> {
    fn reset(&mut self, rng: &mut dyn Rng) -> Result<Vec<f32>, EnvError> {
        self.env.reset(rng)
    }

    fn step(&mut self, action: usize) -> Result<Step, EnvError> {
        let step = self.env.step(action)?;
        // What is no finite number stays what it is, for `Checked` to find.
        let reward = if step.reward.is_finite() { step.reward.clamp(-1.0, 1.0) } else { step.reward };
        Ok(Step { reward, ..step })
    }

    fn save_state(&self) -> Option<Vec<u8>> {
        self.env.save_state()
    }

    fn restore_state(&mut self, state: &[u8]) -> Result<(), EnvError> {
        self.env.restore_state(state)
    }

    forwarded!(spec, begin_step, drawing, action_mask, episode);
}
