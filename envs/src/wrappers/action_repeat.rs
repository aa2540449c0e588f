//! Actions that are repeated.

use rand::Rng;

use super::forwarded;
use crate::{Env, EnvError, EnvSpec, Step};

/// Takes every action several times and adds its rewards up; the observation is the last. It stops where the episode ends,
/// and where the action is not valid any more.
#[derive(Debug, Clone)]
pub struct ActionRepeat<E: Env> {
    env: E,
    spec: EnvSpec,
    times: usize,
}

impl<E: Env> ActionRepeat<E> {
    /// Wraps `env`. A step is up to `times` of its steps.
    pub fn new(env: E, times: usize) -> Self {
        Self { spec: Self::spec_of(env.spec(), times), env, times }
    }

    /// The spec of an environment of this spec within it.
    pub(super) fn spec_of(spec: &EnvSpec, times: usize) -> EnvSpec {
        let max_episode_steps = spec.max_episode_steps.map(|steps| steps.div_ceil(times.max(1)));
        EnvSpec { max_episode_steps, ..spec.clone() }
    }
}

impl<E: Env> Env for ActionRepeat<E> {
    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn reset(&mut self, rng: &mut dyn Rng) -> Result<Vec<f32>, EnvError> {
        self.env.reset(rng)
    }

    fn step(&mut self, action: usize) -> Result<Step, EnvError> {
        let mut step = self.env.step(action)?;
        let mut reward = step.reward;
        for _ in 1..self.times {
            let is_valid = self.env.action_mask().is_none_or(|mask| mask.get(action) == Some(&true));
            if step.ends_episode() || !is_valid {
                break;
            }
            step = self.env.step(action)?;
            reward += step.reward;
        }
        Ok(Step { reward, ..step })
    }

    fn save_state(&self) -> Option<Vec<u8>> {
        self.env.save_state()
    }

    fn restore_state(&mut self, state: &[u8]) -> Result<(), EnvError> {
        self.env.restore_state(state)
    }

    forwarded!(begin_step, drawing, action_mask, episode);
}
