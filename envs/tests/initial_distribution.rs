//! The distribution of first states: every component that is drawn is uniform between Gymnasium's bounds, and
//! independent of the others.

use control_envs::rand::{Rng, SeedableRng};
use control_envs::{Acrobot, CartPole, CartPoleSwingup, Env, MountainCar, SparseMountainCar};
use rand_xoshiro::Xoshiro256PlusPlus;

const SAMPLES: usize = 20_000;

/// One column a component.
fn columns<const N: usize>(mut start: impl FnMut(&mut dyn Rng) -> [f64; N]) -> [Vec<f64>; N] {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
    let rows: Vec<[f64; N]> = (0..SAMPLES).map(|_| start(&mut rng)).collect();
    std::array::from_fn(|index| rows.iter().map(|row| row[index]).collect())
}

/// Bounds, a mean within five standard errors, and a Kolmogorov-Smirnov statistic below 1.95 / sqrt(n), the critical
/// value at a level of 0.001.
fn assert_uniform(samples: &[f64], low: f64, high: f64) {
    let n = samples.len() as f64;
    // A value just below the high may round up to it in single precision.
    let rounding = f64::from(f32::EPSILON) * high.abs();
    assert!(samples.iter().all(|value| (low - rounding..=high + rounding).contains(value)));

    let mean = samples.iter().sum::<f64>() / n;
    let standard_error = (high - low) / (12.0 * n).sqrt();
    assert!((mean - (low + high) / 2.0).abs() < 5.0 * standard_error, "mean {mean} of [{low}, {high})");

    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let distances = sorted.iter().enumerate().map(|(rank, value)| {
        let expected = (value - low) / (high - low);
        (expected - rank as f64 / n).abs().max(((rank + 1) as f64 / n - expected).abs())
    });
    let statistic = distances.fold(0.0, f64::max);
    assert!(statistic < 1.95 / n.sqrt(), "Kolmogorov-Smirnov statistic {statistic} over [{low}, {high})");
}

/// Correlations within five standard errors of zero.
fn assert_uncorrelated(columns: &[Vec<f64>], low: f64, high: f64) {
    let centre = (low + high) / 2.0;
    let variance = (high - low).powi(2) / 12.0;
    for (index, one) in columns.iter().enumerate() {
        for other in &columns[index + 1..] {
            let covariance =
                one.iter().zip(other).map(|(a, b)| (a - centre) * (b - centre)).sum::<f64>() / SAMPLES as f64;
            assert!((covariance / variance).abs() < 5.0 / (SAMPLES as f64).sqrt());
        }
    }
}

#[test]
fn cartpole_starts_near_the_centre() {
    let mut env = CartPole::new();
    let columns = columns(|rng| {
        env.reset(rng).unwrap();
        env.state()
    });
    columns.iter().for_each(|column| assert_uniform(column, -0.05, 0.05));
    assert_uncorrelated(&columns, -0.05, 0.05);
}

#[test]
fn mountain_car_starts_at_rest_in_the_valley() {
    let mut env = MountainCar::new();
    let [positions, velocities] = columns(|rng| {
        env.reset(rng).unwrap();
        env.state()
    });
    assert_uniform(&positions, -0.6, -0.4);
    assert!(velocities.iter().all(|&velocity| velocity == 0.0));
}

#[test]
fn sparse_mountain_car_starts_as_the_mountain_car() {
    let (mut env, mut original) = (SparseMountainCar::new(), MountainCar::new());
    let (mut rng, mut same) = (Xoshiro256PlusPlus::seed_from_u64(7), Xoshiro256PlusPlus::seed_from_u64(7));
    for _ in 0..100 {
        assert_eq!(env.reset(&mut rng).unwrap(), original.reset(&mut same).unwrap());
    }
}

#[test]
fn cartpole_swingup_starts_hanging_near_the_centre() {
    let mut env = CartPoleSwingup::new();
    let columns = columns(|rng| {
        env.reset(rng).unwrap();
        let [position, velocity, angle, angular_velocity, time] = env.state();
        assert_eq!(time, 0.0);
        [position, velocity, angle - std::f64::consts::PI, angular_velocity]
    });
    // The angle loses a bit near pi.
    columns.iter().for_each(|column| assert_uniform(column, -0.05 - 1e-12, 0.05 + 1e-12));
    assert_uncorrelated(&columns, -0.05, 0.05);
}

#[test]
fn acrobot_starts_hanging_in_single_precision() {
    let mut env = Acrobot::new();
    let columns = columns(|rng| {
        env.reset(rng).unwrap();
        env.state()
    });
    columns.iter().for_each(|column| assert_uniform(column, -0.1, 0.1));
    assert_uncorrelated(&columns, -0.1, 0.1);
    assert!(columns.iter().flatten().all(|&value| f64::from(value as f32) == value));
}

#[test]
fn the_first_observation_shows_the_first_state() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
    let mut cartpole = CartPole::new();
    assert_eq!(cartpole.reset(&mut rng).unwrap(), cartpole.state().map(|value| value as f32));
    let mut mountain_car = MountainCar::new();
    assert_eq!(mountain_car.reset(&mut rng).unwrap(), mountain_car.state().map(|value| value as f32));
    let mut acrobot = Acrobot::new();
    let observation = acrobot.reset(&mut rng).unwrap();
    let [angle_1, angle_2, velocity_1, velocity_2] = acrobot.state();
    let expected = [angle_1.cos(), angle_1.sin(), angle_2.cos(), angle_2.sin(), velocity_1, velocity_2];
    assert_eq!(observation, expected.map(|value| value as f32));
}
