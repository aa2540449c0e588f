//! An environment in which an action that is not valid is fatal.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]
#![allow(dead_code, reason = "not every test needs every helper")]

use control_envs::rand::{Rng, RngExt};
use control_envs::{Dimension, Env, EnvError, EnvSpec, Registry, Step};

/// Six cells in a row; the last is where to go, and standing still pays most, were it ever valid. Left and right are valid
/// but at the edges, and a jump over a cell is valid where it ends in a field.
pub struct Minefield {
    spec: EnvSpec,
    cell: i32,
}

impl Minefield {
    pub fn new() -> Self {
        let cell = Dimension::new("cell", "", 0.0, 5.0);
        let spec = EnvSpec::new("Minefield-v0", [cell], ["stay", "left", "right", "jump"]);
        Self { spec: spec.with_max_episode_steps(30), cell: 0 }
    }

    /// The built-in environments and this one.
    pub fn registry() -> Registry {
        let mut registry = Registry::builtin();
        registry.register("minefield", Self::new).unwrap();
        registry
    }

    fn mask(&self) -> [bool; 4] {
        [false, self.cell > 0, self.cell < 5, self.cell <= 3 && self.cell % 2 == 1]
    }
}

impl Env for Minefield {
    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn reset(&mut self, rng: &mut dyn Rng) -> Result<Vec<f32>, EnvError> {
        self.cell = rng.random_range(0..3);
        Ok(vec![self.cell as f32])
    }

    fn step(&mut self, action: usize) -> Result<Step, EnvError> {
        assert!(self.mask()[action], "action {action} is fatal in cell {}", self.cell);
        self.cell += [0, -1, 1, 2][action];
        Ok(Step::new(vec![self.cell as f32], [3.0, -1.0, -1.0, -0.5][action], self.cell == 5))
    }

    fn action_mask(&self) -> Option<Vec<bool>> {
        Some(self.mask().to_vec())
    }

    fn save_state(&self) -> Option<Vec<u8>> {
        Some(vec![self.cell as u8])
    }

    fn restore_state(&mut self, state: &[u8]) -> Result<(), EnvError> {
        let [cell] = state else { return Err(EnvError::NotRestored { env: self.spec.id.clone() }) };
        self.cell = i32::from(*cell);
        Ok(())
    }
}
