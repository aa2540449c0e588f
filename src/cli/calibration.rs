//! What `evaluate RUN --calibration` adds: a table, a figure, and the numbers behind both.

use std::fmt::Write;

use serde::Serialize;

use crate::error::Error;
use crate::evaluation::Evaluation;
use crate::files;
use crate::numbers::number;
use crate::plot::{Chart, ChartPanel, Series, draw_chart};
use crate::run::RunDirectory;
use crate::value_calibration::{Intervals, Outcome, ValueCalibration};

/// An evaluation with how its predictions compared, as `--json` prints it.
#[derive(Debug, Serialize)]
pub struct CalibratedEvaluation {
    #[serde(flatten)]
    pub evaluation: Evaluation,
    pub calibration: ValueCalibration,
}

/// Writes `calibration.csv` and `plots/calibration.{svg,png}` into the run.
pub fn write(
    directory: &RunDirectory,
    title: &str,
    outcomes: &[Outcome],
    calibration: &ValueCalibration,
) -> Result<(), Error> {
    files::write_csv(&directory.path().join("calibration.csv"), outcomes)?;
    draw_chart(&chart(title, calibration), &directory.path().join("plots/calibration"))?;
    Ok(())
}

fn chart(title: &str, calibration: &ValueCalibration) -> Chart {
    let series = |name: &str, points: &[(f64, f64)]| {
        let ends = [(0.0, 0.0)].into_iter().chain(points.iter().copied());
        Series { name: name.to_owned(), runs: vec![ends.collect()] }
    };
    let whole = [(1.0, 1.0)];
    Chart {
        title: format!("{title} · calibration of Q"),
        subtitle: format!(
            "How many of {} discounted returns lie in the central intervals of what was predicted",
            calibration.outcomes
        ),
        horizontal: "probability of the interval",
        horizontal_logarithmic: false,
        panels: vec![ChartPanel {
            heading: "Share of returns within".to_owned(),
            logarithmic: false,
            series: vec![
                series("epistemic and aleatoric", &calibration.predictive.curve),
                series("epistemic alone", &calibration.epistemic.curve),
                series("calibrated", &whole),
            ],
            levels: Vec::new(),
        }],
    }
}

/// The table.
pub fn text(calibration: &ValueCalibration, directory: &RunDirectory) -> String {
    let ValueCalibration { outcomes, left_out, bias, rmse, epistemic_std, aleatoric_std, .. } = calibration;
    let mut text =
        format!("calibration of {outcomes} predicted Q-values against the discounted returns that followed");
    if *left_out > 0 {
        let _ = write!(text, " ({left_out} left out, their returns cut short by the time limit)");
    }
    let _ = writeln!(text, "\n  Q less return: mean {}, root mean square {}", number(*bias), number(*rmse));
    let _ = writeln!(
        text,
        "  mean standard deviation: epistemic {}, aleatoric {}",
        number(*epistemic_std),
        number(*aleatoric_std)
    );
    let _ = writeln!(text, "  intervals of               50%     80%     95%   calibration error");
    for (name, intervals) in
        [("epistemic alone", &calibration.epistemic), ("with aleatoric", &calibration.predictive)]
    {
        let Intervals { coverage_50, coverage_80, coverage_95, expected_calibration_error, .. } = intervals;
        let _ = writeln!(
            text,
            "  {name:<22} {:>6.1}% {:>6.1}% {:>6.1}%   {expected_calibration_error:.3}",
            100.0 * coverage_50,
            100.0 * coverage_80,
            100.0 * coverage_95
        );
    }
    let _ = writeln!(
        text,
        "  files: {}, plots/calibration.png",
        directory.path().join("calibration.csv").display()
    );
    text
}
