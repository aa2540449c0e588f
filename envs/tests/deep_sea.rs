//! The deep sea: what bsuite's recordings don't show.
#![allow(clippy::unwrap_used)] // In helpers too, which clippy.toml does not count as tests.

use control_envs::rand::SeedableRng;
use control_envs::{ArgValue, DeepSea, Env};
use proptest::prelude::*;
use rand_xoshiro::Xoshiro256PlusPlus;

fn sea(size: i64, more: &[(&str, ArgValue)]) -> DeepSea {
    let given = DeepSea::arguments().with([("size", size)]).unwrap().with(more.iter().cloned()).unwrap();
    DeepSea::with_arguments(&given).unwrap()
}

/// Plays an episode that goes right where `goes_right` says so of the row, and returns its return.
fn played(env: &mut DeepSea, seed: u64, goes_right: impl Fn(usize) -> bool) -> f64 {
    env.reset(&mut Xoshiro256PlusPlus::seed_from_u64(seed)).unwrap();
    let mut total = 0.0;
    loop {
        let [row, column] = env.state();
        let right = env.right(row, column).unwrap();
        let step = env.step(if goes_right(row) { right } else { 1 - right }).unwrap();
        total += step.reward;
        if step.terminated {
            return total;
        }
    }
}

proptest! {
    #[test]
    fn only_the_whole_way_to_the_right_finds_the_treasure(
        size in 2usize..40, mapping_seed: u32, wrong in proptest::option::of(0usize..40), randomize: bool
    ) {
        let more = [("mapping_seed", mapping_seed.into()), ("randomize_actions", randomize.into())];
        let mut env = sea(size as i64, &more);
        let wrong = wrong.filter(|row| *row < size);
        let total = played(&mut env, 1, |row| Some(row) != wrong);
        match wrong {
            None => prop_assert!((total - 0.99).abs() < 1e-9),
            Some(_) => prop_assert!(total < 0.0 || size == 1, "{}", total),
        }
    }

    #[test]
    fn every_observation_is_one_hot(size in 2i64..12, stochastic: bool, actions in proptest::collection::vec(0usize..2, 12)) {
        let mut env = sea(size, &[("stochastic", stochastic.into())]);
        let first = env.reset(&mut Xoshiro256PlusPlus::seed_from_u64(1)).unwrap();
        prop_assert!(env.spec().observation_space.one_hot && first[0] == 1.0);
        for action in actions {
            let step = env.step(action).unwrap();
            prop_assert!(env.spec().observation_space.contains(&step.observation));
            let ones = step.observation.iter().filter(|value| **value == 1.0).count();
            prop_assert_eq!(ones, usize::from(!step.terminated));
            prop_assert!(step.observation.iter().all(|value| [0.0, 1.0].contains(value)));
            if step.terminated {
                // There is no cell below the grid to step from.
                prop_assert!(env.step(action).is_err());
                break;
            }
        }
    }
}

/// 90 finds in 100 episodes come to the threshold, however much the other ten cost, and 89 don't.
#[test]
fn the_threshold_tells_that_ninety_of_a_hundred_found_the_treasure() {
    for size in 2..=200 {
        let mut env = sea(size, &[]);
        let (best, second) = (played(&mut env, 1, |_| true), played(&mut env, 1, |_| false));
        // All but one step to the right: the most that missing the treasure can cost.
        let worst = played(&mut env, 1, |row| row > 0);
        assert!(second == 0.0 && worst < 0.0 && worst > -0.01);
        let threshold = env.spec().reward_threshold.unwrap();
        assert!((90.0 * best + 10.0 * worst) / 100.0 > threshold, "size {size}");
        assert!((89.0 * best + 11.0 * second) / 100.0 < threshold, "size {size}");
    }
    let threshold = sea(10, &[("stochastic", true.into())]).spec().reward_threshold.unwrap();
    assert!((threshold - (0.9 * 0.9f64.powi(9) - 0.01)).abs() < 1e-12);
}

/// With a fixed seed, within five standard errors.
#[test]
fn the_wind_and_the_noise_are_as_frequent_and_as_large_as_in_bsuite() {
    const EPISODES: u64 = 20_000;
    let size = 8;
    let mut env = sea(size, &[("stochastic", true.into())]);
    let (mut rights, mut failures, mut found) = (0.0_f64, 0.0_f64, 0.0_f64);
    let mut noise: Vec<f64> = Vec::new();
    for seed in 0..EPISODES {
        env.reset(&mut Xoshiro256PlusPlus::seed_from_u64(seed)).unwrap();
        for _ in 0..size {
            let [row, column] = env.state();
            let step = env.step(env.right(row, column).unwrap()).unwrap();
            if column < 7 {
                rights += 1.0;
                failures += f64::from(u8::from(env.state()[1] == column));
            }
            let expected = if column == 7 { 1.0 } else { 0.0 } - 0.01 / 8.0;
            if row == 7 && (column == 0 || column == 7) {
                noise.push(step.reward - expected);
                found += f64::from(u8::from(column == 7));
            } else {
                assert!((step.reward - expected).abs() < 1e-12);
            }
        }
    }
    let near =
        |value: f64, expected: f64, error: f64| assert!((value - expected).abs() < 5.0 * error, "{value}");
    near(failures / rights, 1.0 / 8.0, (0.125 * 0.875 / rights).sqrt());
    let chance = 0.875f64.powi(7);
    near(found / EPISODES as f64, chance, (chance * (1.0 - chance) / EPISODES as f64).sqrt());
    let n = noise.len() as f64;
    let mean = noise.iter().sum::<f64>() / n;
    near(mean, 0.0, 1.0 / n.sqrt());
    near(noise.iter().map(|noise| noise * noise).sum::<f64>() / n, 1.0, (2.0 / n).sqrt());
    // Two thirds within one standard deviation: a normal distribution, not only one with that variance.
    let within = noise.iter().filter(|noise| noise.abs() < 1.0).count() as f64 / n;
    near(within, 0.6827, (0.6827 * 0.3173 / n).sqrt());
}

#[test]
fn states_outside_the_grid_are_none() {
    let mut env = sea(5, &[]);
    let state = sea(6, &[]);
    let mut other = state.clone();
    other.set_state([5, 5]);
    assert!(env.restore_state(&state.save_state().unwrap()).is_ok());
    assert!(env.restore_state(&other.save_state().unwrap()).is_err());
    assert!(env.restore_state(&[1, 2, 3]).is_err());
}
