//! What a checkpoint costs: how long the training stands still, and what it takes on disk.

use std::fs;
use std::path::Path;
use std::time::Instant;

use concrete_dqn::Error;
use concrete_dqn::agent::Agent;
use concrete_dqn::checkpoint::Checkpoints;
use concrete_dqn::config::{Config, ConfigLayer};
use concrete_dqn::training::{Observer, TrainingProgress, TrainingSnapshot, train};
use control_envs::{Registry, Step};
use tch::Device;

use crate::program::folders;
use crate::row;

fn bytes(folder: &Path) -> u64 {
    let size = |path: &std::path::PathBuf| {
        if path.is_dir() { bytes(path) } else { fs::metadata(path).unwrap().len() }
    };
    folders(folder).iter().map(size).sum()
}

/// Agent with a replay of `transitions` transitions of CartPole.
fn filled(transitions: usize) -> (Config, Agent) {
    let layer = ConfigLayer::parse("test", &format!("[agent]\nreplay_capacity = {transitions}")).unwrap();
    let config = Config::resolve(&[layer]).unwrap();
    let env = Registry::builtin().make("cartpole").unwrap();
    let mut agent = Agent::new(&config, env.spec(), Device::Cpu).unwrap();
    push(&mut agent, transitions);
    (config, agent)
}

fn push(agent: &mut Agent, transitions: usize) {
    for index in 0..transitions {
        let x = index as f32;
        let ends = index % 200 == 199;
        let step = Step {
            observation: vec![x + 1.0, 1.0, 0.5, 0.25],
            reward: 1.0,
            terminated: false,
            truncated: ends,
        };
        agent.observe(&[x, 1.0, 0.5, 0.25], index % 2, &step);
    }
}

#[test]
fn a_second_checkpoint_writes_what_is_new() {
    let folder = tempfile::tempdir().unwrap();
    let (_, mut agent) = filled(400_000);
    let env = Registry::builtin().make("cartpole").unwrap();
    let progress = TrainingProgress::start(0, 1);
    let mut checkpoints = Checkpoints::new(folder.path().into(), 3);
    checkpoints
        .save(
            TrainingSnapshot { envs: std::slice::from_ref(&env), agent: &agent, progress: &progress },
            String::new(),
            None,
            0,
        )
        .unwrap();
    let first = bytes(folder.path());
    let data = 400_000 * 25;
    assert!(first < data * 11 / 10 + 1_000_000, "{first} bytes for {data} of data");
    push(&mut agent, 1_000);
    checkpoints
        .save(
            TrainingSnapshot { envs: std::slice::from_ref(&env), agent: &agent, progress: &progress },
            String::new(),
            None,
            0,
        )
        .unwrap();
    let second = bytes(folder.path()) - first;
    assert!(second < 6 << 20, "a segment and the networks, not all: {second}");
}

#[test]
#[ignore = "a few seconds of writing; to be run alone"]
fn stall() {
    // On the disk of the working directory; the folder for temporary files may be in memory.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let (_, mut agent) = filled(1_000_000);
    let env = Registry::builtin().make("cartpole").unwrap();
    let progress = TrainingProgress::start(0, 1);
    let mut checkpoints = Checkpoints::new(folder.path().into(), 3);
    let mut seconds = Vec::new();
    let mut sizes = Vec::new();
    for new in [0, 1_000, 200_000] {
        push(&mut agent, new);
        let started = Instant::now();
        let snapshot =
            TrainingSnapshot { envs: std::slice::from_ref(&env), agent: &agent, progress: &progress };
        checkpoints.save(snapshot, String::new(), None, 0).unwrap();
        seconds.push(started.elapsed().as_secs_f64());
        sizes.push(bytes(folder.path()) as f64 / 1e6);
    }
    row(
        "a checkpoint with 1,000,000 transitions of CartPole (25.0 MB): the first, with 1,000 new ones, with 200,000",
        format!("{:.2} s, {:.2} s and {:.2} s of stall", seconds[0], seconds[1], seconds[2]),
        format!("{:.1} MB on disk for one, {:.1} for two, {:.1} for three", sizes[0], sizes[1], sizes[2]),
    );
    assert!(sizes[0] < 28.0);
}

/// Saves every second, and adds up how long that takes.
struct EverySecond {
    checkpoints: Checkpoints,
    saved: Instant,
    stalls: Vec<f64>,
}

impl Observer for EverySecond {
    fn between_steps(&mut self, snapshot: TrainingSnapshot<'_>) -> Result<(), Error> {
        if self.saved.elapsed().as_secs_f64() >= 1.0 {
            let started = Instant::now();
            self.checkpoints.save(snapshot, String::new(), None, 0)?;
            self.stalls.push(started.elapsed().as_secs_f64());
            self.saved = Instant::now();
        }
        Ok(())
    }
}

#[test]
#[ignore = "a quarter of a minute"]
fn cadence() {
    tch::set_num_threads(1);
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let config = Config::resolve(&[ConfigLayer::parse("test", "steps = 20000").unwrap()]).unwrap();
    let mut env = Registry::builtin().make("cartpole").unwrap();
    let mut agent = Agent::new(&config, env.spec(), Device::Cpu).unwrap();
    let mut every = EverySecond {
        checkpoints: Checkpoints::new(folder.path().into(), 3),
        saved: Instant::now(),
        stalls: Vec::new(),
    };
    train(std::slice::from_mut(&mut env), &mut agent, &mut TrainingProgress::start(50, 1), &mut every)
        .unwrap();
    let mean = every.stalls.iter().sum::<f64>() / every.stalls.len() as f64;
    row(
        "a checkpoint of a training of CartPole with the default network",
        format!("{} checkpoints", every.stalls.len()),
        format!(
            "{:.0} ms of stall on average; of the default 60 s, {:.2} %",
            mean * 1e3,
            mean / 60.0 * 100.0
        ),
    );
}
