//! A checkpoint that was found whole, to be gone on from.

use std::path::{Path, PathBuf};

use control_envs::Env;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::manifest::Manifest;
use super::segments::{self, ReplaySegments};
use super::store::{STATE, TENSORS};
use super::{State, VERSION};
use crate::agent::Agent;
use crate::error::Error;
use crate::tensors::{Arrays, Stored};
use crate::training::{Position, TrainingSnapshot};

const LATEST: &str = "replay.latest";
const OBSERVATION: &str = "episode.observation";
const ENVIRONMENT: &str = "episode.environment";

/// A checkpoint whose checksums are right.
#[derive(Debug)]
pub struct SavedCheckpoint<R> {
    /// Its folder.
    pub folder: PathBuf,
    /// Its `state.json`.
    pub state: State<R>,
    tensors: Vec<u8>,
    sums: Manifest,
}

/// The part of `state.json` that every version has.
#[derive(Deserialize)]
struct AnyVersion {
    version: u32,
}

impl<R: DeserializeOwned> SavedCheckpoint<R> {
    /// Reads a checkpoint and checks all its files.
    ///
    /// # Errors
    /// [`Error::Content`] where a file is missing, is not as it was written, or is of another version.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let sums = Manifest::read(folder)?;
        let text = sums.verified(STATE)?;
        let content = |problem: String| Error::Content { path: folder.join(STATE), problem };
        let not_a_state =
            |error: serde_json::Error| content(format!("it holds no state of a training: {error}"));
        let AnyVersion { version } = serde_json::from_slice(&text).map_err(not_a_state)?;
        if version != VERSION {
            return Err(content(format!(
                "its format has version {version}, and this program reads version {VERSION}; the program that wrote \
                 it goes on from it"
            )));
        }
        let state: State<R> = serde_json::from_slice(&text).map_err(not_a_state)?;
        let tensors = sums.verified(TENSORS)?;
        for name in &state.segments {
            if !segments::is_plain(name) {
                return Err(content(format!(
                    "it names a segment `{}`, which is no file name",
                    name.escape_debug()
                )));
            }
            sums.verified(&segments::relative(name))?;
        }
        Ok(Self { folder: folder.to_owned(), state, tensors, sums })
    }
}

impl<R> SavedCheckpoint<R> {
    /// Puts agent and environment, both fresh, into the state that was saved, and returns where the training was.
    pub(super) fn restore(
        &self,
        env: &mut dyn Env,
        agent: &mut Agent,
        ring: &mut ReplaySegments,
    ) -> Result<Position, Error> {
        let content = |problem| Error::Content { path: self.folder.join(TENSORS), problem };
        let stored = Stored::parse(&self.tensors).map_err(content)?;
        stored.fill(agent.named_tensors()).map_err(content)?;
        let (latest, _) = stored.floats(LATEST).map_err(content)?;
        ring.load(agent.replay_mut(), &self.state.replay, &latest, &self.state.segments, &self.sums)?;
        agent.restore(self.state.agent.clone());

        let mut position = self.state.position.clone();
        if let Some(episode) = &mut position.in_hand {
            (episode.observation, _) = stored.floats(OBSERVATION).map_err(content)?;
            if episode.observation.len() != env.spec().observation_space.len() {
                return Err(content(format!("its tensor `{OBSERVATION}` is none of {}", env.spec().id)));
            }
            let environment = stored.bytes(ENVIRONMENT).map_err(content)?;
            env.restore_state(&environment.unwrap_or_default())?;
        }
        Ok(position)
    }
}

/// `tensors.safetensors` and `state.json` of a snapshot. An episode in an environment that can't be saved is left out:
/// going on, another one begins.
pub(super) fn serialize<R: Serialize + DeserializeOwned>(
    snapshot: TrainingSnapshot<'_>,
    config: String,
    segments: Vec<String>,
    record: R,
) -> Result<(Vec<u8>, Vec<u8>), String> {
    let TrainingSnapshot { env, agent, position } = snapshot;
    let environment = position.in_hand.as_ref().and_then(|_| env.save_state());
    let in_hand = position.in_hand.clone().filter(|_| environment.is_some());
    let mut arrays = Arrays::default();
    for (name, tensor) in agent.named_tensors() {
        arrays.tensor(&name, &tensor);
    }
    let latest = agent.replay().latest();
    arrays.floats(LATEST, &[latest.len()], latest);
    if let (Some(episode), Some(environment)) = (&in_hand, &environment) {
        arrays.floats(OBSERVATION, &[episode.observation.len()], &episode.observation);
        arrays.bytes(ENVIRONMENT, environment);
    }
    let state = State {
        version: VERSION,
        build: super::Build::current(),
        config,
        mean_return_100: position.mean_return(),
        agent: agent.state(),
        position: Position { in_hand: in_hand.clone(), ..position.clone() },
        replay: agent.replay().state(),
        segments,
        record,
    };
    let text = serde_json::to_vec_pretty(&state).map_err(|error| error.to_string())?;
    // Text can't hold every number; one that it can't must be found now, and not when it is needed.
    serde_json::from_slice::<State<R>>(&text).map_err(|error| error.to_string())?;
    Ok((arrays.serialize()?, text))
}
