//! The synthetic problem of the paper's authors: y = 2x + 8 + noise, x and noise standard normal.

use concrete_dqn::randomness::{Stream, generator};
use rand_distr::{Distribution, StandardNormal};

/// Standard deviation of the observation noise.
pub const NOISE: f64 = 1.0;

/// Inputs and outcomes.
#[derive(Debug, Clone)]
pub struct Data {
    pub x: Vec<f32>,
    pub y: Vec<f32>,
}

impl Data {
    /// The first `count` data of the stream that belongs to `seed`; fewer data of a seed are the start of more.
    pub fn training(seed: u64, count: usize) -> Self {
        Self::drawn(seed, Stream::Environment, count)
    }

    /// Data of the same distribution that no training sees.
    pub fn held_out(seed: u64, count: usize) -> Self {
        Self::drawn(seed, Stream::Evaluation, count)
    }

    fn drawn(seed: u64, stream: Stream, count: usize) -> Self {
        let mut random = generator(seed, stream);
        let mut normal = || -> f64 { StandardNormal.sample(&mut random) };
        let (mut x, mut y) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for _ in 0..count {
            let input = normal();
            x.push(input as f32);
            y.push((mean(input) + NOISE * normal()) as f32);
        }
        Self { x, y }
    }
}

/// The function behind the noise.
pub fn mean(x: f64) -> f64 {
    2.0 * x + 8.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_data_of_a_seed_begin_with_fewer() {
        let (few, many) = (Data::training(3, 10), Data::training(3, 1000));
        assert_eq!((few.x.as_slice(), few.y.as_slice()), (&many.x[..10], &many.y[..10]));
        assert_ne!(few.x, Data::held_out(3, 10).x);
        let errors = many.x.iter().zip(&many.y).map(|(x, y)| (f64::from(*y) - mean(f64::from(*x))).powi(2));
        // The variance of 1,000 squared standard normal draws is 2 / 1,000: five standard errors.
        assert!((errors.sum::<f64>() / 1000.0 - NOISE * NOISE).abs() < 5.0 * 0.002_f64.sqrt());
    }
}
