//! What the program does without a subcommand: one training, or one for every seed of `--seeds`.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::process::ExitCode;

use control_envs::Registry;

use super::arguments::TrainArguments;
use super::dashboard;
use super::interrupt::Interrupt;
use super::report::report;
use super::run_name::named_folder;
use super::terminal::Terminal;
use super::training::{Training, TrainingContext};
use super::{many, parallel, settings};
use crate::config::Config;
use crate::error::Error;

pub fn run(
    registry: &Registry,
    arguments: &TrainArguments,
    command: &[OsString],
    terminal: &Terminal,
) -> Result<ExitCode, Error> {
    let config = settings::resolve(registry, arguments)?;
    tracing::debug!("the settings are\n{}", config.to_toml());
    let entry = &config.entry(registry).map_err(|error| Error::Usage(error.to_string()))?;
    settings::warn_of_odd(&config);
    settings::warn_of_endless(entry);
    let dashboard = dashboard::bind(arguments.dashboard)?;
    let context =
        TrainingContext { terminal, interrupt: Interrupt::install(), shared_progress: None, dashboard };
    let Some(seeds) = &arguments.seeds else {
        let folder =
            arguments.name.as_ref().map(|name| named_folder(&arguments.runs_dir, name)).transpose()?;
        let trained =
            Training { name: String::new(), folder, entry, config }.run(&arguments.runs_dir, &context)?;
        let reported = terminal.report(report(&trained, command));
        return trained.ended.and(reported).map(|()| ExitCode::SUCCESS);
    };
    let of_seed = |seed| {
        let folder = |name| named_folder(&arguments.runs_dir, &format!("{name}__s{seed}"));
        let folder = arguments.name.as_ref().map(folder).transpose()?;
        Ok(Training {
            name: format!("seed {seed}"),
            folder,
            entry,
            config: Config { seed, ..config.clone() },
        })
    };
    let trainings = seeds.iter().map(of_seed).collect::<Result<Vec<_>, Error>>()?;
    let jobs = arguments.jobs.map_or_else(parallel::cores, NonZeroUsize::get);
    many::run(&trainings, jobs, &arguments.runs_dir, command, &context)
}
