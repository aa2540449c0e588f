//! What N and K do to p and to the uncertainty: the authors' protocol, cut short as theirs, and a converged one.

use std::path::Path;

use concrete_dqn::Error;
use concrete_dqn::concrete::{Landscape, sigmoid};
use concrete_dqn::files::write_csv;
use concrete_dqn::statistics::mean;
use serde::Serialize;

use crate::figures;
use crate::measure::{Measurement, measure};
use crate::networks::{Networks, Noise, Shape};
use crate::problem::Data;
use crate::table::{MeasurementRow, markdown, over_seeds};
use crate::training::{Order, Schedule, Trainer, failed};

/// The length scale of the notebook.
const LENGTH_SCALE: f64 = 1e-4;

/// What the notebook of the paper's authors prints (github: yaringal/ConcreteDropout, concrete-dropout-pytorch.ipynb,
/// commit 0cb396d): N, the mean p of the layers in front of the second and third hidden layer and of the mean, epistemic
/// and aleatoric standard deviation, each the mean of three repetitions.
pub const NOTEBOOK: [(usize, f64, f64, f64); 6] = [
    (10, 0.4034, 1.2784, 1.2572),
    (25, 0.4028, 1.0814, 1.1986),
    (50, 0.3249, 0.9038, 1.0808),
    (100, 0.2356, 0.7163, 1.3173),
    (1000, 0.2318, 0.6438, 1.2219),
    (10_000, 0.1502, 0.5308, 1.1245),
];

/// A way to train.
pub struct Protocol {
    pub name: String,
    width: i64,
    noise: Noise,
    seeds: Vec<u64>,
    /// N, and the steps of a training on as many data.
    sizes: Vec<(usize, usize)>,
    schedule: Schedule,
}

/// One network.
pub struct Row {
    pub protocol: String,
    pub width: i64,
    pub size: usize,
    pub seed: u64,
    pub measurement: Measurement,
    /// The mean and both standard deviations over a range of inputs, for a figure.
    pub function: Vec<Point>,
}

/// The first columns of `sizes.csv`.
#[derive(Debug, Serialize)]
struct Cell {
    protocol: String,
    width: i64,
    n: usize,
    seed: u64,
}

/// What a network says at x.
#[derive(Debug, Clone, Copy)]
pub struct Point {
    pub x: f64,
    pub mean: f64,
    pub epistemic: f64,
    pub aleatoric: f64,
}

impl Row {
    /// The landscape of a hidden layer, 0 for the first, with the measured coefficients.
    pub fn landscape(&self, layer: usize) -> Landscape {
        Landscape {
            sensitivity: self.measurement.sensitivity[layer],
            precision: self.measurement.aleatoric.powi(-2),
            // l^2 is 1e-8, so that the weight term counts for nothing.
            squared_norm: 0.0,
            length_scale: LENGTH_SCALE,
            masks: if layer == 0 { 1.0 } else { self.width as f64 },
            dataset_size: self.size as f64,
        }
    }
}

pub const AUTHORS: &str = "authors'";

impl Protocol {
    /// That of the notebook: 1,024 units, a head for the noise, batches of 20 in order, Adam at 1e-3 for all, and no more
    /// than 2,000 steps.
    fn authors(width: i64, seeds: Vec<u64>, sizes: &[(usize, usize)]) -> Self {
        Self {
            name: AUTHORS.to_owned(),
            width,
            noise: Noise::Heteroscedastic,
            seeds,
            sizes: sizes.to_vec(),
            schedule: Schedule {
                steps: 0,
                batch: 20,
                learning_rate: 1e-3,
                dropout_learning_rate: 1e-3,
                final_fraction: 1.0,
                order: Order::Epochs,
            },
        }
    }

    /// Until p stands still, or falls no faster than its step allows: p has a step of its own, and all steps fall to a hundredth.
    fn converged(width: i64, seeds: Vec<u64>, sizes: &[usize], steps: usize) -> Self {
        Self {
            name: format!("converged, {width}"),
            width,
            noise: Noise::Homoscedastic,
            seeds,
            sizes: sizes.iter().map(|size| (*size, steps)).collect(),
            schedule: Schedule {
                steps,
                batch: 32,
                learning_rate: 1e-3,
                dropout_learning_rate: 3e-2,
                final_fraction: 0.01,
                order: Order::Random,
            },
        }
    }

    /// All of the study.
    pub fn full() -> Vec<Self> {
        let sizes = [10, 25, 50, 100, 1000, 10_000];
        let steps = [2000, 2000, 1500, 1000, 1000, 1000];
        let authors: Vec<_> = sizes.into_iter().zip(steps).collect();
        vec![
            Self::converged(64, (1..=5).collect(), &sizes, 10_000),
            Self::converged(256, vec![1], &[10, 100, 1000, 10_000], 4000),
            Self::converged(1024, vec![1], &[10, 100, 1000, 10_000], 1000),
            Self::authors(1024, vec![1], &authors),
        ]
    }

    /// The same in small, which shows that all of it works and nothing else.
    pub fn quick() -> Vec<Self> {
        let sizes = [10, 100, 1000, 10_000];
        vec![
            Self::converged(32, vec![1, 2, 3], &sizes, 300),
            Self::authors(32, vec![1], &sizes.map(|size| (size, 60))),
        ]
    }

    fn run(&self) -> Result<Vec<Row>, Error> {
        // Networks of as many steps side by side.
        let mut rows = Vec::new();
        for sizes in self.sizes.chunk_by(|a, b| a.1 == b.1 && self.schedule.order == Order::Random) {
            let schedule = Schedule { steps: sizes[0].1, ..self.schedule };
            let cells: Vec<_> =
                sizes.iter().flat_map(|(size, _)| self.seeds.iter().map(|seed| (*size, *seed))).collect();
            let seeds: Vec<u64> = cells.iter().map(|cell| cell.1).collect();
            let counts: Vec<usize> = cells.iter().map(|cell| cell.0).collect();
            let data: Vec<_> = cells.iter().map(|(size, seed)| Data::training(*seed, *size)).collect();
            let shape =
                Shape { width: self.width, noise: self.noise, temperature: 0.1, learned_temperature: false };
            let mut networks = Networks::new(&shape, LENGTH_SCALE, &seeds, &counts);
            Trainer::new(&networks, 10).map_err(failed)?.train(&mut networks, &data, &schedule);
            let functions = figures::functions(&networks);
            for (((size, seed), measurement), function) in
                cells.into_iter().zip(measure(&networks, &seeds)).zip(functions)
            {
                let protocol = self.name.clone();
                rows.push(Row { protocol, width: self.width, size, seed, measurement, function });
            }
        }
        Ok(rows)
    }
}

/// Runs the study.
///
/// # Errors
/// Where its files can't be written.
pub fn study(protocols: &[Protocol], folder: &Path) -> Result<(), Error> {
    let mut rows = Vec::new();
    for protocol in protocols {
        rows.extend(protocol.run()?);
        // What is done so far is kept, whatever comes.
        write(&rows, folder)?;
        println!("{}:\n\n{}", protocol.name, uncertainty_table(&rows, protocol));
    }
    println!("On held-out data:\n\n{}", held_out_table(&rows, protocols));
    println!("p against its prediction:\n\n{}", prediction_table(&rows, protocols));
    for figure in figures::draw(&rows, protocols, folder)? {
        println!("{}", figure.display());
    }
    Ok(())
}

fn write(rows: &[Row], folder: &Path) -> Result<(), Error> {
    let cells = rows.iter().map(|row| {
        let Row { width, size, seed, .. } = *row;
        let cell = Cell { protocol: row.protocol.replace(", ", "-"), width, n: size, seed };
        (cell, MeasurementRow::from(&row.measurement))
    });
    write_csv(&folder.join("sizes.csv"), cells)
}

/// The rows of a protocol at an N.
pub fn of<'a>(rows: &'a [Row], protocol: &str, size: usize) -> Vec<&'a Row> {
    rows.iter().filter(|row| row.protocol == protocol && row.size == size).collect()
}

fn uncertainty_table(rows: &[Row], protocol: &Protocol) -> String {
    let cells: Vec<Vec<String>> = protocol
        .sizes
        .iter()
        .map(|(size, _)| {
            let rows = of(rows, &protocol.name, *size);
            let spread = |value: fn(&Measurement) -> f64| {
                over_seeds(rows.iter().map(|row| value(&row.measurement)), 3)
            };
            let mut cells = vec![
                size.to_string(),
                spread(|m| m.p[0]),
                spread(|m| m.p[1]),
                spread(|m| m.p[2]),
                spread(|m| m.p[3]),
                spread(|m| m.epistemic),
                spread(|m| m.aleatoric),
                spread(Measurement::predictive),
            ];
            if protocol.name == AUTHORS {
                let printed = NOTEBOOK.iter().find(|printed| printed.0 == *size);
                cells.push(printed.map_or(String::new(), |(_, p, epistemic, aleatoric)| {
                    format!("{p:.3}, {epistemic:.3}, {aleatoric:.3}")
                }));
            }
            cells
        })
        .collect();
    let mut header = vec![
        "N",
        "p, inputs",
        "p, hidden 1",
        "p, hidden 2",
        "p, hidden 3",
        "epistemic std",
        "aleatoric std",
        "predictive std",
    ];
    if protocol.name == AUTHORS {
        header.push("notebook: hidden p, epistemic, aleatoric");
    }
    markdown(&header, &cells)
}

fn held_out_table(rows: &[Row], protocols: &[Protocol]) -> String {
    let mut cells = Vec::new();
    for protocol in protocols {
        for (size, _) in &protocol.sizes {
            let rows = of(rows, &protocol.name, *size);
            let spread = |value: &dyn Fn(&Measurement) -> f64| {
                over_seeds(rows.iter().map(|row| value(&row.measurement)), 2)
            };
            cells.push(vec![
                protocol.name.clone(),
                size.to_string(),
                spread(&|m| m.rmse),
                spread(&|m| m.nll),
                spread(&|m| 100.0 * m.calibration().coverage(0.5)),
                spread(&|m| 100.0 * m.calibration().coverage(0.8)),
                spread(&|m| 100.0 * m.calibration().coverage(0.95)),
                spread(&|m| m.calibration().expected_error()),
            ]);
        }
    }
    let header = [
        "protocol",
        "N",
        "RMSE",
        "NLL (nats)",
        "in the 50% interval",
        "80%",
        "95%",
        "expected calibration error",
    ];
    markdown(&header, &cells)
}

fn prediction_table(rows: &[Row], protocols: &[Protocol]) -> String {
    let mut cells = Vec::new();
    for protocol in protocols.iter().filter(|protocol| protocol.name != AUTHORS) {
        for (size, _) in &protocol.sizes {
            let mut line = vec![protocol.width.to_string(), size.to_string()];
            for layer in [1, 3] {
                let rows = of(rows, &protocol.name, *size);
                let mean = |value: &dyn Fn(&Row) -> f64| mean(rows.iter().map(|row| value(row)));
                line.push(format!("{:.3}", mean(&|row| row.measurement.sensitivity[layer])));
                line.push(format!("{:.2e}", mean(&|row| row.measurement.p[layer])));
                line.push(format!("{:.2e}", mean(&|row| sigmoid(row.landscape(layer).minimum()))));
                line.push(format!("{:.2e}", mean(&|row| sigmoid(row.landscape(layer).small_p_minimum()))));
            }
            cells.push(line);
        }
    }
    let header =
        ["K", "N", "c, hidden 1", "p", "minimum", "sigmoid", "c, hidden 3", "p", "minimum", "sigmoid"];
    markdown(&header, &cells)
}
