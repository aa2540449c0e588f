//! What a run's files say now.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use control_envs::Registry;

use crate::config::Config;
use crate::error::Error;
use crate::files::read_json;
use crate::rows::{EpisodeRecord, EvaluationRecord, Row, UpdateRecord, read};
use crate::run::{Meta, RunDirectory, Summary, episode_times};

/// Episodes over which the speed is averaged.
const WINDOW: usize = 100;

/// What a run's files say now.
#[derive(Debug, Default)]
pub struct Reading {
    pub folder: PathBuf,
    pub config: Config,
    pub reward_threshold: Option<f64>,
    /// Of its last training that has ended.
    pub summary: Option<Summary>,
    pub episodes: Vec<EpisodeRecord>,
    pub updates: Vec<UpdateRecord>,
    pub evaluations: Vec<EvaluationRecord>,
    /// Environment steps a second over the last episodes.
    pub speed: Option<f64>,
    pub versions: Vec<Version>,
}

/// Length and time of a file; `None` where there is none.
pub type Version = Option<(u64, SystemTime)>;

/// What becomes of a run.
#[derive(Debug, Clone, Copy)]
pub enum State<'a> {
    /// Rows have been coming in.
    Training,
    /// None have come for so long.
    Silent(Duration),
    /// As its summary has it.
    Ended(&'a Summary),
}

impl Reading {
    /// Reads the files. A run has fewer of them before its first row, and one of an earlier version always.
    pub fn of(directory: &RunDirectory, registry: &Registry) -> Result<Self, Error> {
        let versions = versions(directory);
        let config = directory.read_config()?;
        let episodes: Vec<EpisodeRecord> = read_if_any(directory)?;
        Ok(Self {
            folder: directory.path().to_owned(),
            reward_threshold: config.entry(registry).ok().and_then(|entry| entry.spec().reward_threshold),
            config,
            summary: read_json(&directory.summary()).ok(),
            speed: speed(
                &episodes,
                &episode_times(&directory.monitor()).unwrap_or_default(),
                read_json(&directory.meta()).ok().and_then(|meta: Meta| Some(meta.resumed.last()?.step)),
            ),
            episodes,
            updates: read_if_any(directory)?,
            evaluations: read_if_any(directory)?,
            versions,
        })
    }

    /// Whether the files have changed since.
    pub fn is_outdated(&self, directory: &RunDirectory) -> bool {
        self.versions != versions(directory)
    }

    /// Environment steps, as far as they are known.
    pub fn steps(&self) -> u64 {
        let tables = [
            self.episodes.last().map(|row| row.total_steps),
            self.updates.last().map(|row| row.total_steps),
            self.evaluations.last().map(|row| row.total_steps),
        ];
        let summed_up = self.summary.as_ref().map(|summary| summary.total_steps);
        tables.into_iter().chain([summed_up]).flatten().max().unwrap_or(0)
    }

    /// What becomes of the run at this time. A run that is resumed has the summary of its training before, which knows of
    /// fewer steps.
    pub fn state(&self, now: SystemTime, patience: Duration) -> State<'_> {
        if let Some(summary) = self.summary.as_ref().filter(|summary| summary.total_steps >= self.steps()) {
            return State::Ended(summary);
        }
        let newest = self.versions.iter().flatten().map(|(_, time)| *time).max();
        match newest.and_then(|newest| now.duration_since(newest).ok()) {
            Some(silence) if silence > patience => State::Silent(silence),
            _ => State::Training,
        }
    }
}

fn versions(directory: &RunDirectory) -> Vec<Version> {
    let files = [directory.episodes(), directory.updates(), directory.evaluations(), directory.summary()];
    let version = |file: PathBuf| {
        let metadata = file.metadata().ok()?;
        Some((metadata.len(), metadata.modified().ok()?))
    };
    files.map(version).to_vec()
}

fn read_if_any<R: Row>(directory: &RunDirectory) -> Result<Vec<R>, Error> {
    let path = directory.path().join(R::FILE);
    if path.exists() { read(&path) } else { Ok(Vec::new()) }
}

/// Environment steps a second over the last episodes, which ended at these `times`. Those before the step that it was
/// `resumed` from don't count: between them and the others the run was off.
fn speed(episodes: &[EpisodeRecord], times: &[f64], resumed: Option<u64>) -> Option<f64> {
    let since =
        episodes.iter().rev().take_while(|row| resumed.is_none_or(|step| row.total_steps > step)).count();
    // The last of both, since a run of an earlier version has times from when it was resumed on.
    let count = WINDOW.min(since).min(times.len());
    let (episodes, times) = (&episodes[episodes.len() - count..], &times[times.len() - count..]);
    let ([from, .., to], [started, .., ended]) = (episodes, times) else { return None };
    let seconds = ended - started;
    (seconds > 0.0).then(|| (to.total_steps.saturating_sub(from.total_steps)) as f64 / seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speed_is_that_of_the_last_episodes() {
        let episodes: Vec<EpisodeRecord> =
            (1..=300).map(|n| EpisodeRecord { total_steps: 10 * n, ..EpisodeRecord::default() }).collect();
        // Twenty seconds an episode, and two from the 150th on.
        let times: Vec<f64> = (1..=300).map(|n| f64::from(20 * n.min(150) + 2 * (n - 150).max(0))).collect();
        assert_eq!(speed(&episodes, &times, None), Some(5.0));
        // Off for an hour after the 290th.
        let later = (1..=300).map(|n| times[n - 1] + if n > 290 { 3600.0 } else { 0.0 }).collect::<Vec<_>>();
        assert_eq!(speed(&episodes, &later, Some(2900)), Some(5.0));
        assert_eq!(speed(&episodes[..1], &times[..1], None), None);
        assert_eq!(speed(&episodes, &[], None), None, "a run of a version without monitor.csv");
    }
}
