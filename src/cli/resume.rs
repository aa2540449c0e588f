//! `resume RUN`: trains on from a run's newest checkpoint.

use std::ffi::OsString;
use std::process::ExitCode;

use control_envs::Registry;

use super::arguments::ResumeArguments;
use super::device::device;
use super::interrupt::Interrupt;
use super::report::report;
use super::terminal::Terminal;
use super::training::{Surroundings, Training};
use crate::checkpoint::Checkpoints;
use crate::config::Config;
use crate::error::Error;
use crate::files::read_json;
use crate::run::{RunDirectory, Summary};

pub fn run(
    registry: &Registry,
    arguments: &ResumeArguments,
    command: &[OsString],
    terminal: &Terminal,
) -> Result<ExitCode, Error> {
    let directory = RunDirectory::open(&arguments.run)?;
    let _lock = directory.lock()?;
    Checkpoints::new(directory.checkpoints(), 1).check_version()?;
    let config = directory.read_config()?;
    let steps = arguments.steps.unwrap_or(config.steps);
    if steps < config.steps {
        return Err(Error::Usage(format!(
            "--steps {steps} is fewer than the {} that {} trains for; give a larger number, or leave it out",
            config.steps,
            directory.path().display()
        )));
    }
    if steps == config.steps && is_finished(&directory, &config) {
        terminal.report(format_args!(
            "{} has finished all its {steps} steps; --steps with a larger number trains on",
            directory.path().display()
        ))?;
        return Ok(ExitCode::SUCCESS);
    }
    let config = Config { steps, device: arguments.device.clone().unwrap_or(config.device), ..config };
    let entry = registry.get(&config.env).map_err(|error| {
        Error::Usage(format!(
            "{}: {error} A run in an environment of your own is resumed by the program that registers it.",
            directory.config().display()
        ))
    })?;
    let device = device(&config.device)?;
    let training = Training { name: String::new(), entry, config, device };
    let interrupt = Interrupt::install();
    let runs_dir = directory.path().to_owned();
    let surroundings = Surroundings { runs_dir: &runs_dir, command, terminal, interrupt, together: None };
    let trained = training.resume(directory, &surroundings)?;
    let reported = terminal.report(report(&trained));
    trained.ended.and(reported).map(|()| ExitCode::SUCCESS)
}

/// Whether there is nothing left to do, the evaluation included.
fn is_finished(directory: &RunDirectory, config: &Config) -> bool {
    read_json(&directory.summary()).is_ok_and(|summary: Summary| {
        summary.ended == "finished"
            && summary.total_steps >= config.steps
            && (summary.evaluation.is_some() || config.evaluation.episodes == 0)
    })
}
