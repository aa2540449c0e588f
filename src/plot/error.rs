//! What can go wrong when a run is drawn.

use std::path::PathBuf;

/// What can go wrong when a run is drawn.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlotError {
    /// A table of the run cannot be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },

    /// A table lacks a column.
    #[error("`{}` has no column `{column}`, which its picture needs", path.display())]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The column's name in the header.
        column: String,
    },

    /// A row of a table is not what it should be.
    #[error("line {line} of `{}` cannot be drawn: {problem}", path.display())]
    InvalidRow {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// What is wrong with it.
        problem: String,
    },

    /// A picture cannot be written.
    #[error("cannot write `{}`: {source}", path.display())]
    Write {
        /// The picture.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },

    /// A picture cannot be drawn.
    #[error("cannot draw `{}`: {problem}", path.display())]
    Draw {
        /// The picture.
        path: PathBuf,
        /// What the drawing library said.
        problem: String,
    },
}
