//! How well predicted distributions agree with what came: coverage of intervals, calibration error, reliability curve.
//!
//! Every outcome y is first placed in the distribution that was predicted for it, at `u = F(y)`: its probability integral
//! transform. Where the predictions are calibrated, u is uniform on (0, 1), whatever the distributions were, and the
//! central interval of probability c holds the outcome exactly where `|2u - 1| <= c`. So a [`Calibration`] needs the places
//! alone (Gneiting, Balabdaoui & Raftery 2007, *Probabilistic forecasts, calibration and sharpness*).
//!
//! ```
//! use concrete_dqn::calibration::{Calibration, Gaussian};
//!
//! let prediction = Gaussian { mean: 0.0, std: 1.0 };
//! let outcomes = [-1.2, -0.3, 0.1, 0.9, 2.5];
//! let calibration = Calibration::new(outcomes.iter().map(|y| prediction.cdf(*y)));
//! assert_eq!(calibration.coverage(0.5), 0.4); // -0.3 and 0.1 lie within +-0.674
//! assert_eq!(calibration.coverage(0.95), 0.8); // 2.5 lies beyond +-1.96
//! ```

use std::f64::consts::{SQRT_2, TAU};

use crate::statistics::mean;

/// A predicted normal distribution. A `std` of 0 is a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gaussian {
    /// Mean, in units of the outcome.
    pub mean: f64,
    /// Standard deviation, in units of the outcome, 0 or more.
    pub std: f64,
}

impl Gaussian {
    /// The probability of at most `y`. Of a point it is 0 below, 1 above and 1/2 at the point.
    pub fn cdf(&self, y: f64) -> f64 {
        let deviation = y - self.mean;
        if deviation == 0.0 { 0.5 } else { 0.5 * libm::erfc(-deviation / (self.std * SQRT_2)) }
    }

    /// The logarithm of the density at `y`, in nats.
    pub fn log_density(&self, y: f64) -> f64 {
        let deviation = (y - self.mean) / self.std;
        -0.5 * (deviation * deviation + TAU.ln()) - self.std.ln()
    }
}

/// The places of outcomes in the distributions that were predicted for them.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    places: Vec<f64>,
}

impl Calibration {
    /// From one place `u = F(y)`, from 0 to 1, for each outcome.
    pub fn new(places: impl IntoIterator<Item = f64>) -> Self {
        Self { places: places.into_iter().collect() }
    }

    /// Number of outcomes.
    pub fn count(&self) -> usize {
        self.places.len()
    }

    /// The share of outcomes within the central interval of probability `level`; calibrated predictions have
    /// about `level`, overconfident ones less. NaN without outcomes.
    pub fn coverage(&self, level: f64) -> f64 {
        let within = self.places.iter().filter(|place| (2.0 * **place - 1.0).abs() <= level).count();
        within as f64 / self.places.len() as f64
    }

    /// The reliability curve: level and coverage at 5%, 10%, ... 95%. Of calibrated predictions it is the diagonal.
    pub fn curve(&self) -> Vec<(f64, f64)> {
        (1..20).map(|step| f64::from(step) / 20.0).map(|level| (level, self.coverage(level))).collect()
    }

    /// The expected calibration error: the mean of |coverage - level| over the [`curve`](Self::curve). It is 0 where
    /// predictions are calibrated and 0.5 where no interval holds anything, or every one everything.
    pub fn expected_error(&self) -> f64 {
        mean(self.curve().into_iter().map(|(level, coverage)| (coverage - level).abs()))
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt;
    use rand_distr::{Distribution, StandardNormal};

    use super::*;
    use crate::randomness::{Stream, generator};

    #[test]
    fn normal_distribution_by_table() {
        let gaussian = Gaussian { mean: 3.0, std: 2.0 };
        for (deviations, probability) in
            [(0.0, 0.5), (1.0, 0.841_344_746), (-1.959_963_985, 0.025), (-6.0, 9.865_876e-10)]
        {
            let cdf = gaussian.cdf(3.0 + 2.0 * deviations);
            assert!((cdf / probability - 1.0).abs() < 1e-6, "{cdf} at {deviations}");
        }
        // ln(1 / (2 sqrt(2 pi))) - 1/2 at one standard deviation.
        assert!((gaussian.log_density(5.0) - (-1.612_085_713 - 0.5)).abs() < 1e-8);
        let point = Gaussian { mean: 3.0, std: 0.0 };
        assert_eq!([2.0, 3.0, 4.0].map(|y| point.cdf(y)), [0.0, 0.5, 1.0]);
    }

    #[test]
    fn coverage_and_error_by_hand() {
        // |2u - 1| is 0, 0.4, 0.8 and 1.
        let calibration = Calibration::new([0.5, 0.3, 0.9, 1.0]);
        assert_eq!(calibration.count(), 4);
        assert_eq!([0.5, 0.75, 0.85, 1.0].map(|level| calibration.coverage(level)), [0.5, 0.5, 0.75, 1.0]);
        // Everything inside every interval, or outside.
        for place in [0.5, 0.0] {
            assert!((Calibration::new([place; 3]).expected_error() - 0.5).abs() < 1e-12);
        }
    }

    /// 20,000 outcomes of N(0, 1): every coverage has a standard error of at most 0.0035.
    fn outcomes() -> Vec<f64> {
        let mut random = generator(1, Stream::Environment);
        (0..20_000).map(|_| StandardNormal.sample(&mut random)).collect()
    }

    #[test]
    fn calibrated_predictions_are_found_calibrated() {
        let mut random = generator(2, Stream::Environment);
        let of = |noise: f64| {
            let prediction =
                Gaussian { mean: random.random_range(-5.0..5.0), std: random.random_range(0.1..3.0) };
            prediction.cdf(prediction.mean + prediction.std * noise)
        };
        let calibration = Calibration::new(outcomes().into_iter().map(of));
        for level in [0.5, 0.8, 0.95] {
            let coverage = calibration.coverage(level);
            assert!((coverage - level).abs() < 0.0175, "{coverage} for {level}");
        }
        assert!(calibration.expected_error() < 0.0175);
    }

    #[test]
    fn overconfidence_shows_as_lost_coverage() {
        // Half the standard deviation: the 95% interval reaches 0.98 of the true ones, which holds 67.3%.
        let halved = Gaussian { mean: 0.0, std: 0.5 };
        let calibration = Calibration::new(outcomes().into_iter().map(|y| halved.cdf(y)));
        assert!((calibration.coverage(0.95) - 0.673).abs() < 0.0175);
        assert!(calibration.curve().iter().all(|(level, coverage)| coverage < level));
        let error = calibration.expected_error();
        let mean_gap =
            calibration.curve().iter().map(|(level, coverage)| level - coverage).sum::<f64>() / 19.0;
        assert!((error - mean_gap).abs() < 1e-12 && error > 0.15);
    }
}
