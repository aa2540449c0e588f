//! What a run leaves behind: a folder of plain files.

mod directory;
mod events;
mod found;
mod label;
mod meta;
pub mod model;
mod monitor;
mod name;
mod record;
mod recorder;
mod redraw;
mod restart;
mod summary;
mod tables;
mod writer;

pub use directory::RunDirectory;
pub use found::{FoundRun, RunState};
pub use label::compared_labels;
pub(crate) use monitor::episode_times;
pub use record::Record;
pub use summary::{EvaluationScore, Summary};

pub(crate) use meta::Meta;
pub(crate) use recorder::Recorder;
