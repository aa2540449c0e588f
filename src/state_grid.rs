//! The state space as a plane of cells, where it is one.

use control_envs::BoxSpace;

use crate::plot::Bounds;

/// Cells of a state space of two variables, or of a grid in which the observation says where one is.
#[derive(Debug, Clone, PartialEq)]
pub struct StateGrid {
    axes: [Bounds; 2],
    columns: usize,
    rows: usize,
    is_one_hot: bool,
}

impl StateGrid {
    /// Cells along an axis of a space of two variables.
    const SIDE: usize = 40;
    /// The widest grid that is drawn.
    const WIDEST_GRID: usize = 100;
    /// Typical ranges wider than this one tell nothing.
    const WIDEST_RANGE: f32 = 1e6;

    /// The cells of `space`: of a grid its own, up to 100 x 100 of them; of two variables 40 x 40 over their typical
    /// ranges. `None` where it is not a plane.
    pub fn of(space: &BoxSpace) -> Option<Self> {
        if let (true, Some(image)) = (space.one_hot, space.image) {
            let axis = |name: &str, low: usize, high: usize| Bounds {
                name: name.to_owned(),
                low: low as f64,
                high: high as f64,
            };
            let is_drawn = image.channels == 1 && image.rows.max(image.columns) <= Self::WIDEST_GRID;
            return is_drawn.then(|| Self {
                // The first row is the topmost one.
                axes: [axis("column", 0, image.columns), axis("row", image.rows, 0)],
                columns: image.columns,
                rows: image.rows,
                is_one_hot: true,
            });
        }
        let [x, y] = space.dimensions.as_slice() else { return None };
        let axis = |dimension: &control_envs::Dimension| {
            let (low, high) = dimension.typical;
            let unit =
                if dimension.unit.is_empty() { String::new() } else { format!(" ({})", dimension.unit) };
            (high - low <= Self::WIDEST_RANGE).then(|| Bounds {
                name: format!("{}{unit}", dimension.name),
                low: low.into(),
                high: high.into(),
            })
        };
        let axes = [axis(x)?, axis(y)?];
        Some(Self { axes, columns: Self::SIDE, rows: Self::SIDE, is_one_hot: false })
    }

    /// Its horizontal and its vertical axis.
    pub fn axes(&self) -> &[Bounds; 2] {
        &self.axes
    }

    /// Number of cells.
    pub fn len(&self) -> usize {
        self.columns * self.rows
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The centre of a cell: of a grid its column and row.
    pub fn centre(&self, cell: usize) -> [f64; 2] {
        let at = [cell % self.columns, cell / self.columns].map(|index| index as f64);
        if self.is_one_hot {
            return at;
        }
        let [x, y] = &self.axes;
        let along = |axis: &Bounds, index: f64, count: usize| {
            axis.low + (index + 0.5) / count as f64 * (axis.high - axis.low)
        };
        [along(x, at[0], self.columns), along(y, at[1], self.rows)]
    }

    /// The observation at the centre of a cell.
    pub fn observation(&self, cell: usize) -> Vec<f32> {
        if self.is_one_hot {
            return (0..self.len()).map(|index| f32::from(u8::from(index == cell))).collect();
        }
        self.centre(cell).map(|value| value as f32).to_vec()
    }

    /// The cell of what a network is given of an observation; what is outside counts to the outermost cells. `None` where
    /// a grid is left, as in the last step of an episode.
    pub fn cell(&self, input: &[f32]) -> Option<usize> {
        if self.is_one_hot {
            // A table is given the number of the place.
            let place = match input {
                [place] => Some(*place as usize),
                observation => observation.iter().position(|value| *value > 0.5),
            };
            return place.filter(|place| *place < self.len());
        }
        let along = |axis: &Bounds, value: f32, count: usize| {
            let share = (f64::from(value) - axis.low) / (axis.high - axis.low);
            ((share * count as f64) as usize).min(count - 1)
        };
        let [x, y] = &self.axes;
        Some(along(y, input[1], self.rows) * self.columns + along(x, input[0], self.columns))
    }
}

#[cfg(test)]
mod tests {
    use control_envs::Registry;

    use super::*;

    fn grid(env: &str) -> Option<StateGrid> {
        StateGrid::of(&Registry::builtin().get(env).unwrap().spec().observation_space)
    }

    #[test]
    fn a_cell_has_its_centre_in_it() {
        for env in ["mountaincar", "sparse-mountaincar", "deep-sea"] {
            let grid = grid(env).unwrap();
            for cell in 0..grid.len() {
                assert_eq!(grid.cell(&grid.observation(cell)), Some(cell), "{env}");
            }
        }
        let grid = grid("deep-sea").unwrap();
        assert_eq!((grid.centre(13), grid.cell(&[13.0]), grid.cell(&[100.0])), ([3.0, 1.0], Some(13), None));
    }

    #[test]
    fn what_is_outside_counts_to_the_edge() {
        let grid = grid("mountaincar").unwrap();
        assert_eq!(grid.cell(&[-9.0, -9.0]), Some(0));
        assert_eq!(grid.cell(&[9.0, 9.0]), Some(grid.len() - 1));
        assert!(grid.axes()[0].name.starts_with("position"), "{:?}", grid.axes());
    }

    #[test]
    fn other_spaces_are_no_plane() {
        for env in ["cartpole", "acrobot", "catch"] {
            assert_eq!(grid(env), None, "{env}");
        }
    }
}
