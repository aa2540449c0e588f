//! Actions that stick.

use rand::{Rng, RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::{Deserialize, Serialize};

use super::forwarded;
use crate::{Env, EnvError, EnvSpec, Step, saved};

/// Takes, with a probability, the action before once more, whatever is chosen (Machado et al. 2018, Revisiting the Arcade
/// Learning Environment), so that what is learned can't be a sequence of actions by heart.
///
/// An episode's first action never gives way, and none does to one that is not valid any more.
#[derive(Debug, Clone)]
pub struct StickyActions<E: Env> {
    env: E,
    probability: f64,
    own: Own,
}

/// All that the steps to come depend on beside the environment.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Own {
    /// What the environment did last.
    previous: Option<usize>,
    rng: Xoshiro256PlusPlus,
}

impl<E: Env> StickyActions<E> {
    /// Wraps `env`. 0.25 is what is usual.
    pub fn new(env: E, probability: f64) -> Self {
        let own = Own { previous: None, rng: Xoshiro256PlusPlus::seed_from_u64(0) };
        Self { env, probability, own }
    }

    /// The action that is taken where `action` is chosen, and what there is to remember then.
    fn taken(&self, action: usize) -> (usize, Own) {
        let mut own = self.own.clone();
        let sticks = own.rng.random_bool(self.probability.clamp(0.0, 1.0));
        let is_valid =
            |action: usize| self.env.action_mask().is_none_or(|mask| mask.get(action) == Some(&true));
        let taken = own.previous.filter(|&previous| sticks && is_valid(previous)).unwrap_or(action);
        own.previous = Some(taken);
        (taken, own)
    }
}

impl<E: Env> Env for StickyActions<E> {
    fn reset(&mut self, rng: &mut dyn Rng) -> Result<Vec<f32>, EnvError> {
        self.own = Own { previous: None, rng: Xoshiro256PlusPlus::seed_from_u64(rng.next_u64()) };
        self.env.reset(rng)
    }

    fn step(&mut self, action: usize) -> Result<Step, EnvError> {
        let taken;
        (taken, self.own) = self.taken(action);
        self.env.step(taken)
    }

    fn begin_step(&mut self, action: usize) -> Result<(), EnvError> {
        let (taken, _) = self.taken(action);
        self.env.begin_step(taken)
    }

    fn save_state(&self) -> Option<Vec<u8>> {
        let inner = self.env.save_state()?;
        Some(saved::both(&serde_json::to_vec(&self.own).ok()?, inner))
    }

    fn restore_state(&mut self, state: &[u8]) -> Result<(), EnvError> {
        let (own, inner) = saved::read_both(state, self.spec())?;
        let own = serde_json::from_slice(own);
        let own = own.map_err(|_| EnvError::NotRestored { env: self.spec().id.clone() })?;
        self.env.restore_state(inner)?;
        self.own = own;
        Ok(())
    }

    forwarded!(spec, drawing, action_mask, episode);
}
