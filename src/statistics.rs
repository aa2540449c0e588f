//! Means, standard deviations and quantiles; and statistics over few runs, as Agarwal et al. (2021, "Deep Reinforcement
//! Learning at the Edge of the Statistical Precipice") recommend them and their package rliable computes them.
//!
//! Scores of runs are grouped by task: `tasks[m]` holds the score of every run on task `m`.

use std::borrow::Borrow;

use rand::RngExt;

use crate::randomness::{Stream, generator};

/// How many resamples make an interval whose ends are good for two digits.
pub const REPLICATES: usize = 10_000;

/// A 95% confidence interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// A number and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The number, from the scores themselves.
    pub value: f64,
    /// Its interval, from resampled scores.
    pub interval: Interval,
}

/// The mean; NaN where there is no value.
pub fn mean(values: impl IntoIterator<Item: Borrow<f64>>) -> f64 {
    let (sum, count) = sum_and_count(values);
    sum / count as f64
}

/// The standard deviation of a whole population, with n, as `numpy.std`; NaN where there is no value.
pub fn population_std(values: impl IntoIterator<Item: Borrow<f64>, IntoIter: Clone>) -> f64 {
    let (squares, count) = squared_deviations(values);
    (squares / count as f64).sqrt()
}

/// The standard deviation of what a sample was drawn from, with n - 1, as `numpy.std(ddof=1)`; `None` for fewer than
/// two values.
pub fn sample_std(values: impl IntoIterator<Item: Borrow<f64>, IntoIter: Clone>) -> Option<f64> {
    let (squares, count) = squared_deviations(values);
    (count > 1).then(|| (squares / (count - 1) as f64).sqrt())
}

/// The sum of the squared deviations from the mean, and the number of values. In two passes, which rounds less than one.
fn squared_deviations(values: impl IntoIterator<Item: Borrow<f64>, IntoIter: Clone>) -> (f64, usize) {
    let values = values.into_iter();
    let mean = mean(values.clone());
    sum_and_count(values.map(|value| (value.borrow() - mean).powi(2)))
}

fn sum_and_count(values: impl IntoIterator<Item: Borrow<f64>>) -> (f64, usize) {
    let mut count = 0;
    let sum = values.into_iter().inspect(|_| count += 1).map(|value| *value.borrow()).sum();
    (sum, count)
}

/// The interquartile mean: the mean of what is left once the lowest and the highest quarter are taken away. A quarter is
/// rounded down to whole values, as in `scipy.stats.trim_mean`. NaN where there is no value.
pub fn interquartile_mean(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let quarter = sorted.len() / 4;
    mean(&sorted[quarter..sorted.len() - quarter])
}

/// The value below which a share of the values lies, linear between neighbours, as in `numpy.quantile`; `None` where
/// there is no value.
pub fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    quantile_of_sorted(&sorted, share)
}

fn quantile_of_sorted(sorted: &[f64], share: f64) -> Option<f64> {
    let place = share * sorted.len().checked_sub(1)? as f64;
    let (below, above) = (*sorted.get(place.floor() as usize)?, *sorted.get(place.ceil() as usize)?);
    Some(below + (above - below) * place.fract())
}

/// The share of the scores that lie above `threshold`: one point of a performance profile.
pub fn share_above(scores: &[f64], threshold: f64) -> f64 {
    scores.iter().filter(|score| **score > threshold).count() as f64 / scores.len() as f64
}

/// How likely a run of `x` scores higher than one of `y` on the same task, ties counting half, averaged over the tasks:
/// the Mann-Whitney U statistic over the number of pairs.
pub fn probability_of_improvement<X: AsRef<[f64]>, Y: AsRef<[f64]>>(x: &[X], y: &[Y]) -> f64 {
    let on_task = |x: &[f64], y: &[f64]| {
        let mut sorted = y.to_vec();
        sorted.sort_by(f64::total_cmp);
        let below = |a: f64| sorted.partition_point(|&b| b < a);
        let up_to = |a: f64| sorted.partition_point(|&b| b <= a);
        // A score that is beaten counts in both, one that is met in the second only.
        let halves: usize = x.iter().map(|&a| below(a) + up_to(a)).sum();
        halves as f64 / (2 * x.len() * y.len()) as f64
    };
    let tasks = x.iter().zip(y).map(|(x, y)| on_task(x.as_ref(), y.as_ref()));
    mean(tasks)
}

/// The stratified bootstrap's percentile interval of a statistic: in every one of `replicates` resamples, each stratum
/// is drawn anew from its own scores, with replacement.
///
/// Every interval draws the same sequence of numbers, so that none depends on which others were computed before it.
pub fn bootstrap(strata: &[&[f64]], replicates: usize, statistic: impl Fn(&[Vec<f64>]) -> f64) -> Interval {
    let mut generator = generator(0, Stream::Bootstrap);
    let mut resample: Vec<Vec<f64>> = strata.iter().map(|scores| scores.to_vec()).collect();
    let mut values: Vec<f64> = (0..replicates)
        .map(|_| {
            for (drawn, scores) in resample.iter_mut().zip(strata) {
                drawn.fill_with(|| scores[generator.random_range(0..scores.len())]);
            }
            statistic(&resample)
        })
        .collect();
    values.sort_by(f64::total_cmp);
    let at = |share| quantile_of_sorted(&values, share).unwrap_or(f64::NAN);
    Interval { low: at(0.025), high: at(0.975) }
}

/// The interquartile mean over all runs on all tasks, with its interval.
pub fn interquartile_mean_estimate(tasks: &[&[f64]], replicates: usize) -> Estimate {
    Estimate {
        value: interquartile_mean(&tasks.concat()),
        interval: bootstrap(tasks, replicates, |tasks| interquartile_mean(&tasks.concat())),
    }
}

/// The share of the runs on all tasks that score above `threshold`, with its interval.
pub fn share_above_estimate(tasks: &[&[f64]], threshold: f64, replicates: usize) -> Estimate {
    Estimate {
        value: share_above(&tasks.concat(), threshold),
        interval: bootstrap(tasks, replicates, |tasks| share_above(&tasks.concat(), threshold)),
    }
}

/// The probability of improvement of `x` over `y`, with its interval.
pub fn improvement_estimate(x: &[&[f64]], y: &[&[f64]], replicates: usize) -> Estimate {
    let strata = [x, y].concat();
    Estimate {
        value: probability_of_improvement(x, y),
        interval: bootstrap(&strata, replicates, |strata| {
            let (x, y) = strata.split_at(x.len());
            probability_of_improvement(x, y)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_is_cut_off_at_either_end() {
        assert_eq!(interquartile_mean(&[100.0, 1.0, 3.0, -50.0]), 2.0);
        assert_eq!(interquartile_mean(&[9.0, 1.0, 2.0]), 4.0, "less than four scores have no whole quarter");
        assert_eq!(interquartile_mean(&[8.0, 0.0, 3.0, 1.0, 4.0, 2.0, 50.0]), 3.6);
        assert!(interquartile_mean(&[]).is_nan());
    }

    #[test]
    fn quantiles_are_linear_between_scores() {
        assert_eq!(quantile(&[4.0, 1.0, 2.0], 0.5), Some(2.0));
        assert_eq!(quantile(&[4.0, 1.0], 0.25), Some(1.75));
        assert_eq!(quantile(&[7.0], 0.975), Some(7.0));
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn standard_deviations_of_a_population_and_of_a_sample() {
        let values = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
        assert_eq!((mean(values), population_std(values)), (5.0, 2.0));
        assert_eq!(sample_std(values), Some((32.0_f64 / 7.0).sqrt()));
        assert_eq!((population_std([3.0]), sample_std([3.0])), (0.0, None));
        assert!(
            mean([0.0; 0]).is_nan() && population_std([0.0; 0]).is_nan() && sample_std([0.0; 0]).is_none()
        );
    }

    #[test]
    fn improvement_counts_pairs_and_halves_ties() {
        assert_eq!(probability_of_improvement(&[[3.0, 1.0]], &[[2.0, 1.0]]), 2.5 / 4.0);
        assert_eq!(probability_of_improvement(&[[1.0], [5.0]], &[[0.0], [9.0]]), 0.5);
        assert_eq!(
            share_above(&[1.0, 2.0, 2.0, 3.0], 2.0),
            0.25,
            "what equals the threshold is not above it"
        );
    }

    #[test]
    fn strata_are_resampled_each_from_its_own() {
        let strata: [&[f64]; 2] = [&[1.0, 2.0, 3.0], &[10.0, 20.0]];
        let all_in_place = |tasks: &[Vec<f64>]| {
            let sizes = tasks[0].len() == 3 && tasks[1].len() == 2;
            let own = tasks[0].iter().all(|x| *x <= 3.0) && tasks[1].iter().all(|x| *x >= 10.0);
            f64::from(u8::from(sizes && own))
        };
        assert_eq!(bootstrap(&strata, 200, all_in_place), Interval { low: 1.0, high: 1.0 });
        let spread = bootstrap(&strata, 500, |tasks| mean(&tasks[1]));
        assert_eq!(spread, Interval { low: 10.0, high: 20.0 });
        assert_eq!(spread, bootstrap(&strata, 500, |tasks| mean(&tasks[1])), "it repeats");
    }
}
