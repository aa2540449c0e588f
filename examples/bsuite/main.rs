//! The exploration experiments of bsuite (Osband et al. 2020) by its own rules, written as the tables that its analysis
//! reads.
//!
//! ```sh
//! cargo run --release --example bsuite -- deep_sea deep_sea_stochastic
//! ```
//!
//! Settings, numbers of episodes and logged episodes are those of bsuite 0.3.6. Tables go to `runs/bsuite/`, one for each
//! setting; `benches/bsuite/score.py` has bsuite compute its scores from them.

mod experiment;
mod tables;
mod watched;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;

use clap::Parser;
use concrete_dqn::config::{ConfigLayer, Seeds};
use concrete_dqn::{Config, Error};

use crate::experiment::Experiment;
use crate::tables::Table;

/// Runs exploration experiments of bsuite
#[derive(Debug, Parser)]
struct Arguments {
    /// The experiments
    #[arg(required = true, value_name = "EXPERIMENT")]
    experiments: Vec<Experiment>,

    /// Which settings of an experiment, such as 0-20 or 0,5 [default: all]
    #[arg(long, value_name = "INDICES")]
    settings: Option<Seeds>,

    /// Episodes of each setting [default: bsuite's, 10,000 of deep sea and 1,000 of the swing-up]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    episodes: Option<u64>,

    /// Seed of the agent
    #[arg(long, value_name = "N", default_value_t = 100)]
    seed: u64,

    /// One setting of the agent, such as --set local.prior=1; may be repeated
    #[arg(long, value_name = "SECTION.KEY=VALUE")]
    set: Vec<String>,

    /// How many settings are trained at once
    #[arg(long, value_name = "N", default_value_t = 2)]
    jobs: usize,

    /// Where the tables go
    #[arg(long, value_name = "DIR", default_value = "runs/bsuite")]
    output: PathBuf,
}

fn main() -> ExitCode {
    run(std::env::args_os())
}

fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    tch::set_num_threads(1);
    concrete_dqn::cli::run_one(arguments, run_experiments)
}

fn run_experiments(arguments: &Arguments) -> Result<(), Error> {
    std::fs::create_dir_all(&arguments.output).map_err(|source| Error::File {
        action: "create the folder",
        path: arguments.output.clone(),
        source,
    })?;
    let mut todo = Vec::new();
    for &experiment in &arguments.experiments {
        let chosen: Vec<u64> = match &arguments.settings {
            Some(indices) => indices.iter().collect(),
            None => (0..experiment.settings()).collect(),
        };
        if let Some(index) = chosen.iter().find(|index| **index >= experiment.settings()) {
            return Err(Error::Usage(format!(
                "{experiment} has no setting {index}; --settings must be within 0-{}",
                experiment.settings() - 1
            )));
        }
        todo.extend(chosen.into_iter().map(|index| (experiment, index)));
    }
    // From the end, so that the first is taken first.
    todo.reverse();
    let (todo, failed) = (Mutex::new(todo), Mutex::new(None));
    let next = || todo.lock().ok().and_then(|mut todo| todo.pop());
    std::thread::scope(|scope| {
        for _ in 0..arguments.jobs.max(1) {
            scope.spawn(|| {
                while let Some((experiment, index)) = next() {
                    if let Err(error) = run_setting(experiment, index, arguments) {
                        failed.lock().map(|mut failed| *failed = Some(error)).ok();
                        todo.lock().map(|mut todo| todo.clear()).ok();
                    }
                }
            });
        }
    });
    failed.into_inner().ok().flatten().map_or(Ok(()), Err)
}

/// Trains in one setting. A table that is there already is not made again.
fn run_setting(experiment: Experiment, index: u64, arguments: &Arguments) -> Result<(), Error> {
    let path = arguments.output.join(experiment.file(index));
    if path.exists() {
        return Ok(());
    }
    let episodes = arguments.episodes.unwrap_or(experiment.episodes());
    let config = config(experiment, index, episodes, arguments)?;
    let figures = watched::Figures::default();
    let mut table = Table::new(episodes, figures.clone());
    let trained = experiment.session(config, figures)?.train(&mut table);
    match trained {
        // The table ends the training after the last episode.
        Ok(_) | Err(Error::Interrupted) => table.write(&path),
        Err(error) => Err(error),
    }?;
    println!("{}", path.display());
    Ok(())
}

fn config(experiment: Experiment, index: u64, episodes: u64, arguments: &Arguments) -> Result<Config, Error> {
    let mut config = Config::for_env(experiment.env())?.with(&format!(
        "seed = {}\nsteps = {}\nevaluation.period = 0\n{}",
        arguments.seed,
        episodes * experiment.longest_episode(index),
        experiment.arguments(index)
    ))?;
    for assignment in &arguments.set {
        ConfigLayer::assignment(assignment)?;
        config = config.with(assignment)?;
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_have_the_columns_and_episodes_of_bsuite() {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("bsuite");
        let arguments = |experiment: &str| {
            let output = output.to_str().unwrap();
            ["bsuite", experiment, "--settings", "0", "--episodes", "13", "--output", output]
                .map(OsString::from)
        };
        for (experiment, columns) in [
            ("deep_sea", "total_bad_episodes,denoised_return"),
            ("deep_sea_stochastic", "total_bad_episodes,denoised_return"),
            ("cartpole_swingup", "raw_return,total_upright,best_episode"),
        ] {
            assert_eq!(run(arguments(experiment)), ExitCode::SUCCESS);
            let table =
                std::fs::read_to_string(output.join(format!("bsuite_id_-_{experiment}-0.csv"))).unwrap();
            let mut lines = table.lines();
            let header = format!("steps,episode,total_return,episode_len,episode_return,{columns}");
            assert_eq!(lines.next(), Some(header.as_str()));
            let episodes: Vec<&str> = lines.map(|line| line.split(',').nth(1).unwrap()).collect();
            assert_eq!(episodes, ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "12"]);
        }
        let wrong = ["bsuite", "deep_sea", "--settings", "21"].map(OsString::from);
        assert_eq!(run(wrong), ExitCode::from(2));
    }
}
