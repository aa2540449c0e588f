//! The command line.

mod arguments;
mod calibration;
mod dashboard;
mod envs;
mod evaluate;
mod experiment;
mod experiment_flags;
mod export;
mod figure_path;
mod interrupt;
mod landscape;
mod many;
mod other_process;
mod page;
mod parallel;
mod plot;
mod predict;
mod python;
mod report;
mod resume;
mod run_name;
mod settings;
mod shell;
mod stretch;
mod table;
mod terminal;
mod train;
mod training;
mod watch;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use control_envs::Registry;

use crate::error::Error;
use arguments::{Arguments, Command};
use terminal::Terminal;

/// The `main` of a program that does one thing: parses `arguments` (the first is the program's name), does it, and returns
/// the exit code as [`run`] does. An error is printed to stderr.
pub fn run_one<A: Parser>(
    arguments: impl IntoIterator<Item = OsString>,
    action: impl FnOnce(&A) -> Result<(), Error>,
) -> ExitCode {
    let arguments = match A::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => return not_parsed(&error),
    };
    match action(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

/// Help and version go to stdout with code 0, wrong usage to stderr with code 2.
fn not_parsed(error: &clap::Error) -> ExitCode {
    // Nothing can be done where not even this can be written.
    let _ = error.print();
    ExitCode::from(error.exit_code() as u8)
}

/// The whole program over the environments of `registry`: parses `arguments` (the first is the program's
/// name), does what they ask and returns the exit code: 0, 2 for wrong usage, 130 after Ctrl-C, 1 for any
/// other failure.
///
/// A program with environments of its own registers them and calls this:
///
/// ```no_run
/// use std::process::ExitCode;
/// # use control_envs::CartPole as MyEnv;
///
/// fn main() -> ExitCode {
///     let mut registry = control_envs::Registry::builtin();
///     if let Err(error) = registry.register("mine", MyEnv::new) {
///         eprintln!("{error}");
///         return ExitCode::FAILURE;
///     }
///     concrete_dqn::cli::run(&registry, std::env::args_os())
/// }
/// ```
pub fn run(registry: &Registry, arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let command: Vec<OsString> = arguments.into_iter().collect();
    let parsed = match Arguments::try_parse_from(&command) {
        Ok(parsed) => parsed,
        Err(error) => return not_parsed(&error),
    };
    let terminal = Terminal::start(parsed.verbosity());
    if parsed.train_flags_are_misplaced() {
        let error = Error::Usage(
            "flags of a training stand before a subcommand, which takes none of them; leave them out, or see \
             `concrete-dqn help SUBCOMMAND` for the flags that come after it"
                .to_owned(),
        );
        terminal.error(&error);
        return ExitCode::from(error.exit_code());
    }
    if parsed.says_nothing() {
        return match terminal::print(&Arguments::command().render_help().to_string()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => ExitCode::from(error.exit_code()),
        };
    }
    interrupt::outlive_file_size_limits();
    // Networks of this size are slower on more than one thread.
    tch::set_num_threads(1);
    let with_gymnasium =
        match parsed.gymnasium_on_stdin.then(|| other_process::gymnasium(registry)).transpose() {
            Ok(registry) => registry,
            Err(error) => {
                terminal.error(&error);
                return ExitCode::from(error.exit_code());
            }
        };
    let registry = with_gymnasium.as_ref().unwrap_or(registry);
    let success = |()| ExitCode::SUCCESS;
    let done = match parsed.command {
        None => train::run(registry, &parsed.train, &command, &terminal),
        Some(Command::Evaluate(arguments)) => evaluate::run(registry, &arguments).map(success),
        Some(Command::Predict(arguments)) => predict::run(registry, &arguments).map(success),
        Some(Command::Export(arguments)) => export::run(registry, &arguments).map(success),
        Some(Command::Resume(arguments)) => resume::run(registry, &arguments, &command, &terminal),
        Some(Command::Experiment(arguments)) => experiment::run(registry, &arguments, &command, &terminal),
        Some(Command::Watch(arguments)) => watch::run(registry, &arguments).map(success),
        Some(Command::Plot(arguments)) => plot::run(registry, &arguments).map(success),
        Some(Command::Report(arguments)) => page::run(registry, &arguments).map(success),
        Some(Command::Landscape(arguments)) => landscape::run(&arguments).map(success),
        Some(Command::Envs(arguments)) => envs::run(registry, &arguments).map(success),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            if !matches!(error, Error::Interrupted) {
                terminal.error(&error);
            }
            ExitCode::from(error.exit_code())
        }
    }
}
