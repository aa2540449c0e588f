//! The replay on disk: its slots in segments, each written again only where it has changed.

use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::manifest::{Manifest, checksum};
use crate::error::Error;
use crate::files::{names, remove, sync_folder, write};
use crate::replay::{Replay, ReplayState, Slots};
use crate::tensors::{Arrays, Stored};

/// The segments' folder, beside the checkpoints.
const FOLDER: &str = "replay";

/// The most bytes in a segment: what a checkpoint may have to write again for a single new transition, and
/// what is held in memory twice while it is written.
const SEGMENT_BYTES: usize = 4 << 20;

/// The folder of the segments, and which of them hold what the replay last held.
#[derive(Debug)]
pub struct ReplaySegments {
    folder: PathBuf,
    /// How many transitions the replay had ever stored when the segments were current.
    pushed: u64,
    segments: Vec<Segment>,
}

/// A segment on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Its file's name.
    pub name: String,
    /// Its checksum.
    pub checksum: String,
}

impl ReplaySegments {
    /// In the folder of the checkpoints; nothing is taken to be on disk.
    pub fn new(checkpoints: &Path) -> Self {
        Self { folder: checkpoints.join(FOLDER), pushed: 0, segments: Vec::new() }
    }

    /// Writes what has changed since the last time and returns all segments. A name is never used twice, so a
    /// file that is only half there is one that no checkpoint knows.
    pub fn save(&mut self, replay: &Replay) -> Result<&[Segment], Error> {
        let state = replay.state();
        fs::create_dir_all(&self.folder).map_err(Error::file("create the folder", &self.folder))?;
        let mut names = Vec::new();
        let segments = self.write_changed(replay, &state, &mut names);
        if segments.is_err() {
            // Where the disk is full, half a file would be in the way of the next attempt.
            names.iter().for_each(|name| remove(&self.folder.join(name)));
        }
        (self.segments, self.pushed) = (segments?, state.pushed);
        Ok(&self.segments)
    }

    fn write_changed(
        &self,
        replay: &Replay,
        state: &ReplayState,
        names: &mut Vec<String>,
    ) -> Result<Vec<Segment>, Error> {
        let mut segments = Vec::new();
        let mut written = Vec::new();
        for (index, range) in ranges(state).enumerate() {
            match self.segments.get(index) {
                Some(segment) if !state.has_changed(&range, self.pushed) => segments.push(segment.clone()),
                _ => {
                    let name = format!("segment-{index:05}-{:012}.safetensors", state.pushed);
                    let content = serialize(&replay.slots(range)).map_err(io::Error::other);
                    let path = self.folder.join(&name);
                    names.push(name.clone());
                    let content = content.map_err(Error::file("write", &path))?;
                    written.push((write(&path, &content)?, path));
                    segments.push(Segment { name, checksum: checksum(&content) });
                }
            }
        }
        // Only now, so that the disk is given all of it at once.
        for (file, path) in written {
            file.sync_all().map_err(Error::file("write", &path))?;
        }
        sync_folder(&self.folder)?;
        Ok(segments)
    }

    /// Fills the replay from segments that a checkpoint names; what is on disk is then current.
    pub fn load(
        &mut self,
        replay: &mut Replay,
        state: &ReplayState,
        latest: &[f32],
        segments: &[String],
        manifest: &Manifest,
    ) -> Result<(), Error> {
        replay.clear();
        self.segments.clear();
        for name in segments {
            let path = self.folder.join(name);
            let content = |problem| Error::Content { path: path.clone(), problem };
            let file = manifest.verified(&relative(name))?;
            let slots = parse(&file).map_err(content)?;
            let fitted = replay.append_slots(&slots, state.masked_actions);
            fitted.ok_or_else(|| content("its transitions do not fit".to_owned()))?;
            self.segments.push(Segment { name: name.clone(), checksum: checksum(&file) });
        }
        self.pushed = state.pushed;
        replay.restore(state, latest).ok_or_else(|| Error::Content {
            path: self.folder.clone(),
            problem: format!(
                "the segments hold {} transitions of {} numbers for a replay of {} from {} environments, where the \
                 checkpoint says {} of {} for one of {} from {}",
                replay.len(),
                replay.dimensions(),
                replay.state().capacity,
                replay.state().environments,
                state.len(),
                state.dimensions,
                state.capacity,
                state.environments
            ),
        })
    }

    /// Removes the segments that are not among those to keep.
    pub fn prune(&self, keep: &[&str]) -> Result<(), Error> {
        let is_kept =
            |name: &str| keep.contains(&name) || self.segments.iter().any(|segment| segment.name == name);
        names(&self.folder)?
            .iter()
            .filter(|name| !is_kept(name))
            .for_each(|name| remove(&self.folder.join(name)));
        Ok(())
    }
}

/// A segment's path as seen from a checkpoint's folder.
pub fn relative(name: &str) -> String {
    format!("../{FOLDER}/{name}")
}

/// Whether a name that a file gave can only mean a file in the segments' folder.
pub fn is_plain(name: &str) -> bool {
    Path::new(name).file_name().is_some_and(|file| file == name)
}

/// The slots of each segment.
fn ranges(state: &ReplayState) -> impl Iterator<Item = Range<usize>> {
    let bytes = state.dimensions * size_of::<f32>() + size_of::<f32>() + size_of::<u32>() + size_of::<bool>();
    let slots = (SEGMENT_BYTES / bytes).max(1);
    let count = state.len();
    (0..count).step_by(slots).map(move |start| start..(start + slots).min(count))
}

fn serialize(slots: &Slots<'_>) -> Result<Vec<u8>, String> {
    let count = slots.actions.len();
    let dimensions = slots.observations.len() / count;
    let finals = slots.final_slots.len();
    let mut arrays = Arrays::default();
    arrays.floats("observations", &[count, dimensions], &slots.observations);
    arrays.integers("actions", &[count], &slots.actions);
    arrays.floats("rewards", &[count], &slots.rewards);
    arrays.truths("terminated", &slots.terminated);
    arrays.integers("final_slots", &[finals], &slots.final_slots);
    arrays.floats("final_observations", &[finals, dimensions], &slots.final_observations);
    for (name, masks) in [("valid_before", &slots.valid_before), ("valid_after", &slots.valid_after)] {
        if !masks.is_empty() {
            arrays.integers(name, &[count, masks.len() / count], masks);
        }
    }
    arrays.serialize()
}

fn parse(file: &[u8]) -> Result<Slots<'static>, String> {
    let stored = Stored::parse(file)?;
    let masks = |name| if stored.has(name) { stored.integers(name) } else { Ok(Vec::new()) };
    Ok(Slots {
        observations: stored.floats("observations")?.0.into(),
        actions: stored.integers("actions")?.into(),
        rewards: stored.floats("rewards")?.0.into(),
        terminated: stored.truths("terminated")?.into(),
        final_slots: stored.integers("final_slots")?,
        final_observations: stored.floats("final_observations")?.0,
        valid_before: masks("valid_before")?.into(),
        valid_after: masks("valid_after")?.into(),
    })
}
