//! `--cell`: one run of an experiment, begun or resumed, as the machines of a cluster do it.

use std::ffi::OsString;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use super::local::training;
use crate::cli::interrupt::Interrupt;
use crate::cli::report::report;
use crate::cli::settings::warn_of_odd;
use crate::cli::terminal::Terminal;
use crate::cli::training::TrainingContext;
use crate::error::Error;
use crate::experiment::{Cell, Plan, Store};
use crate::run::RunState;

/// How long a process that was killed with its machine, or whose machine is cut off, may still hold a run. An NFS server
/// takes the locks of a client that is silent for theirs for 90 s (the lease of Linux's server).
const PATIENCE: Duration = Duration::from_secs(150);

pub fn run(
    plan: &Plan,
    store: &Store,
    name: &str,
    command: &[OsString],
    terminal: &Terminal,
) -> Result<ExitCode, Error> {
    let cell = plan.cells.iter().find(|cell| plan.name(cell) == name).ok_or_else(|| {
        let first = plan.cells.first().map(|cell| plan.name(cell)).unwrap_or_default();
        Error::Usage(format!(
            "--cell {name}: the experiment has no such run; `--dry-run` lists them, such as `{first}`"
        ))
    })?;
    let interrupt = Interrupt::install();
    let state = state(plan, store, cell, &interrupt)?;
    warn_of_odd(&cell.config);
    let context =
        TrainingContext { terminal, interrupt, shared_progress: None, dashboard: None, tells_folder: true };
    let trained = training(plan, cell, state).run(&store.runs(&plan.variants[cell.variant]), &context)?;
    let reported = terminal.report(report(&trained, command));
    trained.ended.and(reported).map(|()| ExitCode::SUCCESS)
}

/// What there is of the run, once nobody else is writing into it, or after all patience.
fn state(plan: &Plan, store: &Store, cell: &Cell, interrupt: &Interrupt) -> Result<RunState, Error> {
    let asked = Instant::now();
    loop {
        let state = store.state(plan, cell)?;
        match &state {
            RunState::Begun(directory)
                if directory.is_busy() && asked.elapsed() < PATIENCE && !interrupt.wants_to_stop() =>
            {
                tracing::debug!("another process is writing into {}", directory.path().display());
                thread::sleep(Duration::from_millis(500));
            }
            _ => return Ok(state),
        }
    }
}
