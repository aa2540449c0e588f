//! `plot RUN...`: draws again, or compares.

use std::path::PathBuf;

use control_envs::Registry;

use super::arguments::PlotArguments;
use super::terminal::print;
use super::train::usage;
use crate::error::Error;
use crate::run::RunDirectory;
use crate::run::plots::{RunLabel, draw_comparison, draw_run};

pub fn run(registry: &Registry, arguments: &PlotArguments) -> Result<(), Error> {
    let mut runs: Vec<(PathBuf, RunLabel)> = Vec::new();
    for path in &arguments.runs {
        let directory = RunDirectory::open(path)?;
        let config = directory.read_config()?;
        let spec = registry.get(&config.env).map_err(usage)?.spec();
        runs.push((path.clone(), RunLabel::of(&config, spec)));
    }
    if let [(path, label)] = runs.as_slice() {
        draw_run(path, label)?;
        print(&format!("{}\n", path.join("plots").display()));
    } else {
        for picture in draw_comparison(&runs, &arguments.output)? {
            print(&format!("{}\n", picture.display()));
        }
    }
    Ok(())
}
