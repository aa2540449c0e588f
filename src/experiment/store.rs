//! Where an experiment lies on disk, and which of its cells are finished there.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::plan::{Cell, Plan};
use crate::config::{Config, settings};
use crate::error::Error;
use crate::files::read_json;
use crate::run::{RunDirectory, Summary};

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

    /// `experiment.toml`: the file that was run last.
    pub fn plan(&self) -> PathBuf {
        self.0.join("experiment.toml")
    }

    /// `runs/<variant>/`: the folders of a variant's runs.
    pub fn runs(&self, variant: &str) -> PathBuf {
        self.0.join("runs").join(variant)
    }

    /// `plots/`.
    pub fn plots(&self) -> PathBuf {
        self.0.join("plots")
    }

    /// The finished run of every cell that has one. Folders of runs that broke off or were interrupted count for
    /// nothing and stay where they are.
    ///
    /// # Errors
    /// [`Error::Usage`] where a cell's run was made with other settings than the plan asks for; and where a folder
    /// can't be read.
    pub fn finished(&self, plan: &Plan) -> Result<Vec<Option<RunDirectory>>, Error> {
        let mut finished = vec![None; plan.cells.len()];
        for (variant, name) in plan.variants.iter().enumerate() {
            for (directory, config) in finished_runs(&self.runs(name))? {
                let is_its = |cell: &Cell| {
                    cell.variant == variant
                        && cell.config.env == config.env
                        && cell.config.seed == config.seed
                };
                // Runs of seeds or environments that the plan no longer names are left alone.
                let Some(index) = plan.cells.iter().position(is_its) else { continue };
                refuse_other_settings(&directory, &plan.cells[index].config)?;
                finished[index].get_or_insert(directory);
            }
        }
        Ok(finished)
    }
}

/// The finished runs in a folder, in the order of their names, with their settings.
fn finished_runs(folder: &Path) -> Result<Vec<(RunDirectory, Config)>, Error> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(Error::file("read the folder", folder))?,
    };
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(Error::file("read the folder", folder))?.path());
    }
    paths.sort();
    let mut runs = Vec::new();
    for path in paths {
        let Ok(directory) = RunDirectory::open(&path) else { continue };
        if directory.summary().is_file() {
            let config = directory.read_config()?;
            let summary: Summary = read_json(&directory.summary())?;
            if summary.ended == "finished"
                && (summary.evaluation.is_some() || config.evaluation.episodes == 0)
            {
                runs.push((directory, config));
            }
        }
    }
    Ok(runs)
}

/// The file itself is compared, and not what it means today: a setting that is younger than the run had no part in it,
/// whatever its default is now.
fn refuse_other_settings(directory: &RunDirectory, wanted: &Config) -> Result<(), Error> {
    let path = directory.config();
    let found = settings(&fs::read_to_string(&path).map_err(Error::file("read", &path))?);
    let difference = |(key, wanted): (String, String)| match found.iter().find(|(other, _)| *other == key) {
        Some((_, found)) if *found == wanted => None,
        Some((_, found)) => Some(format!("{key} = {found}, not {wanted}")),
        None => Some(format!("without {key} = {wanted}")),
    };
    let differences: Vec<String> = wanted.settings().into_iter().filter_map(difference).collect();
    if differences.is_empty() {
        return Ok(());
    }
    Err(Error::Usage(format!(
        "{} was run with other settings than the experiment asks for now ({}); give another --output, or delete that \
         folder to have it run again",
        directory.path().display(),
        differences.join("; ")
    )))
}
