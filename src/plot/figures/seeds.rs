//! Runs of one setting and several seeds: thin lines, and over them their mean and range.

use plotters::style::RGBColor;

use crate::plot::axis::Axis;
use crate::plot::figure::{Mark, Stroke};
use crate::plot::points::{Points, thin, value_at};
use crate::statistics;

/// From how many runs on a mean and a range are worth drawing.
pub(super) const MEAN_FROM: usize = 3;
/// At how many places mean and range are computed.
const PLACES: usize = 200;

/// The lines of the runs of every setting, and mean and range where there are three or more; the means lie
/// over all else.
pub(super) fn marks(settings: &[(Vec<Points>, Stroke)], horizontal: &Axis) -> Vec<Mark> {
    // A budget for the whole panel keeps the figure of many runs small.
    let most = (3_000 / settings.iter().map(|(runs, _)| runs.len()).sum::<usize>().max(1)).clamp(100, 800);
    let mut marks = Vec::new();
    let mut means = Vec::new();
    for (runs, strong) in settings {
        let mut stroke = *strong;
        if runs.len() >= MEAN_FROM {
            stroke = Stroke { dashed: strong.dashed, ..Stroke::thin(strong.color) };
            let (mean, band) = summary(runs, strong.color, horizontal);
            marks.push(band);
            means.push(Mark::line(mean, *strong));
        }
        marks.extend(runs.iter().map(|run| Mark::line(thin(run, most), stroke)));
    }
    marks.extend(means);
    marks
}

/// The mean of several runs and the band between their lowest and highest, wherever three of them have
/// values.
fn summary(runs: &[Points], color: RGBColor, horizontal: &Axis) -> (Points, Mark) {
    let end = runs.iter().filter_map(|run| run.last()).map(|point| point.0).fold(0.0, f64::max);
    let (mut mean, mut lower, mut upper) = (Points::new(), Points::new(), Points::new());
    // Runs end with the episode in which they reach their last step, so each at another one. A run keeps its
    // last value for a moment, so that the mean doesn't jump where the first of them ends.
    let held = |run: &Points, step: f64| match run.last() {
        Some((last, _)) if step > *last && step < last + 0.03 * end => *last,
        _ => step,
    };
    for step in places(runs, horizontal) {
        let values: Vec<_> = runs.iter().filter_map(|run| value_at(run, held(run, step))).collect();
        if values.len() >= MEAN_FROM {
            mean.push((step, statistics::mean(&values)));
            lower.push((step, values.iter().copied().fold(f64::INFINITY, f64::min)));
            upper.push((step, values.iter().copied().fold(f64::NEG_INFINITY, f64::max)));
        }
    }
    (mean, Mark::Band { lower, upper, color })
}

/// Where to look at several runs: where all of them were measured, or all over the axis where each has its
/// own places.
fn places(runs: &[Points], horizontal: &Axis) -> Vec<f64> {
    let own = |run: &Points| -> Vec<f64> { run.iter().map(|point| point.0).collect() };
    match runs.split_first().map(|(first, others)| (own(first), others)) {
        Some((shared, others)) if others.iter().all(|run| own(run) == shared) => shared,
        _ => (0..=PLACES).map(|index| horizontal.value(index as f64 / PLACES as f64)).collect(),
    }
}
