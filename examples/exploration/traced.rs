//! An environment that remembers where it has been.

use control_envs::rand::Rng;
use control_envs::{Env, EnvError, EnvSpec, Step};

use crate::grid::State;

/// An environment and the states that its steps have led to.
pub struct Traced {
    env: Box<dyn Env>,
    /// One state a step.
    pub states: Vec<State>,
}

impl Traced {
    /// Nowhere yet.
    pub fn new(env: Box<dyn Env>) -> Self {
        Self { env, states: Vec::new() }
    }
}

impl Env for Traced {
    fn spec(&self) -> &EnvSpec {
        self.env.spec()
    }

    fn reset(&mut self, rng: &mut dyn Rng) -> Result<Vec<f32>, EnvError> {
        self.env.reset(rng)
    }

    fn step(&mut self, action: usize) -> Result<Step, EnvError> {
        let step = self.env.step(action)?;
        self.states.push([step.observation[0], step.observation[1]]);
        Ok(step)
    }
}
