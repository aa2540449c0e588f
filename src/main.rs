//! The program: the built-in environments and the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    concrete_dqn::cli::run(&control_envs::Registry::builtin(), std::env::args_os())
}
