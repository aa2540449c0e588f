//! What the program does without a subcommand: one training, or one for every seed of `--seeds`.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;
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
use crate::run::{FoundRun, RunDirectory, RunState};

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
    let dashboard = dashboard::serve(arguments.dashboard)?;
    let context = TrainingContext {
        terminal,
        interrupt: Interrupt::install(),
        shared_progress: None,
        dashboard,
        tells_folder: false,
    };
    let Some(seeds) = &arguments.seeds else {
        let folder =
            arguments.name.as_ref().map(|name| named_folder(&arguments.runs_dir, name)).transpose()?;
        let trained = Training { name: String::new(), folder, state: RunState::New, entry, config }
            .run(&arguments.runs_dir, &context)?;
        let reported = terminal.report(report(&trained, command));
        return trained.ended.and(reported).map(|()| ExitCode::SUCCESS);
    };
    let configs: Vec<Config> = seeds.iter().map(|seed| Config { seed, ..config.clone() }).collect();
    let trainings: Vec<Training> = places(&configs, arguments)?
        .into_iter()
        .zip(configs)
        .map(|((folder, state), config)| Training {
            name: format!("seed {}", config.seed),
            folder,
            state,
            entry,
            config,
        })
        .collect();
    let jobs = arguments.jobs.map_or_else(parallel::cores, NonZeroUsize::get);
    many::run(&trainings, jobs, &arguments.runs_dir, command, &context)
}

/// For every seed the folder of its run, where `--name` says it, and what there is of the run. Without a name the same
/// settings may have been trained before and are to be trained again: only where some of these runs were ended early, they
/// and those beside them are gone on with.
fn places(configs: &[Config], arguments: &TrainArguments) -> Result<Vec<(Option<PathBuf>, RunState)>, Error> {
    let runs_dir = &arguments.runs_dir;
    if let Some(name) = &arguments.name {
        let named = |config: &Config| {
            let name = format!("{name}__s{}", config.seed);
            let folder = runs_dir.join(&name);
            let found = RunDirectory::open(&folder).ok().map(FoundRun::open).transpose()?;
            let state = FoundRun::state(&found, config)?;
            // What is there and not this run is refused.
            let folder = if state == RunState::New { named_folder(runs_dir, &name)? } else { folder };
            Ok((Some(folder), state))
        };
        return configs.iter().map(named).collect();
    }
    let mut found = FoundRun::all(runs_dir)?;
    // Those that are in training in another process have not been ended.
    found.retain(|run| !run.directory().is_busy());
    // What was begun after the last one that was finished counts first.
    let newest = |config: &Config| {
        let is_own = |run: &&FoundRun| run.is_of(config) && run.differences(config).is_empty();
        let own: Vec<&FoundRun> = found.iter().filter(is_own).collect();
        let since = own.iter().rposition(|run| run.is_finished()).map_or(0, |last| last + 1);
        match FoundRun::state(own[since..].iter().copied(), config)? {
            RunState::New => FoundRun::state(own, config),
            begun => Ok(begun),
        }
    };
    let states = configs.iter().map(newest).collect::<Result<Vec<_>, Error>>()?;
    let is_begun = states.iter().any(|state| matches!(state, RunState::Begun(_)));
    Ok(states.into_iter().map(|state| (None, if is_begun { state } else { RunState::New })).collect())
}
