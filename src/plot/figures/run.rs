//! The figures of one run.

use plotters::style::RGBColor;

use super::heatmaps::Bounds;
use crate::plot::axis::{Axis, NO_DROPOUT, brief, number};
use crate::plot::figure::{Column, Figure, Mark, Panel, SMALL_DOT, Stroke};
use crate::plot::palette;
use crate::plot::points::{Detail, Points, points, scatter, smooth, thin};
use crate::plot::table::{Course, RunTables};

/// What a run is called in its figures.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunLabel {
    /// The run's whole name, the heading of its own figures, for example `CartPole-v1 · ucb · seed 0`.
    pub title: String,
    /// A short name for the legend of a comparison.
    pub short: String,
    /// What runs with other seeds share, for example `CartPole-v1 · ucb`. Three or more runs of one setting
    /// are summarised by their mean and range. Empty: there are no others.
    pub setting: String,
    /// The mean return from which the environment counts as solved, if it has one.
    pub reward_threshold: Option<f64>,
    /// The axes of its maps, where the environment is known.
    pub axes: Option<[Bounds; 2]>,
    /// Whether its maps are of a plane through its state space, and not of all of it.
    pub is_slice: bool,
    /// Length scale l of the prior over the weights.
    pub length_scale: f64,
    /// Whether the last of its dropout probabilities is the mean of local dropout.
    pub has_local_dropout: bool,
}

/// How wide the dot of an evaluation is.
const EVALUATION_DOT: f64 = 13.0;
const WIDTH: u32 = 1600;
pub(super) const NO_EPISODES: &str = "no episodes yet";
const NO_UPDATES: &str = "nothing learned yet";

/// All figures of a run and their names.
pub(crate) fn all(tables: &RunTables, label: &RunLabel) -> [(&'static str, Figure); 4] {
    let (steps, course) = (steps(tables), &tables.course);
    let figure = |subtitle: &str, columns: Vec<Vec<Panel>>, height: u32| Figure {
        title: label.title.clone(),
        subtitle: subtitle.to_owned(),
        legend: Vec::new(),
        columns: columns.into_iter().map(|panels| Column::over_steps(steps, panels)).collect(),
        size: (WIDTH, height),
    };
    let overview = {
        let [linear, logarithmic] = dropout_panels(course, Detail::NARROW);
        vec![
            vec![
                return_panel(tables, label, Detail::NARROW),
                uncertainty_panel(tables, Detail::NARROW),
                precision_panel(course),
            ],
            vec![linear, logarithmic, dataset(course)],
        ]
    };
    let [linear, logarithmic] = dropout_panels(course, Detail::WIDE);
    let returns = vec![vec![return_panel(tables, label, Detail::WIDE)]];
    let dropout = vec![vec![linear, logarithmic, dataset(course)]];
    let uncertainty = vec![vec![uncertainty_panel(tables, Detail::WIDE), precision_panel(course)]];
    [
        ("return", figure("What an episode brings, as the agent learns", returns, 850)),
        (
            "dropout",
            figure("How likely an input of each layer is dropped, as the dataset grows", dropout, 1400),
        ),
        ("uncertainty", figure("How unsure the agent is, and how wrong", uncertainty, 1100)),
        ("overview", figure("Return, uncertainty and dropout against environment steps", overview, 1400)),
    ]
}

/// The axis of steps that all panels of a run share.
fn steps(tables: &RunTables) -> Axis {
    let RunTables { updates, evaluations, course, .. } = tables;
    let steps = course.total_steps.iter().chain(&updates.total_steps).chain(&evaluations.total_steps);
    Axis::from_zero(steps.copied(), 0.0)
}

fn return_panel(tables: &RunTables, label: &RunLabel, detail: Detail) -> Panel {
    let RunTables { episodes, evaluations, .. } = tables;
    let returns = points(&episodes.total_steps, &episodes.episode_return);
    let means = points(&episodes.total_steps, &episodes.mean_return);
    let played = points(&evaluations.total_steps, &evaluations.mean_return);
    let values = returns.iter().chain(&means).chain(&played).map(|point| point.1);
    let axis = Axis::around(values.chain(label.reward_threshold));
    let level = |value| Mark::Level { value, name: format!("threshold {}", number(value)) };
    let marks = label.reward_threshold.map(level).into_iter().chain([
        dots(&returns, palette::color(0), detail),
        named_line(&means, palette::color(0), "mean of 100", detail),
        named_line(&played, palette::color(1), "evaluation", detail),
        Mark::Dots {
            points: scatter(&played, detail.dots),
            color: palette::color(1),
            diameter: EVALUATION_DOT,
        },
    ]);
    Panel {
        note: "small dots: training episodes".to_owned(),
        empty: NO_EPISODES,
        weight: 1.2,
        ..Panel::new("Episode return", axis, marks.collect())
    }
}

/// The dropout probabilities on a linear and on a logarithmic axis.
fn dropout_panels(course: &Course, detail: Detail) -> [Panel; 2] {
    let layers = course.dropout.iter().enumerate().map(|(index, p)| (layer_name(index), p));
    let local = course.local_dropout.iter().map(|p| (LOCAL_NAME.to_owned(), p));
    let (names, parts): (Vec<_>, Vec<_>) =
        layers.chain(local).map(|(name, p)| (name, points(&course.total_steps, p))).unzip();
    let values = || parts.iter().flatten().map(|point| point.1).filter(|p| *p > NO_DROPOUT);
    let axes = [
        ("Dropout probability p", Axis::of_probabilities(values())),
        ("Dropout probability p, logarithmic", Axis::logarithmic(values())),
    ];
    let line = |(index, points): (usize, &Points)| Mark::Line {
        points: thin(points, detail.line),
        stroke: palette::stroke(index),
        name: match (detail.line == Detail::WIDE.line, points.last()) {
            (true, Some((_, last))) => format!("{}: {}", names[index], brief(*last)),
            _ => names[index].clone(),
        },
    };
    let lowest = parts.iter().flatten().map(|point| point.1).fold(f64::INFINITY, f64::min);
    axes.map(|(heading, axis)| Panel {
        note: if lowest < axis.low { "lower values on the edge" } else { "" }.to_owned(),
        empty: if course.total_steps.is_empty() { NO_EPISODES } else { "no dropout layers" },
        weight: 1.2,
        ..Panel::new(heading, axis, parts.iter().enumerate().map(line).collect())
    })
}

/// The mean of local dropout over all places and actions.
pub(crate) const LOCAL_NAME: &str = "p local, mean";

/// What the dropout in front of a linear layer drops.
pub(crate) fn layer_name(index: usize) -> String {
    let subscript: String =
        index.to_string().chars().filter_map(|c| char::from_u32(0x2080 + c.to_digit(10)?)).collect();
    match index {
        0 => format!("p{subscript} inputs"),
        _ => format!("p{subscript} hidden {index}"),
    }
}

/// How many transitions the objective counts.
pub(super) fn dataset_panel(marks: Vec<Mark>, sizes: impl Iterator<Item = f64>) -> Panel {
    let axis = Axis::from_zero(sizes, 0.08);
    Panel { empty: NO_EPISODES, weight: 0.8, ..Panel::new("Dataset size N (transitions)", axis, marks) }
}

fn dataset(course: &Course) -> Panel {
    let sizes = points(&course.total_steps, &course.dataset_size);
    let line = named_line(&sizes, palette::INK, "N", Detail::NARROW);
    dataset_panel(vec![line], sizes.into_iter().map(|point| point.1))
}

fn uncertainty_panel(tables: &RunTables, detail: Detail) -> Panel {
    let RunTables { episodes, updates, .. } = tables;
    let acting = points(&episodes.total_steps, &episodes.epistemic_std);
    let learning = points(&updates.total_steps, &updates.epistemic_std);
    let error = points(&updates.total_steps, &updates.td_error);
    let kinds = [
        (error, palette::color(1), "TD error"),
        (learning, palette::color(2), "std, replayed"),
        (acting, palette::color(0), "std, acting"),
    ];
    let all_dots = kinds.iter().map(|(points, color, _)| dots(points, *color, detail));
    let lines = kinds.iter().map(|(points, color, name)| named_line(&smooth(points), *color, name, detail));
    let axis = Axis::fitting(kinds.iter().flat_map(|(points, ..)| points).map(|point| point.1));
    Panel {
        note: "lines: moving means".to_owned(),
        empty: NO_UPDATES,
        weight: 1.2,
        ..Panel::new("Epistemic std and TD error (return units)", axis, all_dots.chain(lines).collect())
    }
}

fn precision_panel(course: &Course) -> Panel {
    let precision = points(&course.total_steps, &course.precision);
    let axis = Axis::fitting(precision.iter().map(|point| point.1));
    let line = named_line(&precision, palette::color(4), "τ", Detail::NARROW);
    let heading = "Precision τ (1 / noise variance)";
    Panel { empty: NO_EPISODES, weight: 0.8, ..Panel::new(heading, axis, vec![line]) }
}

fn dots(points: &[(f64, f64)], color: RGBColor, detail: Detail) -> Mark {
    Mark::Dots { points: scatter(points, detail.dots), color, diameter: SMALL_DOT }
}

fn named_line(points: &[(f64, f64)], color: RGBColor, name: &str, detail: Detail) -> Mark {
    Mark::Line { points: thin(points, detail.line), stroke: Stroke::strong(color), name: name.to_owned() }
}
