//! A run's folder: its name and its files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::meta::Meta;
use super::name::run_name;
use crate::config::{Config, ConfigLayer};
use crate::error::Error;
use crate::files::{self, FolderLock, read_json, write_json};
use crate::rows::{EpisodeRecord, EvaluationRecord, LayerRecord, MapRecord, Row, UpdateRecord};

/// The folder of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDirectory(PathBuf);

impl RunDirectory {
    /// Creates `<runs_dir>/<name>__<UTC time>/`, where the name says what the run is, and writes the resolved
    /// config into it, which stays locked for as long as the lock lives. Where that folder exists already, because another
    /// run started in the same second, a number is appended.
    ///
    /// # Errors
    /// Where the folder or the config can't be written.
    pub fn create(runs_dir: &Path, env_label: &str, config: &Config) -> Result<(Self, FolderLock), Error> {
        fs::create_dir_all(runs_dir).map_err(Error::file("create the folder", runs_dir))?;
        let time = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
        let name = format!("{}__{time}", run_name(env_label, config));
        let mut path = runs_dir.join(&name);
        for attempt in 2.. {
            match fs::create_dir(&path) {
                Ok(()) => break,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    path = runs_dir.join(format!("{name}-{attempt}"));
                }
                Err(error) => return Err(Error::file("create the folder", &path)(error)),
            }
        }
        let directory = Self(path);
        // Before it is a run, which others could take for one that was ended early.
        let lock = FolderLock::acquire(directory.path())?;
        directory.write_config(config)?;
        Ok((directory, lock))
    }

    /// Makes `path`, which need not exist yet, the folder of a run, locks it and writes the resolved config into it.
    ///
    /// # Errors
    /// [`Error::Usage`] where it holds a run already, [`Error::Busy`] where another process begins one there, and where the
    /// config can't be written.
    pub fn create_at(path: &Path, config: &Config) -> Result<(Self, FolderLock), Error> {
        let directory = Self(path.to_owned());
        directory.require_none()?;
        fs::create_dir_all(path).map_err(Error::file("create the folder", path))?;
        let lock = FolderLock::acquire(path)?;
        // Another process may have begun one meanwhile.
        directory.require_none()?;
        directory.write_config(config)?;
        Ok((directory, lock))
    }

    fn require_none(&self) -> Result<(), Error> {
        if !self.config().exists() {
            return Ok(());
        }
        Err(Error::Usage(format!(
            "{} holds a run already; resume that one, or give another folder",
            self.path().display()
        )))
    }

    /// The folder of a run that exists.
    ///
    /// # Errors
    /// [`Error::Usage`] where there is no such folder, or it holds no `config.toml`.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let directory = Self(path.to_owned());
        if !path.is_dir() {
            return Err(Error::Usage(format!(
                "there is no run folder {}; give the path of a folder below runs/, as a training prints it at its end",
                path.display()
            )));
        }
        if !directory.config().is_file() {
            return Err(Error::Usage(format!(
                "{} is not the folder of a run, since it holds no config.toml",
                path.display()
            )));
        }
        Ok(directory)
    }

    /// Writes the resolved config in place of the one that is there.
    ///
    /// # Errors
    /// Where it can't be written.
    pub fn write_config(&self, config: &Config) -> Result<(), Error> {
        files::replace(&self.config(), config.to_toml().as_bytes())
    }

    /// Adds to `meta.json` that the run is resumed.
    ///
    /// # Errors
    /// Where it can't be written.
    pub fn note_resumption(&self, step: u64, device: &str) -> Result<(), Error> {
        // A run can be ended before it has said what it is.
        let mut meta = read_json(&self.meta()).unwrap_or_else(|_| Meta::gather(device));
        meta.add_resumption(step);
        write_json(&self.meta(), &meta)
    }

    /// The run's resolved config.
    ///
    /// # Errors
    /// Where it is not a config.
    pub fn read_config(&self) -> Result<Config, Error> {
        let layer = ConfigLayer::read(&self.config())?.without_other_rules();
        if layer.env().is_none() {
            let problem = "it names no environment, so it is not the resolved config of a run".to_owned();
            return Err(Error::Content { path: self.config(), problem });
        }
        Config::resolve(&[layer])
    }

    /// Whether another process is writing into it now.
    pub fn is_busy(&self) -> bool {
        FolderLock::is_held(&self.0)
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// `config.toml`: the resolved config.
    pub fn config(&self) -> PathBuf {
        self.0.join("config.toml")
    }

    /// `meta.json`: what ran, where and when.
    pub fn meta(&self) -> PathBuf {
        self.0.join("meta.json")
    }

    /// `episodes.csv`: a row an episode.
    pub fn episodes(&self) -> PathBuf {
        self.0.join(EpisodeRecord::FILE)
    }

    /// `layers.csv`: a row for every dropout group of every layer, an episode.
    pub fn layers(&self) -> PathBuf {
        self.0.join(LayerRecord::FILE)
    }

    /// `updates.csv`: a row every `logging.update_period` learner steps.
    pub fn updates(&self) -> PathBuf {
        self.0.join(UpdateRecord::FILE)
    }

    /// `evaluations.csv`: a row every `evaluation.period` environment steps.
    pub fn evaluations(&self) -> PathBuf {
        self.0.join(EvaluationRecord::FILE)
    }

    /// `maps.csv`: a row for every cell of a plane of states, at five moments.
    pub fn maps(&self) -> PathBuf {
        self.0.join(MapRecord::FILE)
    }

    /// `monitor.csv`: a row an episode, for the tools of Stable-Baselines3.
    pub fn monitor(&self) -> PathBuf {
        self.0.join("monitor.csv")
    }

    /// What the names of the event files for TensorBoard start with.
    pub const EVENTS: &str = "events.out.tfevents.";

    /// The names of the event files for TensorBoard, in the order in which they were written.
    ///
    /// # Errors
    /// Where the folder can't be read.
    pub fn event_files(&self) -> Result<Vec<String>, Error> {
        let mut names = files::names(&self.0)?;
        names.retain(|name| name.starts_with(Self::EVENTS));
        Ok(names)
    }

    /// `model.safetensors`: the network.
    pub fn model(&self) -> PathBuf {
        self.0.join("model.safetensors")
    }

    /// Refuses a run that was ended before it had any tables.
    ///
    /// # Errors
    /// [`Error::Usage`], which says what to do.
    pub fn require_rows(&self) -> Result<(), Error> {
        if self.episodes().exists() {
            return Ok(());
        }
        let run = self.0.display();
        Err(Error::Usage(format!(
            "{run} holds no episodes.csv, so it has nothing to draw yet; where it was ended before it began, let \
             `resume {run}` train it"
        )))
    }

    /// [`model`](Self::model), where it has been written.
    ///
    /// # Errors
    /// [`Error::Usage`] where it has not, which says when it will be.
    pub fn written_model(&self) -> Result<PathBuf, Error> {
        let model = self.model();
        if model.exists() {
            return Ok(model);
        }
        let run = self.0.display();
        Err(Error::Usage(format!(
            "{run} has no model yet, since model.safetensors is written every logging.redraw_seconds of a training \
             and at its end; wait where it is training, or, where it was ended before, let `resume {run}` train on, and \
             where it is finished, let `evaluate {run} --checkpoint last` read its last checkpoint"
        )))
    }

    /// `checkpoints/`: all that is needed to resume.
    pub fn checkpoints(&self) -> PathBuf {
        self.0.join("checkpoints")
    }

    /// `recording.json`: an episode of the policy, to be watched.
    pub fn recording(&self) -> PathBuf {
        self.0.join("recording.json")
    }

    /// `summary.json`: what the run came to.
    pub fn summary(&self) -> PathBuf {
        self.0.join("summary.json")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_in_a_folder_in_use_writes_no_settings_over() {
        let runs = tempfile::tempdir().unwrap();
        let (directory, lock) = RunDirectory::create(runs.path(), "x", &Config::default()).unwrap();
        assert!(directory.is_busy());
        fs::remove_file(directory.config()).unwrap();
        let begun = RunDirectory::create_at(directory.path(), &Config::default());
        assert!(matches!(begun, Err(Error::Busy(_))) && !directory.config().exists());
        drop(lock);
        assert!(!directory.is_busy());
        assert!(RunDirectory::create_at(directory.path(), &Config::default()).is_ok());
    }

    #[test]
    fn runs_of_the_same_second_get_folders_of_their_own() {
        let runs = tempfile::tempdir().unwrap();
        let config = Config::default();
        let folders: Vec<_> =
            (0..3).map(|_| RunDirectory::create(runs.path(), "my/env", &config).unwrap().0).collect();
        assert_ne!(folders[0], folders[1]);
        assert_ne!(folders[1], folders[2]);
        for folder in folders {
            let name = folder.path().file_name().unwrap().to_string_lossy().into_owned();
            assert!(name.starts_with("my-env__ucb__") && name.contains("__s0__"), "{name}");
            assert_eq!(RunDirectory::open(folder.path()).unwrap().read_config().unwrap(), config);
        }
    }
}
