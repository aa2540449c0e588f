//! The statistics of experiments beside those of the Python package rliable (tests/data/rliable/generate.py).
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use concrete_dqn::statistics::{
    Interval, improvement_estimate, interquartile_mean_estimate, share_above_estimate,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    replicates: usize,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    x: Vec<Vec<f64>>,
    y: Vec<Vec<f64>>,
    interquartile_mean: f64,
    interquartile_mean_interval: [f64; 2],
    taus: Vec<f64>,
    profile: Vec<f64>,
    profile_low: Vec<f64>,
    profile_high: Vec<f64>,
    improvement: f64,
    improvement_interval: [f64; 2],
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("data/rliable/golden.json")).unwrap()
}

fn slices(tasks: &[Vec<f64>]) -> Vec<&[f64]> {
    tasks.iter().map(Vec::as_slice).collect()
}

/// Either side resamples with its own random numbers, so the bounds differ by the noise of a 2.5% quantile over 50,000
/// resamples, and where a statistic takes few values, by one of their steps at most. Both are below a thirtieth of the
/// intervals' lengths here.
fn assert_near(ours: Interval, theirs: [f64; 2], what: &str) {
    let tolerance = (theirs[1] - theirs[0]) / 30.0 + 1e-9;
    let near = |ours: f64, theirs: f64| (ours - theirs).abs() <= tolerance;
    assert!(near(ours.low, theirs[0]) && near(ours.high, theirs[1]), "{what}: {ours:?} and {theirs:?}");
}

fn assert_same(ours: f64, theirs: f64, what: &str) {
    assert!((ours - theirs).abs() <= 1e-12 * theirs.abs().max(1.0), "{what}: {ours} and {theirs}");
}

#[test]
fn the_interquartile_mean_is_that_of_rliable() {
    let golden = golden();
    for case in &golden.cases {
        let estimate = interquartile_mean_estimate(&slices(&case.x), golden.replicates);
        assert_same(estimate.value, case.interquartile_mean, &case.name);
        assert_near(estimate.interval, case.interquartile_mean_interval, &case.name);
    }
}

#[test]
fn the_probability_of_improvement_is_that_of_rliable() {
    let golden = golden();
    for case in &golden.cases {
        let estimate = improvement_estimate(&slices(&case.x), &slices(&case.y), golden.replicates);
        assert_same(estimate.value, case.improvement, &case.name);
        assert_near(estimate.interval, case.improvement_interval, &case.name);
    }
}

#[test]
fn the_performance_profile_is_that_of_rliable() {
    let golden = golden();
    for case in &golden.cases {
        for (index, tau) in case.taus.iter().enumerate() {
            let what = format!("{} above {tau}", case.name);
            let estimate = share_above_estimate(&slices(&case.x), *tau, golden.replicates);
            assert_same(estimate.value, case.profile[index], &what);
            assert_near(estimate.interval, [case.profile_low[index], case.profile_high[index]], &what);
        }
    }
}
