//! The state space as a plane of cells, where it is one, or a plane through it.

use control_envs::EnvSpec;

use crate::plot::Bounds;

/// Cells of a state space of two variables, of a plane through one of more variables, or of a grid in which the observation
/// says where one is.
#[derive(Debug, Clone, PartialEq)]
pub struct StateGrid {
    axes: [Bounds; 2],
    columns: usize,
    rows: usize,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    OneHot,
    /// Over two of the values of an observation.
    Plane {
        values: [usize; 2],
        of: usize,
    },
}

impl StateGrid {
    /// Cells along an axis of a space of two variables.
    const SIDE: usize = 40;
    /// The widest grid that is drawn.
    const WIDEST_GRID: usize = 100;
    /// Typical ranges wider than this one tell nothing.
    const WIDEST_RANGE: f32 = 1e6;

    /// The cells of an environment's states: of a grid its own, up to 100 x 100 of them; else 40 x 40 over the typical ranges
    /// of the two variables, or of the two that the spec names where there are more. `None` for images, and where those have
    /// no typical range.
    pub fn of(spec: &EnvSpec) -> Option<Self> {
        let space = &spec.observation_space;
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
                kind: Kind::OneHot,
            });
        }
        if space.one_hot || space.image.is_some() || space.len() < 2 {
            return None;
        }
        let values = spec.plane.unwrap_or([0, 1]);
        let [x, y] = values.map(|value| &space.dimensions[value]);
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
        Some(Self {
            axes,
            columns: Self::SIDE,
            rows: Self::SIDE,
            kind: Kind::Plane { values, of: space.len() },
        })
    }

    /// Whether there are states beside those of its cells: those with other values of other variables.
    pub fn is_slice(&self) -> bool {
        matches!(self.kind, Kind::Plane { of, .. } if of > 2)
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
        if self.kind == Kind::OneHot {
            return at;
        }
        let [x, y] = &self.axes;
        let along = |axis: &Bounds, index: f64, count: usize| {
            axis.low + (index + 0.5) / count as f64 * (axis.high - axis.low)
        };
        [along(x, at[0], self.columns), along(y, at[1], self.rows)]
    }

    /// The observation at the centre of a cell, all other variables as in `others`, an observation.
    pub fn observation(&self, cell: usize, others: &[f32]) -> Vec<f32> {
        let Kind::Plane { values, .. } = self.kind else {
            return (0..self.len()).map(|index| f32::from(u8::from(index == cell))).collect();
        };
        let mut observation = others.to_vec();
        for (value, centre) in values.into_iter().zip(self.centre(cell)) {
            observation[value] = centre as f32;
        }
        observation
    }

    /// What [`observation`](Self::observation) needs of the inputs that a replay holds: the median of every variable, each by
    /// itself.
    pub fn others<'a>(&self, inputs: impl Iterator<Item = &'a [f32]>) -> Vec<f32> {
        let Kind::Plane { of, .. } = self.kind else { return Vec::new() };
        let mut values = vec![Vec::new(); of];
        if self.is_slice() {
            for input in inputs {
                values.iter_mut().zip(input).for_each(|(values, value)| values.push(*value));
            }
        }
        values.into_iter().map(|mut values| median(&mut values).unwrap_or(0.0)).collect()
    }

    /// The cell of what a network is given of an observation; what is outside counts to the outermost cells. `None` where
    /// a grid is left, as in the last step of an episode.
    pub fn cell(&self, input: &[f32]) -> Option<usize> {
        let Kind::Plane { values, .. } = self.kind else {
            // A table is given the number of the place.
            let place = match input {
                [place] => Some(*place as usize),
                observation => observation.iter().position(|value| *value > 0.5),
            };
            return place.filter(|place| *place < self.len());
        };
        let along = |axis: &Bounds, value: f32, count: usize| {
            let share = (f64::from(value) - axis.low) / (axis.high - axis.low);
            ((share * count as f64) as usize).min(count - 1)
        };
        let [x, y] = &self.axes;
        Some(along(y, input[values[1]], self.rows) * self.columns + along(x, input[values[0]], self.columns))
    }
}

/// The middle one, or the upper of the two in the middle.
fn median(values: &mut [f32]) -> Option<f32> {
    let middle = values.len() / 2;
    (!values.is_empty()).then(|| *values.select_nth_unstable_by(middle, f32::total_cmp).1)
}

#[cfg(test)]
mod tests {
    use control_envs::Registry;

    use super::*;

    fn grid(env: &str) -> Option<StateGrid> {
        StateGrid::of(Registry::builtin().get(env).unwrap().spec())
    }

    #[test]
    fn a_cell_has_its_centre_in_it() {
        for (env, dimensions) in [
            ("mountaincar", 2),
            ("sparse-mountaincar", 2),
            ("deep-sea", 100),
            ("cartpole", 4),
            ("acrobot", 6),
            ("cartpole-swingup", 8),
        ] {
            let grid = grid(env).unwrap();
            for cell in 0..grid.len() {
                assert_eq!(grid.cell(&grid.observation(cell, &vec![0.0; dimensions])), Some(cell), "{env}");
            }
            assert_eq!(grid.is_slice(), dimensions < 100 && dimensions > 2, "{env}");
        }
        let grid = grid("deep-sea").unwrap();
        assert_eq!((grid.centre(13), grid.cell(&[13.0]), grid.cell(&[100.0])), ([3.0, 1.0], Some(13), None));
    }

    #[test]
    fn a_slice_is_through_the_median_of_the_other_variables() {
        let grid = grid("cartpole").unwrap();
        assert!(grid.axes()[0].name == "pole angle (rad)", "{:?}", grid.axes());
        let seen = [[3.0, 0.5, 9.0, 9.0], [1.0, -0.5, 9.0, 9.0], [2.0, 0.0, 9.0, 9.0_f32]];
        let others = grid.others(seen.iter().map(|input| input.as_slice()));
        assert_eq!(others[..2], [2.0, 0.0]);
        let observation = grid.observation(0, &others);
        assert_eq!((observation[..2].to_vec(), observation.len()), (vec![2.0, 0.0], 4));
        assert!(observation[2] < -0.2 && observation[3] < -3.4);
        assert_eq!(grid.others(std::iter::empty()), [0.0; 4]);
    }

    #[test]
    fn what_is_outside_counts_to_the_edge() {
        let grid = grid("mountaincar").unwrap();
        assert_eq!(grid.cell(&[-9.0, -9.0]), Some(0));
        assert_eq!(grid.cell(&[9.0, 9.0]), Some(grid.len() - 1));
        assert!(grid.axes()[0].name.starts_with("position"), "{:?}", grid.axes());
    }

    #[test]
    fn an_image_is_no_plane() {
        assert_eq!(grid("catch"), None);
    }
}
