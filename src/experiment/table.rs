//! The results of an experiment as a table: Markdown for people, CSV for programs.

use std::path::Path;

use super::group::DropoutMedians;
use super::results::{Improvement, Results, Row};
use crate::error::Error;
use crate::numbers::cell;
use crate::plot::axis::brief;
use crate::statistics::Estimate;

impl Results {
    /// A Markdown table that is aligned for reading as it stands.
    pub fn markdown(&self) -> String {
        let first = self.rows.first().map_or("", |row| row.variant.as_str());
        let mut header = [
            "environment",
            "variant",
            "runs",
            "evaluation, IQM [95%]",
            "mean ± std",
            "lowest",
            "at threshold",
            "return in training, IQM [95%]",
            "threshold reached",
            "at step, median",
            "p, peak",
            "p, last",
        ]
        .map(str::to_owned)
        .to_vec();
        let several = self.rows.iter().any(|row| row.variant != first);
        if several {
            header.push(format!("P(better than {first}) [95%]"));
        }
        let mut lines = vec![header];
        lines.extend(self.rows.iter().map(|row| {
            let mut cells = row.cells().to_vec();
            if several {
                cells.push(row.improvement.map_or_else(none, |estimate| shown(estimate, probability)));
            }
            cells
        }));
        for Improvement { variant, probability: of_variant } in &self.improvements {
            let mut cells = vec![none(); lines[0].len() - 1];
            cells[..2].clone_from_slice(&[ALL.to_owned(), variant.clone()]);
            cells.push(shown(*of_variant, probability));
            lines.push(cells);
        }
        aligned(&lines)
    }

    /// The rows as CSV, every number in full.
    ///
    /// # Errors
    /// Never in practice: it is written to memory.
    pub fn csv(&self) -> Result<Vec<u8>, Error> {
        let layers = self.rows.iter().map(|row| row.p_peak.layers.len()).max().unwrap_or(0);
        let mut header: Vec<String> =
            "environment,variant,runs,planned_runs,evaluation_iqm,evaluation_iqm_low,evaluation_iqm_high,\
             evaluation_mean,evaluation_std,evaluation_min,evaluations_at_threshold,training_return_iqm,\
             training_return_iqm_low,training_return_iqm_high,reached_threshold,steps_to_threshold_median,\
             improvement,improvement_low,improvement_high"
                .split(',')
                .map(str::to_owned)
                .collect();
        for name in ["p_peak", "p_final"] {
            header
                .extend((0..layers).map(|layer| format!("{name}_{layer}")).chain([format!("{name}_local")]));
        }
        let mut writer = csv::Writer::from_writer(Vec::new());
        let averaged = self.improvements.iter().map(|Improvement { variant, probability }| {
            let numbers = numbers(*probability).map(|number| all_digits(Some(number)));
            let name = |column: &String| match column.as_str() {
                "environment" => ALL.to_owned(),
                "variant" => variant.clone(),
                "improvement" => numbers[0].clone(),
                "improvement_low" => numbers[1].clone(),
                "improvement_high" => numbers[2].clone(),
                _ => String::new(),
            };
            header.iter().map(name).collect()
        });
        let mut rows = self.rows.iter().map(|row| row.numbers(layers)).chain(averaged);
        let written =
            writer.write_record(&header).and_then(|()| rows.try_for_each(|row| writer.write_record(row)));
        let in_memory = Path::new("table.csv");
        written.map_err(|error| Error::file("write", in_memory)(error.into()))?;
        writer.into_inner().map_err(|error| Error::file("write", in_memory)(error.into_error()))
    }
}

impl Row {
    fn cells(&self) -> [String; 12] {
        let evaluation = self.evaluation.as_ref();
        let of_runs = |count: usize| format!("{count} of {}", self.runs);
        let probabilities = |p: &DropoutMedians| {
            let local = p.local.map(|local| format!("local {}", brief(local)));
            let all: Vec<String> = p.layers.iter().copied().map(brief).chain(local).collect();
            if all.is_empty() { none() } else { all.join(", ") }
        };
        [
            self.environment.clone(),
            self.variant.clone(),
            if self.runs == self.planned {
                self.runs.to_string()
            } else {
                format!("{} of {}", self.runs, self.planned)
            },
            evaluation.map_or_else(none, |spread| shown(spread.interquartile_mean, cell)),
            evaluation.map_or_else(none, |spread| match spread.deviation {
                Some(deviation) => format!("{} ± {}", cell(spread.mean), cell(deviation)),
                None => cell(spread.mean),
            }),
            evaluation.map_or_else(none, |spread| cell(spread.lowest)),
            self.at_threshold.map_or_else(none, of_runs),
            self.online.map_or_else(none, |estimate| match shown(estimate, cell) {
                online if self.online_runs < self.runs => format!("{online}, {}", of_runs(self.online_runs)),
                online => online,
            }),
            self.reached.map_or_else(none, of_runs),
            self.steps_to_threshold.map_or_else(none, |step| format!("{step:.0}")),
            probabilities(&self.p_peak),
            probabilities(&self.p_final),
        ]
    }

    fn numbers(&self, layers: usize) -> Vec<String> {
        let evaluation = self.evaluation.as_ref();
        let estimate = |estimate: Option<Estimate>| match estimate {
            Some(estimate) => numbers(estimate).map(Some),
            None => [None; 3],
        };
        let count = |count: Option<usize>| count.map(|count| count as f64);
        let mut cells: Vec<Option<f64>> = estimate(evaluation.map(|spread| spread.interquartile_mean)).into();
        cells.extend([
            evaluation.map(|spread| spread.mean),
            evaluation.and_then(|spread| spread.deviation),
            evaluation.map(|spread| spread.lowest),
            count(self.at_threshold),
        ]);
        cells.extend(estimate(self.online));
        cells.extend([count(self.reached), self.steps_to_threshold]);
        cells.extend(estimate(self.improvement));
        for p in [&self.p_peak, &self.p_final] {
            cells.extend((0..layers).map(|layer| p.layers.get(layer).copied()).chain([p.local]));
        }
        let cells = cells.into_iter().map(all_digits);
        [self.environment.clone(), self.variant.clone(), self.runs.to_string(), self.planned.to_string()]
            .into_iter()
            .chain(cells)
            .collect()
    }
}

/// What stands for an environment where a number is averaged over them.
const ALL: &str = "all";

/// The value and the ends of its interval.
fn numbers(Estimate { value, interval }: Estimate) -> [f64; 3] {
    [value, interval.low, interval.high]
}

/// A cell of the CSV, empty where there is no number.
fn all_digits(number: Option<f64>) -> String {
    number.filter(|number| !number.is_nan()).map_or_else(String::new, |number| number.to_string())
}

/// What stands where there is no number.
fn none() -> String {
    "-".to_owned()
}

fn shown(Estimate { value, interval }: Estimate, number: fn(f64) -> String) -> String {
    if interval.low.is_nan() {
        return number(value);
    }
    format!("{} [{}, {}]", number(value), number(interval.low), number(interval.high))
}

fn probability(value: f64) -> String {
    format!("{value:.2}")
}

fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut lines: Vec<String> = rows
        .iter()
        .map(|row| {
            let cells = row.iter().zip(&widths).map(|(cell, &width)| format!(" {cell:<width$} |"));
            cells.fold("|".to_owned(), |line, cell| line + &cell)
        })
        .collect();
    lines.insert(1, widths.iter().fold("|".to_owned(), |line, width| line + &"-".repeat(width + 2) + "|"));
    lines.join("\n") + "\n"
}
