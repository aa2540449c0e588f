//! The states of MountainCar as cells of a grid.

use concrete_dqn::plot::Bounds;
use control_envs::{BoxSpace, Dimension, Env, EnvError, MountainCar};

/// Position (m) and velocity (m/step).
pub type State = [f32; 2];

/// Cells along each of the two dimensions.
pub const SIDE: usize = 40;

/// A grid over all positions and velocities.
pub struct Grid {
    position: Dimension,
    velocity: Dimension,
}

impl Grid {
    /// The grid over a space of positions and velocities.
    pub fn new(space: &BoxSpace) -> Self {
        Self { position: space.dimensions[0].clone(), velocity: space.dimensions[1].clone() }
    }

    /// The cell that holds a state: they are counted along the positions, from the lowest velocity up.
    pub fn cell(&self, state: State) -> usize {
        cell(&self.velocity, state[1], SIDE) * SIDE + cell(&self.position, state[0], SIDE)
    }

    /// The states in the middle of all cells, one observation after the other.
    pub fn middles(&self) -> Vec<f32> {
        let middle = |dimension: &Dimension, index: usize| {
            dimension.low + (index as f32 + 0.5) / SIDE as f32 * (dimension.high - dimension.low)
        };
        let states = (0..SIDE * SIDE)
            .map(|cell| [middle(&self.position, cell % SIDE), middle(&self.velocity, cell / SIDE)]);
        states.flatten().collect()
    }

    /// Which cells can be reached from the starts at all, by any actions.
    ///
    /// Found by a search that continues from one state in each cell of a grid ten times as fine.
    ///
    /// # Errors
    /// The environment's.
    pub fn reachable(&self) -> Result<Vec<bool>, EnvError> {
        const FINE: usize = 10 * SIDE;
        let mut reachable = vec![false; SIDE * SIDE];
        let mut seen = vec![false; FINE * FINE];
        let mut env = MountainCar::new();
        let mut open: Vec<[f64; 2]> = (0..200).map(|i| [-0.6 + 0.001 * f64::from(i), 0.0]).collect();
        while let Some(state) = open.pop() {
            for action in 0..env.spec().actions.len() {
                env.set_state(state);
                let step = env.step(action)?;
                let next = env.state();
                let [position, velocity] = next.map(|value| value as f32);
                let fine = cell(&self.velocity, velocity, FINE) * FINE + cell(&self.position, position, FINE);
                if !std::mem::replace(&mut seen[fine], true) {
                    reachable[self.cell([position, velocity])] = true;
                    if !step.terminated {
                        open.push(next);
                    }
                }
            }
        }
        Ok(reachable)
    }

    /// The two dimensions, as a heat map names them.
    pub fn bounds(&self) -> [Bounds; 2] {
        [&self.position, &self.velocity].map(|dimension| Bounds {
            name: format!("{} ({})", dimension.name, dimension.unit),
            low: dimension.low.into(),
            high: dimension.high.into(),
        })
    }
}

/// The cell of `cells` equal ones that holds a value.
fn cell(dimension: &Dimension, value: f32, cells: usize) -> usize {
    let share = (value - dimension.low) / (dimension.high - dimension.low);
    ((share * cells as f32) as usize).min(cells - 1)
}
