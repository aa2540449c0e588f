//! `state.json`: a checkpoint without its arrays.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Build;
use crate::agent::AgentState;
use crate::error::Error;
use crate::replay::ReplayState;
use crate::training::TrainingProgress;

/// The version of what is on disk; a program reads its own only.
pub const VERSION: u32 = 5;

/// The file's name.
pub const STATE: &str = "state.json";

/// `state.json`. `R` is what the run's own files need to be resumed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State<R> {
    /// [`VERSION`] of the program that wrote it.
    pub version: u32,
    /// That program.
    pub build: Build,
    /// The run's settings then, as TOML.
    pub config: String,
    /// What the best checkpoint is chosen by: the mean return of an evaluation of this very step, or, in a run without
    /// evaluations while training, of the last 100 episodes.
    pub score: Option<f64>,
    /// The agent without its tensors and its replay.
    pub agent: AgentState,
    /// Where the training was. The observation of the current episode is among the tensors.
    pub progress: TrainingProgress,
    /// The replay without its slots.
    pub replay: ReplayState,
    /// The files of its segments in `checkpoints/replay/`, in the order of their slots.
    pub segments: Vec<String>,
    /// What the run's own files need.
    pub record: R,
}

/// What `state.json` has in every version.
#[derive(Deserialize)]
struct AnyState {
    version: u32,
    build: AnyBuild,
}

#[derive(Deserialize)]
struct AnyBuild {
    version: String,
}

impl<R: DeserializeOwned> State<R> {
    /// Reads the content of a file, which lies at `path`.
    pub(super) fn parse(content: &[u8], path: &Path) -> Result<Self, Error> {
        check_version(content, path)?;
        serde_json::from_slice(content).map_err(|error| Error::Content {
            path: path.to_owned(),
            problem: format!("it holds no state of a training: {error}"),
        })
    }

    /// The file's content. Text can't hold every number; one that it can't is found now, and not when it is
    /// needed.
    pub(super) fn serialize(&self) -> serde_json::Result<Vec<u8>>
    where
        R: Serialize,
    {
        let content = serde_json::to_vec_pretty(self)?;
        serde_json::from_slice::<Self>(&content)?;
        Ok(content)
    }
}

/// Refuses a file that tells of another version. What is no such file at all passes.
pub fn check_version(content: &[u8], path: &Path) -> Result<(), Error> {
    match serde_json::from_slice::<AnyState>(content) {
        Ok(AnyState { version, build }) if version != VERSION => Err(Error::CheckpointVersion {
            path: path.to_owned(),
            version,
            readable: VERSION,
            writer: build.version,
        }),
        _ => Ok(()),
    }
}
