//! How often an agent did something else than what looked best.

use std::path::{Path, PathBuf};

use concrete_dqn::Error;
use concrete_dqn::files::write_csv;
use concrete_dqn::plot::{Chart, ChartPanel, draw_chart};
use serde::Serialize;

use crate::curves::series;
use crate::study::{Decisions, Study};

/// Windows of N to a factor of ten.
const WINDOWS: f64 = 10.0;

/// A row of `exploratory.csv`.
#[derive(Serialize)]
struct Exploratory {
    agent: &'static str,
    seed: u64,
    dataset_size: u64,
    exploratory_share: f64,
}

/// Draws the share of decisions that were not greedy, against N.
///
/// # Errors
/// Where a file can't be written.
pub fn draw_decisions(studies: &[Study], folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut table = Vec::new();
    let series = series(studies, |study| {
        let points = windows(study);
        table.extend(points.iter().map(|&(n, exploratory_share)| Exploratory {
            agent: study.agent,
            seed: study.seed,
            dataset_size: n.round() as u64,
            exploratory_share,
        }));
        points.into_iter().map(|(n, share)| (n, 100.0 * share)).collect()
    });
    write_csv(&folder.join("exploratory.csv"), table)?;
    let chart = Chart {
        title: "MountainCar-v0 · how often exploration changed the action".to_owned(),
        subtitle: "By the bonus of the first two, by a random action of epsilon-greedy; on the logarithmic panel, 0 lies on the edge".to_owned(),
        horizontal: "dataset size N (transitions)",
        horizontal_logarithmic: true,
        panels: [("", false), (", logarithmic", true)]
            .map(|(note, logarithmic)| ChartPanel {
                heading: format!("Decisions that were not greedy (%){note}"),
                logarithmic,
                series: series.clone(),
                levels: Vec::new(),
            })
            .into(),
    };
    draw_chart(&chart, &folder.join("exploratory"))
}

/// The middle N of every window, and the share of its decisions that was exploratory.
fn windows(study: &Study) -> Vec<(f64, f64)> {
    let window = |episode: &Decisions| (WINDOWS * (episode.dataset_size.max(1) as f64).log10()).floor();
    study
        .decisions
        .chunk_by(|a, b| window(a) == window(b))
        .map(|episodes| {
            let count: f64 = episodes.iter().map(|episode| episode.count as f64).sum();
            let exploratory: f64 =
                episodes.iter().map(|episode| episode.count as f64 * episode.exploratory_share).sum();
            (10_f64.powf((window(&episodes[0]) + 0.5) / WINDOWS), exploratory / count)
        })
        .collect()
}
