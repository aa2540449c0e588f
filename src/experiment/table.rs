//! What an experiment came to, in rows: Markdown for people, CSV for programs.

use super::group::Group;
use super::statistics::{
    Estimate, improvement_estimate, interquartile_mean_estimate, mean, quantile, standard_deviation,
};
use crate::error::Error;
use crate::run::plots::axis::brief;

/// Resamples of an interval.
const REPLICATES: usize = 10_000;

/// What the runs of one variant in one environment came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Environment id.
    pub environment: String,
    /// The variant's name.
    pub variant: String,
    /// Finished runs.
    pub runs: usize,
    /// Runs that there will be.
    pub planned: usize,
    /// Mean return of the evaluation; `None` where nothing was evaluated.
    pub evaluation: Option<Spread>,
    /// Runs whose evaluation is at the reward threshold or above, where there is a threshold.
    pub at_threshold: Option<usize>,
    /// Interquartile mean over the runs of the mean return of all training episodes.
    pub online: Option<Estimate>,
    /// Runs that reached the threshold in training, where there is one.
    pub reached: Option<usize>,
    /// Median step at which they did.
    pub steps_to_threshold: Option<f64>,
    /// Highest p of each layer, median over the runs.
    pub p_peak: Vec<f64>,
    /// Last p of each layer, median over the runs.
    pub p_final: Vec<f64>,
    /// How likely a run's evaluation is better than one of the first variant; `None` for the first one.
    pub improvement: Option<Estimate>,
}

/// Scores of several runs, summed up.
#[derive(Debug, Clone, PartialEq)]
pub struct Spread {
    /// Their interquartile mean.
    pub interquartile_mean: Estimate,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation; `None` for a single run.
    pub deviation: Option<f64>,
    /// The lowest.
    pub lowest: f64,
}

/// How likely a variant does better than the first one, averaged over all environments.
#[derive(Debug, Clone, PartialEq)]
pub struct Improvement {
    /// The variant's name.
    pub variant: String,
    /// The probability.
    pub probability: Estimate,
}

/// What there is to say of an experiment.
#[derive(Debug, Clone, PartialEq)]
pub struct Results {
    /// A row for every variant in every environment.
    pub rows: Vec<Row>,
    /// The variants after the first, where there are several environments to average over.
    pub improvements: Vec<Improvement>,
}

/// Sums the groups up. Those of an environment follow each other, and its first one is of the first variant.
pub fn results(groups: &[Group<'_>]) -> Results {
    let of_environment = |group: &Group<'_>| -> Vec<f64> {
        let same = |other: &&Group<'_>| other.environment.id() == group.environment.id();
        groups.iter().find(same).map(Group::evaluations).unwrap_or_default()
    };
    let first_variant = groups.first().map_or("", |group| group.variant);
    let rows = groups
        .iter()
        .map(|group| {
            let baseline = (group.variant != first_variant).then(|| of_environment(group));
            row(group, baseline.as_deref())
        })
        .collect();

    let mut improvements = Vec::new();
    let baselines: Vec<_> = groups.iter().filter(|group| group.variant == first_variant).collect();
    // In a single environment the rows say it already.
    if baselines.len() > 1 {
        let variants = groups.iter().take_while(|group| group.environment.id() == groups[0].environment.id());
        for variant in variants.skip(1).map(|group| group.variant) {
            let scores = |name: &str| -> Vec<Vec<f64>> {
                groups.iter().filter(|group| group.variant == name).map(Group::evaluations).collect()
            };
            if let Some(probability) = improvement(&scores(variant), &scores(first_variant)) {
                improvements.push(Improvement { variant: variant.to_owned(), probability });
            }
        }
    }
    Results { rows, improvements }
}

fn row(group: &Group<'_>, baseline: Option<&[f64]>) -> Row {
    let evaluations = group.evaluations();
    let threshold = group.environment.spec().reward_threshold;
    let steps = group.steps_to_threshold();
    Row {
        environment: group.environment.id().to_owned(),
        variant: group.variant.to_owned(),
        runs: group.summaries.len(),
        planned: group.planned,
        evaluation: estimate(&evaluations).map(|interquartile_mean| Spread {
            interquartile_mean,
            mean: mean(&evaluations),
            deviation: standard_deviation(&evaluations),
            lowest: evaluations.iter().copied().fold(f64::INFINITY, f64::min),
        }),
        at_threshold: threshold
            .filter(|_| !evaluations.is_empty())
            .map(|threshold| evaluations.iter().filter(|score| **score >= threshold).count()),
        online: estimate(&group.online_returns()),
        reached: threshold.filter(|_| !group.summaries.is_empty()).map(|_| steps.len()),
        steps_to_threshold: quantile(&steps, 0.5),
        p_peak: group.layer_medians(|summary| &summary.p_peak),
        p_final: group.layer_medians(|summary| &summary.p_final),
        improvement: baseline.and_then(|baseline| improvement(&[evaluations], &[baseline.to_vec()])),
    }
}

fn estimate(scores: &[f64]) -> Option<Estimate> {
    (!scores.is_empty()).then(|| interquartile_mean_estimate(&[scores], REPLICATES))
}

fn improvement(x: &[Vec<f64>], y: &[Vec<f64>]) -> Option<Estimate> {
    let whole = x.iter().chain(y).all(|scores| !scores.is_empty());
    let slices = |tasks: &[Vec<f64>]| -> Vec<Vec<f64>> { tasks.to_vec() };
    let (x, y) = (slices(x), slices(y));
    let (x, y): (Vec<&[f64]>, Vec<&[f64]>) =
        (x.iter().map(Vec::as_slice).collect(), y.iter().map(Vec::as_slice).collect());
    whole.then(|| improvement_estimate(&x, &y, REPLICATES))
}

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
                cells.push(row.improvement.map_or_else(none, |estimate| shown(estimate, 2)));
            }
            cells
        }));
        let mut text = aligned(&lines);
        for Improvement { variant, probability } in &self.improvements {
            text += &format!(
                "\nP({variant} better than {first}), averaged over environments: {}\n",
                shown(*probability, 2)
            );
        }
        text
    }

    /// The rows as CSV, every number in full.
    ///
    /// # Errors
    /// Never in practice: it is written to memory.
    pub fn csv(&self) -> Result<Vec<u8>, Error> {
        let layers = self.rows.iter().map(|row| row.p_peak.len()).max().unwrap_or(0);
        let mut header: Vec<String> =
            "environment,variant,runs,planned_runs,evaluation_iqm,evaluation_iqm_low,evaluation_iqm_high,\
             evaluation_mean,evaluation_std,evaluation_min,evaluations_at_threshold,training_return_iqm,\
             training_return_iqm_low,training_return_iqm_high,reached_threshold,steps_to_threshold_median,\
             improvement,improvement_low,improvement_high"
                .split(',')
                .map(str::to_owned)
                .collect();
        for name in ["p_peak", "p_final"] {
            header.extend((0..layers).map(|layer| format!("{name}_{layer}")));
        }
        let mut writer = csv::Writer::from_writer(Vec::new());
        let written = writer
            .write_record(&header)
            .and_then(|()| self.rows.iter().try_for_each(|row| writer.write_record(row.numbers(layers))));
        let in_memory = std::path::Path::new("table.csv");
        written.map_err(|error| Error::file("write", in_memory)(error.into()))?;
        writer.into_inner().map_err(|error| Error::file("write", in_memory)(error.into_error()))
    }
}

impl Row {
    fn cells(&self) -> [String; 12] {
        let evaluation = self.evaluation.as_ref();
        let of_runs = |count: usize| format!("{count} of {}", self.runs);
        let probabilities = |p: &[f64]| match p {
            [] => none(),
            p => p.iter().copied().map(brief).collect::<Vec<_>>().join(", "),
        };
        [
            self.environment.clone(),
            self.variant.clone(),
            if self.runs == self.planned {
                self.runs.to_string()
            } else {
                format!("{} of {}", self.runs, self.planned)
            },
            evaluation.map_or_else(none, |spread| shown(spread.interquartile_mean, 1)),
            evaluation.map_or_else(none, |spread| match spread.deviation {
                Some(deviation) => format!("{:.1} ± {deviation:.1}", spread.mean),
                None => format!("{:.1}", spread.mean),
            }),
            evaluation.map_or_else(none, |spread| format!("{:.1}", spread.lowest)),
            self.at_threshold.map_or_else(none, of_runs),
            self.online.map_or_else(none, |estimate| shown(estimate, 1)),
            self.reached.map_or_else(none, of_runs),
            self.steps_to_threshold.map_or_else(none, |step| format!("{step:.0}")),
            probabilities(&self.p_peak),
            probabilities(&self.p_final),
        ]
    }

    fn numbers(&self, layers: usize) -> Vec<String> {
        let evaluation = self.evaluation.as_ref();
        let estimate = |estimate: Option<Estimate>| {
            [
                estimate.map(|estimate| estimate.value),
                estimate.map(|estimate| estimate.interval.low),
                estimate.map(|estimate| estimate.interval.high),
            ]
        };
        let count = |count: Option<usize>| count.map(|count| count as f64);
        let mut numbers: Vec<Option<f64>> =
            estimate(evaluation.map(|spread| spread.interquartile_mean)).into();
        numbers.extend([
            evaluation.map(|spread| spread.mean),
            evaluation.and_then(|spread| spread.deviation),
            evaluation.map(|spread| spread.lowest),
            count(self.at_threshold),
        ]);
        numbers.extend(estimate(self.online));
        numbers.extend([count(self.reached), self.steps_to_threshold]);
        numbers.extend(estimate(self.improvement));
        for p in [&self.p_peak, &self.p_final] {
            numbers.extend((0..layers).map(|layer| p.get(layer).copied()));
        }
        let cells =
            numbers.into_iter().map(|number| number.map_or_else(String::new, |number| number.to_string()));
        [self.environment.clone(), self.variant.clone(), self.runs.to_string(), self.planned.to_string()]
            .into_iter()
            .chain(cells)
            .collect()
    }
}

/// What stands where there is no number.
fn none() -> String {
    "-".to_owned()
}

fn shown(Estimate { value, interval }: Estimate, decimals: usize) -> String {
    format!("{value:.decimals$} [{:.decimals$}, {:.decimals$}]", interval.low, interval.high)
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
