//! Where an experiment lies on disk, and which of its cells are finished there.

use std::fs;
use std::path::{Path, PathBuf};

use super::plan::{Cell, Plan};
use crate::config::Config;
use crate::error::Error;
use crate::files::FolderLock;
use crate::run::{FoundRun, RunDirectory, RunState};

/// The folder of an experiment.
#[derive(Debug, Clone)]
pub struct Store(PathBuf);

impl Store {
    /// The experiment below `output`, which need not exist yet.
    pub fn new(output: &Path) -> Self {
        Self(output.to_owned())
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Keeps every other process from training the experiment, for as long as what is returned lives, in a folder that is
    /// made where there is none.
    ///
    /// # Errors
    /// [`Error::Busy`] where another one trains it, and where the folder can't be written.
    pub fn lock(&self) -> Result<FolderLock, Error> {
        fs::create_dir_all(&self.0).map_err(Error::file("create the folder", &self.0))?;
        FolderLock::acquire(&self.0)
    }

    /// `experiment.toml`: the file that was run last.
    pub fn plan(&self) -> PathBuf {
        self.0.join("experiment.toml")
    }

    /// `trials.toml`: the settings that a search has tried.
    pub fn trials(&self) -> PathBuf {
        self.0.join("trials.toml")
    }

    /// `runs/<variant>/`: the folders of a variant's runs.
    pub fn runs(&self, variant: &str) -> PathBuf {
        self.0.join("runs").join(variant)
    }

    /// `plots/`.
    pub fn plots(&self) -> PathBuf {
        self.0.join("plots")
    }

    /// What there is of every cell's run. A run that was ended early is the cell's where its settings are those of the
    /// plan; folders with other ones count for nothing and stay where they are.
    ///
    /// # Errors
    /// [`Error::Usage`] where a cell's finished run was made with other settings than the plan asks for; and where a
    /// folder can't be read.
    pub fn states(&self, plan: &Plan) -> Result<Vec<RunState>, Error> {
        let found: Vec<Vec<FoundRun>> =
            plan.variants.iter().map(|name| FoundRun::all(&self.runs(name))).collect::<Result<_, _>>()?;
        plan.cells.iter().map(|cell| state(&found[cell.variant], &cell.config)).collect()
    }

    /// [`states`](Self::states) of one cell.
    ///
    /// # Errors
    /// As there.
    pub fn state(&self, plan: &Plan, cell: &Cell) -> Result<RunState, Error> {
        state(&FoundRun::all(&self.runs(&plan.variants[cell.variant]))?, &cell.config)
    }

    /// The finished run of every cell that has one.
    ///
    /// # Errors
    /// Those of [`states`](Self::states).
    pub fn finished(&self, plan: &Plan) -> Result<Vec<Option<RunDirectory>>, Error> {
        Ok(self.states(plan)?.into_iter().map(|state| state.finished().cloned()).collect())
    }
}

fn state(found: &[FoundRun], wanted: &Config) -> Result<RunState, Error> {
    let state = FoundRun::state(found, wanted)?;
    if state.finished().is_none() {
        for run in found.iter().filter(|run| run.is_of(wanted)) {
            let differences = run.differences(wanted);
            if !differences.is_empty() && run.is_finished() {
                return Err(Error::Usage(format!(
                    "{} was run with other settings than the experiment asks for now ({}); give another --output, or \
                     delete that folder to have it run again",
                    run.directory().path().display(),
                    differences.join("; ")
                )));
            }
        }
    }
    Ok(state)
}
