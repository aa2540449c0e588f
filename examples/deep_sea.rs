//! Sums up `benches/deep-sea.sh`: how many episodes deep sea takes, against its size.
//!
//! ```sh
//! benches/deep-sea.sh runs/deep-sea
//! cargo run --release --example deep_sea -- runs/deep-sea
//! ```
//!
//! Prints a table and how the episodes grow with the size, and draws them to `growth.svg` and `growth.png` in the folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use concrete_dqn::plot::{Chart, ChartPanel, Series, draw_chart};
use concrete_dqn::rows::{EpisodeRecord, Row, read};
use concrete_dqn::statistics::quantile;
use concrete_dqn::{Config, Error};

/// The first hundred evaluations with a mean of 0.99 (Li et al. 2024, HyperFQI), by size.
const HYPER_FQI: [(f64, f64); 3] = [(20.0, 410.0), (50.0, 1_850.0), (100.0, 4_290.0)];

/// Sums up how many episodes deep sea takes, against its size
#[derive(Debug, Parser)]
struct Arguments {
    /// What benches/deep-sea.sh wrote
    #[arg(value_name = "FOLDER", default_value = "runs/deep-sea")]
    folder: PathBuf,
}

/// What a run came to.
struct Outcome {
    /// The first episode that found the treasure.
    first: Option<usize>,
    /// The episode with which 90 of the last 100 had found it.
    solved: Option<usize>,
    /// How many of the last 100 found it.
    last: usize,
}

impl Outcome {
    fn of(rows: &[EpisodeRecord]) -> Self {
        let found: Vec<bool> = rows.iter().map(|row| row.episode_return > 0.5).collect();
        let count = |window: &[bool]| window.iter().filter(|found| **found).count();
        Self {
            first: found.iter().position(|found| *found).map(|index| index + 1),
            solved: found.windows(100).position(|window| count(window) >= 90).map(|start| start + 100),
            last: count(&found[found.len().saturating_sub(100)..]),
        }
    }
}

fn main() -> ExitCode {
    concrete_dqn::cli::run_one(std::env::args_os(), |arguments: &Arguments| run(&arguments.folder))
}

fn run(folder: &Path) -> Result<(), Error> {
    let outcomes = outcomes(folder)?;
    println!(
        "| size | first treasure, episode, median | 90 of 100, episode, median | lowest to highest | seeds | treasures in the last 100, lowest |"
    );
    println!("|---|---|---|---|---|---|");
    for (size, outcomes) in &outcomes {
        let of = |number: fn(&Outcome) -> Option<usize>| -> Vec<f64> {
            outcomes
                .iter()
                .map(|outcome| number(outcome).map_or(f64::INFINITY, |episode| episode as f64))
                .collect()
        };
        let (first, mut solved) = (of(|outcome| outcome.first), of(|outcome| outcome.solved));
        solved.sort_by(f64::total_cmp);
        println!(
            "| {size} | {} | {} | {} to {} | {} of {} | {} |",
            shown(median(&first)),
            shown(median(&solved)),
            shown(solved[0]),
            shown(solved[solved.len() - 1]),
            solved.iter().filter(|episode| episode.is_finite()).count(),
            solved.len(),
            outcomes.iter().map(|outcome| outcome.last).min().unwrap_or(0)
        );
    }
    // All runs of all sizes: the treasure has to be found before it can be found again, and finding it is what grows.
    let found: Vec<(f64, f64)> = outcomes
        .iter()
        .flat_map(|(size, outcomes)| {
            let first = outcomes.iter().filter_map(|outcome| outcome.first);
            first.map(|first| (*size as f64, first as f64)).collect::<Vec<_>>()
        })
        .collect();
    let fit = power(&found);
    if let Some((factor, exponent)) = fit {
        println!(
            "\nfirst treasure: about {factor:.2} size^{exponent:.2} episodes (least squares in logarithms)"
        );
    }
    for path in draw_chart(&chart(&outcomes, fit), &folder.join("growth"))? {
        println!("{}", path.display());
    }
    Ok(())
}

/// The outcomes of all runs below `folder`, by size.
fn outcomes(folder: &Path) -> Result<BTreeMap<u64, Vec<Outcome>>, Error> {
    let mut outcomes: BTreeMap<u64, Vec<Outcome>> = BTreeMap::new();
    let entries = |folder: &Path| -> Result<Vec<PathBuf>, Error> {
        let failed = |source| Error::File { action: "read", path: folder.to_owned(), source };
        let entries = std::fs::read_dir(folder).map_err(failed)?;
        let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.sort();
        Ok(paths)
    };
    for of_size in entries(folder)?.into_iter().filter(|path| path.is_dir()) {
        for run in entries(&of_size)?.into_iter().filter(|run| run.join(EpisodeRecord::FILE).exists()) {
            let config = concrete_dqn::run::RunDirectory::open(&run)?.read_config()?;
            let rows: Vec<EpisodeRecord> = read(&run.join(EpisodeRecord::FILE))?;
            outcomes.entry(size(&config)).or_default().push(Outcome::of(&rows));
        }
    }
    if outcomes.is_empty() {
        return Err(Error::Usage(format!(
            "there is no run of deep sea in {}; give the folder that benches/deep-sea.sh wrote",
            folder.display()
        )));
    }
    Ok(outcomes)
}

fn size(config: &Config) -> u64 {
    config.env_args.get("size").and_then(|size| size.as_integer()).map_or(10, |size| size as u64)
}

/// Of an even number of values the higher one in the middle counts where it was never reached.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted[sorted.len() / 2] {
        upper if upper.is_finite() => quantile(values, 0.5).unwrap_or(upper).round(),
        never => never,
    }
}

/// An episode, or a dash for one that never came.
fn shown(episode: f64) -> String {
    if episode.is_finite() { episode.to_string() } else { "-".to_owned() }
}

/// Factor and exponent of the power that is nearest to the points in logarithms; of one size there is none.
fn power(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    let logs: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    let count = logs.len() as f64;
    let (x, y) = logs.iter().fold((0.0, 0.0), |sum, (x, y)| (sum.0 + x / count, sum.1 + y / count));
    let (above, below) =
        logs.iter().fold((0.0, 0.0), |sum, (a, b)| (sum.0 + (a - x) * (b - y), sum.1 + (a - x) * (a - x)));
    (below > 0.0).then(|| ((y - above / below * x).exp(), above / below))
}

fn chart(outcomes: &BTreeMap<u64, Vec<Outcome>>, fit: Option<(f64, f64)>) -> Chart {
    let curves = |number: fn(&Outcome) -> Option<usize>| -> Vec<Vec<(f64, f64)>> {
        let seeds = outcomes.values().map(Vec::len).max().unwrap_or(0);
        let of_seed = |seed: usize| {
            let of_size = |(size, outcomes): (&u64, &Vec<Outcome>)| {
                Some((*size as f64, number(outcomes.get(seed)?)? as f64))
            };
            outcomes.iter().filter_map(of_size).collect()
        };
        (0..seeds).map(of_seed).collect()
    };
    let sizes = || outcomes.keys().map(|size| *size as f64);
    let mut series = vec![
        Series { name: "90 of 100".to_owned(), runs: curves(|outcome| outcome.solved) },
        Series { name: "first treasure".to_owned(), runs: curves(|outcome| outcome.first) },
        Series { name: "HyperFQI".to_owned(), runs: vec![HYPER_FQI.to_vec()] },
        Series {
            name: "random actions".to_owned(),
            runs: vec![(10..=13).map(|size| (f64::from(size), 2_f64.powi(size))).collect()],
        },
    ];
    if let Some((factor, exponent)) = fit {
        let line = sizes().map(|size| (size, factor * size.powf(exponent))).collect();
        series.push(Series { name: format!("size^{exponent:.2}"), runs: vec![line] });
    }
    Chart {
        title: "Deep sea · episodes against size".to_owned(),
        subtitle: "Thin: each seed with a mapping of its own; thick: their mean, band: lowest to highest"
            .to_owned(),
        horizontal: "size of deep sea",
        horizontal_logarithmic: true,
        panels: vec![ChartPanel {
            heading: "Episodes".to_owned(),
            logarithmic: true,
            series,
            levels: Vec::new(),
        }],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_and_powers_by_hand() {
        let row =
            |found: bool| EpisodeRecord { episode_return: f64::from(u8::from(found)), ..Default::default() };
        // Not in 30 episodes, then always: 90 of the last 100 are reached with episode 120.
        let rows: Vec<EpisodeRecord> = (0..150).map(|episode| row(episode >= 30)).collect();
        let outcome = Outcome::of(&rows);
        assert_eq!((outcome.first, outcome.solved, outcome.last), (Some(31), Some(120), 100));
        let never = Outcome::of(&rows[..20]);
        assert_eq!((never.first, never.solved, never.last), (None, None, 0));

        assert_eq!([median(&[3.0, 8.0]), median(&[3.0, 8.0, f64::INFINITY])], [6.0, 8.0]);
        assert_eq!(shown(median(&[3.0, f64::INFINITY])), "-");

        let (factor, exponent) = power(&[(10.0, 20.0), (100.0, 2_000.0), (50.0, 500.0)]).unwrap();
        assert!((factor - 0.2).abs() < 1e-9 && (exponent - 2.0).abs() < 1e-9);
        assert_eq!(power(&[(10.0, 20.0)]), None);
    }
}
