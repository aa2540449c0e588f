//! concrete-dqn as a library: an environment of one's own is trained, evaluated, asked, and resumed.
//!
//! ```sh
//! cargo run --release --manifest-path examples/library/Cargo.toml --target-dir target
//! ```

use concrete_dqn::{Config, Error, SavedRun, Session};
use control_envs::rand::{Rng, RngExt};
use control_envs::{Dimension, Env, EnvError, EnvSpec, Step};

/// Ten cells in a row. Every step costs 1 until the last cell is reached.
struct Corridor {
    spec: EnvSpec,
    cell: u8,
}

impl Corridor {
    fn new() -> Self {
        let cell = Dimension::new("cell", "", 0.0, 9.0);
        let spec = EnvSpec::new("Corridor-v0", [cell], ["left", "right"]).with_max_episode_steps(100);
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

fn main() -> Result<(), Error> {
    let folder = std::env::args().nth(1).unwrap_or("runs/corridor".to_owned());

    let config = Config::for_env("Corridor-v0")?.with("steps = 3_000")?;
    let mut session = Session::new(Corridor::new, config)?.in_folder(&folder)?;
    let summary = session.train(&mut ())?;
    println!("{} steps, {} episodes", summary.total_steps, summary.episodes);
    println!("{}", session.evaluate(20)?);
    println!("{:?}", session.predict(&[4.0])?);
    drop(session);

    let mut saved = SavedRun::open(&folder)?;
    saved.config.steps = 4_000;
    let mut session = saved.resume(Corridor::new)?;
    println!("resumed to step {}", session.train(&mut ())?.total_steps);
    println!("{}", session.evaluate(20)?);
    Ok(())
}
