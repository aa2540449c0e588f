//! `report RUN...`: the page of a run, or of several.

use std::fs;
use std::path::{Path, PathBuf};

use control_envs::Registry;

use super::arguments::ReportArguments;
use super::terminal::print;
use crate::error::Error;
use crate::files;
use crate::report::{self, Page, Subject};

/// Where the page of several folders goes unless told otherwise: Git ignores what lies there.
const OF_SEVERAL: &str = "runs/report.html";
/// So far below a folder its runs lie at most: those of an experiment are in `runs/VARIANT/RUN`.
const DEPTH: usize = 3;

pub fn run(registry: &Registry, arguments: &ReportArguments) -> Result<(), Error> {
    let mut folders = Vec::new();
    for path in &arguments.runs {
        folders.extend(runs(path)?);
    }
    files::keep_distinct(&mut folders);
    let subjects: Vec<Subject> =
        folders.iter().map(|folder| Subject::open(folder, registry)).collect::<Result<_, _>>()?;
    let output = match (&arguments.output, arguments.runs.as_slice()) {
        (Some(output), _) => output.clone(),
        (None, [one]) => one.join(report::FILE),
        (None, _) => OF_SEVERAL.into(),
    };
    if output.is_dir() {
        let file = output.join(report::FILE);
        return Err(Error::Usage(format!(
            "--output {} is a folder; give the name of a file, such as {}",
            output.display(),
            file.display()
        )));
    }
    if let Some(folder) = output.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(Error::file("create the folder", folder))?;
    }
    files::replace(&output, Page::read(&subjects)?.html().as_bytes())?;
    print(&format!("{}\n", output.display()))
}

/// The folder itself where it is that of a run, or those of the runs below it, such as an experiment's, in the order of
/// their names.
fn runs(path: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    if path.is_dir() {
        collect(path, DEPTH, &mut found)?;
    }
    // What is wrong with a path that holds no run, opening it says.
    Ok(if found.is_empty() { vec![path.to_owned()] } else { found })
}

fn collect(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), Error> {
    if folder.join("config.toml").is_file() {
        // One that was ended before it began has nothing to show beside others.
        if folder.join("episodes.csv").is_file() {
            found.push(folder.to_owned());
        }
        return Ok(());
    }
    if depth == 0 {
        return Ok(());
    }
    for name in files::names(folder)? {
        let inner = folder.join(name);
        if inner.is_dir() {
            collect(&inner, depth - 1, found)?;
        }
    }
    Ok(())
}
