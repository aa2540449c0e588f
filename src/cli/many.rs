//! Trainings side by side, and what they came to.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use super::parallel;
use super::table::table;
use super::terminal::Terminal;
use super::training::{Trained, Training, TrainingContext, failure};
use crate::error::Error;
use crate::run::RunState;

/// Runs the trainings, `jobs` at a time, each as if it were alone. One that fails keeps no other from
/// finishing and is named at the end. Returns the exit code: 1 where one failed, 130 where they were
/// interrupted.
///
/// # Errors
/// What would keep every one of them from starting; and where the report can't be printed.
pub fn run(
    trainings: &[Training],
    jobs: usize,
    runs_dir: &Path,
    command: &[OsString],
    context: &TrainingContext,
) -> Result<ExitCode, Error> {
    // Too large a replay is found before anything has started.
    if let Some(first) = trainings.first() {
        first.check()?;
    }
    fs::create_dir_all(runs_dir).map_err(Error::file("create the folder", runs_dir))?;

    let begun = trainings.iter().filter(|training| matches!(training.state, RunState::Begun(_))).count();
    let finished = trainings.iter().filter(|training| training.state.finished().is_some()).count();
    if begun + finished > 0 {
        let new = trainings.len() - begun - finished;
        tracing::info!(
            "going on with what was ended early in {}: {begun} to be resumed, {finished} finished, {new} to be begun",
            runs_dir.display()
        );
    }
    let results = parallel::for_each(trainings, jobs, |training| {
        let trained = training.run(runs_dir, context);
        log(&training.name, &trained);
        trained
    });
    let reported = context.terminal.report(table(trainings, &results, command));
    let failures = failures(trainings, results);
    name_failures(&failures, context.terminal);
    match failure_code(&failures) {
        Some(code) => Ok(ExitCode::from(code)),
        None => reported.map(|()| ExitCode::SUCCESS),
    }
}

/// Says how a training ended while others are under way.
pub fn log(name: &str, result: &Result<Trained, Error>) {
    match (failure(result), result.as_ref().ok().and_then(|trained| trained.summary.evaluation.as_ref())) {
        (Some(Error::Interrupted), _) => {}
        (Some(error), _) => tracing::warn!("{name} failed: {error}"),
        (None, Some(evaluation)) => tracing::info!("{name} is done: {evaluation}"),
        (None, None) => tracing::info!("{name} is done"),
    }
}

/// The name of a training that was not done, and why it was not.
pub type Failure = (String, Error);

/// What was not done.
pub fn failures(trainings: &[Training], results: Vec<Result<Trained, Error>>) -> Vec<Failure> {
    let ended = results.into_iter().map(|result| result.and_then(|trained| trained.ended));
    let named = trainings.iter().zip(ended);
    named.filter_map(|(training, ended)| ended.err().map(|error| (training.name.clone(), error))).collect()
}

/// Names what failed, and why.
pub fn name_failures(failures: &[Failure], terminal: &Terminal) {
    for (name, error) in failures.iter().filter(|(_, error)| !matches!(error, Error::Interrupted)) {
        terminal.error(format_args!("{name} failed: {error}"));
    }
}

/// The exit code where not all went well. What failed outranks what was interrupted.
pub fn failure_code(failures: &[Failure]) -> Option<u8> {
    let code = |error: &Error| if matches!(error, Error::Interrupted) { error.exit_code() } else { 1 };
    failures.iter().map(|(_, error)| code(error)).min()
}
