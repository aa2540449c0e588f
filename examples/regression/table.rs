//! Tables: for a reader in Markdown, for a program in CSV.

use std::fmt::Write as _;
use std::path::Path;

use concrete_dqn::Error;
use concrete_dqn::files;
use concrete_dqn::statistics::{mean, sample_std};

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

/// The columns of [`measured`].
pub const MEASURED: &str = "p_1,p_2,p_3,p_mean,sensitivity_1,sensitivity_2,sensitivity_3,sensitivity_mean,epistemic_std,\
                            aleatoric_std,predictive_std,rmse,nll,coverage_50,coverage_80,coverage_95,calibration_error";

/// A measurement as cells of a CSV file.
pub fn measured(measurement: &Measurement) -> String {
    let calibration = measurement.calibration();
    let rest = [
        measurement.epistemic,
        measurement.aleatoric,
        measurement.predictive(),
        measurement.rmse,
        measurement.nll,
        calibration.coverage(0.5),
        calibration.coverage(0.8),
        calibration.coverage(0.95),
        calibration.expected_error(),
    ];
    let numbers = measurement.p[..4].iter().chain(&measurement.sensitivity).chain(&rest);
    numbers.map(|number| format!("{number:.5e}")).collect::<Vec<_>>().join(",")
}

/// Writes a CSV file, whole or not at all.
///
/// # Errors
/// Where it can't be written.
pub fn write(path: &Path, header: &str, rows: &[String]) -> Result<(), Error> {
    let lines = std::iter::once(header).chain(rows.iter().map(String::as_str));
    let text: String = lines.flat_map(|line| [line, "\n"]).collect();
    files::replace(path, text.as_bytes())
}
