//! One checkpoint: a folder of a training's arrays, its state and their manifest.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use control_envs::Env;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Build;
use super::manifest::{Manifest, checksum};
use super::segments::{self, ReplaySegments, Segment};
use super::state::{STATE, State, VERSION};
use crate::agent::Agent;
use crate::engine::ONLINE;
use crate::error::Error;
use crate::files::{remove, rename, replace_folder, write_folder};
use crate::network::QNetwork;
use crate::tensors::{Arrays, Stored};
use crate::training::{EnvironmentProgress, TrainingProgress, TrainingSnapshot};

/// The arrays' file.
const TENSORS: &str = "tensors.safetensors";
const LATEST: &str = "replay.latest";
/// Absent where there is no local dropout, and from checkpoints of early versions.
const LOCAL_COUNTS: &str = "local.counts";

/// What the observation of the episode in an environment is called, and the state of the environment.
fn names_of(environment: usize) -> [String; 2] {
    ["observation", "environment"].map(|what| format!("episode.{environment}.{what}"))
}

/// What a folder's name ends with until all of it is on the disk, and from when it is to be removed.
pub const PARTIAL: &str = ".partial";

/// A checkpoint on disk whose checksums are right.
#[derive(Debug)]
pub struct SavedCheckpoint<R> {
    /// Its folder.
    pub folder: PathBuf,
    /// Its `state.json`.
    pub state: State<R>,
    tensors: Vec<u8>,
    manifest: Manifest,
}

impl<R: DeserializeOwned> SavedCheckpoint<R> {
    /// Reads a checkpoint and checks all its files.
    ///
    /// # Errors
    /// [`Error::Content`] where a file is missing or is not as it was written, [`Error::CheckpointVersion`].
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let saved = Self::open_network(folder)?;
        for name in &saved.state.segments {
            if !segments::is_plain(name) {
                let problem = format!("it names a segment `{}`, which is no file name", name.escape_debug());
                return Err(Error::Content { path: folder.join(STATE), problem });
            }
            saved.manifest.verified(&segments::relative(name))?;
        }
        Ok(saved)
    }

    /// The same without a look at its replay, which a network has no need of.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn open_network(folder: &Path) -> Result<Self, Error> {
        let manifest = Manifest::read(folder)?;
        let state = State::<R>::parse(&manifest.verified(STATE)?, &folder.join(STATE))?;
        let tensors = manifest.verified(TENSORS)?;
        Ok(Self { folder: folder.to_owned(), state, tensors, manifest })
    }

    /// Writes a checkpoint of the training, whole or not at all. An episode in an environment that can't be
    /// saved is left out: another one begins when the training is resumed.
    pub(super) fn write(
        folder: &Path,
        snapshot: TrainingSnapshot<'_>,
        config: String,
        segments: &[Segment],
        score: Option<f64>,
        record: R,
    ) -> Result<(), Error>
    where
        R: Serialize,
    {
        let (tensors, state) = serialize(snapshot, config, segments, score, record)
            .map_err(|problem| Error::file("write", folder)(io::Error::other(problem)))?;
        let mut manifest = Manifest::new(folder);
        manifest.add(TENSORS.to_owned(), checksum(&tensors));
        manifest.add(STATE.to_owned(), checksum(&state));
        for segment in segments {
            manifest.add(segments::relative(&segment.name), segment.checksum.clone());
        }
        let manifest = manifest.to_string();
        let files: [(&str, &[u8]); 3] =
            [(TENSORS, &tensors), (STATE, &state), (Manifest::FILE, manifest.as_bytes())];
        let partial = partial(folder);
        remove(&partial);
        write_folder(&partial, &files)
            .and_then(|()| replace_folder(&partial, folder))
            .inspect_err(|_| remove(&partial))
    }
}

/// Removes a checkpoint. Renamed first, so that one that is half removed is not taken for one that is
/// damaged.
pub fn remove_checkpoint(folder: &Path) -> Result<(), Error> {
    let partial = partial(folder);
    rename(folder, &partial)?;
    remove(&partial);
    Ok(())
}

/// What a checkpoint's folder is called while it is not whole.
fn partial(folder: &Path) -> PathBuf {
    let mut path = OsString::from(folder);
    path.push(PARTIAL);
    path.into()
}

impl<R> SavedCheckpoint<R> {
    /// Fills a network with the one that acted.
    ///
    /// # Errors
    /// [`Error::Content`] where it does not fit.
    pub fn restore_network(&self, network: &mut QNetwork) -> Result<(), Error> {
        Stored::parse(&self.tensors)
            .and_then(|stored| {
                network.restore(ONLINE, &mut |name, shape, values| stored.fill(name, shape, values))
            })
            .map_err(|problem| Error::Content { path: self.folder.join(TENSORS), problem })
    }

    /// Puts agent and environment, both fresh, into the state that was saved, and returns where the training
    /// was.
    pub(super) fn restore(
        &self,
        envs: &mut [Box<dyn Env>],
        agent: &mut Agent,
        segments: &mut ReplaySegments,
    ) -> Result<TrainingProgress, Error> {
        let mut progress = self.state.progress.clone();
        let (saved, now) = (progress.environments.len(), envs.len());
        if saved != now {
            return Err(Error::Usage(format!(
                "{} is of a training with agent.envs = {saved}, so it can't go on with agent.envs = {now}",
                self.folder.display()
            )));
        }
        let content = |problem| Error::Content { path: self.folder.join(TENSORS), problem };
        let stored = Stored::parse(&self.tensors).map_err(content)?;
        agent.restore_named(&mut |name, shape, values| stored.fill(name, shape, values)).map_err(content)?;
        let (latest, _) = stored.floats(LATEST).map_err(content)?;
        let State { replay, segments: names, .. } = &self.state;
        segments.load(agent.replay_mut(), replay, &latest, names, &self.manifest)?;
        let counts = stored.has(LOCAL_COUNTS).then(|| stored.integers(LOCAL_COUNTS)).transpose();
        if agent.restore(self.state.agent.clone(), counts.map_err(content)?).is_none() {
            let problem =
                format!("the agent's state is not of agent.envs = {now}, or `{LOCAL_COUNTS}` of its network");
            return Err(content(problem));
        }

        for (index, (of, env)) in progress.environments.iter_mut().zip(envs).enumerate() {
            let Some(episode) = &mut of.episode else { continue };
            let [observation, environment] = names_of(index);
            (episode.observation, _) = stored.floats(&observation).map_err(content)?;
            if episode.observation.len() != env.spec().observation_space.len() {
                let problem = format!("its tensor `{observation}` is no observation of {}", env.spec().id);
                return Err(content(problem));
            }
            let environment = stored.bytes(&environment).map_err(content)?;
            env.restore_state(&environment.unwrap_or_default())?;
        }
        Ok(progress)
    }
}

/// The contents of `tensors.safetensors` and `state.json`.
fn serialize<R: Serialize + DeserializeOwned>(
    snapshot: TrainingSnapshot<'_>,
    config: String,
    segments: &[Segment],
    score: Option<f64>,
    record: R,
) -> Result<(Vec<u8>, Vec<u8>), String> {
    let TrainingSnapshot { envs, agent, progress } = snapshot;
    let mut arrays = Arrays::default();
    agent.named().into_iter().for_each(|named| arrays.named(named));
    let latest = agent.replay().latest();
    arrays.floats(LATEST, &[latest.len()], latest);
    if let Some(counts) = agent.local_counts() {
        arrays.integers(LOCAL_COUNTS, &[counts.len()], counts);
    }
    let mut progress = progress.clone();
    let mut environments = Vec::with_capacity(envs.len());
    for (index, (of, env)) in progress.environments.iter_mut().zip(envs).enumerate() {
        match of.episode.as_ref().zip(env.save_state()) {
            Some((_, state)) => environments.push((index, state)),
            None => *of = EnvironmentProgress::default(),
        }
    }
    for (index, state) in &environments {
        let [observation, environment] = names_of(*index);
        if let Some(episode) = &progress.environments[*index].episode {
            arrays.floats(&observation, &[episode.observation.len()], &episode.observation);
        }
        arrays.bytes(&environment, state);
    }
    let serialized = arrays.serialize()?;
    let state = State {
        version: VERSION,
        build: Build::current(),
        config,
        score,
        agent: agent.state(),
        progress,
        replay: agent.replay().state(),
        segments: segments.iter().map(|segment| segment.name.clone()).collect(),
        record,
    };
    Ok((serialized, state.serialize().map_err(|error| error.to_string())?))
}
