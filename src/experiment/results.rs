//! What an experiment came to, in rows of numbers.

use super::group::{DropoutMedians, Group};
use crate::statistics::{
    Estimate, Interval, REPLICATES, improvement_estimate, interquartile_mean_estimate, mean, quantile,
    sample_std,
};

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
    /// Runs that it is of: those in which an episode ended.
    pub online_runs: usize,
    /// Runs that reached the threshold in training, where there is one.
    pub reached: Option<usize>,
    /// Median step at which they did.
    pub steps_to_threshold: Option<f64>,
    /// Highest p of each layer, median over the runs.
    pub p_peak: DropoutMedians,
    /// Last p of each layer, median over the runs.
    pub p_final: DropoutMedians,
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

impl Results {
    /// Sums the groups up. Those of an environment follow each other, and its first one is of the first variant.
    pub fn of(groups: &[Group<'_>]) -> Self {
        // The evaluations of the first variant in a group's environment.
        let baseline = |group: &Group<'_>| -> Vec<f64> {
            let same = |other: &&Group<'_>| other.environment.id() == group.environment.id();
            groups.iter().find(same).map(Group::evaluations).unwrap_or_default()
        };
        let first_variant = groups.first().map_or("", |group| group.variant);
        let rows = groups
            .iter()
            .map(|group| {
                let baseline = (group.variant != first_variant).then(|| baseline(group));
                row(group, baseline.as_deref())
            })
            .collect();

        let mut improvements = Vec::new();
        let environments = groups.iter().filter(|group| group.variant == first_variant).count();
        // In a single environment the rows say it already.
        if environments > 1 {
            let variants =
                groups.iter().take_while(|group| group.environment.id() == groups[0].environment.id());
            for variant in variants.skip(1).map(|group| group.variant) {
                let scores = |name: &str| -> Vec<Vec<f64>> {
                    groups.iter().filter(|group| group.variant == name).map(Group::evaluations).collect()
                };
                if let Some(probability) = improvement(&scores(variant), &scores(first_variant)) {
                    improvements.push(Improvement { variant: variant.to_owned(), probability });
                }
            }
        }
        Self { rows, improvements }
    }
}

fn row(group: &Group<'_>, baseline: Option<&[f64]>) -> Row {
    let evaluations = group.evaluations();
    let threshold = group.environment.spec().reward_threshold;
    let steps = group.steps_to_threshold();
    let online = group.online_returns();
    Row {
        environment: group.environment.id().to_owned(),
        variant: group.variant.to_owned(),
        runs: group.summaries.len(),
        planned: group.planned,
        evaluation: estimate(&evaluations).map(|interquartile_mean| Spread {
            interquartile_mean,
            mean: mean(&evaluations),
            deviation: sample_std(&evaluations),
            lowest: evaluations.iter().copied().fold(f64::INFINITY, f64::min),
        }),
        at_threshold: threshold
            .filter(|_| !evaluations.is_empty())
            .map(|threshold| evaluations.iter().filter(|score| **score >= threshold).count()),
        online: estimate(&online),
        online_runs: online.len(),
        reached: threshold.filter(|_| !group.summaries.is_empty()).map(|_| steps.len()),
        steps_to_threshold: quantile(&steps, 0.5),
        p_peak: group.dropout_medians(|summary| &summary.p_peak),
        p_final: group.dropout_medians(|summary| &summary.p_final),
        improvement: baseline.and_then(|baseline| improvement(&[evaluations], &[baseline.to_vec()])),
    }
}

fn estimate(scores: &[f64]) -> Option<Estimate> {
    let estimate = (!scores.is_empty()).then(|| interquartile_mean_estimate(&[scores], REPLICATES))?;
    Some(if scores.len() < 2 { without_interval(estimate) } else { estimate })
}

/// A single run says nothing of the spread of others.
fn without_interval(estimate: Estimate) -> Estimate {
    Estimate { interval: Interval { low: f64::NAN, high: f64::NAN }, ..estimate }
}

/// `None` where a task has no scores on one of the sides.
fn improvement<'a>(x: &'a [Vec<f64>], y: &'a [Vec<f64>]) -> Option<Estimate> {
    let slices = |tasks: &'a [Vec<f64>]| -> Vec<&'a [f64]> { tasks.iter().map(Vec::as_slice).collect() };
    let whole = x.iter().chain(y).all(|scores| !scores.is_empty());
    let estimate = whole.then(|| improvement_estimate(&slices(x), &slices(y), REPLICATES))?;
    let are_single = x.iter().chain(y).any(|scores| scores.len() < 2);
    Some(if are_single { without_interval(estimate) } else { estimate })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Summary;
    use control_envs::Registry;

    /// A run with this evaluation, which reached the threshold at this step.
    fn run(evaluation: f64, solved_at_step: Option<u64>) -> Summary {
        let value = serde_json::json!({
            "env": "", "exploration": "ucb", "seed": 0, "ended": "finished", "total_steps": 10, "updates": 1,
            "episodes": 1, "training_seconds": 1.0, "steps_per_second": 1.0, "mean_return_100": 0.0,
            "best_mean_return_100": null, "reward_threshold": null, "solved_at_step": solved_at_step,
            "dataset_size": 1, "precision": 1.0, "p_final": [0.001, 0.2], "p_peak": [0.4, 0.25, 0.5],
            "has_local_dropout": true,
            "evaluation": {
                "episodes": 1, "mean_return": evaluation, "std_return": 0.0, "min_return": 0.0, "max_return": 0.0,
                "mean_length": 1.0,
            },
        });
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn rows_say_what_the_runs_came_to() {
        let registry = Registry::builtin();
        let group = |environment: &str, variant, summaries: Vec<Summary>| Group {
            environment: registry.find(environment).unwrap(),
            variant,
            planned: 2,
            runs: Vec::new(),
            summaries,
            tables: Vec::new(),
        };
        let groups = [
            group("cartpole", "a", vec![run(475.0, Some(100)), run(474.0, None)]),
            group("cartpole", "b", vec![run(500.0, Some(300)), run(474.5, Some(200))]),
            group("acrobot", "a", vec![run(-90.0, None)]),
            group("acrobot", "b", vec![run(-95.0, None), run(-90.0, None)]),
        ];
        let results = Results::of(&groups);
        let row = &results.rows[1];
        let spread = row.evaluation.as_ref().unwrap();
        assert_eq!((spread.mean, spread.lowest, row.at_threshold), (487.25, 474.5, Some(1)));
        assert_eq!((row.reached, row.steps_to_threshold), (Some(2), Some(250.0)));
        assert_eq!(
            (row.p_peak.layers.as_slice(), row.p_final.layers.as_slice()),
            ([0.4, 0.25].as_slice(), [0.001].as_slice())
        );
        assert_eq!((row.p_peak.local, row.p_final.local), (Some(0.5), Some(0.2)));
        assert_eq!(results.rows[0].at_threshold, Some(1), "what equals the threshold is at it");
        let improvements: Vec<_> =
            results.rows.iter().map(|row| row.improvement.map(|estimate| estimate.value)).collect();
        assert_eq!(improvements, [None, Some(0.75), None, Some(0.25)]);
        let averaged = &results.improvements[0];
        assert_eq!((averaged.variant.as_str(), averaged.probability.value), ("b", 0.5));

        let text = results.markdown();
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].ends_with("| P(better than a) [95%] |") && lines[1].starts_with("|----"), "{text}");
        assert!(lines[4].contains("| 1 of 2 | -90.0  "), "a single run has no interval: {text}");
        assert!(
            lines[6].starts_with("| all         | b       | -") && lines[6].contains("| 0.50  "),
            "{text}"
        );
        assert!(text.contains("| 0.4, 0.25, local 0.5 | 0.001, local 0.2 |"), "{text}");
        let csv = String::from_utf8(results.csv().unwrap()).unwrap();
        assert!(
            csv.lines()
                .next()
                .unwrap()
                .ends_with(",p_peak_0,p_peak_1,p_peak_local,p_final_0,p_final_1,p_final_local"),
            "{csv}"
        );
        assert!(csv.lines().nth(3).unwrap().starts_with("Acrobot-v1,a,1,2,-90,,,-90,,-90,1,"), "{csv}");
        assert_eq!(csv.lines().nth(5), Some("all,b,,,,,,,,,,,,,,,0.5,,,,,,,,"), "{csv}");
    }

    #[test]
    fn nothing_finished_is_a_table_too() {
        let registry = Registry::builtin();
        let environment = registry.find("cartpole").unwrap();
        let nothing = Group {
            environment,
            variant: "a",
            planned: 3,
            runs: Vec::new(),
            summaries: Vec::new(),
            tables: Vec::new(),
        };
        let results = Results::of(&[nothing]);
        assert!(results.markdown().contains("| 0 of 3 | -"), "{}", results.markdown());
        assert_eq!(results.csv().unwrap().iter().filter(|byte| **byte == b'\n').count(), 2);
    }
}
