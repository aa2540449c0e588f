//! Checkpoints: all of a training on disk, to go on from as if nothing had happened.
//!
//! ```text
//! checkpoints/
//!     step-000000030000/         one checkpoint; the last few and the best are kept
//!         tensors.safetensors    networks, fixed features, Adam's moments, by name
//!         state.json             counters, generators, position, versions
//!         SHA256SUMS             of these and of the replay's segments; `sha256sum -c SHA256SUMS` checks them
//!     replay/                    the ring in segments, which the checkpoints share
//!         segment-00000-000000030000.safetensors
//! ```
//!
//! A checkpoint is written under a temporary name, flushed to the disk and renamed, so that it is there whole or not at
//! all. Of the replay only those segments are written that have changed since the checkpoint before
//! (docs/decisions/0008-checkpoints.md).

mod build;
mod manifest;
mod saved;
mod segments;
mod store;

use serde::{Deserialize, Serialize};

use crate::agent::AgentState;
use crate::replay::ReplayState;
use crate::training::Position;

pub use build::Build;
pub use manifest::checksum;
pub use saved::SavedCheckpoint;
pub use store::Checkpoints;

/// The version of what is on disk. Another one is refused by name.
pub const VERSION: u32 = 1;

/// `state.json`. `R` is what the run's own files need to go on.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State<R> {
    /// [`VERSION`] of the program that wrote it.
    pub version: u32,
    /// That program.
    pub build: Build,
    /// The run's settings then, as TOML.
    pub config: String,
    /// Mean return of the last 100 episodes then, by which the best checkpoint is kept.
    pub mean_return_100: Option<f64>,
    /// The agent without its tensors and its replay.
    pub agent: AgentState,
    /// Where the training was. The observation of the episode in hand is among the tensors.
    pub position: Position,
    /// The replay without its slots.
    pub replay: ReplayState,
    /// The files of its segments in `checkpoints/replay/`, in the order of their slots.
    pub segments: Vec<String>,
    /// What the run's own files need.
    pub record: R,
}
