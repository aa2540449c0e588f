//! Dimensions of the observation whose bounds do not tell their scale.

use control_envs::{BoxSpace, Dimension};
use serde::{Deserialize, Serialize};

/// How a dimension is scaled: `(value - centre) / half_width`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scaling {
    /// Its number in the observation.
    pub dimension: usize,
    /// What becomes 0.
    pub centre: f32,
    /// What becomes 1, less the centre.
    pub half_width: f32,
}

/// A dimension whose bounds turn out not to tell its scale, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misfit {
    /// It was three half widths or more from the centre.
    Exceeded(usize),
    /// It changes, and all that was seen of it when learning was about to start lies within a thousandth of them.
    Unfilled(usize),
}

/// Running normalisation of the dimensions whose bounds are infinite, absurd, not kept to or next to unused. All others are
/// scaled by their bounds for good.
#[derive(Debug, Clone)]
pub struct Observations {
    /// Centre and half width by the bounds, `[dimensions]`.
    bounds: Vec<(f32, f32)>,
    /// Dimensions that are normalised by what is seen of them, ascending.
    normalized: Vec<Seen>,
    /// Whether all have one scale, as pixels of an image have, or entries that are one-hot.
    share_a_scale: bool,
}

/// What was seen of a dimension.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    dimension: usize,
    moments: Moments,
}

/// Mean and variance of the numbers so far (Welford 1962).
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Moments {
    count: u64,
    mean: f64,
    /// Sum of the squared distances from the mean.
    squares: f64,
}

impl Moments {
    fn add(&mut self, value: f32) {
        self.count += 1;
        let distance = f64::from(value) - self.mean;
        self.mean += distance / self.count as f64;
        self.squares += distance * (f64::from(value) - self.mean);
    }

    /// Those of the numbers of several dimensions, of each of which as many were seen.
    fn pooled(of: &[Seen]) -> Self {
        let share = 1.0 / of.len().max(1) as f64;
        let mean: f64 = of.iter().map(|seen| share * seen.moments.mean).sum();
        let count: u64 = of.iter().map(|seen| seen.moments.count).sum();
        let squares =
            |Self { count, squares, mean: own }: Self| squares + count as f64 * (own - mean).powi(2);
        Self { count, mean, squares: of.iter().map(|seen| squares(seen.moments)).sum() }
    }

    fn std(&self) -> f64 {
        (self.squares / self.count.max(1) as f64).sqrt()
    }

    /// From -1 to 1 where the values are uniform, whose half width is sqrt(3) standard deviations.
    fn scaling(&self, dimension: usize) -> Scaling {
        let std = self.std();
        // Of what never changes there is nothing to tell.
        let half_width = if std > 0.0 { 3.0_f64.sqrt() * std } else { 1.0 };
        Scaling { dimension, centre: self.mean as f32, half_width: half_width as f32 }
    }
}

impl Observations {
    /// Bounds farther apart are not taken for the range of anything.
    const WIDEST: f32 = 1e6;
    /// So many half widths from the centre an observation is not what the bounds promised.
    const FARTHEST: f32 = 3.0;
    /// A network sees nothing of what changes by a smaller share of its bounds.
    const LEAST_SHARE: f32 = 1e-3;
    /// Nor is there anything to see in the last digits of single precision.
    const LEAST_DIGITS: f32 = 1e-5;
    /// Of fewer observations nothing is concluded.
    const FEWEST: usize = 100;

    /// Those of `space`, of which nothing was seen yet.
    pub fn new(space: &BoxSpace) -> Self {
        let tells_nothing = |dimension: &Dimension| {
            let (low, high) = dimension.typical;
            high / 2.0 - low / 2.0 > Self::WIDEST
        };
        let normalized =
            space.dimensions.iter().enumerate().filter(|(_, dimension)| tells_nothing(dimension));
        Self {
            bounds: space.dimensions.iter().map(Dimension::scale).collect(),
            normalized: normalized
                .map(|(dimension, _)| Seen { dimension, moments: Moments::default() })
                .collect(),
            share_a_scale: space.image.is_some() || space.one_hot,
        }
    }

    /// The numbers of the dimensions that are normalised.
    pub fn normalized(&self) -> impl Iterator<Item = usize> + '_ {
        self.normalized.iter().map(|seen| seen.dimension)
    }

    /// Looks for dimensions in which `observation` is far outside the bounds, and normalises them from now on; all of them
    /// where they have one scale. `seen` are the observations up to now, `[rows, dimensions]`.
    pub fn find_exceeded(&mut self, observation: &[f32], seen: &[f32]) -> Vec<Misfit> {
        let is_exceeded = |(value, (centre, half_width)): (&f32, &(f32, f32))| {
            (value - centre).abs() > Self::FARTHEST * half_width
        };
        if !observation.iter().zip(&self.bounds).any(is_exceeded) {
            return Vec::new();
        }
        let outside = observation
            .iter()
            .zip(&self.bounds)
            .enumerate()
            .filter(|(_, pair)| self.share_a_scale || is_exceeded(*pair));
        let found = outside.map(|(dimension, _)| dimension).collect();
        self.normalize(found, seen).map(Misfit::Exceeded).collect()
    }

    /// Looks for dimensions that change, and so little that by their bounds a network would see nothing of it, and normalises
    /// them from now on. `seen` are the observations before this one, `[rows, dimensions]`.
    pub fn find_unfilled(&mut self, observation: &[f32], seen: &[f32]) -> Vec<Misfit> {
        if self.share_a_scale || seen.len() + observation.len() < Self::FEWEST * self.bounds.len() {
            return Vec::new();
        }
        let is_unfilled = |dimension: &usize| {
            let values =
                || seen.iter().chain(observation).skip(*dimension).step_by(self.bounds.len()).copied();
            let (low, high) =
                (values().fold(f32::INFINITY, f32::min), values().fold(f32::NEG_INFINITY, f32::max));
            let half_width = self.bounds[*dimension].1;
            let (half_span, largest) = (high / 2.0 - low / 2.0, high.abs().max(low.abs()));
            half_span > Self::LEAST_DIGITS * largest && half_span < Self::LEAST_SHARE * half_width
        };
        let found = (0..self.bounds.len()).filter(is_unfilled).collect();
        self.normalize(found, seen).map(Misfit::Unfilled).collect()
    }

    /// Normalises dimensions, beginning with what was `seen` of them, and returns those that were not yet.
    fn normalize(&mut self, mut found: Vec<usize>, seen: &[f32]) -> impl Iterator<Item = usize> + use<> {
        found.retain(|dimension| !self.normalized().any(|known| known == *dimension));
        for &dimension in &found {
            let mut moments = Moments::default();
            seen.iter().skip(dimension).step_by(self.bounds.len()).for_each(|&value| moments.add(value));
            self.normalized.push(Seen { dimension, moments });
        }
        self.normalized.sort_unstable_by_key(|seen| seen.dimension);
        found.into_iter()
    }

    /// Takes an observation in and returns how the normalised dimensions are scaled from now on.
    pub fn observe(&mut self, observation: &[f32]) -> impl Iterator<Item = Scaling> + '_ {
        for seen in &mut self.normalized {
            seen.moments.add(observation[seen.dimension]);
        }
        let shared = self.share_a_scale.then(|| Moments::pooled(&self.normalized));
        self.normalized.iter().map(move |seen| shared.unwrap_or(seen.moments).scaling(seen.dimension))
    }

    /// What was seen, to be saved.
    pub fn seen(&self) -> &[Seen] {
        &self.normalized
    }

    /// Goes on from what was saved.
    pub fn restore(&mut self, seen: Vec<Seen>) {
        self.normalized = seen;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space() -> BoxSpace {
        let infinite = f32::INFINITY;
        let dimensions = vec![
            Dimension::new("bounded", "", -1.0, 3.0),
            Dimension::new("infinite", "", -infinite, infinite),
            Dimension::new("typical", "", -infinite, infinite).with_typical(-2.0, 2.0),
            Dimension::new("absurd", "", -f32::MAX, f32::MAX),
        ];
        BoxSpace { dimensions, image: None, one_hot: false }
    }

    #[test]
    fn what_bounds_do_not_tell_is_taken_from_what_is_seen() {
        let mut observations = Observations::new(&space());
        assert_eq!(observations.normalized().collect::<Vec<_>>(), [1, 3]);
        let _ = observations.observe(&[0.0, 10.0, 0.0, 5.0]).count();
        let scalings: Vec<_> = observations.observe(&[0.0, 30.0, 0.0, 5.0]).collect();
        // 10 and 30: mean 20, standard deviation 10.
        assert_eq!((scalings[0].dimension, scalings[0].centre), (1, 20.0));
        assert!((scalings[0].half_width - 10.0 * 3.0_f32.sqrt()).abs() < 1e-5);
        assert_eq!(scalings[1], Scaling { dimension: 3, centre: 5.0, half_width: 1.0 });
    }

    #[test]
    fn bounds_that_are_not_kept_to_are_given_up() {
        let mut observations = Observations::new(&space());
        // 3 half widths of 2 around 1 are still what bounds may be short of.
        assert!(observations.find_exceeded(&[7.0, 1e9, 5.9, -1e9], &[]).is_empty());
        let seen = [1.0, 0.0, 0.0, 0.0, 3.0, 0.0, 0.0, 0.0];
        assert_eq!(observations.find_exceeded(&[7.1, 0.0, 0.0, 0.0], &seen), [Misfit::Exceeded(0)]);
        assert_eq!(observations.normalized().collect::<Vec<_>>(), [0, 1, 3]);
        let scaling = observations.observe(&[8.0, 0.0, 0.0, 0.0]).next().unwrap();
        assert_eq!((scaling.dimension, scaling.centre), (0, 4.0));
        assert!(observations.find_exceeded(&[100.0, 0.0, 0.0, 0.0], &seen).is_empty(), "it is known already");
    }

    #[test]
    fn pixels_have_one_scale_also_where_their_bounds_are_given_up() {
        let dimensions = vec![Dimension::new("pixel", "", 0.0, 1.0); 2];
        let mut observations = Observations::new(&BoxSpace { dimensions, image: None, one_hot: true });
        let seen = [0.0, 0.0];
        assert_eq!(
            observations.find_exceeded(&[255.0, 0.0], &seen),
            [Misfit::Exceeded(0), Misfit::Exceeded(1)]
        );
        // 0, 255 and 0, 0: mean 63.75, variance (191.25^2 + 3 * 63.75^2) / 4.
        let scalings: Vec<_> = observations.observe(&[255.0, 0.0]).collect();
        let std = ((191.25_f32.powi(2) + 3.0 * 63.75_f32.powi(2)) / 4.0).sqrt();
        for (dimension, scaling) in scalings.iter().enumerate() {
            assert_eq!((scaling.dimension, scaling.centre), (dimension, 63.75));
            assert!((scaling.half_width / (3.0_f32.sqrt() * std) - 1.0).abs() < 1e-5);
        }
        assert!(observations.find_exceeded(&[0.0, 255.0], &seen).is_empty());
    }

    #[test]
    fn bounds_of_which_next_to_nothing_is_used_are_given_up() {
        let dimension = |name: &str| Dimension::new(name, "", 0.0, 2e6);
        let dimensions = ["constant", "narrow", "wide", "rounded"].map(dimension).to_vec();
        let mut observations = Observations::new(&BoxSpace { dimensions, image: None, one_hot: false });
        // A thousandth of the half width is 1,000, half of what is seen of the third; the last changes in its last digits.
        let row = |i: u8| [7.0, 90.0 + f32::from(i), 20.3 * f32::from(i), 1.0 + 1e-6 * f32::from(i % 2)];
        let seen: Vec<f32> = (0..99).flat_map(row).collect();
        assert!(observations.find_unfilled(&row(99), &seen[4..]).is_empty(), "too few to tell");
        assert_eq!(observations.find_unfilled(&row(99), &seen), [Misfit::Unfilled(1)]);
        let scaling = observations.observe(&row(99)).next().unwrap();
        assert_eq!((scaling.dimension, scaling.centre), (1, 139.5));
        assert!(observations.find_unfilled(&row(99), &seen).is_empty(), "it is known already");
    }
}
