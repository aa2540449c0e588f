//! Which states were visited, and how much of the state space.

use std::path::{Path, PathBuf};

use concrete_dqn::Error;
use concrete_dqn::files::write_csv;
use concrete_dqn::plot::{Chart, ChartPanel, Heatmap, HeatmapRow, Heatmaps, draw_chart, draw_heatmaps};
use serde::Serialize;

use crate::curves::series;
use crate::grid::{Grid, SIDE};
use crate::study::Study;

/// Where the time slices of the heat maps begin and end, as shares of the training.
const SLICES: [f64; 5] = [0.0, 0.04, 0.1, 0.2, 1.0];
/// At how many steps the share of visited cells is shown.
const POINTS: u64 = 250;

/// A row of `visits.csv`: how often a cell was visited after `from_step` and up to `to_step`.
#[derive(Serialize)]
struct Visits {
    agent: &'static str,
    from_step: usize,
    to_step: usize,
    position_cell: usize,
    velocity_cell: usize,
    visits: u64,
}

/// A row of `coverage.csv`.
#[derive(Serialize)]
struct Coverage {
    agent: &'static str,
    seed: u64,
    step: u64,
    visited_share: f64,
}

/// Draws visits over time: a heat map for every agent and time slice, all seeds together.
///
/// # Errors
/// Where a file can't be written.
pub fn draw_visits(studies: &[Study], grid: &Grid, steps: u64, folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let ends = SLICES.map(|share| (share * steps as f64).round() as usize);
    let mut rows: Vec<HeatmapRow> = Vec::new();
    let mut table = Vec::new();
    for of_agent in studies.chunk_by(|a, b| a.agent == b.agent) {
        let agent = of_agent[0].agent;
        let mut heatmaps = Vec::new();
        for slice in ends.windows(2) {
            let mut counts = vec![0_u64; SIDE * SIDE];
            for state in of_agent.iter().flat_map(|study| study.states.iter().take(slice[1]).skip(slice[0])) {
                counts[grid.cell(*state)] += 1;
            }
            let visited = counts.iter().enumerate().filter(|(_, count)| **count > 0);
            table.extend(visited.map(|(cell, count)| Visits {
                agent,
                from_step: slice[0],
                to_step: slice[1],
                position_cell: cell % SIDE,
                velocity_cell: cell / SIDE,
                visits: *count,
            }));
            let cells = counts.chunks(SIDE).map(|row| row.iter().map(|count| *count as f64).collect());
            let name = format!("steps {} to {}", thousands(slice[0]), thousands(slice[1]));
            heatmaps.push(Heatmap { name, cells: cells.collect(), dots: Vec::new() });
        }
        rows.push(HeatmapRow { name: agent.to_owned(), colors: None, heatmaps });
    }
    write_csv(&folder.join("visits.csv"), table)?;
    let [horizontal, vertical] = grid.bounds();
    let heatmaps = Heatmaps {
        title: "MountainCar-v0 · states visited over time".to_owned(),
        subtitle: format!(
            "How often each of {SIDE} x {SIDE} cells was visited, all seeds together; white: never in that time"
        ),
        horizontal,
        vertical,
        counted: "visits".to_owned(),
        rows,
    };
    draw_heatmaps(&heatmaps, &folder.join("visits"))
}

/// Draws the share of the cells that had been visited, against steps, and the share that can be at all.
///
/// # Errors
/// Where a file can't be written.
pub fn draw_coverage(
    studies: &[Study],
    grid: &Grid,
    reachable: &[bool],
    steps: u64,
    folder: &Path,
) -> Result<Vec<PathBuf>, Error> {
    let most = reachable.iter().filter(|reachable| **reachable).count();
    let mut table = Vec::new();
    let share = |study: &Study| -> Vec<(f64, f64)> {
        let mut first: Vec<u64> = study.first_visits(grid).into_iter().flatten().collect();
        first.sort_unstable();
        let points = (0..=POINTS).map(|index| index * steps / POINTS);
        let points = points.map(|step| (step, first.partition_point(|first| *first <= step)));
        let points: Vec<_> =
            points.map(|(step, cells)| (step, cells as f64 / (SIDE * SIDE) as f64)).collect();
        table.extend(points.iter().map(|&(step, visited_share)| Coverage {
            agent: study.agent,
            seed: study.seed,
            step,
            visited_share,
        }));
        points.into_iter().map(|(step, share)| (step as f64, 100.0 * share)).collect()
    };
    let series = series(studies, share);
    write_csv(&folder.join("coverage.csv"), table)?;
    let level = 100.0 * most as f64 / (SIDE * SIDE) as f64;
    let chart = Chart {
        title: "MountainCar-v0 · share of the state space visited so far".to_owned(),
        subtitle: "Thick line: mean of the seeds; band: from the lowest to the highest seed".to_owned(),
        horizontal: "environment steps",
        horizontal_logarithmic: false,
        panels: vec![ChartPanel {
            heading: format!("Visited cells (% of {SIDE} x {SIDE})"),
            logarithmic: false,
            series,
            levels: vec![(level, "reachable".to_owned())],
        }],
    };
    draw_chart(&chart, &folder.join("coverage"))
}

/// A number of steps as its heading says it.
fn thousands(steps: usize) -> String {
    if steps > 0 && steps.is_multiple_of(1000) { format!("{}k", steps / 1000) } else { steps.to_string() }
}
