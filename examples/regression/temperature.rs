//! What the temperature of the masks does: to the masks themselves, and to what is learned with it.

use std::path::{Path, PathBuf};

use concrete_dqn::Error;
use concrete_dqn::concrete::{logit, sigmoid};
use concrete_dqn::files::write_csv;
use concrete_dqn::plot::{Chart, ChartPanel, Series, draw_chart};
use serde::Serialize;

use crate::measure::{Measurement, measure};
use crate::networks::{Networks, Noise, Shape};
use crate::problem::Data;
use crate::table::{MeasurementRow, markdown, over_seeds};
use crate::training::{Order, Schedule, Trainer, failed};

const WIDTH: i64 = 64;
const LENGTH_SCALE: f64 = 1e-4;
/// p of the masks that are drawn.
const P: f64 = 0.2;

/// Where t starts and what becomes of it.
#[derive(Debug, Clone, Copy)]
enum Course {
    Fixed(f64),
    /// From one to the other, by the same factor at every step.
    Annealed(f64, f64),
    /// By gradient descent, from there.
    Learned(f64),
}

impl Course {
    fn name(self) -> String {
        match self {
            Self::Fixed(t) => format!("{t}"),
            Self::Annealed(from, to) => format!("{from} to {to}"),
            Self::Learned(from) => format!("learned from {from}"),
        }
    }
}

/// How long, and on what.
pub struct Plan {
    pub sizes: Vec<usize>,
    pub seeds: Vec<u64>,
    pub steps: usize,
}

impl Plan {
    pub fn full() -> Self {
        Self { sizes: vec![100, 10_000], seeds: vec![1, 2, 3], steps: 6000 }
    }

    pub fn quick() -> Self {
        Self { sizes: vec![100], seeds: vec![1, 2], steps: 100 }
    }
}

struct Row {
    course: Course,
    size: usize,
    seed: u64,
    /// t at the end.
    temperature: f64,
    /// Measured with the masks of the training, and with hard ones.
    relaxed: Measurement,
    hard: Measurement,
}

/// The first columns of `temperature.csv`.
#[derive(Serialize)]
struct Cell {
    course: String,
    /// t at the end.
    temperature: f64,
    n: usize,
    seed: u64,
    mask: &'static str,
}

/// Runs the study.
///
/// # Errors
/// Where its files can't be written.
pub fn study(plan: &Plan, folder: &Path) -> Result<(), Error> {
    println!("Masks at p = {P}:\n\n{}", mask_table());
    for figure in draw_masks(folder)? {
        println!("{}", figure.display());
    }
    let courses = [
        Course::Fixed(0.03),
        Course::Fixed(0.1),
        Course::Fixed(0.3),
        Course::Fixed(1.0),
        Course::Annealed(1.0, 0.1),
        Course::Learned(0.1),
    ];
    let mut rows = Vec::new();
    for course in courses {
        rows.extend(train(course, plan)?);
    }
    report(plan, &courses, &rows, folder)
}

fn train(course: Course, plan: &Plan) -> Result<Vec<Row>, Error> {
    let cells: Vec<_> =
        plan.sizes.iter().flat_map(|size| plan.seeds.iter().map(|seed| (*size, *seed))).collect();
    let seeds: Vec<u64> = cells.iter().map(|cell| cell.1).collect();
    let sizes: Vec<usize> = cells.iter().map(|cell| cell.0).collect();
    let data: Vec<_> = cells.iter().map(|(size, seed)| Data::training(*seed, *size)).collect();
    let (Course::Fixed(start) | Course::Annealed(start, _) | Course::Learned(start)) = course;
    let shape = Shape {
        width: WIDTH,
        noise: Noise::Homoscedastic,
        temperature: start,
        learned_temperature: matches!(course, Course::Learned(_)),
    };
    let mut networks = Networks::new(&shape, LENGTH_SCALE, &seeds, &sizes);
    let mut trainer = Trainer::new(&networks, 13).map_err(failed)?;
    let schedule = Schedule {
        steps: plan.steps,
        batch: 32,
        learning_rate: 1e-3,
        dropout_learning_rate: 3e-2,
        final_fraction: 0.01,
        order: Order::Random,
    };
    trainer.train_with(&mut networks, &data, &schedule, |networks, progress| {
        if let Course::Annealed(from, to) = course {
            networks.set_temperature(from * (to / from).powf(progress));
        }
    });
    let temperatures = networks.temperatures();
    let relaxed = measure(&networks, &seeds);
    networks.set_temperature(0.0);
    let hard = measure(&networks, &seeds);
    let rows = cells.into_iter().zip(temperatures).zip(relaxed.into_iter().zip(hard));
    let row = |(((size, seed), temperature), (relaxed, hard))| Row {
        course,
        size,
        seed,
        temperature,
        relaxed,
        hard,
    };
    Ok(rows.map(row).collect())
}

fn report(plan: &Plan, courses: &[Course], rows: &[Row], folder: &Path) -> Result<(), Error> {
    let cells = rows.iter().flat_map(|row| {
        [("relaxed", &row.relaxed), ("hard", &row.hard)].map(|(mask, measurement)| {
            let Row { temperature, size, seed, .. } = *row;
            let course = row.course.name().replace(' ', "-");
            (Cell { course, temperature, n: size, seed, mask }, MeasurementRow::from(measurement))
        })
    });
    write_csv(&folder.join("temperature.csv"), cells)?;
    let mut cells = Vec::new();
    for size in &plan.sizes {
        for course in courses {
            let chosen = || rows.iter().filter(|row| row.size == *size && row.course.name() == course.name());
            let relaxed =
                |value: fn(&Measurement) -> f64| over_seeds(chosen().map(|row| value(&row.relaxed)), 3);
            let hard = |value: fn(&Measurement) -> f64| over_seeds(chosen().map(|row| value(&row.hard)), 3);
            cells.push(vec![
                size.to_string(),
                course.name(),
                over_seeds(chosen().map(|row| row.temperature), 2),
                relaxed(Measurement::hidden_p),
                relaxed(|m| m.epistemic),
                hard(|m| m.epistemic),
                relaxed(|m| m.nll),
                hard(|m| m.nll),
                relaxed(|m| m.calibration().expected_error()),
                hard(|m| m.calibration().expected_error()),
            ]);
        }
    }
    let header = [
        "N",
        "t",
        "t at the end",
        "hidden p",
        "epistemic std, relaxed",
        "hard",
        "NLL, relaxed",
        "hard",
        "calibration error, relaxed",
        "hard",
    ];
    println!("{}", markdown(&header, &cells));
    Ok(())
}

/// The density of the keep mask at `keep`. With L standard logistic the mask is `sigmoid(-(logit p + L) / t)`, so its
/// distribution function is `sigmoid(t logit(keep) + logit p)`.
fn density(keep: f64, t: f64) -> f64 {
    let share = below(keep, t);
    t * share * (1.0 - share) / (keep * (1.0 - keep))
}

/// The probability of a mask of at most `keep`.
fn below(keep: f64, t: f64) -> f64 {
    sigmoid(t * logit(keep) + logit(P))
}

/// Mean and standard deviation of the mask, over the quantiles of the noise.
fn moments(t: f64) -> (f64, f64) {
    const QUANTILES: usize = 100_000;
    let masks = (0..QUANTILES).map(|index| {
        let u = (index as f64 + 0.5) / QUANTILES as f64;
        sigmoid(-(logit(P) + logit(u)) / t)
    });
    let (sum, squares) = masks.fold((0.0, 0.0), |(sum, squares), mask| (sum + mask, squares + mask * mask));
    let mean = sum / QUANTILES as f64;
    (mean, (squares / QUANTILES as f64 - mean * mean).sqrt())
}

fn mask_table() -> String {
    let cells: Vec<Vec<String>> = [0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 1.0]
        .into_iter()
        .map(|t| {
            let (mean, std) = moments(t);
            vec![
                format!("{t}"),
                format!("{:.1} %", 100.0 * (below(0.9, t) - below(0.1, t))),
                format!("{:.3}", mean / (1.0 - P)),
                format!("{:.3}", (std / (P * (1.0 - P)).sqrt()).powi(2)),
            ]
        })
        .collect();
    markdown(&["t", "between 0.1 and 0.9", "mean of keep/(1-p)", "variance, share of a hard mask's"], &cells)
}

fn draw_masks(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let series = |name: String, run| Series { name, runs: vec![run] };
    let panel = |heading: &str, logarithmic, series, levels| ChartPanel {
        heading: heading.to_owned(),
        logarithmic,
        series,
        levels,
    };
    let densities = [0.01, 0.03, 0.1, 0.3, 1.0].map(|t| {
        let places = (1..400).map(|index| f64::from(index) / 400.0);
        series(format!("t = {t}"), places.map(|keep| (keep, density(keep, t))).collect())
    });
    let masks = Chart {
        title: "The warmer a mask, the less it is one".to_owned(),
        subtitle: format!(
            "Distribution of the relaxed keep mask at p = {P}; a hard mask has all its weight at 0 and 1"
        ),
        horizontal: "keep mask",
        horizontal_logarithmic: false,
        panels: vec![panel("Probability density", true, densities.into(), vec![])],
    };
    let temperatures: Vec<f64> = (0..=80).map(|index| 10_f64.powf(f64::from(index) / 40.0 - 2.0)).collect();
    let curve = |name: &str, value: &dyn Fn(f64) -> f64| {
        series(name.to_owned(), temperatures.iter().map(|t| (*t, value(*t))).collect())
    };
    let variance = |t| (moments(t).1.powi(2)) / (P * (1.0 - P));
    let effects = Chart {
        title: "From t = 0.3 on a mask is no longer what p says".to_owned(),
        subtitle: format!("What is left of a mask against its temperature, at p = {P}"),
        horizontal: "temperature t",
        horizontal_logarithmic: true,
        panels: vec![panel(
            "Share",
            false,
            vec![
                curve("variance, of a hard mask's", &variance),
                curve("masks between 0.1 and 0.9", &|t| below(0.9, t) - below(0.1, t)),
                curve("mean of keep/(1-p)", &|t| moments(t).0 / (1.0 - P)),
            ],
            vec![],
        )],
    };
    let mut figures = draw_chart(&masks, &folder.join("masks"))?;
    figures.extend(draw_chart(&effects, &folder.join("mask-temperature"))?);
    Ok(figures)
}

#[cfg(test)]
mod tests {
    use concrete_dqn::concrete::{ConcreteDropout, LogisticNoise};
    use concrete_dqn::randomness::{Stream, generator};
    use tch::{Device, Kind, Tensor};

    use super::*;

    #[test]
    fn the_drawn_distribution_is_that_of_the_layer() {
        let noise = LogisticNoise::new(generator(1, Stream::Noise)).sample(&[400_000], Device::Cpu);
        for t in [0.03, 0.3, 1.0] {
            let dropout = ConcreteDropout::from_logit(Tensor::from_slice(&[logit(P) as f32]), t);
            let mask = dropout.keep_mask(&noise).to_kind(Kind::Double);
            for keep in [0.1, 0.5, 0.9] {
                let share = mask.le(keep).to_kind(Kind::Double).mean(Kind::Double).double_value(&[]);
                assert!((share - below(keep, t)).abs() < 5.0 * 0.5 / 400_000_f64.sqrt());
            }
            let (std, mean) = mask.std_mean(true);
            assert!((mean.double_value(&[]) - moments(t).0).abs() < 0.004);
            assert!((std.double_value(&[]) - moments(t).1).abs() < 0.004);
            // The density is the derivative of the distribution function.
            let numeric = (below(0.501, t) - below(0.499, t)) / 0.002;
            assert!((density(0.5, t) / numeric - 1.0).abs() < 1e-3);
        }
    }
}
