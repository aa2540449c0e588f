//! An environment of one's own, trained with the whole command line.
//!
//! ```sh
//! cargo run --release --example custom_env -- --env corridor --steps 5000
//! ```

use std::process::ExitCode;

use control_envs::rand::{Rng, RngExt};
use control_envs::{Dimension, Env, EnvError, EnvSpec, Registry, Step};

/// Ten cells in a row. Every step costs 1 until the last cell is reached.
struct Corridor {
    spec: EnvSpec,
    cell: u8,
}

impl Corridor {
    fn new() -> Self {
        let cell = Dimension::new("cell", "", 0.0, 9.0);
        let spec = EnvSpec::new("Corridor-v0", [cell], ["left", "right"])
            .with_max_episode_steps(100)
            .with_reward_threshold(-8.0);
        Self { spec, cell: 0 }
    }
}

impl Env for Corridor {
    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn reset(&mut self, rng: &mut dyn Rng) -> Result<Vec<f32>, EnvError> {
        self.cell = rng.random_range(0..5);
        Ok(vec![f32::from(self.cell)])
    }

    fn step(&mut self, action: usize) -> Result<Step, EnvError> {
        self.cell = if action == 1 { self.cell + 1 } else { self.cell.saturating_sub(1) };
        Ok(Step::new(vec![f32::from(self.cell)], -1.0, self.cell == 9))
    }
}

fn main() -> ExitCode {
    let mut registry = Registry::builtin();
    if let Err(error) = registry.register("corridor", Corridor::new) {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    concrete_dqn::cli::run(&registry, std::env::args_os())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_contract() {
        control_envs::contract::check(Corridor::new, 1, 1_000).unwrap();
    }
}
