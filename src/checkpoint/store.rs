//! The folder of a run's checkpoints.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use control_envs::Env;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::manifest::{Manifest, checksum, listing};
use super::saved::{self, SavedCheckpoint};
use super::segments::{self, ReplaySegments};
use crate::agent::Agent;
use crate::error::Error;
use crate::files::{names, remove, rename, write_folder};
use crate::training::{Position, TrainingSnapshot};

pub(super) const STATE: &str = "state.json";
pub(super) const TENSORS: &str = "tensors.safetensors";
pub(super) const REPLAY: &str = "replay";
const PREFIX: &str = "step-";
const PARTIAL: &str = ".partial";
const DAMAGED: &str = ".damaged";

/// The checkpoints of a run: the last few and the best.
#[derive(Debug)]
pub struct Checkpoints {
    folder: PathBuf,
    keep: usize,
    ring: ReplaySegments,
    /// Those that this program has written or gone on from, or found beside it, by step.
    kept: Vec<Kept>,
}

/// What has to be known of a checkpoint to keep it or not.
#[derive(Debug)]
struct Kept {
    name: String,
    mean_return: Option<f64>,
    segments: Vec<String>,
}

impl Checkpoints {
    /// The checkpoints in a folder, which need not exist yet. The last `keep` (at least one) and the best are kept.
    pub fn new(folder: PathBuf, keep: usize) -> Self {
        let ring = ReplaySegments::new(folder.join(REPLAY));
        Self { folder, keep: keep.max(1), ring, kept: Vec::new() }
    }

    /// The newest checkpoint that is whole; `None` where there is none at all. One that is not whole is named in a
    /// warning, and set aside as soon as an earlier one is found to be.
    ///
    /// # Errors
    /// Where there are checkpoints, but none is whole; and where they can't be read.
    pub fn newest<R: DeserializeOwned>(&mut self) -> Result<Option<SavedCheckpoint<R>>, Error> {
        let mut damaged: Vec<(String, String)> = Vec::new();
        let names = checkpoint_names(&self.folder)?;
        for (index, name) in names.iter().enumerate().rev() {
            match SavedCheckpoint::<R>::open(&self.folder.join(name)) {
                Ok(found) => {
                    for (name, problem) in damaged {
                        tracing::warn!(
                            "{problem}; going on from the checkpoint before it, {}",
                            found.folder.display()
                        );
                        let aside = self.folder.join(format!("{name}{DAMAGED}"));
                        remove(&aside);
                        rename(&self.folder.join(name), &aside)?;
                    }
                    self.kept = names[..index].iter().filter_map(|name| self.known::<R>(name)).collect();
                    self.kept.push(Kept {
                        name: name.clone(),
                        mean_return: found.state.mean_return_100,
                        segments: found.state.segments.clone(),
                    });
                    return Ok(Some(found));
                }
                Err(error @ Error::Content { .. }) => damaged.push((name.clone(), error.to_string())),
                Err(error) => return Err(error),
            }
        }
        match damaged.into_iter().next() {
            None => Ok(None),
            Some((_, problem)) => Err(Error::Content {
                path: self.folder.clone(),
                problem: format!(
                    "none of its {} checkpoints is whole ({problem}); without that folder the run would start again from \
                     its first step",
                    names.len()
                ),
            }),
        }
    }

    /// An earlier checkpoint, if it can be read; it is not checked before it is needed.
    fn known<R: DeserializeOwned>(&self, name: &str) -> Option<Kept> {
        let text = fs::read(self.folder.join(name).join(STATE)).ok()?;
        let state: super::State<R> = serde_json::from_slice(&text).ok()?;
        Some(Kept { name: name.to_owned(), mean_return: state.mean_return_100, segments: state.segments })
    }

    /// Puts agent and environment, both fresh, into the state of a checkpoint, and returns where the training was.
    ///
    /// # Errors
    /// [`Error::Content`] where it does not fit them.
    pub fn restore<R>(
        &mut self,
        found: &SavedCheckpoint<R>,
        env: &mut dyn Env,
        agent: &mut Agent,
    ) -> Result<Position, Error> {
        found.restore(env, agent, &mut self.ring)
    }

    /// Writes a checkpoint of the training, unless there is one of the same step, and removes those that are not kept.
    /// `config` is the run's config as TOML, `record` what the run's own files need to go on.
    ///
    /// # Errors
    /// [`Error::NotFinite`] where a number is not, and where a file can't be written. The checkpoints that were there
    /// are there still.
    pub fn save<R>(&mut self, snapshot: TrainingSnapshot<'_>, config: String, record: R) -> Result<(), Error>
    where
        R: Serialize + DeserializeOwned,
    {
        let name = format!("{PREFIX}{:012}", snapshot.agent.steps());
        if self.kept.last().is_some_and(|newest| newest.name == name) {
            return Ok(());
        }
        snapshot.agent.check_finite()?;
        let mean_return = snapshot.position.mean_return();
        let segments = self.ring.save(snapshot.agent.replay())?.to_vec();
        let segment_names: Vec<String> = segments.iter().map(|segment| segment.name.clone()).collect();
        let folder = self.folder.join(&name);
        let (tensors, state) = saved::serialize(snapshot, config, segment_names.clone(), record)
            .map_err(|error| Error::file("write", &folder)(io::Error::other(error)))?;
        let sums = [(TENSORS.to_owned(), checksum(&tensors)), (STATE.to_owned(), checksum(&state))];
        let own = sums.iter().map(|(path, sum)| (path.clone(), sum.as_str()));
        let shared = segments.iter().map(|segment| (segments::relative(&segment.name), segment.sum.as_str()));
        let listing = listing(own.chain(shared));

        let partial = self.folder.join(format!("{name}{PARTIAL}"));
        remove(&partial);
        let written = write_folder(
            &partial,
            &[(TENSORS, &tensors), (STATE, &state), (Manifest::FILE, listing.as_bytes())],
        )
        .and_then(|()| rename(&partial, &folder));
        if let Err(error) = written {
            remove(&partial);
            return Err(error);
        }
        self.kept.push(Kept { name, mean_return, segments: segment_names });
        self.prune()
    }

    fn prune(&mut self) -> Result<(), Error> {
        // Of equals the later one.
        let best = self.kept.iter().rev().fold(None::<&Kept>, |best, kept| match best {
            Some(best) if kept.mean_return <= best.mean_return => Some(best),
            _ => Some(kept),
        });
        let best = best.map(|kept| kept.name.clone());
        let last = self.kept.len().saturating_sub(self.keep);
        let mut index = 0;
        self.kept.retain(|kept| {
            index += 1;
            index > last || best.as_ref() == Some(&kept.name)
        });
        for name in names(&self.folder)? {
            let is_ours = name.starts_with(PREFIX) && !name.ends_with(DAMAGED);
            if is_ours && !self.kept.iter().any(|kept| kept.name == name) {
                let path = self.folder.join(&name);
                if name.ends_with(PARTIAL) {
                    remove(&path);
                } else {
                    // Renamed first, so that one that is half removed is not taken for one that is damaged.
                    let partial = self.folder.join(format!("{name}{PARTIAL}"));
                    rename(&path, &partial)?;
                    remove(&partial);
                }
            }
        }
        let segments: Vec<&str> =
            self.kept.iter().flat_map(|kept| &kept.segments).map(String::as_str).collect();
        self.ring.prune(&segments)
    }
}

/// The names of the checkpoints in a folder, the earliest first.
fn checkpoint_names(folder: &Path) -> Result<Vec<String>, Error> {
    let is_checkpoint = |name: &String| {
        name.strip_prefix(PREFIX)
            .is_some_and(|step| step.len() == 12 && step.bytes().all(|byte| byte.is_ascii_digit()))
    };
    Ok(names(folder)?.into_iter().filter(is_checkpoint).collect())
}
