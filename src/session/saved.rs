//! A run on disk, to be resumed.

use std::path::Path;

use super::Session;
use super::policy::of_run;
use super::source::EnvSource;
use crate::checkpoint::{Build, Checkpoints, SavedCheckpoint};
use crate::config::{Config, ConfigLayer, settings};
use crate::error::Error;
use crate::files::{FolderLock, read_json};
use crate::panics::caught;
use crate::run::{Record, Recorder, RunDirectory, Summary};
use crate::training::TrainingProgress;

/// A run on disk, locked against other processes, to be resumed from its newest checkpoint.
///
/// ```no_run
/// # use concrete_dqn::SavedRun;
/// # use control_envs::Registry;
/// # fn main() -> Result<(), concrete_dqn::Error> {
/// let mut saved = SavedRun::open("runs/mine")?;
/// saved.config.steps = 100_000;
/// saved.resume(&Registry::builtin())?.train(&mut ())?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SavedRun {
    directory: RunDirectory,
    lock: FolderLock,
    /// Its settings. They can be changed before it is resumed, as its steps and its device; what changes the
    /// network makes its checkpoints unfit.
    pub config: Config,
}

impl SavedRun {
    /// The run in `folder`.
    ///
    /// # Errors
    /// [`Error::Usage`] where the folder holds no run, [`Error::Busy`] where another process writes into it,
    /// and [`Error::CheckpointVersion`].
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, Error> {
        let directory = RunDirectory::open(folder.as_ref())?;
        let lock = FolderLock::acquire(directory.path())?;
        Checkpoints::new(directory.checkpoints(), 1).check_version()?;
        let config = directory.read_config()?;
        Ok(Self { directory, lock, config })
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.directory.path()
    }

    /// Whether there is nothing left to do, the evaluation included.
    pub fn is_finished(&self) -> bool {
        read_json(&self.directory.summary()).is_ok_and(|summary: Summary| {
            summary.ended == "finished"
                && summary.total_steps >= self.config.steps
                && (summary.evaluation.is_some() || self.config.evaluation.episodes == 0)
        })
    }

    /// Whether there is a checkpoint to resume it from.
    ///
    /// # Errors
    /// Where the folder can't be read.
    pub fn has_checkpoint(&self) -> Result<bool, Error> {
        Checkpoints::new(self.directory.checkpoints(), 1).is_empty().map(|is_empty| !is_empty)
    }

    /// Its training from the newest checkpoint on, or from its start where it was ended before the first; what
    /// it had left is then set aside.
    ///
    /// # Errors
    /// [`Error::Usage`] where it has no checkpoint and has finished, or writes none at all; where its environment is not in `source`, a checkpoint does not fit, or a file can't be written.
    pub fn resume(self, source: impl EnvSource) -> Result<Session, Error> {
        let Self { directory, lock, config } = self;
        let unknown = of_run(&directory, "resumed");
        let entry = caught(|| source.entry(&config).map_err(unknown))?;
        let mut session = Session::new(&entry, config)?;
        let (config, spec) = (&session.config, entry.spec());

        let mut checkpoints = Checkpoints::new(directory.checkpoints(), config.checkpoint.keep);
        let newest = checkpoints.newest::<Record>()?;
        session.progress = match &newest {
            None => TrainingProgress::start(config.seed, config.agent.envs),
            Some(newest) => {
                warn_of_differences(newest, config);
                checkpoints.restore(newest, &mut session.envs, &mut session.agent)?
            }
        };
        let steps = session.agent.steps();
        if steps > config.steps {
            return Err(Error::Usage(format!(
                "{} has taken {steps} steps already, so it cannot be resumed to end at {}; give a larger \
                 number of steps",
                directory.path().display(),
                config.steps
            )));
        }
        session.recorder = match newest {
            Some(newest) => {
                let record = newest.state.record;
                Recorder::reopen(directory.clone(), config, spec, &session.agent, checkpoints, record)?
            }
            None => {
                directory.start_over(config)?;
                Recorder::create(directory.clone(), config, spec, &session.agent)?
            }
        };
        directory.write_config(config)?;
        directory.note_resumption(steps, &config.device)?;
        session.lock = Some(lock);
        Ok(session)
    }
}

/// Says where a checkpoint was made by another build or under other settings, since the bits may differ then.
fn warn_of_differences(newest: &SavedCheckpoint<Record>, config: &Config) {
    let (build, current) = (&newest.state.build, Build::current());
    if *build != current {
        tracing::warn!(
            "{} was written by another build of this program ({build}; this one is {current}); what \
             follows may differ in the last digits from what it would have computed",
            newest.folder.display()
        );
    }
    // What it does not name is as by default: it is older than that setting.
    let resolved = ConfigLayer::parse("the checkpoint", &newest.state.config)
        .and_then(|layer| Config::resolve(&[layer.without_other_rules()]));
    let before = resolved.map_or_else(|_| settings(&newest.state.config), |before| before.settings());
    // A larger number of steps is what --steps is for, and the others change nothing that is computed.
    let is_told = |key: &str| {
        key == "steps"
            || ["checkpoint.", "logging.", "evaluation.period"].iter().any(|section| key.starts_with(section))
    };
    let differences: Vec<String> = config
        .settings()
        .into_iter()
        .filter(|(key, value)| !is_told(key) && !before.contains(&(key.clone(), value.clone())))
        .map(|(key, value)| format!("{key} = {value}"))
        .collect();
    if !differences.is_empty() {
        tracing::warn!(
            "{} was written under other settings; from here on {}",
            newest.folder.display(),
            differences.join(", ")
        );
    }
}
