//! What the network does not know of states that were visited, and of states that were not.

use std::path::{Path, PathBuf};

use concrete_dqn::Error;
use concrete_dqn::files::write_csv;
use concrete_dqn::plot::{Chart, ChartPanel, Series, draw_chart};
use serde::Serialize;

use crate::grid::Grid;
use crate::study::{Checkpoint, Study};

/// The kinds of cells that are compared.
const KINDS: [&str; 2] = ["visited", "not visited yet"];

/// A row of `uncertainty.csv`: epistemic standard deviations, in units of the return.
#[derive(Serialize)]
struct Uncertainty {
    agent: &'static str,
    seed: u64,
    step: u64,
    visited_std: f64,
    not_visited_std: f64,
}

/// Draws the epistemic standard deviation of the cells that were visited so far, and of all others.
///
/// A root mean square over the cells, since the variance is estimated without bias from passes of which few
/// drop anything, and its root is not.
///
/// # Errors
/// Where a file can't be written.
pub fn draw_uncertainty(studies: &[Study], grid: &Grid, folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut table = Vec::new();
    let mut panels = Vec::new();
    for of_agent in studies.chunk_by(|a, b| a.agent == b.agent) {
        let mut series = KINDS.map(|name| Series { name: name.to_owned(), runs: Vec::new() });
        for study in of_agent {
            let levels = levels(study, grid);
            table.extend(levels.iter().map(|&(step, [visited_std, not_visited_std])| Uncertainty {
                agent: study.agent,
                seed: study.seed,
                step,
                visited_std,
                not_visited_std,
            }));
            for (kind, series) in series.iter_mut().enumerate() {
                series
                    .runs
                    .push(levels.iter().map(|(step, of_kinds)| (*step as f64, of_kinds[kind])).collect());
            }
        }
        panels.push(ChartPanel {
            heading: format!("{}: epistemic std (return units)", of_agent[0].agent),
            logarithmic: true,
            series: series.into(),
            levels: Vec::new(),
        });
    }
    write_csv(&folder.join("uncertainty.csv"), table)?;
    let chart = Chart {
        title: "MountainCar-v0 · uncertainty of visited and of other states".to_owned(),
        subtitle: "Root mean square over cells; thin lines: seeds; thick lines: their means".to_owned(),
        horizontal: "environment steps",
        horizontal_logarithmic: true,
        panels,
    };
    draw_chart(&chart, &folder.join("uncertainty"))
}

/// Step and root mean square over the cells of each kind, at every checkpoint. Some cells can't be reached,
/// so that there always are cells of both kinds.
fn levels(study: &Study, grid: &Grid) -> Vec<(u64, [f64; 2])> {
    let first = study.first_visits(grid);
    let at = |checkpoint: &Checkpoint| {
        let mut sums = [(0.0, 0.0); 2];
        for (variance, first) in checkpoint.variance.iter().zip(&first) {
            let (sum, count) = &mut sums[usize::from(first.is_none_or(|first| first > checkpoint.step))];
            *sum += variance;
            *count += 1.0;
        }
        (checkpoint.step, sums.map(|(sum, count): (f64, f64)| (sum / count).sqrt()))
    };
    study.checkpoints.iter().map(at).collect()
}
