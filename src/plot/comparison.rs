//! The picture of several runs.

use super::RunLabel;
use super::axis::{Axis, Scale, number};
use super::figure::{Column, Figure, Key, Mark, Panel, Stroke};
use super::group::{self, GROUP};
use super::palette;
use super::run_figures::{dataset_panel, layer_name};
use super::series::{Points, points};
use super::table::Episodes;

type Run<'a> = (Episodes, &'a RunLabel);

/// The runs that share a colour and an entry in the legend: a group, or one run.
struct Set<'a> {
    group: Option<&'a str>,
    name: &'a str,
    stroke: Stroke,
    runs: Vec<&'a Episodes>,
}

/// One picture of all runs.
pub(super) fn figure(runs: &[Run<'_>]) -> Figure {
    let sets = sets(runs);
    let steps = Axis::from_zero(runs.iter().flat_map(|(run, _)| &run.total_steps).copied(), 0.0);
    let layers = runs.iter().map(|(run, _)| run.dropout.len()).max().unwrap_or(0);
    let mut thresholds: Vec<_> = runs.iter().filter_map(|(_, label)| label.reward_threshold).collect();
    thresholds.sort_by(f64::total_cmp);
    thresholds.dedup();
    let grouped = sets.iter().any(|set| set.runs.len() >= GROUP);
    let left = vec![return_panel(&sets, &steps, runs, &thresholds), dataset(&sets, &steps)];
    let right = dropout_panels(&sets, &steps, layers);
    let columns = if right.is_empty() { vec![left] } else { vec![left, right] };
    Figure {
        title: title(runs),
        subtitle: subtitle(grouped, &thresholds),
        legend: sets
            .iter()
            .map(|set| Key { name: legend_name(set), stroke: set.stroke, band: set.runs.len() >= GROUP })
            .collect(),
        columns: columns.into_iter().map(|panels| Column::over_steps(steps, panels)).collect(),
        size: (1600, 1000.max(260 * layers as u32 + 320)),
    }
}

/// Gathers the runs of large groups, and leaves the others alone.
fn sets<'a>(runs: &'a [Run<'a>]) -> Vec<Set<'a>> {
    let mut sets: Vec<Set<'a>> = Vec::new();
    for (episodes, label) in runs {
        let members = runs.iter().filter(|(_, other)| other.group == label.group).count();
        let group = Some(label.group.as_str()).filter(|group| !group.is_empty() && members >= GROUP);
        match sets.iter_mut().find(|set| group.is_some() && set.group == group) {
            Some(set) => set.runs.push(episodes),
            None => {
                let dashed = palette::dashed(sets.len());
                let stroke = Stroke { dashed, ..Stroke::strong(palette::color(sets.len())) };
                sets.push(Set { group, name: group.unwrap_or(&label.short), stroke, runs: vec![episodes] });
            }
        }
    }
    sets
}

fn legend_name(set: &Set<'_>) -> String {
    match set.runs.len() {
        1 => set.name.to_owned(),
        runs => format!("{} ({runs} runs)", set.name),
    }
}

/// What the titles of all runs have in common, and how many runs there are.
fn title(runs: &[Run<'_>]) -> String {
    let first = runs.first().map_or("", |(_, label)| label.title.as_str());
    let shared = first.split(" · ").filter(|part| {
        !part.is_empty() && runs.iter().all(|(_, label)| label.title.split(" · ").any(|other| other == *part))
    });
    let count = format!("{} run{}", runs.len(), if runs.len() == 1 { "" } else { "s" });
    shared.map(str::to_owned).chain([count]).collect::<Vec<_>>().join(" · ")
}

fn subtitle(grouped: bool, thresholds: &[f64]) -> String {
    let lines = match grouped {
        true => "Thick line: mean of a group's runs; band: from its lowest to its highest run",
        false => "Mean return, dataset size and dropout against environment steps",
    };
    match thresholds {
        [] => lines.to_owned(),
        values => {
            let values: Vec<_> = values.iter().copied().map(number).collect();
            format!("{lines}; dashed: reward threshold {}", values.join(", "))
        }
    }
}

fn return_panel(sets: &[Set<'_>], steps: &Axis, runs: &[Run<'_>], thresholds: &[f64]) -> Panel {
    let returns = runs.iter().flat_map(|(run, _)| run.mean_return.iter().copied());
    let levels = thresholds.iter().map(|value| Mark::Level { value: *value, name: String::new() });
    Panel {
        heading: "Mean return of 100 episodes".to_owned(),
        note: String::new(),
        axis: Axis::around(returns.chain(thresholds.iter().copied())),
        marks: levels.chain(marks(sets, steps, |run| Some(&run.mean_return))).collect(),
        empty: "no episodes yet",
        weight: 1.6,
    }
}

fn dataset(sets: &[Set<'_>], steps: &Axis) -> Panel {
    let sizes = sets.iter().flat_map(|set| &set.runs).flat_map(|run| run.dataset_size.iter().copied());
    dataset_panel(marks(sets, steps, |run| Some(&run.dataset_size)), sizes)
}

/// A panel for each layer, all on one scale, so that layers compare as well as runs do.
fn dropout_panels(sets: &[Set<'_>], steps: &Axis, layers: usize) -> Vec<Panel> {
    let values = sets.iter().flat_map(|set| &set.runs).flat_map(|run| run.dropout.iter().flatten().copied());
    let axis = match Axis::fitting(values.clone()) {
        axis if axis == Axis::from_zero(values, 0.1) => Axis { high: axis.high.min(1.0), ..axis },
        axis => axis,
    };
    (0..layers)
        .map(|layer| Panel {
            heading: format!("Dropout probability {}", layer_name(layer)),
            note: if axis.scale == Scale::Logarithmic { "logarithmic".to_owned() } else { String::new() },
            axis,
            marks: marks(sets, steps, |run| run.dropout.get(layer)),
            empty: "no episodes yet",
            weight: 1.0,
        })
        .collect()
}

/// The lines of one column of every run, and the mean and range of every group.
fn marks(sets: &[Set<'_>], steps: &Axis, column: impl Fn(&Episodes) -> Option<&Vec<f64>>) -> Vec<Mark> {
    let series = |set: &Set<'_>| -> Vec<Points> {
        let series = set.runs.iter().filter_map(|run| Some(points(&run.total_steps, column(run)?)));
        series.filter(|points| !points.is_empty()).collect()
    };
    let groups: Vec<_> = sets.iter().map(|set| (series(set), set.stroke)).collect();
    group::marks(&groups, steps)
}
