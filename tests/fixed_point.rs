//! Values are learned to where they should be: an environment whose Q is known, under every form of target.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use concrete_dqn::{Config, Session};
use control_envs::rand::Rng;
use control_envs::{Dimension, Env, EnvError, EnvSpec, ImageShape, Step};

const GAMMA: f64 = 0.9;
/// Predictions, of ten passes each, that are averaged.
const PREDICTIONS: usize = 300;

/// State 0, where the action is the reward, and then 1, 2, 3, 1, 2, 3 ... with rewards 0.5, 1 and 1.5 whatever is done;
/// cut off after seven steps. What follows the first step does not depend on actions, so targets that look ahead several
/// steps are right for any behaviour.
struct Ring {
    spec: EnvSpec,
    state: usize,
    steps: usize,
}

impl Ring {
    fn new() -> Self {
        let dimensions: Vec<_> = (0..4).map(|i| Dimension::new(format!("state {i}"), "", 0.0, 1.0)).collect();
        let image = ImageShape { channels: 1, rows: 2, columns: 2 };
        let spec = EnvSpec::new("Ring-v0", dimensions, ["nothing", "one"]).with_max_episode_steps(7);
        Self { spec: spec.with_image(image), state: 0, steps: 0 }
    }

    fn observation(state: usize) -> Vec<f32> {
        (0..4).map(|i| if i == state { 1.0 } else { 0.0 }).collect()
    }

    /// Q of both actions in each state.
    fn values() -> [[f64; 2]; 4] {
        let around = 1.0 - GAMMA.powi(3);
        let ring = |rewards: [f64; 3]| (rewards[0] + GAMMA * rewards[1] + GAMMA * GAMMA * rewards[2]) / around;
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
        (self.state, self.steps) = (0, 0);
        Ok(Self::observation(0))
    }

    fn step(&mut self, action: usize) -> Result<Step, EnvError> {
        let reward = if self.state == 0 { action as f64 } else { 0.5 * self.state as f64 };
        self.state = self.state % 3 + 1;
        Ok(Step::new(Self::observation(self.state), reward, false))
    }
}

/// Trains under these settings and returns the largest distance of a value from where it should be, as a share of it.
fn worst(settings: &[&str]) -> f64 {
    let mut session = trained(settings);
    let mut worst = 0.0_f64;
    for (state, values) in Ring::values().into_iter().enumerate() {
        let mut means = [0.0; 2];
        for _ in 0..PREDICTIONS {
            let predicted = session.predict(&Ring::observation(state)).unwrap();
            means.iter_mut().zip(predicted.mean).for_each(|(sum, mean)| *sum += mean / PREDICTIONS as f64);
        }
        for (mean, value) in means.into_iter().zip(values) {
            worst = worst.max((mean / value - 1.0).abs());
        }
    }
    worst
}

fn trained(settings: &[&str]) -> Session {
    tch::set_num_threads(1);
    let base = "env = 'Ring-v0'
        steps = 6_000
        seed = 1
        agent.gamma = 0.9
        agent.learning_starts = 100
        agent.batch_size = 32
        network.hidden = [32]
        exploration.rule = 'epsilon-greedy'
        exploration.epsilon_final = 1.0
    ";
    let text: String = settings.iter().map(|setting| format!("{setting}\n")).collect();
    let config = Config::default().with(base).unwrap().with(&text).unwrap();
    let mut session = Session::new(Ring::new, config).unwrap();
    session.train(&mut ()).unwrap();
    session
}

#[test]
fn probe() {
    for hidden in ["network.hidden = [32]", "network.hidden = [128, 128]"] {
        for p in ["0.05", "0.1", "0.3", "0.5"] {
            let start = std::time::Instant::now();
            let w = worst(&[hidden, "agent.target_beta = 0.0", "dropout.learned = false", &format!("dropout.initial_p = {p}")]);
            println!("{hidden} p {p}: {w:.4} in {:?}", start.elapsed());
        }
    }
}

#[test]
fn choice() {
    use concrete_dqn::concrete::LogisticNoise;
    use concrete_dqn::engine::engine;
    use concrete_dqn::network::PassNoise;
    use concrete_dqn::randomness::{Stream, generator};
    tch::set_num_threads(1);
    for env in ["CartPole-v1", "MountainCar-v0"] {
    for (steps, extra) in [(1500, ""), (3000, ""), (4000, "agent.target_beta = 0.0"), (3000, "dropout.learned = false\ndropout.initial_p = 0.3")] {
        let config = Config::for_env(env).unwrap().with(&format!("steps = {steps}\nseed = 3\n{extra}")).unwrap();
        let mut session = Session::new(&control_envs::Registry::builtin(), config.clone()).unwrap();
        session.train(&mut ()).unwrap();
        let agent = session.agent();
        let network = agent.network();
        let mut engine = engine(&config, network).unwrap();
        let observations: Vec<f32> = agent.replay().recent_observations(1000, 200);
        let rows = 200;
        let mut source = LogisticNoise::new(generator(5, Stream::Noise));
        let mut noise = PassNoise::default();
        let actions = network.actions();
        let mut reference = vec![0.0; rows * actions];
        let chunks = 100;
        let mut mean_of = |passes: usize, source: &mut LogisticNoise, engine: &mut dyn concrete_dqn::engine::Engine| -> Vec<f64> {
            noise.draw(source, network.masks(), passes, rows);
            let p = engine.predict(network, &observations, Some(&noise));
            (0..rows * actions).map(|i| p.row(i / actions).mean(i % actions)).collect()
        };
        for _ in 0..chunks {
            let m = mean_of(50, &mut source, engine.as_mut());
            reference.iter_mut().zip(m).for_each(|(r, m)| *r += m / chunks as f64);
        }
        let ten = mean_of(10, &mut source, engine.as_mut());
        let p = engine.predict(network, &observations, None);
        let mean: Vec<f64> = (0..rows * actions).map(|i| p.row(i / actions).mean(i % actions)).collect();
        let regret = |values: &[f64]| -> (f64, usize) {
            let mut sum = 0.0; let mut wrong = 0;
            for row in 0..rows {
                let best = |v: &[f64]| (0..actions).fold(0, |b, a| if v[row * actions + a] > v[row * actions + b] { a } else { b });
                let (c, r) = (best(values), best(&reference));
                sum += reference[row * actions + r] - reference[row * actions + c];
                wrong += usize::from(c != r);
            }
            (sum / rows as f64, wrong)
        };
        let bias: f64 = mean.iter().zip(&reference).map(|(m, r)| (m - r)).sum::<f64>() / (rows * actions) as f64;
        let q: f64 = reference.iter().sum::<f64>() / (rows * actions) as f64;
        println!("{env} {steps} {extra:?} p {:.3?}: q {q:.4} mean-pass bias {bias:.5}; regret mean pass {:?}, ten passes {:?}", network.mean_p(), regret(&mean), regret(&ten));
    }
    }
}
