//! Figures of runs and of what a program has gathered, in SVG and PNG.
//!
//! [`draw_run`] draws one run: its return, its dropout probabilities beside the size of its dataset, and its
//! uncertainty. [`draw_comparison`] draws several runs into one figure. Both only read the run's tables, so they can draw a run that is still being written by another process.
//!
//! [`draw_chart`], [`draw_functions`] and [`draw_heatmaps`] draw numbers that a program of one's own has
//! gathered, in the same style.
//!
//! A `figure` is plain data: panels of marks. `figures` holds one file for each, `drawing` draws them all. So
//! a new one is a new function that returns a figure. Only heat maps, which have no panels, draw themselves.

pub(crate) mod axis;
pub(crate) mod drawing;
pub(crate) mod figure;
pub(crate) mod figures;
pub(crate) mod palette;
pub(crate) mod points;
pub(crate) mod table;

use std::path::{Path, PathBuf};

pub use figures::chart::{Chart, ChartPanel, Series};
pub use figures::functions::{FunctionPanel, Functions};
pub use figures::heatmaps::{Bounds, Colors, Heatmap, HeatmapRow, Heatmaps};
pub use figures::landscape::LandscapeFigure;
pub use figures::run::RunLabel;
use table::RunTables;

use crate::error::Error;

/// Draws `plots/{return,dropout,uncertainty,overview}.{svg,png}` in the run's folder, `plots/minimum.{svg,png}` where the run
/// has `layers.csv`, and `plots/where.{svg,png}` where it has maps of its state space.
///
/// Every file replaces its predecessor at once, so a viewer never sees half of one. A run without episodes
/// gives figures that say so.
///
/// # Errors
/// Where the run's tables can't be read, or a figure can't be drawn or written. So with all that draw.
pub fn draw_run(run_dir: &Path, label: &RunLabel) -> Result<(), Error> {
    let tables = RunTables::read(run_dir, label.has_local_dropout)?;
    for (name, figure) in figures::run::all(&tables, label) {
        drawing::write(&figure, &run_dir.join("plots").join(name))?;
    }
    if let Some(minimum) = figures::minimum::figure(&tables, label) {
        drawing::write(&minimum, &run_dir.join("plots").join("minimum"))?;
    }
    match figures::state_space::figure(&tables.maps, label) {
        Some(maps) => maps.write(&run_dir.join("plots").join("where")).map(drop),
        None => Ok(()),
    }
}

/// Draws several runs into one figure, `<output>.svg` and `<output>.png`, or where `output` ends in one of the
/// two, that file alone; returns the paths. So with all that draw into an `output`.
///
/// It shows the mean return, the dropout probability of each layer and the mean local one, and the size of the dataset, all against
/// environment steps. Three or more runs of one setting are drawn thinly behind their mean and range.
pub fn draw_comparison(runs: &[(PathBuf, RunLabel)], output: &Path) -> Result<Vec<PathBuf>, Error> {
    let runs = runs
        .iter()
        .map(|(dir, label)| Ok((RunTables::read(dir, label.has_local_dropout)?, label)))
        .collect::<Result<Vec<_>, Error>>()?;
    drawing::write(&figures::comparison::figure(&runs), output)
}

/// Draws a chart and returns the paths.
pub fn draw_chart(chart: &Chart, output: &Path) -> Result<Vec<PathBuf>, Error> {
    drawing::write(&figures::chart::figure(chart), output)
}

/// Draws heat maps and returns the paths.
pub fn draw_heatmaps(heatmaps: &Heatmaps, output: &Path) -> Result<Vec<PathBuf>, Error> {
    heatmaps.write(output)
}

/// Draws functions with their bands and returns the paths.
pub fn draw_functions(functions: &Functions, output: &Path) -> Result<Vec<PathBuf>, Error> {
    drawing::write(&figures::functions::figure(functions), output)
}

/// Draws a layer's landscape and returns the paths.
pub fn draw_landscape(landscape: &LandscapeFigure, output: &Path) -> Result<Vec<PathBuf>, Error> {
    drawing::write(&figures::landscape::figure(landscape), output)
}

#[cfg(test)]
mod tests;
