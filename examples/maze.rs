//! An environment that is seen as an image, in which not every action is valid, that draws itself, and that is saved in the
//! middle of an episode.
//!
//! ```sh
//! cargo run --release --example maze -- --env maze --set network.kind=conv --steps 5_000
//! cargo run --release --example maze -- --env maze --env-arg size=11 --set wrappers.time_limit=300
//! ```

use std::process::ExitCode;

use control_envs::rand::{Rng, RngExt};
use control_envs::{
    About, Argument, Dimension, Drawing, Env, EnvArgs, EnvError, EnvSpec, ImageShape, Ink, Registry, Step,
};

const ID: &str = "Maze-v0";
/// Row and column that each action adds.
const WAYS: [(&str, [isize; 2]); 4] =
    [("up", [-1, 0]), ("right", [0, 1]), ("down", [1, 0]), ("left", [0, -1])];

/// Find the goal in a maze that is another one in every episode. Walls can't be walked into.
struct Maze {
    spec: EnvSpec,
    size: usize,
    /// Cells that are walls, row by row.
    walls: Vec<bool>,
    /// Where the walker is; the goal is in the bottom right corner.
    cell: usize,
}

impl Maze {
    /// What can be given with `--env-arg`.
    fn arguments() -> [Argument; 1] {
        [Argument::whole("size", 7, 5..=31, "rows and columns, the outer walls among them; an odd number")]
    }

    fn new(arguments: &EnvArgs) -> Result<Self, EnvError> {
        let size: usize = arguments.get("size")?;
        if size.is_multiple_of(2) {
            return Err(EnvError::failed(ID, format!("its size is {size}, but it must be odd")));
        }
        let pixel = |index: usize| {
            let (channel, cell) = (["wall", "goal", "walker"][index / (size * size)], index % (size * size));
            let name = format!("{channel} in row {}, column {}", cell / size, cell % size);
            // Scaled so that 0 stays 0.
            Dimension::new(name, "", 0.0, 1.0).with_typical(-1.0, 1.0)
        };
        let pixels: Vec<Dimension> = (0..3 * size * size).map(pixel).collect();
        let about = About {
            description: "Find the goal in a maze that is another one in every episode".into(),
            rewards: "-0.01 a step, and 1 for the one that reaches the goal".into(),
            start: "in the top left corner of a maze that is drawn anew".into(),
            end: "terminated in the bottom right corner".into(),
            source: "an example".into(),
        };
        let spec = EnvSpec::new(ID, pixels, WAYS.map(|(name, _)| name))
            .with_image(ImageShape { channels: 3, rows: size, columns: size })
            .with_max_episode_steps(10 * size)
            .with_about(about);
        Ok(Self { spec, size, walls: vec![false; size * size], cell: 0 })
    }

    fn goal(&self) -> usize {
        (self.size - 2) * self.size + self.size - 2
    }

    /// The cell so many steps away in a direction, within the outer walls.
    fn beside(&self, cell: usize, way: usize, steps: isize) -> Option<usize> {
        let [rows, columns] = WAYS[way].1;
        let row = (cell / self.size).checked_add_signed(steps * rows)?;
        let column = (cell % self.size).checked_add_signed(steps * columns)?;
        let inside = 1..self.size - 1;
        (inside.contains(&row) && inside.contains(&column)).then_some(row * self.size + column)
    }

    /// Breaks a way from this cell through walls to all that are not reached yet, in random order.
    fn dig(&mut self, cell: usize, rng: &mut dyn Rng) {
        self.walls[cell] = false;
        let first = rng.random_range(0..WAYS.len());
        for way in (first..first + WAYS.len()).map(|way| way % WAYS.len()) {
            if let (Some(wall), Some(next)) = (self.beside(cell, way, 1), self.beside(cell, way, 2))
                && self.walls[next]
            {
                self.walls[wall] = false;
                self.dig(next, rng);
            }
        }
    }

    fn observation(&self) -> Vec<f32> {
        let pixel = |is_set: bool| if is_set { 1.0 } else { 0.0 };
        let walls = self.walls.iter().map(|&is_wall| pixel(is_wall));
        let goal = (0..self.walls.len()).map(|cell| pixel(cell == self.goal()));
        let walker = (0..self.walls.len()).map(|cell| pixel(cell == self.cell));
        walls.chain(goal).chain(walker).collect()
    }
}

impl Env for Maze {
    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn reset(&mut self, rng: &mut dyn Rng) -> Result<Vec<f32>, EnvError> {
        self.walls.fill(true);
        self.cell = self.size + 1;
        self.dig(self.cell, rng);
        Ok(self.observation())
    }

    fn step(&mut self, action: usize) -> Result<Step, EnvError> {
        self.cell = self.beside(self.cell, action, 1).unwrap_or(self.cell);
        let is_found = self.cell == self.goal();
        Ok(Step::new(self.observation(), if is_found { 1.0 } else { -0.01 }, is_found))
    }

    fn action_mask(&self) -> Option<Vec<bool>> {
        let is_open = |way| self.beside(self.cell, way, 1).is_some_and(|cell| !self.walls[cell]);
        Some((0..WAYS.len()).map(is_open).collect())
    }

    fn save_state(&self) -> Option<Vec<u8>> {
        let walls = self.walls.iter().map(|&is_wall| u8::from(is_wall));
        Some((self.cell as u16).to_le_bytes().into_iter().chain(walls).collect())
    }

    fn restore_state(&mut self, state: &[u8]) -> Result<(), EnvError> {
        let cells = self.walls.len();
        match state {
            [low, high, walls @ ..] if walls.len() == cells => {
                self.cell = usize::from(u16::from_le_bytes([*low, *high])).min(cells - 1);
                self.walls = walls.iter().map(|&byte| byte == 1).collect();
                Ok(())
            }
            _ => Err(EnvError::NotRestored { env: ID.to_owned() }),
        }
    }

    fn drawing(&self) -> Option<Drawing> {
        let middle =
            |cell: usize| [(cell % self.size) as f64 + 0.5, (self.size - 1 - cell / self.size) as f64 + 0.5];
        let square = |cell: usize| {
            let [x, y] = middle(cell);
            [x - 0.5, y - 0.5, x + 0.5, y + 0.5]
        };
        let walls = (0..self.walls.len()).filter(|&cell| self.walls[cell]);
        let drawing = walls.fold(Drawing::grid(self.size, self.size), |drawing, cell| {
            drawing.rectangle(square(cell), Ink::Ground)
        });
        let drawing = drawing.rectangle(square(self.goal()), Ink::Goal);
        Some(drawing.disc(middle(self.cell), 0.35, Ink::Body))
    }
}

fn main() -> ExitCode {
    let mut registry = Registry::builtin();
    if let Err(error) = registry.register_with("maze", Maze::arguments(), Maze::new) {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    concrete_dqn::cli::run(&registry, std::env::args_os())
}

#[cfg(test)]
mod tests {
    use super::*;
    use control_envs::Wrappers;

    #[test]
    fn keeps_the_contract() {
        let mut registry = Registry::new();
        registry.register_with("maze", Maze::arguments(), Maze::new).unwrap();
        for size in [5, 7, 31] {
            let maze = registry.get("maze").unwrap().with_args([("size", size)]).unwrap();
            control_envs::contract::check(|| maze.make(), 1, 500).unwrap();
            let stacked = maze.with_wrappers(Wrappers { frame_stack: 2, ..Wrappers::default() });
            control_envs::contract::check(|| stacked.make(), 1, 200).unwrap();
        }
        assert!(registry.get("maze").unwrap().with_args([("size", 8)]).is_err());
    }
}
