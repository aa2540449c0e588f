//! Nothing depends on the scale of rewards, nor on that of observations.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::cell::RefCell;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use concrete_dqn::exploration::RuleName;
use concrete_dqn::randomness::{Stream, generator};
use concrete_dqn::{Config, Session};
use control_envs::rand::{Rng, RngExt};
use control_envs::{Dimension, Entry, Env, EnvError, EnvSpec, Registry, Step};

/// An environment whose rewards are multiplied.
struct Scaled {
    env: Box<dyn Env>,
    factor: f64,
}

impl Env for Scaled {
    fn spec(&self) -> &EnvSpec {
        self.env.spec()
    }

    fn reset(&mut self, rng: &mut dyn Rng) -> Result<Vec<f32>, EnvError> {
        self.env.reset(rng)
    }

    fn step(&mut self, action: usize) -> Result<Step, EnvError> {
        let step = self.env.step(action)?;
        Ok(Step { reward: self.factor * step.reward, ..step })
    }
}

/// Trains and returns all actions, and how the Q-values of a start are, per unit of reward.
fn actions(entry: &Entry, factor: f64, config: &Config) -> (Vec<u32>, Vec<f64>) {
    let made = entry.clone();
    let mut session = Session::new(move || Scaled { env: made.make(), factor }, config.clone()).unwrap();
    session.train(&mut ()).unwrap();
    let replay = session.agent().replay();
    let actions = replay.slots(0..replay.len()).actions.to_vec();
    let start = entry.make().reset(&mut generator(1, Stream::Evaluation)).unwrap();
    let values = session.predict(&start).unwrap();
    (actions, values.mean.into_iter().map(|mean| mean / factor).collect())
}

#[test]
fn powers_of_two_change_no_action_in_any_environment_under_any_rule() {
    tch::set_num_threads(1);
    for entry in &Registry::builtin() {
        for rule in [
            RuleName::Ucb,
            RuleName::Thompson,
            RuleName::InformationDirected,
            RuleName::EpsilonGreedy,
            RuleName::Greedy,
        ] {
            let settings = "steps = 400\nseed = 7\nagent.learning_starts = 100\nagent.batch_size = 16
                network.hidden = [16]\nagent.gradient_steps = 1";
            let config = Config::for_env(entry.id())
                .and_then(|config| config.with(settings))
                .and_then(|config| config.with(&format!("exploration.rule = '{rule}'")));
            let config = config.unwrap();
            let (one, values) = actions(entry, 1.0, &config);
            for factor in [1_048_576.0, 1.0 / 1_048_576.0] {
                let (scaled, scaled_values) = actions(entry, factor, &config);
                assert_eq!(one, scaled, "{} under {rule} with rewards times {factor}", entry.id());
                let same = |(a, b): (&f64, &f64)| a == b || a.is_nan() && b.is_nan();
                assert!(values.iter().zip(&scaled_values).all(same), "{values:?} and {scaled_values:?}");
            }
        }
    }
}

/// The action has to be the sign of what is seen, a new number every step, for twenty steps.
struct Match {
    spec: EnvSpec,
    generator: u64,
    x: f32,
    step: usize,
    scale: f32,
    reward: f64,
    /// Steps that are left, over all episodes of all that share it, before any reward is given.
    barren: Arc<AtomicUsize>,
}

impl Match {
    fn new(bound: f32, scale: f32, reward: f64) -> Self {
        let spec =
            EnvSpec::new("Match-v0", [Dimension::new("x", "", -bound, bound)], ["negative", "positive"]);
        Self { spec, generator: 0, x: 0.0, step: 0, scale, reward, barren: Arc::default() }
    }

    fn draw(&mut self) -> Vec<f32> {
        self.generator =
            self.generator.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.x = (self.generator >> 40) as f32 / (1_u64 << 23) as f32 - 1.0;
        vec![self.x * self.scale]
    }
}

impl Env for Match {
    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn reset(&mut self, rng: &mut dyn Rng) -> Result<Vec<f32>, EnvError> {
        (self.generator, self.step) = (rng.random(), 0);
        Ok(self.draw())
    }

    fn step(&mut self, action: usize) -> Result<Step, EnvError> {
        let is_right = (action == 1) == (self.x > 0.0);
        self.step += 1;
        let barren =
            self.barren.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        let reward = if is_right && barren.is_err() { self.reward } else { 0.0 };
        Ok(Step::new(self.draw(), reward, self.step >= 20))
    }
}

/// The share of the best return that policies get, on average over two seeds; a random one gets half.
fn share(make: impl Fn() -> Match + Clone + Send + Sync + 'static) -> f64 {
    share_after(0, make)
}

/// The same where no reward is given in the first `barren` steps of each seed.
fn share_after(barren: usize, make: impl Fn() -> Match + Clone + Send + Sync + 'static) -> f64 {
    tch::set_num_threads(1);
    let of_seed = |seed: u64| {
        let settings = format!("env = 'Match-v0'\nsteps = 12_000\nseed = {seed}\nnetwork.hidden = [64, 64]");
        let config = Config::default().with(&settings).unwrap();
        let (reward, make, barren) = (make().reward, make.clone(), Arc::new(AtomicUsize::new(barren)));
        let make = move || Match { barren: Arc::clone(&barren), ..make() };
        let mut session = Session::new(make, config).unwrap();
        session.train(&mut ()).unwrap();
        session.evaluate(50).unwrap().mean_return / (20.0 * reward)
    };
    (1..=2).map(of_seed).sum::<f64>() / 2.0
}

#[test]
fn rewards_of_any_size_are_learned_from() {
    for reward in [1e-6, 1.0, 1e6] {
        let share = share(move || Match::new(1.0, 1.0, reward));
        assert!(share > 0.95, "rewards of {reward}: {share}");
    }
}

/// Here what was right is wrong: it costs.
#[test]
fn the_least_costs_are_avoided() {
    let share = share(|| Match::new(1.0, 1.0, -1e-6));
    assert!(share < 0.05, "{share}");
}

#[test]
fn a_reward_that_comes_late_tells_the_scale_late() {
    let share = share_after(2_000, || Match::new(1.0, 1.0, 1000.0));
    // A sixth of what is in the replay says that nothing pays.
    assert!(share > 0.8, "{share}");
}

#[test]
fn observations_of_any_size_are_learned_from() {
    for (name, bound, scale) in [
        ("infinite bounds", f32::INFINITY, 1e4),
        ("infinite bounds, small", f32::INFINITY, 1e-4),
        ("absurd bounds", f32::MAX, 1.0),
        ("bounds that are left by far", 1.0, 50_000.0),
        ("wide bounds, next to unused", 1e6, 1.0),
    ] {
        let share = share(move || Match::new(bound, scale, 1.0));
        assert!(share > 0.95, "{name}: {share}");
    }
}

thread_local! {
    /// What trainings in this thread have said.
    static SAID: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

struct Said;

impl Write for Said {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        SAID.with_borrow_mut(|said| said.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_is_normalised_is_said_in_a_line_and_what_is_not_is_not_mentioned() {
    tch::set_num_threads(1);
    // For all threads, since a line that is first reached in one without would be off in all.
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_target(false).without_time();
    tracing::subscriber::set_global_default(subscriber.with_writer(|| Said).finish()).unwrap();
    for (bound, scale, line) in [
        (f32::INFINITY, 1.0, "INFO the bounds of the observation's `x` do not tell their scale"),
        (1.0, 50_000.0, "WARN the observation's `x` left the bounds by far ("),
        (
            1e6,
            1.0,
            "INFO the observation's `x` filled less than a thousandth of the bounds so far (they are -1000000 to 1000000)",
        ),
        (1.0, 1.0, ""),
    ] {
        let config = Config::default().with("env = 'Match-v0'\nsteps = 600\nnetwork.hidden = [8]").unwrap();
        let mut session = Session::new(move || Match::new(bound, scale, 1.0), config).unwrap();
        session.train(&mut ()).unwrap();
        let said = String::from_utf8(SAID.take()).unwrap();
        let lines: Vec<&str> =
            said.lines().map(str::trim_start).filter(|line| line.contains("`x`")).collect();
        match line {
            "" => assert!(lines.is_empty(), "{lines:?}"),
            line => assert!(lines.len() == 1 && lines[0].starts_with(line), "{lines:?}"),
        }
    }
}
