//! The time limit of an episode.

use rand::Rng;

use super::forwarded;
use crate::{Env, EnvError, EnvSpec, Step, saved};

/// Truncates an episode at its spec's [`max_episode_steps`](EnvSpec::max_episode_steps), or at another number of steps, and
/// does nothing where there is no such limit.
///
/// As in Gymnasium, the last step allowed is truncated even where it is also terminated.
#[derive(Debug, Clone)]
pub struct TimeLimit<E: Env> {
    env: E,
    /// Where its limit is another one than that of the environment's spec.
    spec: Option<EnvSpec>,
    elapsed_steps: usize,
}

impl<E: Env> TimeLimit<E> {
    /// Wraps `env`.
    pub fn new(env: E) -> Self {
        Self { env, spec: None, elapsed_steps: 0 }
    }

    /// Wraps `env` and cuts its episodes after so many steps, whatever its spec says. One that cuts them itself sooner does
    /// so still.
    pub fn of_steps(env: E, steps: usize) -> Self {
        let spec = EnvSpec { max_episode_steps: Some(steps), ..env.spec().clone() };
        Self { env, spec: Some(spec), elapsed_steps: 0 }
    }

    /// The number of steps since the last reset.
    pub fn elapsed_steps(&self) -> usize {
        self.elapsed_steps
    }

    /// The wrapped environment.
    pub fn inner(&self) -> &E {
        &self.env
    }

    /// The wrapped environment, to be changed.
    pub fn inner_mut(&mut self) -> &mut E {
        &mut self.env
    }
}

impl<E: Env> Env for TimeLimit<E> {
    fn spec(&self) -> &EnvSpec {
        self.spec.as_ref().unwrap_or_else(|| self.env.spec())
    }

    fn reset(&mut self, rng: &mut dyn Rng) -> Result<Vec<f32>, EnvError> {
        self.elapsed_steps = 0;
        self.env.reset(rng)
    }

    fn step(&mut self, action: usize) -> Result<Step, EnvError> {
        let mut step = self.env.step(action)?;
        self.elapsed_steps += 1;
        step.truncated |= self.spec().max_episode_steps.is_some_and(|limit| self.elapsed_steps >= limit);
        Ok(step)
    }

    fn save_state(&self) -> Option<Vec<u8>> {
        Some(saved::count_and(self.elapsed_steps as u64, self.env.save_state()?))
    }

    fn restore_state(&mut self, state: &[u8]) -> Result<(), EnvError> {
        let (elapsed_steps, inner) = saved::read_count(state, self.spec())?;
        self.env.restore_state(inner)?;
        self.elapsed_steps = elapsed_steps as usize;
        Ok(())
    }

    forwarded!(begin_step, drawing, action_mask, episode);
}
