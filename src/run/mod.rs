//! What a run leaves behind: a folder of plain files.

mod directory;
mod label;
mod lock;
mod meta;
pub mod model;
mod recorder;
mod redraw;
mod summary;
mod tables;

pub use directory::RunDirectory;
pub use label::compared_labels;
pub use lock::RunLock;
pub use meta::{Meta, Resumption};
pub use recorder::{FinishedRun, Record, Recorder};
pub use redraw::Redraw;
pub use summary::{EpisodeStatistics, Summary};
pub use tables::{TableLengths, Tables};
