//! What can go wrong when a run is drawn.

use std::path::PathBuf;

use crate::rows::RowError;

/// What can go wrong when a run is drawn.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlotError {
    /// A table of the run cannot be read.
    #[error("{0}")]
    Row(#[from] RowError),

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
