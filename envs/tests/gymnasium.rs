//! Replays trajectories recorded from Gymnasium (see `data/gymnasium/README.md`), and checks its constants.

#![allow(clippy::unwrap_used)] // In helpers too, which clippy.toml does not count as tests.

use control_envs::rand::SeedableRng;
use control_envs::{Acrobot, CartPole, Env, MountainCar, TimeLimit};
use rand_xoshiro::Xoshiro256PlusPlus;

const STATE_TOLERANCE: f64 = 1e-12;

/// An environment whose state can be read and written.
trait Stateful: Env {
    fn state(&self) -> Vec<f64>;
    fn set_state(&mut self, state: &[f64]);
}

macro_rules! stateful {
    ($($env:ty),*) => {$(
        impl Stateful for $env {
            fn state(&self) -> Vec<f64> {
                self.state().to_vec()
            }
            fn set_state(&mut self, state: &[f64]) {
                self.set_state(state.try_into().unwrap());
            }
        }
    )*};
}
stateful!(CartPole, MountainCar, Acrobot);

/// One row of a recording.
struct Row {
    t: usize,
    state: Vec<f64>,
    action: usize,
    next_state: Vec<f64>,
    next_observation: Vec<f32>,
    reward: f64,
    terminated: bool,
    truncated: bool,
}

fn recording(id: &str) -> Vec<Row> {
    let path = format!("{}/tests/data/gymnasium/{id}.csv", env!("CARGO_MANIFEST_DIR"));
    let mut reader = csv::Reader::from_path(path).unwrap();
    let headers = reader.headers().unwrap().clone();
    let rows: Vec<Row> = reader
        .records()
        .map(|record| {
            let record = record.unwrap();
            let columns = |prefix: &str| -> Vec<f64> {
                let matching = headers.iter().zip(&record).filter(|(name, _)| name.starts_with(prefix));
                matching.map(|(_, value)| value.parse().unwrap()).collect()
            };
            let column = |name: &str| columns(name)[0];
            Row {
                // "t" would also match "terminated" and "truncated".
                t: record[1].parse().unwrap(),
                state: columns("state_"),
                action: column("action") as usize,
                next_state: columns("next_state_"),
                next_observation: columns("next_obs_").into_iter().map(|value| value as f32).collect(),
                reward: column("reward"),
                terminated: column("terminated") == 1.0,
                truncated: column("truncated") == 1.0,
            }
        })
        .collect();
    assert_eq!(rows.len(), 2_000);
    rows
}

/// Replays every row from its own recorded state, so that no rounding error grows over an episode, while the time
/// limit counts on. Returns how many steps were terminated and how many truncated.
fn replay(env: impl Stateful) -> (usize, usize) {
    let id = env.spec().id.clone();
    let mut env = TimeLimit::new(env);
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(0);
    let (mut terminations, mut truncations) = (0, 0);

    for (line, row) in recording(&id).into_iter().enumerate() {
        let place = format!("{id}, row {line}, step {} of its episode", row.t);
        if row.t == 0 {
            env.reset(&mut rng).unwrap();
        }
        env.inner_mut().set_state(&row.state);
        let step = env.step(row.action).unwrap();

        for (index, (ours, theirs)) in env.inner().state().iter().zip(&row.next_state).enumerate() {
            let error = (ours - theirs).abs();
            assert!(
                error <= STATE_TOLERANCE,
                "{place}: state {index} is {ours}, not {theirs}: off by {error:e}"
            );
        }
        assert_eq!(step.observation, row.next_observation, "{place}");
        assert_eq!(step.reward, row.reward, "{place}");
        assert_eq!((step.terminated, step.truncated), (row.terminated, row.truncated), "{place}");
        terminations += usize::from(step.terminated);
        truncations += usize::from(step.truncated);
    }
    (terminations, truncations)
}

#[test]
fn cartpole_follows_gymnasium() {
    let (terminations, truncations) = replay(CartPole::new());
    assert!(terminations > 30 && truncations == 2, "{terminations} terminations, {truncations} truncations");
}

#[test]
fn mountain_car_follows_gymnasium() {
    let (terminations, truncations) = replay(MountainCar::new());
    assert!(terminations == 7 && truncations == 5, "{terminations} terminations, {truncations} truncations");
}

#[test]
fn acrobot_follows_gymnasium() {
    let (terminations, truncations) = replay(Acrobot::new());
    assert!(terminations == 10 && truncations == 0, "{terminations} terminations, {truncations} truncations");
}

/// Limits, thresholds and bounds as `gymnasium.spec(id)` and `env.observation_space` print them.
#[test]
fn specs_equal_gymnasiums() {
    fn bounds(env: &dyn Env) -> Vec<(f32, f32)> {
        env.spec()
            .observation_space
            .dimensions
            .iter()
            .map(|dimension| (dimension.low, dimension.high))
            .collect()
    }
    fn numbers(env: &dyn Env) -> (usize, Option<usize>, Option<f64>) {
        let spec = env.spec();
        (spec.actions.len(), spec.max_episode_steps, spec.reward_threshold)
    }
    fn symmetric(highs: &[f32]) -> Vec<(f32, f32)> {
        highs.iter().map(|&high| (-high, high)).collect()
    }

    let (cartpole, mountain_car, acrobot) = (CartPole::new(), MountainCar::new(), Acrobot::new());
    assert_eq!(numbers(&cartpole), (2, Some(500), Some(475.0)));
    assert_eq!(numbers(&mountain_car), (3, Some(200), Some(-110.0)));
    assert_eq!(numbers(&acrobot), (3, Some(500), Some(-100.0)));

    assert_eq!(bounds(&cartpole), symmetric(&[4.8, f32::INFINITY, 0.41887903, f32::INFINITY]));
    assert_eq!(bounds(&mountain_car), [(-1.2, 0.6), (-0.07, 0.07)]);
    assert_eq!(bounds(&acrobot), symmetric(&[1.0, 1.0, 1.0, 1.0, 12.566371, 28.274334]));
}
