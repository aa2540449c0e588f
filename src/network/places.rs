//! Places of the observation space: cells of tilings, or the observation itself where it is one of finitely many.

use control_envs::BoxSpace;
use rand::RngExt;
use rand::seq::SliceRandom;

use crate::randomness::Generator;

/// Maps an observation to the places that it is in, as many for every observation.
///
/// A tiling divides a few dimensions of the scaled observation (all, where there are fewer) into cells of equal size,
/// shifted by a random offset (Sutton & Barto 2018, section 9.5.4). Which ones, goes round through all dimensions, so that
/// each is in about as many tilings as every other: the number of cells grows with the tilings and not with a power of the
/// observation's dimensions, and no two cells share anything.
#[derive(Debug, Clone)]
pub struct Places {
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    /// The number of the dimension that is 1; one more where none is.
    OneHot(usize),
    Tilings {
        tilings: Vec<Vec<Axis>>,
        /// Cells along an axis, without the one that the offset adds.
        cells: usize,
    },
}

/// Tilings in numbers, for who computes the places of an observation elsewhere: the place of tiling i is
/// `first[i] + sum over its axes j of strides[j] min(cells, floor(cells u + offsets[i, j]))`, where u is what
/// `dimensions[i, j]` of the scaled observation is when [-1, 1] is mapped to [0, 1] and what is outside is at the edge.
#[derive(Debug, Clone, PartialEq)]
pub struct TilingNumbers {
    /// Axes of a tiling.
    pub axes: usize,
    /// Cells along an axis, without the one that the offset adds.
    pub cells: usize,
    /// `[tilings, axes]`
    pub dimensions: Vec<u32>,
    /// `[tilings, axes]`
    pub offsets: Vec<f32>,
    /// `[tilings]`
    pub first: Vec<u32>,
    /// `[axes]`
    pub strides: Vec<u32>,
}

/// A dimension of a tiling.
#[derive(Debug, Clone, Copy)]
struct Axis {
    dimension: usize,
    /// In cells, from 0 to below 1.
    offset: f32,
}

impl Places {
    /// Those of `space`: exact where it is one-hot, else `tilings` tilings of `axes` dimensions, of `cells` cells along each.
    pub fn new(
        space: &BoxSpace,
        tilings: usize,
        axes: usize,
        cells: usize,
        generator: &mut Generator,
    ) -> Self {
        if space.one_hot {
            return Self { kind: Kind::OneHot(space.len()) };
        }
        let mut order: Vec<usize> = Vec::new();
        let mut next = |generator: &mut Generator| {
            if order.is_empty() {
                order.extend(0..space.len());
                order.shuffle(generator);
            }
            order.pop().unwrap_or(0)
        };
        let mut tiling = || {
            let mut dimensions: Vec<usize> = Vec::new();
            while dimensions.len() < axes.min(space.len()) {
                let dimension = next(generator);
                if !dimensions.contains(&dimension) {
                    dimensions.push(dimension);
                }
            }
            let axis = |dimension| Axis { dimension, offset: generator.random_range(0.0..1.0) };
            dimensions.into_iter().map(axis).collect()
        };
        Self { kind: Kind::Tilings { tilings: (0..tilings).map(|_| tiling()).collect(), cells } }
    }

    /// How many places an observation is in.
    pub fn active(&self) -> usize {
        match &self.kind {
            Kind::OneHot(_) => 1,
            Kind::Tilings { tilings, .. } => tilings.len(),
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        match &self.kind {
            Kind::OneHot(dimensions) => dimensions + 1,
            Kind::Tilings { tilings, cells } => {
                tilings.iter().map(|axes| (cells + 1).pow(axes.len() as u32)).sum()
            }
        }
    }

    /// Its tilings; `None` where an observation is one-hot and a place of its own.
    pub fn numbers(&self) -> Option<TilingNumbers> {
        let Kind::Tilings { tilings, cells } = &self.kind else { return None };
        let axes = tilings.first().map_or(0, Vec::len);
        let stride = |axis: usize| (cells + 1).pow((axes - 1 - axis) as u32) as u32;
        let places = (cells + 1).pow(axes as u32);
        Some(TilingNumbers {
            axes,
            cells: *cells,
            dimensions: tilings.iter().flatten().map(|axis| axis.dimension as u32).collect(),
            offsets: tilings.iter().flatten().map(|axis| axis.offset).collect(),
            first: (0..tilings.len()).map(|tiling| (tiling * places) as u32).collect(),
            strides: (0..axes).map(stride).collect(),
        })
    }

    /// The place of a one-hot observation: the number of the dimension that is 1; one more where none is.
    pub fn one_hot(&self, observation: &[f32]) -> usize {
        observation.iter().position(|&value| value > 0.5).unwrap_or(observation.len())
    }

    /// Calls `visit` with each of the places of an observation, whose dimensions `scaled` maps to about [-1, 1]; what is
    /// outside counts to the outermost cells.
    pub fn of(&self, observation: &[f32], scaled: impl Fn(usize) -> f32, mut visit: impl FnMut(usize)) {
        match &self.kind {
            Kind::OneHot(_) => visit(self.one_hot(observation)),
            Kind::Tilings { tilings, cells } => {
                let mut first = 0;
                for axes in tilings {
                    let mut cell = 0;
                    for axis in axes {
                        let unit = (0.5 * (scaled(axis.dimension) + 1.0)).clamp(0.0, 1.0);
                        let along = (unit * *cells as f32 + axis.offset) as usize;
                        cell = cell * (cells + 1) + along.min(*cells);
                    }
                    visit(first + cell);
                    first += (cells + 1).pow(axes.len() as u32);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use control_envs::Dimension;

    use super::*;
    use crate::randomness::{Stream, generator};

    fn space(dimensions: usize, one_hot: bool) -> BoxSpace {
        let dimensions = (0..dimensions).map(|i| Dimension::new(i.to_string(), "", 0.0, 1.0)).collect();
        BoxSpace { dimensions, image: None, one_hot }
    }

    fn of(places: &Places, observation: &[f32]) -> Vec<usize> {
        let mut all = Vec::new();
        places.of(observation, |dimension| observation[dimension], |place| all.push(place));
        all
    }

    #[test]
    fn a_one_hot_observation_is_its_own_place() {
        let places = Places::new(&space(3, true), 16, 2, 8, &mut generator(1, Stream::Places));
        assert_eq!((places.active(), places.count()), (1, 4));
        assert_eq!([of(&places, &[0.0, 1.0, 0.0]), of(&places, &[0.0; 3])], [[1], [3]]);
    }

    #[test]
    fn tilings_cover_every_dimension_and_tell_near_from_far() {
        for (dimensions, axes) in [(1, 2), (2, 2), (3, 2), (6, 2), (3, 1), (2, 3), (3, 3), (6, 3), (4, 4)] {
            let of_each = axes.min(dimensions);
            let places =
                Places::new(&space(dimensions, false), 12, axes, 8, &mut generator(1, Stream::Places));
            assert_eq!(places.count(), 12 * 9_usize.pow(of_each as u32));
            assert_eq!(places.active(), 12);
            let (low, high) = (of(&places, &vec![-1.0; dimensions]), of(&places, &vec![1.0; dimensions]));
            assert!(high.iter().all(|&place| place < places.count()));
            assert!(low.iter().zip(&high).all(|(low, high)| low != high));
            // A hundredth of a cell away nearly all places are the same, three cells away in a dimension those of it differ.
            for dimension in 0..dimensions {
                let moved = |by: f32| {
                    let mut observation = vec![0.1; dimensions];
                    observation[dimension] += by;
                    let (here, there) = (of(&places, &vec![0.1; dimensions]), of(&places, &observation));
                    here.iter().zip(&there).filter(|(a, b)| a != b).count()
                };
                let share = of_each * 12 / dimensions;
                assert!(moved(0.0025) <= 2, "{dimensions}, {axes}, {dimension}");
                assert!(
                    (moved(0.75) as i64 - share as i64).abs() <= 1,
                    "{dimensions}, {axes}, {dimension}: {}",
                    moved(0.75)
                );
            }
            // Outside is as the edge.
            assert_eq!(of(&places, &vec![9.0; dimensions]), high);
        }
    }
}
