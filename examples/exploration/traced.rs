//! An environment that remembers where it has been.

use std::sync::{Arc, Mutex, PoisonError};

use control_envs::rand::Rng;
use control_envs::{Env, EnvError, EnvSpec, Step};

use crate::grid::State;

/// States in the order in which they were visited. Its clones are one.
#[derive(Debug, Clone, Default)]
pub struct Trace(Arc<Mutex<Vec<State>>>);

impl Trace {
    fn push(&self, state: State) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(state);
    }

    /// All states, which are then forgotten.
    pub fn take(&self) -> Vec<State> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// An environment whose steps leave a trace of the states that they lead to.
pub struct Traced<E> {
    env: E,
    trace: Trace,
}

impl<E: Env> Traced<E> {
    /// Nowhere yet.
    pub fn new(env: E, trace: Trace) -> Self {
        Self { env, trace }
    }
}

impl<E: Env> Env for Traced<E> {
    fn spec(&self) -> &EnvSpec {
        self.env.spec()
    }

    fn reset(&mut self, rng: &mut dyn Rng) -> Result<Vec<f32>, EnvError> {
        self.env.reset(rng)
    }

    fn step(&mut self, action: usize) -> Result<Step, EnvError> {
        let step = self.env.step(action)?;
        self.trace.push([step.observation[0], step.observation[1]]);
        Ok(step)
    }
}
