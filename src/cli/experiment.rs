//! `experiment FILE`: settings x environments x seeds, and what they come to.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use control_envs::Registry;

use super::arguments::ExperimentArguments;
use super::interrupt::Interrupt;
use super::many::{failure_code, failures, log, name_failures};
use super::terminal::{Terminal, print};
use super::training::{Trained, Training, TrainingContext};
use super::{parallel, settings, shell};
use crate::error::Error;
use crate::experiment::{Cell, Plan, Results, Store, figures, groups};
use crate::files;
use crate::run::RunState;

pub fn run(
    registry: &Registry,
    arguments: &ExperimentArguments,
    command: &[OsString],
    terminal: &Terminal,
) -> Result<ExitCode, Error> {
    let plan = Plan::read(&arguments.file, registry)?;
    let store = Store::new(&output(arguments));
    let states = store.states(&plan)?;
    if arguments.dry_run {
        return print(&listed(&plan, &states)).map(|()| ExitCode::SUCCESS);
    }
    let jobs = jobs(&plan, states);
    refuse_what_cannot_start(&plan, &jobs)?;

    fs::create_dir_all(store.path()).map_err(Error::file("create the folder", store.path()))?;
    files::replace(&store.plan(), plan.text.as_bytes())?;
    let (trainings, folders): (Vec<_>, Vec<_>) =
        jobs.into_iter().map(|job| (job.training, store.runs(&plan.variants[job.variant]))).unzip();
    tracing::info!(
        "{} of {} runs are to be done, in {}",
        trainings.len(),
        plan.cells.len(),
        store.path().display()
    );
    let environments = trainings.iter().map(|training| training.entry.id()).collect::<HashSet<_>>();
    plan.environments
        .iter()
        .filter(|entry| environments.contains(entry.id()))
        .for_each(settings::warn_of_endless);
    let results = train(&trainings, &folders, arguments.jobs, terminal);

    // What is finished is summed up, whatever became of the rest.
    let reported = sum_up(&plan, &store, terminal);
    let failures = failures(&trainings, &results);
    name_failures(&failures, terminal);
    if failures.iter().any(|(_, error)| matches!(error, Error::Interrupted)) {
        let again = shell::line(command.iter().map(OsString::as_os_str));
        terminal.report(format_args!("resume      {again}"))?;
    }
    match failure_code(&failures) {
        Some(code) => {
            if let Err(error) = reported {
                terminal.error(error);
            }
            Ok(ExitCode::from(code))
        }
        None => reported.map(|()| ExitCode::SUCCESS),
    }
}

/// The folder that the flags ask for: by default one of the file's name.
fn output(arguments: &ExperimentArguments) -> PathBuf {
    let default = || Path::new("runs/experiments").join(arguments.file.file_stem().unwrap_or_default());
    arguments.output.clone().unwrap_or_else(default)
}

/// A run that is to be done.
struct Job<'a> {
    variant: usize,
    training: Training<'a>,
}

/// The runs of the cells that are not finished.
fn jobs(plan: &Plan, states: Vec<RunState>) -> Vec<Job<'_>> {
    let unfinished = plan.cells.iter().zip(states).filter(|(_, state)| state.finished().is_none());
    let job = |(cell, state): (&'_ Cell, RunState)| Job {
        variant: cell.variant,
        training: Training {
            folder: None,
            state,
            name: plan.name(cell),
            entry: plan.entry(cell.environment, cell.variant),
            config: cell.config.clone(),
        },
    };
    unfinished.map(job).collect()
}

fn listed(plan: &Plan, states: &[RunState]) -> String {
    let line = |(cell, state): (_, &RunState)| {
        let state = match state {
            RunState::New => "to be run".to_owned(),
            RunState::Begun(directory) => format!("to be resumed in {}", directory.path().display()),
            RunState::Finished(directory) => format!("finished in {}", directory.path().display()),
        };
        format!("{}: {state}\n", plan.name(cell))
    };
    plan.cells.iter().zip(states).map(line).collect()
}

/// Finds too large a replay before anything has started. All seeds of a variant in an environment are alike
/// in that.
fn refuse_what_cannot_start(plan: &Plan, jobs: &[Job<'_>]) -> Result<(), Error> {
    let mut seen = HashSet::new();
    for Job { variant, training } in jobs {
        let id = training.entry.id();
        if seen.insert((variant, id)) {
            training.check().map_err(|error| {
                Error::Usage(format!("the variant {} in {id}: {error}", plan.variants[*variant]))
            })?;
            settings::warn_of_odd(&training.config);
        }
    }
    Ok(())
}

fn train(
    trainings: &[Training<'_>],
    folders: &[PathBuf],
    jobs: Option<NonZeroUsize>,
    terminal: &Terminal,
) -> Vec<Result<Trained, Error>> {
    let steps = trainings.iter().map(|training| training.config.steps).sum();
    let progress = terminal.shared_progress(steps, trainings.len());
    let interrupt = Interrupt::install();
    let context =
        TrainingContext { terminal, interrupt, shared_progress: Some(progress.clone()), dashboard: None };
    let items: Vec<_> = trainings.iter().zip(folders).collect();
    let jobs = jobs.map_or_else(parallel::cores, NonZeroUsize::get);
    let results = parallel::for_each(&items, jobs, |(training, runs_dir)| {
        let result = training.run(runs_dir, &context);
        log(&format!("{}: {}", progress.count(), training.name), &result);
        result
    });
    progress.clear();
    results
}

/// Writes table and plots of all that is finished on disk, and prints the table.
fn sum_up(plan: &Plan, store: &Store, terminal: &Terminal) -> Result<(), Error> {
    let groups = groups(plan, &store.finished(plan)?)?;
    let results = Results::of(&groups);
    let markdown = results.markdown();
    let (text, rows) = (store.path().join("table.md"), store.path().join("table.csv"));
    files::replace(&text, markdown.as_bytes())?;
    files::replace(&rows, &results.csv()?)?;
    let drawn = figures::draw(&groups, &store.plots());
    let (text, rows, plots) = (text.display(), rows.display(), store.plots());
    terminal
        .report(format_args!("{markdown}\ntable       {text} and {rows}\nplots       {}", plots.display()))?;
    drawn.map(|_| ())
}
