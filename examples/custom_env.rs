//! An environment of one's own, trained with the whole command line.
//!
//! ```sh
//! cargo run --release --example custom_env -- --env corridor --steps 5000
//! cargo run --release --example custom_env -- --env corridor --env-arg cells=20
//! ```

use std::process::ExitCode;

use control_envs::rand::{Rng, RngExt};
use control_envs::{Argument, Dimension, Env, EnvArgs, EnvError, EnvSpec, Registry, Step};

/// Cells in a row. Every step costs 1 until the last cell is reached.
struct Corridor {
    spec: EnvSpec,
    cells: u8,
    cell: u8,
}

impl Corridor {
    /// What can be given with `--env-arg`.
    fn arguments() -> [Argument; 1] {
        [Argument::whole("cells", 10, 6..=100, "how many cells there are")]
    }

    fn new(arguments: &EnvArgs) -> Result<Self, EnvError> {
        let cells: u8 = arguments.get("cells")?;
        let cell = Dimension::new("cell", "", 0.0, f32::from(cells - 1));
        let spec = EnvSpec::new("Corridor-v0", [cell], ["left", "right"])
            .with_max_episode_steps(100)
            // One step more than the way from the middle of the cells in which it starts.
            .with_reward_threshold(2.0 - f64::from(cells));
        Ok(Self { spec, cells, cell: 0 })
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
        Ok(Step::new(vec![f32::from(self.cell)], -1.0, self.cell + 1 == self.cells))
    }
}

fn main() -> ExitCode {
    let mut registry = Registry::builtin();
    if let Err(error) = registry.register_with("corridor", Corridor::arguments(), Corridor::new) {
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
        let mut registry = Registry::new();
        registry.register_with("corridor", Corridor::arguments(), Corridor::new).unwrap();
        for cells in [6, 10, 100] {
            let corridor = registry.get("corridor").unwrap().with_args([("cells", cells)]).unwrap();
            control_envs::contract::check(|| corridor.make(), 1, 1_000).unwrap();
        }
    }
}
