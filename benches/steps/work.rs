//! What is measured.

use concrete_dqn::agent::Agent;
use concrete_dqn::concrete::LogisticNoise;
use concrete_dqn::config::{Config, ConfigLayer};
use concrete_dqn::network::PassNoise;
use concrete_dqn::randomness::{Generator, Stream, generator};
use concrete_dqn::replay::{Batch, Lookahead, Replay, Transition};
use control_envs::{Env, Registry, Step};
use tch::Device;

/// CartPole, two hidden layers, no Fourier features: the network 4-width-width-2.
const SETTINGS: [&str; 5] = [
    "network.fourier_features=0",
    "network.biases=true",
    "logging.update_period=1000000000",
    "agent.replay_capacity=20000",
    // p stays where it starts, at 0.1: with a smaller one the masks cost less.
    "optimizer.dropout_learning_rate=1e-12",
];

/// An agent past its random start, with a full replay, and an observation to act on.
pub fn agent(width: usize, batch: usize, settings: &[&str]) -> (Agent, Vec<f32>) {
    agent_on(Device::Cpu, width, batch, settings)
}

/// The same, its networks on a device.
pub fn agent_on(device: Device, width: usize, batch: usize, settings: &[&str]) -> (Agent, Vec<f32>) {
    let hidden = format!("network.hidden=[{width},{width}]");
    let batch = format!("agent.batch_size={batch}");
    let all =
        SETTINGS.iter().copied().chain([hidden.as_str(), batch.as_str()]).chain(settings.iter().copied());
    let layers: Vec<ConfigLayer> = all.map(|setting| ConfigLayer::assignment(setting).unwrap()).collect();
    let config = Config::resolve(&layers).unwrap();
    let mut env = Registry::builtin().make("cartpole").unwrap();
    let mut agent = Agent::new(&config, env.spec(), device).unwrap();
    let mut starts = generator(0, Stream::Environment);
    let mut observation = env.reset(&mut starts).unwrap();
    for step in 0..20_000 {
        let action = step % 2;
        let outcome = env.step(action).unwrap();
        agent.observe(&observation, action, &outcome);
        observation =
            if outcome.ends_episode() { env.reset(&mut starts).unwrap() } else { outcome.observation };
    }
    agent.begin_episode(0);
    (agent, observation)
}

/// Steps of a built-in environment, resets among them.
pub fn environment_step(name: &str) -> impl FnMut() + use<> {
    let mut env: Box<dyn Env> = Registry::builtin().make(name).unwrap();
    let mut starts: Generator = generator(0, Stream::Environment);
    env.reset(&mut starts).unwrap();
    let mut action = 0;
    move || {
        action = 1 - action;
        if std::hint::black_box(env.step(action).unwrap()).ends_episode() {
            env.reset(&mut starts).unwrap();
        }
    }
}

/// Steps of a training: a decision, the environment, the replay, a learner step.
pub fn training_step(mut agent: Agent) -> impl FnMut() {
    let mut env = Registry::builtin().make("cartpole").unwrap();
    let mut starts = generator(0, Stream::Environment);
    let mut observation = env.reset(&mut starts).unwrap();
    move || {
        let action = agent.act(&observation).unwrap();
        let step = env.step(action).unwrap();
        agent.observe(&observation, action, &step);
        agent.learn().unwrap();
        observation = if step.ends_episode() { env.reset(&mut starts).unwrap() } else { step.observation };
    }
}

/// One learner step.
pub fn learn(agent: &mut Agent) {
    agent.learn().unwrap();
}

/// The end of an episode of `length` steps: N, and the figures that a row of `episodes.csv` holds.
pub fn end_episode(agent: &mut Agent, length: usize) {
    agent.end_episode(length).unwrap();
}

/// One decision.
pub fn act(agent: &mut Agent, observation: &[f32]) {
    agent.act(observation).unwrap();
}

/// The noise of a learner step, for layers of these inputs.
pub fn draw_noise(inputs: &[usize], passes: usize, rows: usize) -> impl FnMut() + use<> {
    let mut source = LogisticNoise::new(generator(0, Stream::Noise));
    let (mut noise, inputs) = (PassNoise::default(), inputs.to_vec());
    move || noise.draw(&mut source, &inputs, passes, rows)
}

/// A batch from a full replay of CartPole's size.
pub fn sample_replay(rows: usize) -> impl FnMut() + use<> {
    let mut replay = Replay::new(20_000, 4).unwrap();
    for i in 0..20_000_u16 {
        replay.push(Transition::of(&[f32::from(i); 4], 0, &Step::new(vec![f32::from(i + 1); 4], 1.0, false)));
    }
    let (mut source, mut batch) = (generator(0, Stream::Replay), Batch::default());
    move || replay.sample(rows, Lookahead { steps: 1, gamma: 0.99 }, &mut source, &mut batch)
}
