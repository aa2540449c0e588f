//! The page of a run, or of several: what they did as charts, the objective to play with, maps, an episode to watch.
//!
//! It is one HTML file that needs nothing else: data, style, program and the library that draws the charts (uPlot) are
//! in it. [`write()`] leaves it in a run's folder, and the [`dashboard`](crate::dashboard) serves the same page while the
//! run trains. Both only read the run's files.

mod columns;
mod maps;
mod page;
mod run;
mod tables;

use std::path::{Path, PathBuf};

use control_envs::{EnvSpec, Registry};

use crate::config::Config;
use crate::error::Error;
use crate::files;
use crate::run::RunDirectory;

pub use page::{Live, Page};
pub use tables::{Ends, Tables};

/// The file in a run's folder.
pub const FILE: &str = "report.html";

/// A run that a page is to show.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Its folder.
    pub directory: RunDirectory,
    /// Its settings.
    pub config: Config,
    /// Its environment, where this program knows it: for the threshold and the names of actions.
    pub spec: Option<EnvSpec>,
}

impl Subject {
    /// The run in `folder`, its environment looked up in `registry`. One that this program does not know is shown
    /// without what only the environment tells.
    ///
    /// # Errors
    /// [`Error::Usage`] where the folder holds no run or it has no rows yet, and where its settings can't be read.
    pub fn open(folder: &Path, registry: &Registry) -> Result<Self, Error> {
        let directory = RunDirectory::open(folder)?;
        let config = directory.read_config()?;
        directory.require_rows()?;
        let spec = config.entry(registry).ok().map(|entry| entry.spec().clone());
        Ok(Self { directory, config, spec })
    }
}

/// Writes `report.html` into the run's folder, in place of the one that is there, and returns its path.
///
/// # Errors
/// Where a table can't be read or the page can't be written.
pub fn write(subject: Subject) -> Result<PathBuf, Error> {
    let path = subject.directory.path().join(FILE);
    files::replace(&path, Page::read(&[subject])?.html().as_bytes())?;
    Ok(path)
}
