//! What can go wrong, as sentences.

use std::io;
use std::path::{Path, PathBuf};

use control_envs::EnvError;

/// Why the program, or a part of it, had to end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A flag, a config or a path that the user gave is wrong; the message says what would be right.
    #[error("{0}")]
    Usage(String),
    /// The environment failed or misbehaved.
    #[error("{0}")]
    Env(#[from] EnvError),
    /// A file could not be read or written.
    #[error("could not {action} {}: {source}", path.display())]
    File {
        /// What was tried, such as `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file of a run does not hold what it should.
    #[error("{} is not usable: {problem}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what would be right.
        problem: String,
    },
    /// A checkpoint in a format that this program does not read.
    #[error(
        "{} has version {version} of the format, and this program reads version {readable}: resume the run with the \
         program that wrote it, concrete-dqn {writer}, or train it anew",
        path.display()
    )]
    CheckpointVersion {
        /// Its `state.json`.
        path: PathBuf,
        /// The version of its format.
        version: u32,
        /// The version that can be read.
        readable: u32,
        /// The version of the program that wrote it.
        writer: String,
    },
    /// A number that must be finite is not.
    #[error(
        "{quantity} is not finite{}: the learning has diverged; a large optimizer.learning_rate, an extreme \
         precision.initial or dropout.length_scale are the usual causes",
        step.map_or_else(String::new, |step| format!(" at step {step}"))
    )]
    NotFinite {
        /// Which number.
        quantity: String,
        /// Environment steps of the training so far; none where a network is only used.
        step: Option<u64>,
    },
    /// A run's folder in which another process is at work.
    #[error(
        "another process is writing into {}; wait until it has ended, or end it",
        .0.display()
    )]
    Busy(PathBuf),
    /// A figure could not be drawn.
    #[error("could not draw {}: {problem}", path.display())]
    Draw {
        /// The figure.
        path: PathBuf,
        /// What the drawing library said.
        problem: String,
    },
    /// A line of a table is not a row of it.
    #[error("line {line} of {} is not a row of the table: {problem}", path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// What is wrong with it, and what would be right.
        problem: String,
    },
    /// Two parts of the program do not fit together.
    #[error("{0}; this is a fault of the program, please report it")]
    Inconsistent(String),
    /// Something in the run panicked, such as an environment, or libtorch where its memory ran out.
    #[error("the run broke off: {0}")]
    Panicked(String),
    /// Something failed in another program or on another machine, which said this.
    #[error("{0}")]
    Elsewhere(String),
    /// The user asked the run to end early; what it had done is written.
    #[error("the run was interrupted")]
    Interrupted,
}

impl Error {
    /// The exit code: 2 for usage, 130 for an interruption (as shells count Ctrl-C), 1 for every other failure.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Interrupted => 130,
            _ => 1,
        }
    }

    /// Whether it came from outside the training, which can go on from where it was.
    pub(crate) fn is_from_outside(&self) -> bool {
        matches!(self, Self::Interrupted | Self::Env(EnvError::Outside { .. }))
    }

    /// A closure that wraps an I/O error on `path`, for `map_err`.
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { action, path, source }
    }
}
