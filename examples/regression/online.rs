//! Online = retrained: data come in stages. One network trains on and is told the new N each time, one trains on with N
//! held at its first value, and at each stage two are trained from scratch: one with N as it is from its first step, and one
//! with N raised to it from the first stage's.

use std::path::{Path, PathBuf};

use concrete_dqn::Error;
use concrete_dqn::files::write_csv;
use concrete_dqn::plot::{Chart, ChartPanel, Series, draw_chart};
use concrete_dqn::statistics::mean;
use serde::Serialize;

use crate::measure::{Measurement, measure};
use crate::networks::{Networks, Noise, Shape};
use crate::problem::Data;
use crate::table::{MeasurementRow, markdown, over_seeds};
use crate::training::{Order, Schedule, Trainer, failed};

const LENGTH_SCALE: f64 = 1e-4;

/// How the data grow, and how long is trained on them.
pub struct Plan {
    pub stages: Vec<usize>,
    pub seeds: Vec<u64>,
    /// Steps of a network that goes on, at each stage, and of one from scratch once N is what it is to be.
    pub stage_steps: usize,
    /// Steps of a network from scratch before that, over which N is raised.
    pub raising_steps: usize,
}

impl Plan {
    pub fn full() -> Self {
        Self {
            stages: vec![10, 30, 100, 300, 1000, 3000, 10_000],
            seeds: (1..=5).collect(),
            stage_steps: 3000,
            raising_steps: 7000,
        }
    }

    pub fn quick() -> Self {
        Self { stages: vec![10, 100, 1000], seeds: vec![1, 2, 3], stage_steps: 100, raising_steps: 200 }
    }
}

/// One network at one stage.
struct Row {
    kind: &'static str,
    stage: usize,
    seed: u64,
    measurement: Measurement,
    /// Twice the negative evidence bound per datum.
    objective: f64,
}

/// The first columns of `online.csv`.
#[derive(Serialize)]
struct Cell {
    kind: String,
    n: usize,
    seed: u64,
    objective: f64,
}

const ONLINE: &str = "online";
const RAISED: &str = "retrained, N raised";
const PLAIN: &str = "retrained, N at once";
const HELD: &str = "online, N held";

const SHAPE: Shape =
    Shape { width: 64, noise: Noise::Homoscedastic, temperature: 0.1, learned_temperature: false };

/// Runs the study.
///
/// # Errors
/// Where its files can't be written.
pub fn study(plan: &Plan, folder: &Path) -> Result<(), Error> {
    let mut rows = online(plan)?;
    rows.extend(retrained(plan, RAISED)?);
    rows.extend(retrained(plan, PLAIN)?);
    report(plan, &rows, folder)
}

fn schedule(steps: usize, final_fraction: f64) -> Schedule {
    Schedule {
        steps,
        batch: 32,
        learning_rate: 1e-3,
        dropout_learning_rate: 3e-2,
        final_fraction,
        order: Order::Random,
    }
}

/// A network from scratch for every stage and seed.
fn retrained(plan: &Plan, kind: &'static str) -> Result<Vec<Row>, Error> {
    let cells: Vec<_> =
        plan.stages.iter().flat_map(|stage| plan.seeds.iter().map(|seed| (*stage, *seed))).collect();
    let seeds: Vec<u64> = cells.iter().map(|cell| cell.1).collect();
    let sizes: Vec<usize> = cells.iter().map(|cell| cell.0).collect();
    let data: Vec<_> = cells.iter().map(|(stage, seed)| Data::training(*seed, *stage)).collect();
    let mut networks = Networks::new(&SHAPE, LENGTH_SCALE, &seeds, &sizes);
    let mut trainer = Trainer::new(&networks, 11).map_err(failed)?;
    let first = plan.stages[0] as f64;
    trainer.train_with(&mut networks, &data, &schedule(plan.raising_steps, 1.0), |networks, progress| {
        if kind == RAISED {
            let raised = |size: &usize| (first * (*size as f64 / first).powf(progress)) as usize;
            networks.set_dataset_sizes(&sizes.iter().map(raised).collect::<Vec<_>>());
        }
    });
    networks.set_dataset_sizes(&sizes);
    trainer.train(&mut networks, &data, &schedule(plan.stage_steps, 0.01));
    let measured = measure(&networks, &seeds).into_iter().zip(trainer.objective(&networks, &data));
    let row = |((stage, seed), (measurement, objective))| Row { kind, stage, seed, measurement, objective };
    Ok(cells.into_iter().zip(measured).map(row).collect())
}

/// For every seed a network that is told N and one that is not; both see all the data there are.
fn online(plan: &Plan) -> Result<Vec<Row>, Error> {
    let count = plan.seeds.len();
    let seeds = plan.seeds.repeat(2);
    let mut networks = Networks::new(&SHAPE, LENGTH_SCALE, &seeds, &vec![plan.stages[0]; 2 * count]);
    let mut trainer = Trainer::new(&networks, 12).map_err(failed)?;
    let mut rows = Vec::new();
    for stage in &plan.stages {
        let kinds: Vec<_> = (0..2 * count).map(|index| if index < count { ONLINE } else { HELD }).collect();
        let told = |kind: &&str| if *kind == ONLINE { *stage } else { plan.stages[0] };
        networks.set_dataset_sizes(&kinds.iter().map(told).collect::<Vec<_>>());
        let data: Vec<_> = seeds.iter().map(|seed| Data::training(*seed, *stage)).collect();
        trainer.train(&mut networks, &data, &schedule(plan.stage_steps, 0.01));
        let measured = measure(&networks, &seeds).into_iter().zip(trainer.objective(&networks, &data));
        for ((kind, seed), (measurement, objective)) in kinds.into_iter().zip(&seeds).zip(measured) {
            rows.push(Row { kind, stage: *stage, seed: *seed, measurement, objective });
        }
    }
    Ok(rows)
}

fn report(plan: &Plan, rows: &[Row], folder: &Path) -> Result<(), Error> {
    let cells = rows.iter().map(|row| {
        let Row { stage, seed, objective, .. } = *row;
        let cell = Cell { kind: row.kind.replace(", ", "-").replace(' ', "-"), n: stage, seed, objective };
        (cell, MeasurementRow::from(&row.measurement))
    });
    write_csv(&folder.join("online.csv"), cells)?;
    println!("p of the layers with {} inputs:\n\n{}", SHAPE.width, p_table(plan, rows));
    println!("Objective and epistemic standard deviation:\n\n{}", objective_table(plan, rows));
    for figure in draw(plan, rows, folder)? {
        println!("{}", figure.display());
    }
    Ok(())
}

fn of<'a>(rows: &'a [Row], kind: &str, stage: usize) -> Vec<&'a Row> {
    rows.iter().filter(|row| row.kind == kind && row.stage == stage).collect()
}

fn p_table(plan: &Plan, rows: &[Row]) -> String {
    let line = |stage: &usize| {
        let p = |kind| over_seeds(of(rows, kind, *stage).iter().map(|row| row.measurement.hidden_p()), 3);
        let gaps = gaps(&of(rows, ONLINE, *stage), &of(rows, RAISED, *stage));
        let plain = gaps_of_means(rows, *stage, PLAIN);
        vec![
            stage.to_string(),
            p(ONLINE),
            p(RAISED),
            p(PLAIN),
            p(HELD),
            format!("{:.3}", gaps_of_means(rows, *stage, RAISED)),
            format!("{gaps:.3}"),
            format!("{plain:.3}"),
        ]
    };
    let cells: Vec<_> = plan.stages.iter().map(line).collect();
    let header = [
        "N",
        ONLINE,
        RAISED,
        PLAIN,
        HELD,
        "gap to N raised, worst layer",
        "worst layer and seed",
        "gap to N at once, worst layer",
    ];
    markdown(&header, &cells)
}

/// The layers with many inputs.
const HIDDEN: std::ops::Range<usize> = 1..4;

/// The largest difference in p from the online network of the same seed, over layers and seeds.
fn gaps(online: &[&Row], retrained: &[&Row]) -> f64 {
    let pairs = online.iter().zip(retrained).map(|(a, b)| (&a.measurement.p, &b.measurement.p));
    pairs.flat_map(|(a, b)| HIDDEN.map(|layer| (a[layer] - b[layer]).abs())).fold(0.0, f64::max)
}

/// The largest difference in a layer's p between the means over seeds.
fn gaps_of_means(rows: &[Row], stage: usize, kind: &str) -> f64 {
    let mean =
        |kind: &str, layer: usize| mean(of(rows, kind, stage).iter().map(|row| row.measurement.p[layer]));
    HIDDEN.map(|layer| (mean(ONLINE, layer) - mean(kind, layer)).abs()).fold(0.0, f64::max)
}

fn objective_table(plan: &Plan, rows: &[Row]) -> String {
    let line = |stage: &usize| {
        let spread =
            |kind, value: fn(&Row) -> f64| over_seeds(of(rows, kind, *stage).into_iter().map(value), 3);
        let objectives = [ONLINE, RAISED, PLAIN].map(|kind| spread(kind, |row| row.objective));
        let epistemic =
            [ONLINE, RAISED, PLAIN, HELD].map(|kind| spread(kind, |row| row.measurement.epistemic));
        std::iter::once(stage.to_string()).chain(objectives).chain(epistemic).collect()
    };
    let cells: Vec<_> = plan.stages.iter().map(line).collect();
    let header = [
        "N",
        "objective, online",
        "N raised",
        "N at once",
        "epistemic std, online",
        "N raised",
        "N at once",
        "N held",
    ];
    markdown(&header, &cells)
}

fn draw(plan: &Plan, rows: &[Row], folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let panel = |heading: &str, logarithmic: bool, value: fn(&Measurement) -> f64| ChartPanel {
        heading: heading.to_owned(),
        logarithmic,
        series: [ONLINE, RAISED, PLAIN, HELD]
            .iter()
            .map(|kind| Series {
                name: (*kind).to_owned(),
                runs: plan
                    .seeds
                    .iter()
                    .map(|seed| {
                        let chosen = rows.iter().filter(|row| row.kind == *kind && row.seed == *seed);
                        chosen.map(|row| (row.stage as f64, value(&row.measurement))).collect()
                    })
                    .collect(),
            })
            .collect(),
        levels: Vec::new(),
    };
    let chart = Chart {
        title: "Adapting online against training again".to_owned(),
        subtitle: "The data come in stages; p is the mean of the layers with 64 inputs".to_owned(),
        horizontal: "number of data so far",
        horizontal_logarithmic: true,
        panels: vec![
            panel("Dropout probability p", false, Measurement::hidden_p),
            panel("Epistemic standard deviation (units of y)", true, |m| m.epistemic),
        ],
    };
    draw_chart(&chart, &folder.join("online"))
}
