//! Replays trajectories recorded from bsuite (see `data/bsuite/README.md`) and from Gymnasium.

#![allow(clippy::unwrap_used)] // In helpers too, which clippy.toml does not count as tests.

use std::collections::HashMap;

use control_envs::rand::SeedableRng;
use control_envs::{ArgValue, CartPoleSwingup, DeepSea, Env, MountainCar, SparseMountainCar};
use rand_xoshiro::Xoshiro256PlusPlus;

const TOLERANCE: f64 = 1e-12;

/// One step, its columns by their names.
struct Row(HashMap<String, f64>);

impl Row {
    fn number(&self, column: &str) -> f64 {
        self.0[column]
    }

    fn whole(&self, column: &str) -> usize {
        self.0[column] as usize
    }

    fn numbers<const N: usize>(&self, columns: [&str; N]) -> [f64; N] {
        columns.map(|column| self.number(column))
    }
}

fn path(file: &str) -> String {
    format!("{}/tests/data/{file}.csv", env!("CARGO_MANIFEST_DIR"))
}

fn recording(file: &str) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(path(file)).unwrap();
    let headers = reader.headers().unwrap().clone();
    let row = |record: csv::StringRecord| {
        headers.iter().zip(&record).map(|(name, value)| (name.to_owned(), value.parse().unwrap())).collect()
    };
    reader.records().map(|record| Row(row(record.unwrap()))).collect()
}

fn mapping(file: &str) -> Vec<Vec<usize>> {
    let text = std::fs::read_to_string(path(file)).unwrap();
    text.lines().map(|line| line.split(',').map(|action| action.parse().unwrap()).collect()).collect()
}

fn deep_sea(size: usize, stochastic: bool) -> DeepSea {
    let given = [
        ("size", ArgValue::from(size as i64)),
        ("stochastic", stochastic.into()),
        ("mapping_seed", 3.into()),
    ];
    DeepSea::with_arguments(&DeepSea::arguments().with(given).unwrap()).unwrap()
}

fn seeded(seed: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(seed)
}

/// The grid with a 1 in this cell, or without where the cell is below it.
fn grid(size: usize, row: usize, column: usize) -> Vec<f32> {
    let mut grid = vec![0.0; size * size];
    if row < size {
        grid[row * size + column] = 1.0;
    }
    grid
}

#[test]
fn deep_sea_has_the_mappings_of_bsuite() {
    for (size, file) in [
        (5, "bsuite/deep_sea_5_mapping"),
        (10, "bsuite/deep_sea_10_mapping"),
        (10, "bsuite/deep_sea_10_stochastic_mapping"),
        (20, "bsuite/deep_sea_20_mapping"),
    ] {
        let env = deep_sea(size, false);
        let ours: Vec<Vec<usize>> =
            (0..size).map(|row| (0..size).map(|column| env.right(row, column).unwrap()).collect()).collect();
        assert_eq!(ours, mapping(file), "{file}");
        assert_eq!((env.right(size, 0), env.right(0, size)), (None, None));
    }
}

#[test]
fn deep_sea_follows_bsuite() {
    for size in [5, 10, 20] {
        let mut env = deep_sea(size, false);
        let mut ends = 0;
        for row in recording(&format!("bsuite/deep_sea_{size}")) {
            let place = format!("size {size}, episode {}, step {}", row.number("episode"), row.number("t"));
            if row.whole("t") == 0 {
                assert_eq!(env.reset(&mut seeded(0)).unwrap(), grid(size, 0, 0), "{place}");
            }
            assert_eq!(env.state(), [row.whole("row"), row.whole("column")], "{place}");
            let step = env.step(row.whole("action")).unwrap();
            let (next_row, next_column) = (row.whole("next_row"), row.whole("next_column"));
            assert_eq!(env.state(), [next_row, next_column], "{place}");
            assert_eq!(step.observation, grid(size, next_row, next_column), "{place}");
            assert_eq!(step.reward, row.number("reward"), "{place}");
            assert_eq!(
                (step.terminated, step.truncated),
                (row.number("terminated") == 1.0, false),
                "{place}"
            );
            ends += usize::from(step.terminated);
        }
        assert_eq!(ends, 40);
    }
}

/// The chance is NumPy's, so what happened there has to be among what can happen here.
#[test]
fn stochastic_deep_sea_follows_bsuite_up_to_chance() {
    let mut env = deep_sea(10, true);
    let (mut rights, mut failures, mut noise) = (0, 0, Vec::new());
    for row in recording("bsuite/deep_sea_10_stochastic") {
        let place = format!("episode {}, step {}", row.number("episode"), row.number("t"));
        let cell = [row.whole("row"), row.whole("column")];
        let outcome = (0..1_000).find_map(|seed| {
            env.reset(&mut seeded(seed)).unwrap();
            env.set_state(cell);
            let step = env.step(row.whole("action")).unwrap();
            (env.state() == [row.whole("next_row"), row.whole("next_column")]).then_some(step)
        });
        let step = outcome.unwrap_or_else(|| panic!("{place} cannot end as it did in bsuite"));
        assert_eq!(step.terminated, row.number("terminated") == 1.0, "{place}");
        let goes_right = env.right(cell[0], cell[1]) == Some(row.whole("action"));
        let is_noisy = cell[0] == 9 && [0, 9].contains(&cell[1]);
        if is_noisy {
            let treasure = if cell[1] == 9 && goes_right { 1.0 } else { 0.0 };
            let cost = if goes_right { 0.001 } else { 0.0 };
            noise.push(row.number("reward") - treasure + cost);
            assert!((step.reward - row.number("reward")).abs() > 1e-9, "{place} has noise of its own");
        } else {
            assert_eq!(step.reward, row.number("reward"), "{place}");
        }
        if goes_right && cell[1] < 9 {
            rights += 1;
            failures += usize::from(row.whole("next_column") == cell[1]);
        }
    }
    // What is taken for chance above is as frequent and as large in the recording as the rules say.
    assert!((0.05..0.17).contains(&(failures as f64 / rights as f64)), "{failures} of {rights}");
    assert!(!noise.is_empty() && noise.iter().all(|noise: &f64| noise.abs() < 4.0), "{noise:?}");
}

/// Every row from its own recorded state, so that no rounding error grows over an episode.
#[test]
fn cartpole_swingup_follows_bsuite() {
    let given = [("height_threshold", 0.5), ("x_reward_threshold", 0.5)];
    let mut env =
        CartPoleSwingup::with_arguments(&CartPoleSwingup::arguments().with(given).unwrap()).unwrap();
    let observed: [String; 8] = std::array::from_fn(|index| format!("next_obs_{index}"));
    let (mut ends, mut longest, mut upright) = (0, 0, 0);
    for row in recording("bsuite/cartpole_swingup_0.5") {
        let place = format!("episode {}, step {}", row.number("episode"), row.number("t"));
        env.set_state(row.numbers(["x", "x_dot", "theta", "theta_dot", "time"]));
        let step = env.step(row.whole("action")).unwrap();
        let expected = row.numbers(["next_x", "next_x_dot", "next_theta", "next_theta_dot", "next_time"]);
        for (ours, theirs) in env.state().into_iter().zip(expected) {
            assert!((ours - theirs).abs() <= TOLERANCE, "{place}: {:?}, not {expected:?}", env.state());
        }
        let theirs: Vec<f32> = observed.iter().map(|column| row.number(column) as f32).collect();
        for (ours, theirs) in step.observation.iter().zip(&theirs) {
            // A last bit of the state may round to another f32.
            assert!(
                (ours - theirs).abs() <= 2.0 * f32::EPSILON * theirs.abs(),
                "{place}: {step:?}, not {theirs:?}"
            );
        }
        assert_eq!(step.reward, row.number("reward"), "{place}");
        assert_eq!((step.terminated, step.truncated), (row.number("terminated") == 1.0, false), "{place}");
        ends += usize::from(step.terminated);
        longest = longest.max(row.whole("t") + 1);
        upright += usize::from(step.reward > 0.5);
    }
    assert_eq!((ends, longest, upright), (6, 1_001, 112));
}

#[test]
fn sparse_mountain_car_follows_gymnasium_but_for_the_reward() {
    let mut env = SparseMountainCar::new();
    let (mut original, mut found) = (MountainCar::new(), 0.0);
    for row in recording("gymnasium/MountainCar-v0") {
        let state = row.numbers(["state_0", "state_1"]);
        env.set_state(state);
        original.set_state(state);
        let (step, other) =
            (env.step(row.whole("action")).unwrap(), original.step(row.whole("action")).unwrap());
        assert_eq!(
            (&step.observation, step.terminated),
            (&other.observation, row.number("terminated") == 1.0)
        );
        assert_eq!(env.state(), original.state());
        assert_eq!(step.reward, row.number("terminated"));
        found += step.reward;
    }
    assert_eq!(found, 7.0);
    assert_eq!(env.spec().max_episode_steps, original.spec().max_episode_steps);
    assert_eq!(env.spec().observation_space, original.spec().observation_space);
}
