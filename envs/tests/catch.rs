//! Catch has the rules of bsuite.
#![allow(clippy::unwrap_used)] // In helpers too, which clippy.toml does not count as tests.

use control_envs::rand::SeedableRng;
use control_envs::{Catch, Env};
use proptest::prelude::*;
use rand_xoshiro::Xoshiro256PlusPlus;

fn board(observation: &[f32]) -> Vec<String> {
    let pixel = |&value: &f32| if value == 1.0 { 'x' } else { '.' };
    observation.chunks(5).map(|row| row.iter().map(pixel).collect()).collect()
}

/// The first seed whose ball falls in this column.
fn started(column: usize) -> (Catch, Vec<f32>) {
    let mut env = Catch::new();
    for seed in 0.. {
        let observation = env.reset(&mut Xoshiro256PlusPlus::seed_from_u64(seed)).unwrap();
        if env.state() == [0, column, 2] {
            return (env, observation);
        }
    }
    unreachable!("every column is drawn some time")
}

#[test]
fn an_episode_by_hand() {
    let (mut env, observation) = started(4);
    let mut expected = vec!["....x"];
    expected.extend([".....", ".....", ".....", ".....", ".....", ".....", ".....", ".....", "..x.."]);
    assert_eq!(board(&observation), expected);

    // Left to the wall and on against it, then right: columns 1, 0, 0, 1, 2, 3, 4, 4.
    for (row, (action, paddle)) in
        [(0, 1), (0, 0), (0, 0), (2, 1), (2, 2), (2, 3), (2, 4), (2, 4)].into_iter().enumerate()
    {
        let step = env.step(action).unwrap();
        assert_eq!((step.reward, step.ends_episode()), (0.0, false));
        assert_eq!(env.state(), [row + 1, 4, paddle]);
        assert_eq!(step.observation.iter().sum::<f32>(), 2.0);
    }
    let step = env.step(1).unwrap();
    assert_eq!((step.reward, step.terminated, step.truncated), (1.0, true, false));
    assert_eq!(board(&step.observation)[9], "....x", "ball and paddle on one pixel");
}

#[test]
fn a_ball_beside_the_paddle_is_missed() {
    let (mut env, _) = started(1);
    for _ in 0..8 {
        assert_eq!(env.step(1).unwrap().reward, 0.0);
    }
    let step = env.step(1).unwrap();
    assert_eq!((step.reward, step.terminated), (-1.0, true));
    assert_eq!(board(&step.observation)[9], ".xx..");
}

#[test]
fn the_column_is_uniform() {
    // Chi-square over 5 columns, 20,000 draws: the 0.999 quantile for 4 degrees of freedom is 18.5.
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
    let (mut env, mut counts) = (Catch::new(), [0.0_f64; 5]);
    for _ in 0..20_000 {
        env.reset(&mut rng).unwrap();
        counts[env.state()[1]] += 1.0;
    }
    let chi_square: f64 = counts.iter().map(|count| (count - 4000.0).powi(2) / 4000.0).sum();
    assert!(chi_square < 18.5, "{counts:?}");
}

proptest! {
    #[test]
    fn every_ball_can_be_caught_and_only_catching_pays(seed: u64, clumsy: bool) {
        let mut env = Catch::new();
        env.reset(&mut Xoshiro256PlusPlus::seed_from_u64(seed)).unwrap();
        let rewards: Vec<f64> = (0..9).map(|_| {
            let [_, ball, paddle] = env.state();
            let towards = match ball.cmp(&paddle) {
                std::cmp::Ordering::Less => 0,
                std::cmp::Ordering::Equal => 1,
                std::cmp::Ordering::Greater => 2,
            };
            // The clumsy one sits in the corner that is further from the ball.
            let away = if ball < 2 { 2 } else { 0 };
            env.step(if clumsy { away } else { towards }).unwrap().reward
        }).collect();
        prop_assert!(rewards[..8].iter().all(|&reward| reward == 0.0));
        prop_assert_eq!(rewards[8], if clumsy { -1.0 } else { 1.0 });
    }
}
