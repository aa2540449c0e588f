//! The costs of a training step: acting, learning, the environment; and of the learner's matrix products alone.
//!
//! ```sh
//! cargo bench
//! ```
#![allow(clippy::unwrap_used, reason = "a benchmark that can't be set up should fail")]

use concrete_dqn::agent::Agent;
use concrete_dqn::config::{Config, Layer};
use concrete_dqn::randomness::{Stream, generator};
use control_envs::{Env, Registry};
use divan::{Bencher, black_box};
use tch::{Device, Kind, Tensor};

fn main() {
    tch::set_num_threads(1);
    divan::main();
}

/// CartPole, hidden 128-128, no Fourier features, batch 64: the network 4-128-128-2 of `docs/performance.md`.
const SETTINGS: [&str; 5] = [
    "network.hidden=[128,128]",
    "network.fourier_features=0",
    "network.biases=true",
    "logging.update_period=1000000000",
    "agent.replay_capacity=20000",
];

/// An agent past its random start, with a full replay, and an observation to act on.
fn agent(settings: &[&str]) -> (Agent, Vec<f32>) {
    let layers: Vec<Layer> =
        SETTINGS.iter().chain(settings).map(|setting| Layer::assignment(setting).unwrap()).collect();
    let config = Config::resolve(&layers).unwrap();
    let mut env = Registry::builtin().make("cartpole").unwrap();
    let mut agent = Agent::new(&config, env.spec(), Device::Cpu).unwrap();
    let mut starts = generator(0, Stream::Environment);
    let mut observation = env.reset(&mut starts).unwrap();
    for step in 0..20_000 {
        let action = step % 2;
        let outcome = env.step(action).unwrap();
        agent.observe(&observation, action, &outcome);
        observation =
            if outcome.ends_episode() { env.reset(&mut starts).unwrap() } else { outcome.observation };
    }
    (agent, observation)
}

#[divan::bench(args = ["cartpole", "mountaincar", "acrobot"])]
fn environment_step(bencher: Bencher, name: &str) {
    let mut env = Registry::builtin().make(name).unwrap();
    let mut starts = generator(0, Stream::Environment);
    env.reset(&mut starts).unwrap();
    let mut action = 0;
    bencher.bench_local(|| {
        action = 1 - action;
        let step = env.step(black_box(action)).unwrap();
        if step.ends_episode() {
            env.reset(&mut starts).unwrap();
        }
        step.reward
    });
}

#[divan::bench(args = ["ucb", "thompson", "epsilon-greedy"], sample_count = 1000)]
fn act(bencher: Bencher, rule: &str) {
    let (mut agent, observation) =
        agent(&[&format!("exploration.rule={rule}"), "exploration.epsilon_final=0"]);
    agent.begin_episode();
    bencher.bench_local(|| agent.act(black_box(&observation)).unwrap());
}

#[divan::bench(args = ["double-q", "optimistic"], sample_count = 1000)]
fn learner_step(bencher: Bencher, targets: &str) {
    let (mut agent, _) = agent(&[&format!("agent.targets={targets}")]);
    bencher.bench_local(|| agent.learn().unwrap());
}

/// The matrix products of the learner step with double-Q targets, and nothing else: three forward passes (prediction,
/// online and target network at the next observation) and one backward.
#[divan::bench(sample_count = 1000)]
fn matrix_products_of_double_q(bencher: Bencher) {
    let random = |rows, columns| Tensor::ones([rows, columns], (Kind::Float, Device::Cpu));
    let shapes = [(4, 128), (128, 128), (128, 2)];
    let inputs: Vec<Tensor> = shapes.iter().map(|&(inputs, _)| random(64, inputs)).collect();
    let weights: Vec<Tensor> = shapes.iter().map(|&(inputs, outputs)| random(outputs, inputs)).collect();
    let gradients: Vec<Tensor> = shapes.iter().map(|&(_, outputs)| random(64, outputs)).collect();
    bencher.bench_local(|| {
        tch::no_grad(|| {
            for _ in 0..3 {
                for (x, w) in inputs.iter().zip(&weights) {
                    drop(black_box(x.matmul(&w.tr())));
                }
            }
            for ((x, w), g) in inputs.iter().zip(&weights).zip(&gradients) {
                drop(black_box(g.tr().matmul(x)));
                drop(black_box(g.matmul(w)));
            }
        });
    });
}
