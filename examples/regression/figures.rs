//! The figures of what N and K do.

use std::path::{Path, PathBuf};

use concrete_dqn::Error;
use concrete_dqn::calibration::Calibration;
use concrete_dqn::concrete::{LogisticNoise, sigmoid};
use concrete_dqn::plot::{Chart, ChartPanel, FunctionPanel, Functions, Series, draw_chart, draw_functions};
use concrete_dqn::randomness::{Stream, generator};
use tch::{Device, Kind, Tensor};

use crate::measure::{Measurement, PASSES, Passes};
use crate::networks::{Networks, numbers};
use crate::problem::{Data, NOISE};
use crate::sizes::{NOTEBOOK, Point, Protocol, Row};

/// Inputs of a drawn function, evenly from -`RANGE` to `RANGE`.
const PLACES: i64 = 61;
const RANGE: f64 = 5.0;
/// The N of which functions and reliability are drawn, as far as they were trained.
const DRAWN: [usize; 4] = [10, 100, 1000, 10_000];
/// Data points drawn beside a function.
const DOTS: usize = 300;

/// What each network says over a range of inputs.
pub fn functions(networks: &Networks) -> Vec<Vec<Point>> {
    let places = Tensor::linspace(-RANGE, RANGE, PLACES, (Kind::Float, Device::Cpu));
    let x = places.view([1, -1, 1]).repeat([networks.count() as i64, 1, 1]);
    let mut noise = LogisticNoise::new(generator(0, Stream::EvaluationNoise));
    let passes = Passes::draw(networks, &x, 4 * PASSES, &mut noise);
    let variance = passes.variance();
    let columns =
        [passes.mean(), variance.epistemic.sqrt(), variance.aleatoric.sqrt()].map(|column| numbers(&column));
    let [mean, epistemic, aleatoric] = &columns;
    let point = |index: usize, x: f64| Point {
        x,
        mean: mean[index],
        epistemic: epistemic[index],
        aleatoric: aleatoric[index],
    };
    let places = numbers(&places);
    let function = |network: usize| {
        let points = places.iter().enumerate();
        points.map(|(place, x)| point(network * places.len() + place, *x)).collect()
    };
    (0..networks.count()).map(function).collect()
}

/// Draws everything and returns the paths.
///
/// # Errors
/// Where a figure can't be written.
pub fn draw(rows: &[Row], protocols: &[Protocol], folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let first = &protocols[0].name;
    let mut figures = draw_chart(&layers(rows, first), &folder.join("layers"))?;
    figures.extend(draw_chart(&dropout(rows, protocols), &folder.join("dropout"))?);
    figures.extend(draw_chart(&uncertainty(rows, protocols), &folder.join("uncertainty"))?);
    figures.extend(draw_chart(&prediction(rows, first), &folder.join("prediction"))?);
    figures.extend(draw_chart(&reliability(rows, first), &folder.join("reliability"))?);
    figures.extend(draw_functions(&bands(rows, first), &folder.join("functions"))?);
    Ok(figures)
}

/// A curve for every seed of a protocol, against N.
fn curves(rows: &[Row], protocol: &str, value: impl Fn(&Row) -> f64) -> Vec<Vec<(f64, f64)>> {
    let mut seeds: Vec<u64> =
        rows.iter().filter(|row| row.protocol == protocol).map(|row| row.seed).collect();
    seeds.sort_unstable();
    seeds.dedup();
    let curve = |seed: u64| {
        let chosen = rows.iter().filter(|row| row.protocol == protocol && row.seed == seed);
        chosen.map(|row| (row.size as f64, value(row))).collect()
    };
    seeds.into_iter().map(curve).collect()
}

fn named(name: &str, runs: Vec<Vec<(f64, f64)>>) -> Series {
    Series { name: name.to_owned(), runs }
}

/// The notebook's curve of one of its columns.
fn notebook(value: impl Fn(&(usize, f64, f64, f64)) -> f64) -> Series {
    named(
        "notebook, as printed",
        vec![NOTEBOOK.iter().map(|printed| (printed.0 as f64, value(printed))).collect()],
    )
}

fn panel(heading: &str, logarithmic: bool, series: Vec<Series>) -> ChartPanel {
    ChartPanel { heading: heading.to_owned(), logarithmic, series, levels: Vec::new() }
}

/// p of each layer.
fn layers(rows: &[Row], first: &str) -> Chart {
    let names = ["inputs", "hidden 1", "hidden 2", "hidden 3"];
    let series = names
        .iter()
        .enumerate()
        .map(|(layer, name)| named(name, curves(rows, first, move |row| row.measurement.p[layer])));
    Chart {
        title: "More data push p down".to_owned(),
        subtitle: format!("{first}: p of the dropout of the inputs and behind each hidden layer"),
        horizontal: "number of data N",
        horizontal_logarithmic: true,
        panels: vec![panel("Dropout probability p", true, series.collect())],
    }
}

/// p under each protocol.
fn dropout(rows: &[Row], protocols: &[Protocol]) -> Chart {
    let mut series: Vec<_> = protocols
        .iter()
        .map(|protocol| named(&protocol.name, curves(rows, &protocol.name, |row| row.measurement.hidden_p())))
        .collect();
    series.push(notebook(|printed| printed.1));
    Chart {
        title: "More data push p down, more units push it up".to_owned(),
        subtitle: "Mean p of the dropout behind the three hidden layers".to_owned(),
        horizontal: "number of data N",
        horizontal_logarithmic: true,
        panels: vec![panel("Dropout probability p", false, series)],
    }
}

/// The standard deviations under each protocol.
fn uncertainty(rows: &[Row], protocols: &[Protocol]) -> Chart {
    type Printed = (usize, f64, f64, f64);
    let of_std =
        |name: &str, value: fn(&Measurement) -> f64, printed: fn(&Printed) -> f64, level: &[&str]| {
            let mut series: Vec<_> = protocols
                .iter()
                .map(|protocol| {
                    named(&protocol.name, curves(rows, &protocol.name, |row| value(&row.measurement)))
                })
                .collect();
            series.push(notebook(printed));
            let levels = level.iter().map(|name| (NOISE, (*name).to_owned())).collect();
            ChartPanel { levels, ..panel(&format!("{name} standard deviation (units of y)"), false, series) }
        };
    Chart {
        title: "Epistemic uncertainty falls with N, the noise stays".to_owned(),
        subtitle: "Standard deviations on held-out data against the number of training data".to_owned(),
        horizontal: "number of data N",
        horizontal_logarithmic: true,
        panels: vec![
            of_std("Epistemic", |m| m.epistemic, |printed| printed.2, &[]),
            of_std("Aleatoric", |m| m.aleatoric, |printed| printed.3, &["the noise"]),
            of_std(
                "Predictive",
                Measurement::predictive,
                |printed| printed.2.hypot(printed.3),
                &["the noise"],
            ),
        ],
    }
}

fn prediction(rows: &[Row], first: &str) -> Chart {
    // Below this p the first order has nothing to say that a training could reach.
    const LEAST: f64 = 1e-6;
    let of_layer = |layer: usize, name: &str| {
        let minimum = move |row: &Row| sigmoid(row.landscape(layer).minimum()).max(LEAST);
        let small = move |row: &Row| sigmoid(row.landscape(layer).small_p_minimum()).max(LEAST);
        ChartPanel {
            heading: format!("Dropout probability p {name}"),
            logarithmic: true,
            series: vec![
                named("trained", curves(rows, first, |row| row.measurement.p[layer])),
                named("minimum of the landscape", curves(rows, first, minimum)),
                named("sigmoid(−τcN / (2K))", curves(rows, first, small)),
            ],
            levels: vec![],
        }
    };
    Chart {
        title: "p against its prediction".to_owned(),
        subtitle: format!("{first}; c is measured in each trained network, predictions end at 10⁻⁶"),
        horizontal: "number of data N",
        horizontal_logarithmic: true,
        panels: vec![
            of_layer(1, "behind the first hidden layer"),
            of_layer(3, "behind the third hidden layer"),
        ],
    }
}

fn reliability(rows: &[Row], first: &str) -> Chart {
    let sizes = DRAWN.iter().filter(|size| rows.iter().any(|row| row.size == **size));
    let mut series: Vec<_> = sizes
        .map(|size| {
            let chosen = rows.iter().filter(|row| row.protocol == first && row.size == *size);
            let calibration = Calibration::new(chosen.flat_map(|row| row.measurement.places.iter().copied()));
            named(&format!("N = {size}"), vec![calibration.curve()])
        })
        .collect();
    series.push(named("calibrated", vec![vec![(0.05, 0.05), (0.95, 0.95)]]));
    Chart {
        title: "Reliability on held-out data".to_owned(),
        subtitle: format!(
            "{first}: share of outcomes within central intervals; above the diagonal intervals are too wide"
        ),
        horizontal: "probability of the interval",
        horizontal_logarithmic: false,
        panels: vec![ChartPanel {
            heading: "Share of outcomes within it".to_owned(),
            logarithmic: false,
            series,
            levels: vec![],
        }],
    }
}

fn bands(rows: &[Row], first: &str) -> Functions {
    let chosen = DRAWN.iter().filter_map(|size| {
        rows.iter().find(|row| row.protocol == first && row.size == *size).map(|row| {
            let data = Data::training(row.seed, row.size.min(DOTS));
            let band = |std: fn(&Point) -> f64| -> Vec<(f64, f64, f64)> {
                let around =
                    |point: &Point| (point.x, point.mean - 2.0 * std(point), point.mean + 2.0 * std(point));
                row.function.iter().map(around).collect()
            };
            FunctionPanel {
                heading: format!("N = {size}"),
                data: data.x.iter().zip(&data.y).map(|(x, y)| (f64::from(*x), f64::from(*y))).collect(),
                mean: row.function.iter().map(|point| (point.x, point.mean)).collect(),
                inner: band(|point| point.epistemic),
                outer: band(|point| point.epistemic.hypot(point.aleatoric)),
            }
        })
    });
    Functions {
        title: "What the network knows of y = 2x + 8 + noise".to_owned(),
        subtitle: format!("{first}; up to {DOTS} of the data are drawn"),
        horizontal: "x",
        vertical: "y".to_owned(),
        mean: "mean over passes".to_owned(),
        inner: "± 2 epistemic std".to_owned(),
        outer: "± 2 predictive std".to_owned(),
        panels: chosen.collect(),
    }
}
