//! What keeps an environment in another process from answering.

use crate::EnvError;

/// Why there is no answer, in words that follow the environment's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// It can't be had, and what would have to be done to have it.
    Refused(String),
    /// It, or the process that it is in, failed.
    Failed(String),
}

impl Failure {
    /// The same as the error of an environment of this name.
    pub fn of(self, env: &str) -> EnvError {
        match self {
            Self::Refused(reason) => EnvError::Unavailable { env: env.to_owned(), reason },
            Self::Failed(message) => EnvError::Outside { env: env.to_owned(), message },
        }
    }
}
