//! Checkpoints: all of a training on disk, to resume it as if nothing had happened.
//!
//! ```text
//! checkpoints/
//!     step-000000030000/         one checkpoint; the last few and the best are kept
//!         tensors.safetensors    networks, fixed features, Adam's moments, by name
//!         state.json             counters, generators, progress, versions
//!         SHA256SUMS             the manifest: checksums of these two and of the replay's segments
//!     replay/                    the replay's slots in segments, which the checkpoints share
//!         segment-00000-000000030000.safetensors
//! ```
//!
//! `sha256sum -c SHA256SUMS` in a checkpoint's folder checks it. A checkpoint is written under a temporary
//! name, flushed to the disk and renamed, so that it is there whole or not at all. Of the replay only those
//! segments are written that have changed since the checkpoint before (docs/decisions/0008-checkpoints.md).
//!
//! The parts stand on each other in this order: [files](crate::files), tensors, manifest, replay segments, state,
//! checkpoint, store.

mod build;
mod choice;
mod config;
mod manifest;
mod saved;
mod segments;
mod state;
mod store;

pub use build::Build;
pub use choice::CheckpointChoice;
pub use config::CheckpointConfig;
pub use manifest::checksum;
pub use saved::SavedCheckpoint;
pub use state::{State, VERSION};
pub use store::Checkpoints;
