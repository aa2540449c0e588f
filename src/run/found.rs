//! Runs on disk, held against the settings of one that is wanted.

use std::fs;
use std::io;
use std::path::Path;

use super::directory::RunDirectory;
use super::summary::Summary;
use crate::checkpoint::Checkpoints;
use crate::config::{Config, settings};
use crate::error::Error;
use crate::files::read_json;

/// How far there is a run with certain settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunState {
    /// There is none.
    New,
    /// It was ended early, at least by what is on disk, and can be resumed.
    Begun(RunDirectory),
    /// It has been trained and evaluated.
    Finished(RunDirectory),
}

impl RunState {
    /// The run, where it is finished.
    pub fn finished(&self) -> Option<&RunDirectory> {
        match self {
            Self::Finished(directory) => Some(directory),
            _ => None,
        }
    }
}

/// A run on disk. Its file of settings is compared, and not what it means today: a setting that is younger than the run
/// had no part in it, whatever its default is now.
#[derive(Debug)]
pub struct FoundRun {
    directory: RunDirectory,
    settings: Vec<(String, String)>,
    /// Environment and seed, as in the settings.
    identity: [Option<String>; 2],
}

impl FoundRun {
    /// The runs in a folder, which need not exist, in the order of their names.
    ///
    /// # Errors
    /// Where the folder or a file can't be read.
    pub fn all(folder: &Path) -> Result<Vec<Self>, Error> {
        let entries = match fs::read_dir(folder) {
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(Vec::new());
            }
            entries => entries.map_err(Error::file("read the folder", folder))?,
        };
        let mut paths = Vec::new();
        for entry in entries {
            paths.push(entry.map_err(Error::file("read the folder", folder))?.path());
        }
        paths.sort();
        let runs = paths.iter().filter_map(|path| RunDirectory::open(path).ok());
        // What can't be read is nothing that could be gone on with, and others are none the worse for it.
        let open = |run| {
            Self::open(run).inspect_err(|error| tracing::warn!("{error}; that run is passed over")).ok()
        };
        Ok(runs.filter_map(open).collect())
    }

    /// The run in a folder.
    ///
    /// # Errors
    /// Where its settings can't be read.
    pub fn open(directory: RunDirectory) -> Result<Self, Error> {
        let path = directory.config();
        let text = fs::read_to_string(&path).map_err(Error::file("read", &path))?;
        let settings = settings(&text);
        let value =
            |key: &str| settings.iter().find(|(other, _)| other == key).map(|(_, value)| value.clone());
        Ok(Self { directory, identity: ["env", "seed"].map(value), settings })
    }

    /// Its folder.
    pub fn directory(&self) -> &RunDirectory {
        &self.directory
    }

    /// Whether it is of the environment and the seed of these settings.
    pub fn is_of(&self, wanted: &Config) -> bool {
        self.identity
            == [toml::Value::from(wanted.env.as_str()).to_string(), wanted.seed.to_string()].map(Some)
    }

    /// Where its settings are not these, in words.
    pub fn differences(&self, wanted: &Config) -> Vec<String> {
        let difference =
            |(key, wanted): (String, String)| match self.settings.iter().find(|(other, _)| *other == key) {
                Some((_, found)) if *found == wanted => None,
                Some((_, found)) => Some(format!("{key} = {found}, not {wanted}")),
                None => Some(format!("without {key} = {wanted}")),
            };
        let wanted = wanted.settings();
        // Of an environment whose arguments are open, a run names those that it was given.
        let is_more = |(key, _): &&(String, String)| {
            key.starts_with("env_args.") && wanted.iter().all(|(other, _)| other != key)
        };
        let more: Vec<_> = self
            .settings
            .iter()
            .filter(is_more)
            .map(|(key, value)| format!("with {key} = {value}"))
            .collect();
        wanted.into_iter().filter_map(difference).chain(more).collect()
    }

    /// Whether nothing is left to do for it by its own settings. Without a summary that can be read it is not, and resuming
    /// it writes another.
    pub fn is_finished(&self) -> bool {
        let Ok(summary) = read_json::<Summary>(&self.directory.summary()) else { return false };
        let unevaluated = self.settings.contains(&("evaluation.episodes".to_owned(), "0".to_owned()));
        // The summary of a run that is trained further stays until that training ends.
        let steps =
            self.settings.iter().find(|(key, _)| key == "steps").and_then(|(_, steps)| steps.parse().ok());
        let is_whole = steps.is_none_or(|steps: u64| summary.total_steps >= steps);
        is_whole && summary.ended == "finished" && (summary.evaluation.is_some() || unevaluated)
    }

    /// What there is of the run with these settings, of which `found` are some. Of several that were ended early it is the
    /// last that has a checkpoint: it was begun because the others could not be resumed.
    ///
    /// # Errors
    /// Where a file can't be read.
    pub fn state<'a>(found: impl IntoIterator<Item = &'a Self>, wanted: &Config) -> Result<RunState, Error> {
        let mut begun: Option<(Option<u64>, &Self)> = None;
        for run in found {
            if !run.is_of(wanted) || !run.differences(wanted).is_empty() {
                continue;
            }
            if run.is_finished() {
                return Ok(RunState::Finished(run.directory.clone()));
            }
            let step = Checkpoints::new(run.directory.checkpoints(), 1).newest_step()?;
            // What writes no checkpoints can't be resumed.
            let is_resumable = step.is_some() || wanted.checkpoint.keep > 0;
            if is_resumable && begun.as_ref().is_none_or(|(other, _)| step.is_some() || other.is_none()) {
                begun = Some((step, run));
            }
        }
        Ok(begun.map_or(RunState::New, |(_, run)| RunState::Begun(run.directory.clone())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(runs: &Path, config: &Config, steps: &[u64], ended: Option<&str>) -> RunDirectory {
        let directory = RunDirectory::create(runs, "x", config).unwrap().0;
        for step in steps {
            fs::create_dir_all(directory.checkpoints().join(format!("step-{step:012}"))).unwrap();
        }
        if let Some(ended) = ended {
            let summary = serde_json::json!({
                "env": "", "exploration": "ucb", "seed": 0, "ended": ended, "total_steps": config.steps, "updates": 1, "episodes": 1,
                "training_seconds": 1.0, "steps_per_second": 1.0, "mean_return_100": null, "best_mean_return_100": null,
                "reward_threshold": null, "solved_at_step": null, "dataset_size": 1, "precision": 1.0, "p_final": [],
                "p_peak": [], "best_evaluation": null, "evaluation": null,
            });
            fs::write(directory.summary(), summary.to_string()).unwrap();
        }
        directory
    }

    #[test]
    fn the_state_of_a_run_is_that_of_its_settings() {
        let runs = tempfile::tempdir().unwrap();
        let config = Config::for_env("CartPole-v1").unwrap().with("evaluation.episodes = 0").unwrap();
        let state = |wanted: &Config| FoundRun::state(&FoundRun::all(runs.path()).unwrap(), wanted).unwrap();
        assert_eq!(state(&config), RunState::New);
        run(runs.path(), &config.with("seed = 1").unwrap(), &[90], None);
        run(runs.path(), &config.with("agent.gamma = 0.5").unwrap(), &[90], Some("finished"));
        run(runs.path(), &config.with("checkpoint.keep = 0").unwrap(), &[], Some("interrupted"));
        assert_eq!(state(&config), RunState::New);
        assert_eq!(state(&config.with("checkpoint.keep = 0").unwrap()), RunState::New, "it can't be resumed");

        let without = run(runs.path(), &config, &[], Some("a loss is not finite"));
        assert_eq!(state(&config), RunState::Begun(without));
        run(runs.path(), &config, &[10, 30], None);
        let last = run(runs.path(), &config, &[20], Some("interrupted"));
        assert_eq!(state(&config), RunState::Begun(last.clone()));
        run(runs.path(), &config, &[], None);
        assert_eq!(
            state(&config),
            RunState::Begun(last),
            "one without a checkpoint is not gone on with before it"
        );
        let finished = run(runs.path(), &config, &[5], Some("finished"));
        assert_eq!(state(&config), RunState::Finished(finished));
        // One that is trained further keeps the summary that it had.
        let longer = config.with("steps = 50").unwrap();
        let extended = run(runs.path(), &longer, &[50], Some("finished"));
        assert_eq!(state(&longer), RunState::Finished(extended.clone()));
        let longest = config.with("steps = 70").unwrap();
        fs::copy(run(runs.path(), &longest, &[], None).config(), extended.config()).unwrap();
        assert_eq!(state(&longest), RunState::Begun(extended));
        // An argument that nobody asked for is a difference too.
        let windy = Config::for_env("gym:X").unwrap().with("env_args.wind = true").unwrap();
        run(runs.path(), &windy, &[10], Some("finished"));
        assert_eq!(state(&Config::for_env("gym:X").unwrap()), RunState::New);
        // One that is to be evaluated is not finished before it is.
        let evaluated = config.with("evaluation.episodes = 3").unwrap();
        let trained = run(runs.path(), &evaluated, &[10], Some("finished"));
        assert_eq!(state(&evaluated), RunState::Begun(trained));
    }
}
