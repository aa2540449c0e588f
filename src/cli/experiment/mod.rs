//! `experiment FILE`: settings x environments x seeds, and what they come to.

mod cell;
mod gather;
mod listing;
mod local;
mod ray;
mod search;
mod slurm;

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::num::NonZeroUsize;
use std::process::ExitCode;

use control_envs::Registry;

use self::gather::gather;
use super::experiment_flags::{ExperimentArguments, Place};
use super::interrupt::Interrupt;
use super::many::{Failure, failure_code, name_failures};
use super::terminal::{Terminal, print};
use super::{parallel, settings, shell};
use crate::error::Error;
use crate::experiment::{Cell, Plan, Store};
use crate::files;
use crate::run::RunState;

pub fn run(
    registry: &Registry,
    arguments: &ExperimentArguments,
    command: &[OsString],
    terminal: &Terminal,
) -> Result<ExitCode, Error> {
    if let Some((flag, place)) = arguments.misplaced() {
        return Err(Error::Usage(format!("{flag} is for --on {place}; add that, or leave {flag} out")));
    }
    let store = Store::new(&arguments.output());
    let plan = search::read(registry, arguments, &store)?;
    if let Some(name) = &arguments.cell {
        return cell::run(&plan, &store, name, command, terminal);
    }
    let states = store.states(&plan)?;
    if arguments.plan {
        return print(&(listing::json(&plan, &store, &states)? + "\n")).map(|()| ExitCode::SUCCESS);
    }
    if arguments.gather {
        if states.iter().all(|state| state.finished().is_none()) {
            return Err(Error::Usage(format!(
                "no run of {} is finished in {}, so there is nothing to sum up; --output names another folder, and without \
                 --gather the runs are trained",
                arguments.file.display(),
                store.path().display()
            )));
        }
        // Runs that are under way or wait for their turn read it.
        if !store.plan().exists() {
            prepare(&plan, &store)?;
        }
        return gather(&plan, &store, terminal).map(|()| ExitCode::SUCCESS);
    }
    if arguments.on == Place::Slurm {
        if plan.search.is_some() {
            return Err(Error::Usage(format!(
                "{}: a search chooses its next settings when the last have ended, which a job array can't; use --on ray \
                 or --on local, within one job if need be",
                arguments.file.display()
            )));
        }
        refuse_what_cannot_start(&plan, &states)?;
        return slurm::run(&plan, &store, &states, arguments, command, terminal);
    }
    if arguments.dry_run {
        return print(&listing::lines(&plan, &states)).map(|()| ExitCode::SUCCESS);
    }
    refuse_what_cannot_start(&plan, &states)?;
    let interrupt = Interrupt::install();
    let _lock = match arguments.on {
        Place::Ray => {
            ray::wait_for_another_driver(store.path())?;
            ray::lock(&store)?
        }
        _ => store.lock()?,
    };
    let trained = if plan.search.is_some() {
        search::run(registry, arguments, &store, &interrupt, terminal)
    } else {
        // Another process may have finished some before it was locked.
        let todo = unfinished(&plan, &store.states(&plan)?);
        let trained = train(&plan, &store, &todo, arguments, &interrupt, terminal);
        trained.map(|(failures, _)| (plan, failures))
    };
    // What is finished is summed up, whatever became of the rest.
    let (plan, failures) = match trained {
        Ok(trained) => trained,
        Err(error @ Error::Usage(_)) => return Err(error),
        Err(error) => {
            let gathered =
                search::read(registry, arguments, &store).and_then(|plan| gather(&plan, &store, terminal));
            if let Err(other) = gathered {
                tracing::warn!("what is finished could not be summed up: {other}");
            }
            return Err(error);
        }
    };
    let reported = gather(&plan, &store, terminal);
    finish(&failures, reported, command, terminal)
}

/// A run that is to be done, and what there is of it.
type Todo<'a> = (&'a Cell, RunState);

/// The runs that are not finished.
fn unfinished<'a>(plan: &'a Plan, states: &[RunState]) -> Vec<Todo<'a>> {
    let cells = plan.cells.iter().zip(states.iter().cloned());
    cells.filter(|(_, state)| state.finished().is_none()).collect()
}

/// Trains some runs where the flags say. Returns what was not done, and how many were done at once.
fn train(
    plan: &Plan,
    store: &Store,
    todo: &[Todo<'_>],
    arguments: &ExperimentArguments,
    interrupt: &Interrupt,
    terminal: &Terminal,
) -> Result<(Vec<Failure>, usize), Error> {
    let others = files::names(&store.path().join("runs"))?;
    let others: Vec<_> = others.into_iter().filter(|name| !plan.variants.contains(name)).collect();
    if plan.search.is_none() && !others.is_empty() {
        tracing::warn!(
            "{} holds runs of variants that the file does not name ({}): they stay, and tables and plots will be without \
             them; another --output keeps apart what is another experiment",
            store.path().display(),
            others.join(", ")
        );
    }
    prepare(plan, store)?;
    let begun = todo.iter().filter(|(_, state)| matches!(state, RunState::Begun(_))).count();
    let resumed = if begun > 0 { format!(", {begun} of them to be resumed") } else { String::new() };
    tracing::info!(
        "{} of {} runs are to be done{resumed}, in {}",
        todo.len(),
        plan.cells.len(),
        store.path().display()
    );
    match arguments.on {
        Place::Ray => ray::train(plan, store, todo, arguments, interrupt, terminal),
        _ => {
            let jobs = arguments.jobs.map_or_else(parallel::cores, NonZeroUsize::get);
            Ok((local::train(plan, store, todo, jobs, interrupt.clone(), terminal), jobs))
        }
    }
}

/// Makes the folder, and has it hold the file that is run.
fn prepare(plan: &Plan, store: &Store) -> Result<(), Error> {
    fs::create_dir_all(store.path()).map_err(Error::file("create the folder", store.path()))?;
    files::replace(&store.plan(), plan.text.as_bytes())
}

/// Names what was not done, and how to go on.
fn finish(
    failures: &[Failure],
    reported: Result<(), Error>,
    command: &[OsString],
    terminal: &Terminal,
) -> Result<ExitCode, Error> {
    name_failures(failures, terminal);
    if failures.iter().any(|(_, error)| matches!(error, Error::Interrupted)) {
        let again = shell::line(command.iter().map(OsString::as_os_str));
        terminal.report(format_args!("resume      {again}"))?;
    }
    match failure_code(failures) {
        Some(code) => {
            if let Err(error) = reported {
                terminal.error(error);
            }
            Ok(ExitCode::from(code))
        }
        None => reported.map(|()| ExitCode::SUCCESS),
    }
}

/// Finds too large a replay before anything has started, and warns of what is hardly meant. All seeds of a variant in an
/// environment are alike in that.
fn refuse_what_cannot_start(plan: &Plan, states: &[RunState]) -> Result<(), Error> {
    let mut seen = HashSet::new();
    let mut environments = HashSet::new();
    for (cell, state) in plan.cells.iter().zip(states) {
        if state.finished().is_some() || !seen.insert((cell.variant, cell.environment)) {
            continue;
        }
        let training = local::training(plan, cell, RunState::New);
        training.check().map_err(|error| {
            Error::Usage(format!(
                "the variant {} in {}: {error}",
                plan.variants[cell.variant],
                training.entry.id()
            ))
        })?;
        settings::warn_of_odd(&training.config);
        if environments.insert(cell.environment) {
            settings::warn_of_endless(&plan.environments[cell.environment]);
        }
    }
    Ok(())
}
