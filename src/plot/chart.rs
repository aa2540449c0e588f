//! A picture of curves that a program of one's own has gathered.

use super::axis::{Axis, Scale};
use super::figure::{Column, Figure, Key, Mark, Panel, Stroke};
use super::group::{self, GROUP};
use super::palette;
use super::series::Points;

/// Panels of curves under each other, over one horizontal axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// The heading of the picture.
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
    /// Whether the vertical axis is logarithmic, around the values of all logarithmic panels, or linear from zero.
    pub logarithmic: bool,
    /// What is compared. Groups of one name have one colour in all panels.
    pub groups: Vec<Group>,
    /// Levels across the panel, each with its name.
    pub levels: Vec<(f64, String)>,
}

/// Runs that share a colour and a name. Three or more are drawn thinly behind their mean and range.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// The name in the legend.
    pub name: String,
    /// A curve a run: points from left to right, finite.
    pub runs: Vec<Vec<(f64, f64)>>,
}

/// The figure that shows the chart.
pub(super) fn figure(chart: &Chart) -> Figure {
    let points = |panels: &[&ChartPanel]| -> Points {
        panels
            .iter()
            .flat_map(|panel| &panel.groups)
            .flat_map(|group| group.runs.iter().flatten())
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
    let groups = names(chart);
    let stroke = |name: &str| {
        let index = groups.iter().position(|(other, _)| *other == name).unwrap_or_default();
        Stroke { dashed: palette::dashed(index), ..Stroke::strong(palette::color(index)) }
    };
    let panel = |panel: &ChartPanel| {
        let runs: Vec<_> =
            panel.groups.iter().map(|group| (group.runs.clone(), stroke(&group.name))).collect();
        let levels =
            panel.levels.iter().map(|(value, name)| Mark::Level { value: *value, name: name.clone() });
        Panel {
            heading: panel.heading.clone(),
            note: String::new(),
            axis: if panel.logarithmic {
                shared
            } else {
                let values = points(&[panel]).into_iter().map(|point| point.1);
                Axis::from_zero(values.chain(panel.levels.iter().map(|level| level.0)), 0.08)
            },
            marks: levels.chain(group::marks(&runs, &horizontal)).collect(),
            empty: "nothing to show",
            weight: 1.0,
        }
    };
    Figure {
        title: chart.title.clone(),
        subtitle: chart.subtitle.clone(),
        legend: groups
            .iter()
            .map(|(name, runs)| Key { name: (*name).to_owned(), stroke: stroke(name), band: *runs >= GROUP })
            .collect(),
        columns: vec![Column {
            across: horizontal,
            name: chart.horizontal,
            panels: chart.panels.iter().map(panel).collect(),
        }],
        size: (1600, 400 + 450 * chart.panels.len() as u32),
    }
}

/// The names of all groups, each once, with the number of its runs.
fn names(chart: &Chart) -> Vec<(&str, usize)> {
    let mut names: Vec<(&str, usize)> = Vec::new();
    for group in chart.panels.iter().flat_map(|panel| &panel.groups) {
        if names.iter().all(|(name, _)| *name != group.name) {
            names.push((&group.name, group.runs.len()));
        }
    }
    names
}
