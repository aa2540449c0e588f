//! What N does: two trainings that differ in nothing but the N of the objective, which follows the replay in one and
//! is held at 100 in the other. Precision is fixed and equal, so N alone decides where p goes.
//!
//! ```sh
//! cargo run --release --example growing_n
//! ```
//!
//! Draws both side by side in `runs/growing-n/comparison.png` and prints the last p of every layer.

use std::path::Path;
use std::process::ExitCode;

use concrete_dqn::Error;
use concrete_dqn::agent::Agent;
use concrete_dqn::config::{Config, ConfigLayer};
use concrete_dqn::plot::{RunLabel, draw_comparison};
use concrete_dqn::run::{Recorder, RunDirectory};
use concrete_dqn::training::{TrainingProgress, TrainingSnapshot, train};
use control_envs::Registry;
use tch::Device;

/// Equal in both runs. Actions are epsilon-greedy, so that the two see much the same data.
const COMMON: &str = "
steps = 30000
exploration.rule = \"epsilon-greedy\"
precision = { learned = false, initial = 600.0 }
agent.targets = \"double-q\"
";

/// Less than the 500 transitions that there are at the learner's first step.
const HELD_N: u64 = 100;

fn main() -> ExitCode {
    match compare(Path::new("runs/growing-n")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

fn compare(folder: &Path) -> Result<(), Error> {
    tch::set_num_threads(1);
    let follows = ConfigLayer::parse("follows", "")?;
    let held = ConfigLayer::parse("held", &format!("dropout.dataset_size = {HELD_N}"))?;
    let mut drawn = Vec::new();
    for (name, layer) in [("N follows the replay", follows), ("N held at 100", held)] {
        let config = Config::resolve(&[ConfigLayer::parse("common", COMMON)?, layer])?;
        let (directory, p) = run(folder, &config)?;
        println!("{name}: last p of each layer {p:.4?}");
        let label = RunLabel {
            title: format!("CartPole-v1 · {name}"),
            short: name.to_owned(),
            ..RunLabel::default()
        };
        drawn.push((directory.path().to_owned(), label));
    }
    for picture in draw_comparison(&drawn, &folder.join("comparison"))? {
        println!("{}", picture.display());
    }
    Ok(())
}

fn run(folder: &Path, config: &Config) -> Result<(RunDirectory, Vec<f64>), Error> {
    let mut env = Registry::builtin().make(&config.env)?;
    let spec = env.spec().clone();
    let mut agent = Agent::new(config, &spec, Device::Cpu)?;
    let directory = RunDirectory::create(folder, "cartpole", config)?;
    let mut recorder = Recorder::start(directory.clone(), config, &spec, &agent)?;
    let mut progress = TrainingProgress::start(config.seed);
    let ended = train(env.as_mut(), &mut agent, &mut progress, &mut recorder);
    let snapshot = TrainingSnapshot { env: env.as_ref(), agent: &agent, progress: &progress };
    let run = recorder.finish(snapshot, ended.as_ref().err());
    ended.and(run.written)?;
    Ok((directory, agent.network().mean_p()))
}
