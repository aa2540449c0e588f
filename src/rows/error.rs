//! What can be wrong with a table.

use std::io;
use std::path::{Path, PathBuf};

/// What can be wrong with a table.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RowError {
    /// It can't be read or written.
    #[error("could not {action} {}: {source}", path.display())]
    File {
        /// What was tried, such as `read`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// It lacks a column.
    #[error(
        "{} has no column `{column}`; a run of this version of the program has it, and one of an older version is read \
         by the program that wrote it",
        path.display()
    )]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The column's name in the header.
        column: String,
    },
    /// A row is not what it should be.
    #[error("line {line} of {} is not a row of the table: {problem}", path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// It is not the table that a checkpoint was made beside.
    #[error("{} is not usable: {problem}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

impl RowError {
    /// A closure that wraps an I/O error on `path`, for `map_err`.
    pub(super) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { action, path, source }
    }
}
