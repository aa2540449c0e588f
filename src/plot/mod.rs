//! Pictures of runs, drawn from the files that a run writes, in SVG and PNG.
//!
//! [`draw_run`] draws one run: its return, its dropout probabilities beside the size of its dataset, and its
//! uncertainty. [`draw_comparison`] draws several runs into one picture. Both only read `episodes.csv` and
//! `updates.csv`, so they can draw a run that is still being written by another process.
//!
//! [`draw_chart`] and [`draw_heatmaps`] draw numbers that a program of one's own has gathered, in the same style.
//!
//! What is drawn is plain data (a figure of panels of marks) made from the tables; one renderer draws it
//! on any backend. So a new picture is a new function that returns a figure. Heat maps are a picture of their own.

pub(crate) mod axis;
mod chart;
mod comparison;
mod error;
pub(crate) mod figure;
mod functions;
mod group;
mod heatmaps;
mod landscape;
pub(crate) mod output;
pub(crate) mod palette;
mod panel;
mod pen;
mod render;
pub(crate) mod run_figures;
pub(crate) mod series;
mod stroke;
pub(crate) mod table;

use std::path::{Path, PathBuf};

pub use chart::{Chart, ChartPanel, Group};
pub use error::PlotError;
pub use functions::{FunctionPanel, Functions};
pub use heatmaps::{Bounds, Heatmap, HeatmapRow, Heatmaps};
pub use landscape::LandscapePicture;
use table::{Episodes, Updates};

/// What a run is called in its pictures.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunLabel {
    /// The run's whole name, the heading of its own pictures, for example `CartPole-v1 · ucb · seed 0`.
    pub title: String,
    /// A short name for the legend of a comparison.
    pub short: String,
    /// What runs of the same setting and another seed share, for example `CartPole-v1 · ucb`. Three or more runs of one
    /// group are summarised by their mean and range. Empty: the run belongs to no group.
    pub group: String,
    /// The mean return from which the environment counts as solved, if it has one.
    pub reward_threshold: Option<f64>,
}

/// Draws `plots/{return,dropout,uncertainty,overview}.{svg,png}` in the run's folder.
///
/// Every picture replaces its predecessor at once, so a viewer never sees half of one. A run without episodes gives
/// pictures that say so.
pub fn draw_run(run_dir: &Path, label: &RunLabel) -> Result<(), PlotError> {
    let episodes = Episodes::read(run_dir)?;
    let updates = Updates::read(run_dir)?;
    let plots = run_dir.join("plots");
    for (name, figure) in run_figures::all(&episodes, &updates, label) {
        output::write(&figure, &plots.join(name))?;
    }
    Ok(())
}

/// Draws several runs into one picture, `<output_stem>.svg` and `<output_stem>.png`, and returns the two paths.
///
/// It shows the mean return, the dropout probability of each layer and the size of the dataset, all against
/// environment steps. Runs of a group of three or more are drawn thinly behind the group's mean and range.
pub fn draw_comparison(runs: &[(PathBuf, RunLabel)], output_stem: &Path) -> Result<Vec<PathBuf>, PlotError> {
    let runs = runs
        .iter()
        .map(|(dir, label)| Ok((Episodes::read(dir)?, label)))
        .collect::<Result<Vec<_>, PlotError>>()?;
    output::write(&comparison::figure(&runs), output_stem)
}

/// Draws a chart, `<output_stem>.svg` and `<output_stem>.png`, and returns the two paths.
pub fn draw_chart(chart: &Chart, output_stem: &Path) -> Result<Vec<PathBuf>, PlotError> {
    output::write(&chart::figure(chart), output_stem)
}

/// Draws heat maps, `<output_stem>.svg` and `<output_stem>.png`, and returns the two paths.
pub fn draw_heatmaps(heatmaps: &Heatmaps, output_stem: &Path) -> Result<Vec<PathBuf>, PlotError> {
    output::write(heatmaps, output_stem)
}

/// Draws functions with their bands, `<output_stem>.svg` and `<output_stem>.png`, and returns the two paths.
pub fn draw_functions(functions: &Functions, output_stem: &Path) -> Result<Vec<PathBuf>, PlotError> {
    output::write(&functions::figure(functions), output_stem)
}

/// Draws a layer's landscape, `<output_stem>.svg` and `<output_stem>.png`, and returns the two paths.
pub fn draw_landscape(picture: &LandscapePicture, output_stem: &Path) -> Result<Vec<PathBuf>, PlotError> {
    output::write(&landscape::figure(picture), output_stem)
}

#[cfg(test)]
mod tests;
