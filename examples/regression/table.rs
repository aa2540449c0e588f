//! Tables: for a reader in Markdown, for a program in CSV.

use std::fmt::Write as _;

use concrete_dqn::statistics::{mean, sample_std};
use serde::Serialize;

use crate::measure::Measurement;

/// A Markdown table, numbers to the right.
pub fn markdown(header: &[&str], rows: &[Vec<String>]) -> String {
    let mut text = format!("| {} |\n|{}\n", header.join(" | "), "---:|".repeat(header.len()));
    for row in rows {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
    text
}

/// The mean over seeds, and their standard deviation where there are several.
pub fn over_seeds(values: impl IntoIterator<Item = f64>, decimals: usize) -> String {
    let values: Vec<f64> = values.into_iter().collect();
    let deviation = sample_std(&values).map_or_else(String::new, |std| format!(" ± {std:.decimals$}"));
    format!("{:.decimals$}{deviation}", mean(&values))
}

/// The columns of a measurement.
#[derive(Debug, Serialize)]
pub struct MeasurementRow {
    p_1: f64,
    p_2: f64,
    p_3: f64,
    p_mean: f64,
    sensitivity_1: f64,
    sensitivity_2: f64,
    sensitivity_3: f64,
    sensitivity_mean: f64,
    epistemic_std: f64,
    aleatoric_std: f64,
    predictive_std: f64,
    rmse: f64,
    nll: f64,
    coverage_50: f64,
    coverage_80: f64,
    coverage_95: f64,
    calibration_error: f64,
}

impl From<&Measurement> for MeasurementRow {
    fn from(measurement: &Measurement) -> Self {
        let (p, sensitivity, calibration) =
            (&measurement.p, &measurement.sensitivity, measurement.calibration());
        Self {
            p_1: p[0],
            p_2: p[1],
            p_3: p[2],
            p_mean: p[3],
            sensitivity_1: sensitivity[0],
            sensitivity_2: sensitivity[1],
            sensitivity_3: sensitivity[2],
            sensitivity_mean: sensitivity[3],
            epistemic_std: measurement.epistemic,
            aleatoric_std: measurement.aleatoric,
            predictive_std: measurement.predictive(),
            rmse: measurement.rmse,
            nll: measurement.nll,
            coverage_50: calibration.coverage(0.5),
            coverage_80: calibration.coverage(0.8),
            coverage_95: calibration.coverage(0.95),
            calibration_error: calibration.expected_error(),
        }
    }
}
