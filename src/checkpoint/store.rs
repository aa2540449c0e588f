//! The folder of a run's checkpoints.

use std::fs;
use std::path::{Path, PathBuf};

use control_envs::Env;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::choice::CheckpointChoice;
use super::saved::{PARTIAL, SavedCheckpoint, remove_checkpoint};
use super::segments::ReplaySegments;
use super::state::{STATE, State, check_version};
use crate::agent::Agent;
use crate::error::Error;
use crate::files::{names, remove, rename};
use crate::training::{TrainingProgress, TrainingSnapshot};

const PREFIX: &str = "step-";
const DAMAGED: &str = ".damaged";

/// The checkpoints of a run: the last few and the best.
#[derive(Debug)]
pub struct Checkpoints {
    folder: PathBuf,
    keep: usize,
    segments: ReplaySegments,
    /// Those that this program has written or resumed from, or found beside it, by step.
    kept: Vec<Kept>,
}

/// What has to be known of a checkpoint to keep it or not.
#[derive(Debug)]
struct Kept {
    name: String,
    score: Option<f64>,
    segments: Vec<String>,
}

impl Kept {
    fn new<R>(name: &str, state: &State<R>) -> Self {
        Self { name: name.to_owned(), score: state.score, segments: state.segments.clone() }
    }
}

impl Checkpoints {
    /// The checkpoints in a folder, which need not exist yet. The last `keep` (at least one) and the best are
    /// kept.
    pub fn new(folder: PathBuf, keep: usize) -> Self {
        let segments = ReplaySegments::new(&folder);
        Self { folder, keep: keep.max(1), segments, kept: Vec::new() }
    }

    /// Refuses the checkpoints of another version of the program, which may not even understand the run's
    /// config.
    ///
    /// # Errors
    /// [`Error::CheckpointVersion`], and where the folder can't be read.
    pub fn check_version(&self) -> Result<(), Error> {
        let Some(newest) = checkpoint_names(&self.folder)?.pop() else { return Ok(()) };
        let path = self.folder.join(newest).join(STATE);
        fs::read(&path).map_or(Ok(()), |content| check_version(&content, &path))
    }

    /// Whether there is none, whole or not.
    ///
    /// # Errors
    /// Where the folder can't be read.
    pub fn is_empty(&self) -> Result<bool, Error> {
        self.newest_step().map(|step| step.is_none())
    }

    /// The step of the newest one, whole or not.
    ///
    /// # Errors
    /// Where the folder can't be read.
    pub fn newest_step(&self) -> Result<Option<u64>, Error> {
        let newest = checkpoint_names(&self.folder)?.pop();
        Ok(newest.and_then(|name| name[PREFIX.len()..].parse().ok()))
    }

    /// The newest checkpoint that is whole; `None` where there is none at all. One that is not whole is named
    /// in a warning, and set aside as soon as an earlier one is found to be.
    ///
    /// # Errors
    /// Where there are checkpoints, but none is whole; where one is of another version; and where they can't
    /// be read.
    pub fn newest<R: DeserializeOwned>(&mut self) -> Result<Option<SavedCheckpoint<R>>, Error> {
        let names = checkpoint_names(&self.folder)?;
        let mut damaged: Vec<(&String, String)> = Vec::new();
        for (index, name) in names.iter().enumerate().rev() {
            match SavedCheckpoint::<R>::open(&self.folder.join(name)) {
                Ok(whole) => {
                    for (name, problem) in damaged {
                        tracing::warn!(
                            "{problem}; resuming from the checkpoint before it, {}",
                            whole.folder.display()
                        );
                        let aside = self.folder.join(format!("{name}{DAMAGED}"));
                        remove(&aside);
                        rename(&self.folder.join(name), &aside)?;
                    }
                    self.kept = names[..index].iter().filter_map(|name| self.known::<R>(name)).collect();
                    self.kept.push(Kept::new(name, &whole.state));
                    return Ok(Some(whole));
                }
                Err(error @ Error::Content { .. }) => damaged.push((name, error.to_string())),
                Err(error) => return Err(error),
            }
        }
        let Some((_, problem)) = damaged.first() else { return Ok(None) };
        Err(Error::Content {
            path: self.folder.clone(),
            problem: format!(
                "none of its {} checkpoints is whole ({problem}); without that folder the run would start again \
                 from its first step",
                names.len()
            ),
        })
    }

    /// An earlier checkpoint, if it can be read; it is not checked before it is needed.
    fn known<R: DeserializeOwned>(&self, name: &str) -> Option<Kept> {
        let path = self.folder.join(name).join(STATE);
        let state = State::<R>::parse(&fs::read(&path).ok()?, &path).ok()?;
        Some(Kept::new(name, &state))
    }

    /// Puts agent and environment, both fresh, into the state of a checkpoint, and returns where the training
    /// was.
    ///
    /// # Errors
    /// [`Error::Content`] where it does not fit them.
    pub fn restore<R>(
        &mut self,
        checkpoint: &SavedCheckpoint<R>,
        envs: &mut [Box<dyn Env>],
        agent: &mut Agent,
    ) -> Result<TrainingProgress, Error> {
        checkpoint.restore(envs, agent, &mut self.segments)
    }

    /// The checkpoint that is meant, for its network: the checksum of that is right, and the replay is not looked at.
    ///
    /// # Errors
    /// [`Error::Usage`] where there is none such, with those that there are; [`Error::Content`] where it is damaged, and
    /// [`Error::CheckpointVersion`].
    pub fn chosen<R: DeserializeOwned>(&self, choice: CheckpointChoice) -> Result<SavedCheckpoint<R>, Error> {
        let names = checkpoint_names(&self.folder)?;
        let kept: Vec<Kept> = names.iter().filter_map(|name| self.known::<R>(name)).collect();
        let name = match choice {
            CheckpointChoice::Best => {
                best(&kept).map(|kept| kept.name.clone()).or_else(|| names.last().cloned())
            }
            CheckpointChoice::Last => names.last().cloned(),
            CheckpointChoice::Step(step) => Some(name_of(step)).filter(|name| names.contains(name)),
        };
        if let Some(name) = name {
            return SavedCheckpoint::open_network(&self.folder.join(name));
        }
        let steps: Vec<&str> =
            names.iter().map(|name| name[PREFIX.len()..].trim_start_matches('0')).collect();
        let problem = match (choice, steps.as_slice()) {
            (CheckpointChoice::Step(step), [_, ..]) => {
                format!("has no checkpoint of step {step}; there are those of step {}", steps.join(", "))
            }
            _ => "has no checkpoints".to_owned(),
        };
        Err(Error::Usage(format!("{} {problem}", self.folder.display())))
    }

    /// Writes a checkpoint of the training, unless there is one of the same step with no less to tell, and removes those that are
    /// not kept. `config` is the run's config as TOML, `record` what the run's own files need to be resumed. The one
    /// with the highest `score` is the best.
    ///
    /// # Errors
    /// [`Error::NotFinite`] where a number is not, and where a file can't be written. The checkpoints that
    /// were there are there still.
    pub fn save<R>(
        &mut self,
        snapshot: TrainingSnapshot<'_>,
        config: String,
        score: Option<f64>,
        record: R,
    ) -> Result<(), Error>
    where
        R: Serialize + DeserializeOwned,
    {
        let name = name_of(snapshot.agent.steps());
        if self.kept.last().is_some_and(|newest| newest.name == name) {
            // One from before the evaluation of its step gets the score that it lacks; there is nothing else to add.
            if self.kept.pop_if(|newest| newest.score.is_none() && score.is_some()).is_none() {
                return Ok(());
            }
        }
        snapshot.agent.check_finite()?;
        let segments = self.segments.save(snapshot.agent.replay())?;
        SavedCheckpoint::write(&self.folder.join(&name), snapshot, config, segments, score, record)?;
        self.kept.push(Kept {
            name,
            score,
            segments: segments.iter().map(|segment| segment.name.clone()).collect(),
        });
        self.prune()
    }

    fn prune(&mut self) -> Result<(), Error> {
        let best = best(&self.kept).map(|kept| kept.name.clone());
        let last = self.kept.len().saturating_sub(self.keep);
        let mut index = 0;
        self.kept.retain(|kept| {
            index += 1;
            index > last || best.as_ref() == Some(&kept.name)
        });
        for name in names(&self.folder)? {
            let path = self.folder.join(&name);
            if name.starts_with(PREFIX) && name.ends_with(PARTIAL) {
                remove(&path);
            } else if is_checkpoint(&name) && !self.kept.iter().any(|kept| kept.name == name) {
                remove_checkpoint(&path)?;
            }
        }
        let segments: Vec<&str> =
            self.kept.iter().flat_map(|kept| &kept.segments).map(String::as_str).collect();
        self.segments.prune(&segments)
    }
}

/// The one with the highest score, of equals the later one.
fn best(kept: &[Kept]) -> Option<&Kept> {
    kept.iter().rev().fold(None, |best: Option<&Kept>, kept| match best {
        Some(best) if kept.score <= best.score => Some(best),
        _ => Some(kept),
    })
}

/// What the checkpoint of a step is called.
fn name_of(step: u64) -> String {
    format!("{PREFIX}{step:012}")
}

/// The names of the checkpoints in a folder, the earliest first.
fn checkpoint_names(folder: &Path) -> Result<Vec<String>, Error> {
    Ok(names(folder)?.into_iter().filter(|name| is_checkpoint(name)).collect())
}

fn is_checkpoint(name: &str) -> bool {
    name.strip_prefix(PREFIX)
        .is_some_and(|step| step.len() == 12 && step.bytes().all(|byte| byte.is_ascii_digit()))
}
