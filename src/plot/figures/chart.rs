//! Curves that a program of one's own has gathered.

use super::seeds::{self, MEAN_FROM};
use crate::plot::axis::{Axis, Scale};
use crate::plot::figure::{Column, Figure, Key, Mark, Panel};
use crate::plot::palette;
use crate::plot::points::Points;

/// Panels of curves under each other, over one horizontal axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// The heading of the figure.
    pub title: String,
    /// What there is to see, below the title.
    pub subtitle: String,
    /// The name of the horizontal axis, with its unit.
    pub horizontal: &'static str,
    /// Whether it is logarithmic.
    pub horizontal_logarithmic: bool,
    /// The panels, from the top down.
    pub panels: Vec<ChartPanel>,
}

/// One diagram of a chart.
#[derive(Debug, Clone, PartialEq)]
pub struct ChartPanel {
    /// The name of the vertical axis, with its unit.
    pub heading: String,
    /// Whether the vertical axis is logarithmic, around the values of all logarithmic panels, or linear from
    /// zero.
    pub logarithmic: bool,
    /// What is compared. Series of one name have one colour in all panels.
    pub series: Vec<Series>,
    /// Levels across the panel, each with its name.
    pub levels: Vec<(f64, String)>,
}

/// Runs that share a colour and a name. Three or more are drawn thinly behind their mean and range.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The name in the legend.
    pub name: String,
    /// A curve a run: points from left to right, finite.
    pub runs: Vec<Vec<(f64, f64)>>,
}

/// The figure that shows the chart.
pub(crate) fn figure(chart: &Chart) -> Figure {
    let points = |panels: &[&ChartPanel]| -> Points {
        panels
            .iter()
            .flat_map(|panel| &panel.series)
            .flat_map(|series| series.runs.iter().flatten())
            .copied()
            .collect()
    };
    let all: Vec<_> = chart.panels.iter().collect();
    let steps = points(&all).into_iter().map(|point| point.0);
    let horizontal =
        Axis::spanning(if chart.horizontal_logarithmic { Scale::Logarithmic } else { Scale::Linear }, steps);
    // On one scale, so that panels compare as well as curves do.
    let logarithmic: Vec<_> = chart.panels.iter().filter(|panel| panel.logarithmic).collect();
    let shared = Axis::logarithmic(points(&logarithmic).into_iter().map(|point| point.1));
    let names = names(chart);
    let stroke =
        |name: &str| palette::stroke(names.iter().position(|(other, _)| *other == name).unwrap_or_default());
    let panel = |panel: &ChartPanel| {
        let runs: Vec<_> =
            panel.series.iter().map(|series| (series.runs.clone(), stroke(&series.name))).collect();
        let levels =
            panel.levels.iter().map(|(value, name)| Mark::Level { value: *value, name: name.clone() });
        let axis = if panel.logarithmic {
            shared
        } else {
            let values = points(&[panel]).into_iter().map(|point| point.1);
            Axis::from_zero(values.chain(panel.levels.iter().map(|level| level.0)), 0.08)
        };
        Panel::new(&panel.heading, axis, levels.chain(seeds::marks(&runs, &horizontal)).collect())
    };
    Figure {
        title: chart.title.clone(),
        subtitle: chart.subtitle.clone(),
        legend: names
            .iter()
            .map(|(name, runs)| Key {
                name: (*name).to_owned(),
                stroke: stroke(name),
                band: *runs >= MEAN_FROM,
            })
            .collect(),
        columns: vec![Column {
            across: horizontal,
            name: chart.horizontal,
            panels: chart.panels.iter().map(panel).collect(),
        }],
        size: (1600, 400 + 450 * chart.panels.len() as u32),
    }
}

/// The names of all series, each once, with the number of its runs.
fn names(chart: &Chart) -> Vec<(&str, usize)> {
    let mut names: Vec<(&str, usize)> = Vec::new();
    for series in chart.panels.iter().flat_map(|panel| &panel.series) {
        if names.iter().all(|(name, _)| *name != series.name) {
            names.push((&series.name, series.runs.len()));
        }
    }
    names
}
