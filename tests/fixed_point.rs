//! Values are learned to where they should be: an environment whose Q is known, under every form of target.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use concrete_dqn::concrete::LogisticNoise;
use concrete_dqn::engine::{Engine, engine};
use concrete_dqn::evaluation::{Decision, EvaluationObserver};
use concrete_dqn::network::{PassNoise, QNetwork};
use concrete_dqn::randomness::{Stream, generator};
use concrete_dqn::units::NetworkUnits;
use concrete_dqn::{Config, Session};
use control_envs::rand::Rng;
use control_envs::{Dimension, Env, EnvError, EnvSpec, ImageShape, Registry, Step};

const GAMMA: f64 = 0.9;
/// Predictions, of ten passes each, that are averaged.
const PREDICTIONS: usize = 300;

/// State 0, where the action is the reward, and then 1, 2, 3, 1, 2, 3 ... with rewards 0.5, 1 and 1.5 whatever is done;
/// cut off after seven steps. What follows the first step does not depend on actions, so targets that look ahead several
/// steps are right for any behaviour.
struct Ring {
    spec: EnvSpec,
    state: usize,
    /// Whether an episode ends after state 3.
    ends: bool,
}

impl Ring {
    fn new() -> Self {
        let dimensions: Vec<_> = (0..4).map(|i| Dimension::new(format!("state {i}"), "", 0.0, 1.0)).collect();
        let image = ImageShape { channels: 1, rows: 2, columns: 2 };
        let spec = EnvSpec::new("Ring-v0", dimensions, ["nothing", "one"]).with_max_episode_steps(7);
        Self { spec: spec.with_image(image), state: 0, ends: false }
    }

    fn ending() -> Self {
        Self { ends: true, ..Self::new() }
    }

    fn observation(state: usize) -> Vec<f32> {
        (0..4).map(|i| if i == state { 1.0 } else { 0.0 }).collect()
    }

    /// Q of both actions in each state.
    fn values() -> [[f64; 2]; 4] {
        let around = 1.0 - GAMMA.powi(3);
        let ring =
            |rewards: [f64; 3]| (rewards[0] + GAMMA * rewards[1] + GAMMA * GAMMA * rewards[2]) / around;
        let ring = [ring([0.5, 1.0, 1.5]), ring([1.0, 1.5, 0.5]), ring([1.5, 0.5, 1.0])];
        let first = GAMMA * ring[0];
        [[first, first + 1.0], [ring[0]; 2], [ring[1]; 2], [ring[2]; 2]]
    }
}

impl Env for Ring {
    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn reset(&mut self, _rng: &mut dyn Rng) -> Result<Vec<f32>, EnvError> {
        self.state = 0;
        Ok(Self::observation(0))
    }

    fn step(&mut self, action: usize) -> Result<Step, EnvError> {
        let reward = if self.state == 0 { action as f64 } else { 0.5 * self.state as f64 };
        let is_over = self.ends && self.state == 3;
        self.state = self.state % 3 + 1;
        Ok(Step::new(Self::observation(self.state), reward, is_over))
    }
}

fn trained(make: fn() -> Ring, settings: &[&str]) -> Session {
    tch::set_num_threads(1);
    let base = "env = 'Ring-v0'
        steps = 12_000
        seed = 1
        agent.gamma = 0.9
        agent.learning_starts = 100
        network.hidden = [64]
        optimizer.learning_rate = 3e-4
        exploration.rule = 'epsilon-greedy'
        exploration.epsilon_final = 1.0
    ";
    let text: String = settings.iter().map(|setting| format!("{setting}\n")).collect();
    let config = Config::default().with(base).unwrap().with(&text).unwrap();
    let mut session = Session::new(make, config).unwrap();
    session.train(&mut ()).unwrap();
    session
}

/// How far off the values are, as shares of what they should be: all on average, and the farthest.
fn errors(session: &mut Session, values: [[f64; 2]; 4]) -> (f64, f64) {
    let mut errors = Vec::new();
    for (state, values) in values.into_iter().enumerate() {
        let mut means = [0.0; 2];
        for _ in 0..PREDICTIONS {
            let predicted = session.predict(&Ring::observation(state)).unwrap();
            means.iter_mut().zip(predicted.mean).for_each(|(sum, mean)| *sum += mean / PREDICTIONS as f64);
        }
        errors.extend(means.into_iter().zip(values).map(|(mean, value)| mean / value - 1.0));
    }
    let mean = errors.iter().sum::<f64>() / errors.len() as f64;
    (mean, errors.into_iter().fold(0.0, |worst: f64, error| worst.max(error.abs())))
}

/// What is left is the noise of stochastic gradients, and what a maximum over actions of equal value makes of it: 2% on
/// average over the values, twice that for one of them.
fn assert_right(settings: &[&str]) {
    assert_values(Ring::new, Ring::values(), settings);
}

fn assert_values(make: fn() -> Ring, values: [[f64; 2]; 4], settings: &[&str]) {
    let (mean, worst) = errors(&mut trained(make, settings), values);
    assert!(mean.abs() < 0.02 && worst < 0.04, "{settings:?}: {mean:.4} on average, {worst:.4} at worst");
}

const DOUBLE_Q: &str = "agent.targets = 'double-q'";
const WITHOUT_BONUS: &str = "agent.target_beta = 0.0";
const HELD: &str = "dropout.learned = false";
const P: &str = "dropout.initial_p = 0.3";

#[test]
fn held_at_any_p() {
    for p in ["0.0", "0.05", "0.1", "0.3", "0.5"] {
        // The more noise, the longer it takes.
        let steps = if p == "0.5" { "steps = 24_000" } else { "steps = 12_000" };
        assert_right(&[DOUBLE_Q, HELD, &format!("dropout.initial_p = {p}"), steps]);
    }
}

#[test]
fn learned_p_with_and_without_a_bonus() {
    for targets in [DOUBLE_Q, WITHOUT_BONUS, "agent.target_beta = 1.0"] {
        assert_right(&[targets]);
    }
}

/// Each of these alone, with p held, so that the noise stays.
#[test]
fn whatever_else_targets_are_made_of() {
    for targets in [
        &[DOUBLE_Q, "agent.bounded_targets = true"][..],
        &[DOUBLE_Q, "dropout.groups = 'unit'"],
        &[DOUBLE_Q, "precision.heteroscedastic = true", "steps = 6_000"],
    ] {
        assert_right(&[targets, &[HELD, P]].concat());
    }
}

#[test]
fn without_discounting_where_episodes_end() {
    let values = [[3.0, 4.0], [3.0; 2], [2.5; 2], [1.5; 2]];
    for targets in [&[DOUBLE_Q, HELD, P][..], &[DOUBLE_Q], &["agent.target_beta = 1.0"]] {
        assert_values(Ring::ending, values, &[targets, &["agent.gamma = 1.0"]].concat());
    }
}

#[test]
fn looking_ahead_one_step_to_five() {
    for n in 1..=5 {
        let ahead = [format!("agent.n_step = {n}"), format!("agent.n_step_final = {n}")];
        for targets in [DOUBLE_Q, WITHOUT_BONUS] {
            assert_right(&[targets, HELD, P, &ahead[0], &ahead[1]]);
        }
    }
}

#[test]
fn in_the_other_engine_and_with_a_convolution() {
    for kind in ["network.kind = 'dense'", "network.kind = 'conv'"] {
        let conv = ["network.conv.channels = [8]", "network.conv.kernel = 1", "network.conv.stride = 1"];
        for targets in [DOUBLE_Q, WITHOUT_BONUS] {
            let settings = ["engine = 'autograd'", "steps = 6_000", kind, targets, HELD, P];
            assert_right(&[&settings[..], &conv].concat());
        }
    }
}

/// Reward = action, cut after one step: Q of action 1 is 1 / (1 - gamma).
struct OneStep(EnvSpec);

impl OneStep {
    fn new() -> Self {
        let spec = EnvSpec::new("OneStep-v0", [Dimension::new("x", "", -1.0, 1.0)], ["0", "1"]);
        Self(spec.with_max_episode_steps(1))
    }
}

impl Env for OneStep {
    fn spec(&self) -> &EnvSpec {
        &self.0
    }

    fn reset(&mut self, _rng: &mut dyn Rng) -> Result<Vec<f32>, EnvError> {
        Ok(vec![0.0])
    }

    fn step(&mut self, action: usize) -> Result<Step, EnvError> {
        Ok(Step::new(vec![0.0], action as f64, false))
    }
}

/// Adds up what the decisions of an evaluation are predicted to be worth.
#[derive(Default)]
struct Predicted {
    sum: f64,
    decisions: usize,
}

impl EvaluationObserver for Predicted {
    fn on_step(&mut self, decision: &Decision<'_>, _step: &Step) {
        let q = NetworkUnits(decision.prediction.row(0).mean(decision.action));
        self.sum += decision.scale.to_return(q).0;
        self.decisions += 1;
    }
}

#[test]
fn an_evaluation_predicts_what_is_right() {
    tch::set_num_threads(1);
    for extra in ["", "dropout.learned = false\ndropout.initial_p = 0.1", WITHOUT_BONUS] {
        let config = Config::default()
            .with("env = 'OneStep-v0'\nsteps = 5_000\nagent.gamma = 0.9\nexploration.rule = 'greedy'")
            .and_then(|config| config.with("agent.targets = 'double-q'"))
            .and_then(|config| config.with(extra));
        let mut session = Session::new(OneStep::new, config.unwrap()).unwrap();
        session.train(&mut ()).unwrap();
        let mut predicted = Predicted::default();
        session.evaluate_watched(500, &mut predicted).unwrap();
        let mean = predicted.sum / predicted.decisions as f64;
        assert!((mean - 10.0).abs() < 0.2, "{extra:?}: {mean}");
    }
}

/// What choosing by some values loses, by others: the mean over the rows.
fn regret(values: &[f64], truth: &[f64], actions: usize) -> f64 {
    let best = |row: &[f64]| {
        (0..actions).fold(0, |best, action| if row[action] > row[best] { action } else { best })
    };
    let rows = values.chunks_exact(actions).zip(truth.chunks_exact(actions));
    let lost = rows.map(|(values, truth)| truth[best(truth)] - truth[best(values)]);
    lost.sum::<f64>() / (values.len() / actions) as f64
}

/// Why actions are chosen by the mean pass where nothing but the best action is asked for: it is not the mean over
/// passes, but it ranks actions as that does, and without the noise of a few passes.
#[test]
fn the_mean_pass_chooses_better_than_ten_noisy_passes() {
    tch::set_num_threads(1);
    for extra in ["", "dropout.learned = false\ndropout.initial_p = 0.3\nagent.target_beta = 0.0"] {
        let config = Config::for_env("CartPole-v1").and_then(|config| config.with("steps = 1_500\nseed = 3"));
        let config = config.and_then(|config| config.with(extra)).unwrap();
        let mut session = Session::new(&Registry::builtin(), config.clone()).unwrap();
        session.train(&mut ()).unwrap();
        let network = session.agent().network();
        let mut engine = engine(&config, network).unwrap();
        let observations = session.agent().replay().recent_observations(1_000, 200);
        let mut source = LogisticNoise::new(generator(5, Stream::Noise));
        let mut mean = |passes| mean_q(network, engine.as_mut(), &observations, passes, &mut source);
        let actions = network.actions();
        let mut truth = vec![0.0; 200 * actions];
        for _ in 0..60 {
            truth.iter_mut().zip(mean(50)).for_each(|(sum, q)| *sum += q / 60.0);
        }
        let (noisy, plain) = (regret(&mean(10), &truth, actions), regret(&mean(0), &truth, actions));
        assert!(plain < 0.5 * noisy, "{extra:?}: {plain:e} against {noisy:e}");
    }
}

/// The mean over passes at every observation, `[rows, actions]`; of none the mean pass.
fn mean_q(
    network: &QNetwork,
    engine: &mut dyn Engine,
    observations: &[f32],
    passes: usize,
    source: &mut LogisticNoise,
) -> Vec<f64> {
    let mut noise = PassNoise::default();
    noise.draw(source, network.masks(), passes, observations.len() / network.dimensions());
    let prediction = engine.predict(network, observations, (passes > 0).then_some(&noise));
    let rows = (0..prediction.rows).map(|row| prediction.row(row));
    rows.flat_map(|samples| (0..samples.actions()).map(move |action| samples.mean(action))).collect()
}
