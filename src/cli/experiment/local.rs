//! The runs of an experiment side by side on this machine.

use std::path::PathBuf;

use super::Todo;
use crate::cli::interrupt::Interrupt;
use crate::cli::many::{Failure, failures, log};
use crate::cli::parallel;
use crate::cli::terminal::Terminal;
use crate::cli::training::{Training, TrainingContext};
use crate::experiment::{Cell, Plan, Store};
use crate::run::RunState;

/// The training of a cell, of which there is this.
pub fn training<'a>(plan: &'a Plan, cell: &'a Cell, state: RunState) -> Training<'a> {
    Training {
        folder: None,
        state,
        name: plan.name(cell),
        entry: plan.entry(cell.environment, cell.variant),
        config: cell.config.clone(),
    }
}

/// Trains some runs, `jobs` at once, and returns what was not done.
pub fn train(
    plan: &Plan,
    store: &Store,
    todo: &[Todo<'_>],
    jobs: usize,
    interrupt: Interrupt,
    terminal: &Terminal,
) -> Vec<Failure> {
    let (trainings, folders): (Vec<Training<'_>>, Vec<PathBuf>) = todo
        .iter()
        .map(|(cell, state)| (training(plan, cell, state.clone()), store.runs(&plan.variants[cell.variant])))
        .unzip();
    let steps = trainings.iter().map(|training| training.config.steps).sum();
    let progress = terminal.shared_progress(steps, trainings.len());
    let shared_progress = Some(progress.clone());
    let context =
        TrainingContext { terminal, interrupt, shared_progress, dashboard: None, tells_folder: false };
    let items: Vec<_> = trainings.iter().zip(folders).collect();
    let results = parallel::for_each(&items, jobs, |(training, runs_dir)| {
        let result = training.run(runs_dir, &context);
        log(&format!("{}: {}", progress.count(), training.name), &result);
        result
    });
    progress.clear();
    failures(&trainings, results)
}
