//! What an experiment will run, for people and for programs.

use std::path::Path;

use serde::Serialize;

use crate::config::Config;
use crate::error::Error;
use crate::experiment::{Plan, Store};
use crate::run::RunState;

/// A line for every run.
pub fn lines(plan: &Plan, states: &[RunState]) -> String {
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

/// An experiment as `--plan` prints it.
#[derive(Debug, Serialize)]
struct Listing<'a> {
    /// Its folder.
    output: &'a Path,
    cells: Vec<ListedCell<'a>>,
}

#[derive(Debug, Serialize)]
struct ListedCell<'a> {
    name: String,
    variant: &'a str,
    environment: &'a str,
    seed: u64,
    /// `new`, `begun` or `finished`.
    state: &'static str,
    /// The folder of its run, where there is one.
    run: Option<&'a Path>,
    settings: &'a Config,
}

/// The same as JSON.
///
/// # Errors
/// Never in practice: all of it is text and numbers.
pub fn json(plan: &Plan, store: &Store, states: &[RunState]) -> Result<String, Error> {
    let cells = plan.cells.iter().zip(states).map(|(cell, state)| {
        let (name, run) = match state {
            RunState::New => ("new", None),
            RunState::Begun(directory) => ("begun", Some(directory.path())),
            RunState::Finished(directory) => ("finished", Some(directory.path())),
        };
        ListedCell {
            name: plan.name(cell),
            variant: &plan.variants[cell.variant],
            environment: plan.environments[cell.environment].id(),
            seed: cell.config.seed,
            state: name,
            run,
            settings: &cell.config,
        }
    });
    let listing = Listing { output: store.path(), cells: cells.collect() };
    serde_json::to_string_pretty(&listing).map_err(|error| Error::Inconsistent(error.to_string()))
}
