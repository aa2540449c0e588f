//! The deep sea.

use std::f64::consts::TAU;

use rand::{Rng, RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::mersenne_twister::MersenneTwister;
use crate::{
    About, Argument, Dimension, Drawing, Env, EnvArgs, EnvError, EnvSpec, ImageShape, Ink, Step, saved,
};

const ID: &str = "DeepSea-v0";
/// What going right all the way costs.
const MOVE_COST: f64 = 0.01;
const TREASURE: f64 = 1.0;

const SIZE: usize = 10;
const MAPPING_SEED: u32 = 42;

/// `DeepSea-v0`: dive to a treasure in the one far corner of a grid, which only `size` steps to the right in a row
/// reach, each of which costs a little.
///
/// An agent that tries actions at random finds the treasure once in `2^size` episodes; one that tries on purpose what
/// it has not tried yet can find it in about `size` of them.
///
/// # Arguments
/// | Name                | Default | Range           | Meaning                                                      |
/// |---------------------|---------|-----------------|--------------------------------------------------------------|
/// | `size`              | 10      | 2 to 200        | rows and columns of the grid                                 |
/// | `stochastic`        | false   | true or false   | `right` fails with probability 1/size, and ends are noisy    |
/// | `mapping_seed`      | 42      | 0 to 4294967295 | which action is `right` in which cell, as in bsuite          |
/// | `randomize_actions` | true    | true or false   | without, action 1 is `right` everywhere                      |
///
/// # Actions
/// | Number | Name       | Effect                                                                              |
/// |--------|------------|-------------------------------------------------------------------------------------|
/// | 0      | `action 0` | down one row, and one column to the left or to the right, unless at the edge        |
/// | 1      | `action 1` | the other of the two                                                                |
///
/// Which is `right` in a cell is drawn from `mapping_seed`, the same for the environment's whole life.
///
/// # Observation
/// The grid of `size` rows and columns as an image of one channel, row by row from the top left, one-hot: 1 in the
/// cell of the diver and 0 elsewhere. After the last step the diver is below the grid, and all values are 0.
///
/// | Index             | Name                  | Unit | Bounds | Typical                                        |
/// |-------------------|-----------------------|------|--------|------------------------------------------------|
/// | size row + column | `cell in row, column` | none | 0 to 1 | ±1, so that 0 stays 0 where agents scale by it |
///
/// # Dynamics
/// Every step goes one row down and one column to the left or right; at the edges the column stays. If `stochastic`,
/// a step to the right stays in its column with probability 1/size.
///
/// # Reward
/// -0.01/size for every `right`, whether it succeeds or not, and 1 more for `right` in the last column, which is first
/// reached in the last row. If `stochastic`, the last step has noise N(0, 1) added where it is taken in the first or
/// the last column.
///
/// The best policy always goes right, for a return of 0.99, or (1 - 1/size)^(size - 1) - 0.01 in the mean if
/// `stochastic`. The reward threshold is 0.9 times the chance of the best policy to find the treasure, less 0.01. If
/// not `stochastic` that is 0.89, and a mean of the last 100 episodes at it or above says that at least 90 of
/// them found the treasure: 90 finds come to more than 90 times 0.99 less 10 times 0.01, which is 89, and 89 finds to
/// 88.11 at most.
///
/// # Start of an episode
/// In the top left cell.
///
/// # End of an episode
/// Terminated after `size` steps. There is no time limit.
///
/// # Source
/// I. Osband, B. Van Roy, D. Russo and Z. Wen (2019), *Deep exploration via randomized value functions*; I. Osband et
/// al. (2020), *Behaviour suite for reinforcement learning*. Rules, constants and mappings as in bsuite, which has no
/// threshold. Its `mapping_seed` gives the same mapping there and here; its noise is drawn otherwise.
#[derive(Debug, Clone)]
pub struct DeepSea {
    spec: EnvSpec,
    size: usize,
    stochastic: bool,
    /// The action that is `right`, cell by cell.
    right: Vec<usize>,
    row: usize,
    column: usize,
    /// What an episode's chance follows from, with the row.
    chance: u64,
}

impl DeepSea {
    /// The environment with its default arguments, which needs a reset before its first step.
    pub fn new() -> Self {
        Self::of(SIZE, false, Some(MAPPING_SEED))
    }

    /// The arguments with their defaults.
    pub fn arguments() -> EnvArgs {
        let arguments = [
            Argument::whole("size", SIZE as i64, 2..=200, "rows and columns of the grid"),
            Argument::flag(
                "stochastic",
                false,
                "whether right fails with probability 1/size and the ends of the last row are noisy",
            ),
            Argument::whole(
                "mapping_seed",
                MAPPING_SEED.into(),
                0..=u32::MAX.into(),
                "seed of which action is right in which cell",
            ),
            Argument::flag("randomize_actions", true, "false makes action 1 right in every cell"),
        ];
        EnvArgs::new(ID, arguments)
    }

    /// The environment with these arguments.
    ///
    /// # Errors
    /// Where the arguments are not those of [`arguments`](Self::arguments).
    pub fn with_arguments(arguments: &EnvArgs) -> Result<Self, EnvError> {
        let mapping_seed = arguments.get("mapping_seed")?;
        let randomized: bool = arguments.get("randomize_actions")?;
        let size = arguments.get("size")?;
        Ok(Self::of(size, arguments.get("stochastic")?, randomized.then_some(mapping_seed)))
    }

    fn of(size: usize, stochastic: bool, mapping_seed: Option<u32>) -> Self {
        let cells: Vec<Dimension> = (0..size * size)
            .map(|index| {
                let name = format!("cell in row {}, column {}", index / size, index % size);
                Dimension::new(name, "", 0.0, 1.0).with_typical(-1.0, 1.0)
            })
            .collect();
        let wind = if stochastic { 1.0 / size as f64 } else { 0.0 };
        // The treasure is in the last column: the last `right` finds it whether it succeeds or not.
        let treasure = (1.0 - wind).powi(size as i32 - 1);
        let spec = EnvSpec::new(ID, cells, ["action 0", "action 1"])
            .with_image(ImageShape { channels: 1, rows: size, columns: size })
            .with_one_hot()
            .with_reward_threshold(0.9 * treasure - MOVE_COST)
            .with_about(About::of([
                "Dive to a treasure in the far corner of a grid, which only `size` steps to the right in a row reach",
                "-0.01/size for every step to the right, and 1 more for the treasure",
                "in the top left cell",
                "terminated after `size` steps",
                "bsuite (I. Osband et al. 2020); its mappings for the same `mapping_seed`",
            ]));
        let right = match mapping_seed {
            None => vec![1; size * size],
            Some(seed) => {
                let mut generator = MersenneTwister::new(seed);
                // NumPy's binomial(1, 1/2).
                (0..size * size).map(|_| usize::from(generator.uniform() > 0.5)).collect()
            }
        };
        Self { spec, size, stochastic, right, row: 0, column: 0, chance: 0 }
    }

    /// Row and column of the diver, from the top left. The row is the grid's size after the last step.
    pub fn state(&self) -> [usize; 2] {
        [self.row, self.column]
    }

    /// Puts the diver into a cell, in the order of [`state`](Self::state); what lies outside the grid becomes its
    /// edge.
    pub fn set_state(&mut self, [row, column]: [usize; 2]) {
        [self.row, self.column] = [row, column].map(|cell| cell.min(self.size - 1));
    }

    /// The action that is `right` in a cell of the grid, if it is one.
    pub fn right(&self, row: usize, column: usize) -> Option<usize> {
        if column < self.size { self.right.get(row * self.size + column).copied() } else { None }
    }

    fn observation(&self) -> Vec<f32> {
        let mut grid = vec![0.0; self.size * self.size];
        if let Some(cell) = grid.get_mut(self.row * self.size + self.column) {
            *cell = 1.0;
        }
        grid
    }

    /// Whether the wind keeps the diver from going right in this row, and the noise of a reward. They are a function
    /// of the episode's chance and the row, so that a saved state need not hold a generator.
    fn weather(&self) -> (bool, f64) {
        if !self.stochastic {
            return (false, 0.0);
        }
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(self.chance.wrapping_add(self.row as u64));
        let wind = rng.random::<f64>() < 1.0 / self.size as f64;
        // Box and Muller's method; 1 - u is never 0.
        let (radius, angle) = ((-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt(), TAU * rng.random::<f64>());
        (wind, radius * angle.cos())
    }
}

impl Default for DeepSea {
    fn default() -> Self {
        Self::new()
    }
}

impl Env for DeepSea {
    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn reset(&mut self, rng: &mut dyn Rng) -> Result<Vec<f32>, EnvError> {
        (self.row, self.column) = (0, 0);
        if self.stochastic {
            self.chance = rng.random();
        }
        Ok(self.observation())
    }

    fn step(&mut self, action: usize) -> Result<Step, EnvError> {
        let actions = self.spec.actions.len();
        if action >= actions {
            return Err(EnvError::ActionOutOfRange { env: self.spec.id.clone(), action, actions });
        }
        let last = self.size - 1;
        // After the last row there is no cell.
        let Some(right) = self.right(self.row, self.column) else {
            return Err(EnvError::EpisodeOver { env: self.spec.id.clone() });
        };
        let goes_right = action == right;
        let (wind, noise) = self.weather();
        // In the order of bsuite's sums, so that the digits are the same.
        let mut reward = 0.0;
        if self.column == last && goes_right {
            reward += TREASURE;
        }
        if self.row == last && (self.column == 0 || self.column == last) {
            reward += noise;
        }
        if goes_right {
            reward -= MOVE_COST / self.size as f64;
        }
        self.column = match (goes_right, wind) {
            (true, true) => self.column,
            (true, false) => (self.column + 1).min(last),
            (false, _) => self.column.saturating_sub(1),
        };
        self.row += 1;
        Ok(Step::new(self.observation(), reward, self.row == self.size))
    }

    fn save_state(&self) -> Option<Vec<u8>> {
        Some(saved::count_and(self.chance, saved::numbers(&self.state().map(|cell| cell as f64))))
    }

    fn restore_state(&mut self, state: &[u8]) -> Result<(), EnvError> {
        let (chance, cell) = saved::read_count(state, &self.spec)?;
        let [row, column] = saved::read_numbers(cell, &self.spec)?.map(|cell| cell as usize);
        if row.max(column) >= self.size {
            return Err(EnvError::NotRestored { env: self.spec.id.clone() });
        }
        (self.row, self.column, self.chance) = (row, column, chance);
        Ok(())
    }

    fn drawing(&self) -> Option<Drawing> {
        let [row, column] = self.state().map(|cell| cell as f64);
        let size = self.size as f64;
        // After the last step the diver is below the grid.
        let drawing = Drawing::grid(self.size, self.size)
            .line([[0.0, size], [size, 0.0]], 0.04, Ink::Ground)
            .rectangle([size - 0.85, 0.15, size - 0.15, 0.85], Ink::Goal)
            .disc([column + 0.5, size - row - 0.5], 0.35, Ink::Body);
        Some(drawing)
    }
}
