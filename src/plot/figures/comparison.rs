//! The figure of several runs.

use super::run::{LOCAL_NAME, NO_EPISODES, RunLabel, dataset_panel, layer_name};
use super::seeds::{self, MEAN_FROM};
use crate::plot::axis::{Axis, NO_DROPOUT, Scale, number};
use crate::plot::drawing::legend_height;
use crate::plot::figure::{Column, Figure, Key, Mark, Panel, Stroke};
use crate::plot::palette;
use crate::plot::points::{Points, points};
use crate::plot::table::RunTables;

const WIDTH: u32 = 1600;
/// The height of a legend, up to three rows of names, for which the panels leave room.
const USUAL_LEGEND: u32 = 134;

type Run<'a> = (RunTables, &'a RunLabel);

/// The runs that share a colour and an entry in the legend: three or more of one setting, or one run.
struct Entry<'a> {
    setting: Option<&'a str>,
    name: &'a str,
    stroke: Stroke,
    runs: Vec<&'a RunTables>,
}

/// One figure of all runs.
pub(crate) fn figure(runs: &[Run<'_>]) -> Figure {
    let entries = entries(runs);
    let steps = Axis::from_zero(runs.iter().flat_map(|(run, _)| &run.course.total_steps).copied(), 0.0);
    let layers = runs.iter().map(|(run, _)| run.course.dropout.len()).max().unwrap_or(0);
    let mut thresholds: Vec<_> = runs.iter().filter_map(|(_, label)| label.reward_threshold).collect();
    thresholds.sort_by(f64::total_cmp);
    thresholds.dedup();
    let grouped = entries.iter().any(|entry| entry.runs.len() >= MEAN_FROM);
    let left = vec![return_panel(&entries, &steps, runs, &thresholds), dataset(&entries, &steps)];
    let mut right = dropout_panels(&entries, &steps, layers);
    right.extend(local_panel(&entries, &steps));
    let parts = right.len() as u32;
    let columns = if right.is_empty() { vec![left] } else { vec![left, right] };
    let key = |entry: &Entry<'_>| Key {
        name: legend_name(entry),
        stroke: entry.stroke,
        band: entry.runs.len() >= MEAN_FROM,
    };
    let legend: Vec<_> = entries.iter().map(key).collect();
    // Panels keep their height however long the legend is.
    let height = 1000.max(260 * parts + 320) + legend_height(&legend, WIDTH).saturating_sub(USUAL_LEGEND);
    Figure {
        title: title(runs),
        subtitle: subtitle(grouped, &thresholds),
        legend,
        columns: columns.into_iter().map(|panels| Column::over_steps(steps, panels)).collect(),
        size: (WIDTH, height),
    }
}

/// Gathers the runs of one setting where they are many enough, and leaves the others alone.
fn entries<'a>(runs: &'a [Run<'a>]) -> Vec<Entry<'a>> {
    let mut entries: Vec<Entry<'a>> = Vec::new();
    for (tables, label) in runs {
        let members = runs.iter().filter(|(_, other)| other.setting == label.setting).count();
        let setting = Some(label.setting.as_str()).filter(|name| !name.is_empty() && members >= MEAN_FROM);
        match entries.iter_mut().find(|entry| setting.is_some() && entry.setting == setting) {
            Some(entry) => entry.runs.push(tables),
            None => entries.push(Entry {
                setting,
                name: setting.unwrap_or(&label.short),
                stroke: palette::stroke(entries.len()),
                runs: vec![tables],
            }),
        }
    }
    entries
}

fn legend_name(entry: &Entry<'_>) -> String {
    match entry.runs.len() {
        1 => entry.name.to_owned(),
        runs => format!("{} ({runs} runs)", entry.name),
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
        true => "Thick line: mean of a setting's runs; band: from the lowest to the highest run",
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

fn return_panel(entries: &[Entry<'_>], steps: &Axis, runs: &[Run<'_>], thresholds: &[f64]) -> Panel {
    let returns = runs.iter().flat_map(|(run, _)| run.episodes.mean_return.iter().copied());
    let levels = thresholds.iter().map(|value| Mark::Level { value: *value, name: String::new() });
    let axis = Axis::around(returns.chain(thresholds.iter().copied()));
    let marks = levels
        .chain(marks(entries, steps, |run| {
            Some(points(&run.episodes.total_steps, &run.episodes.mean_return))
        }))
        .collect();
    Panel { empty: NO_EPISODES, weight: 1.6, ..Panel::new("Mean return of 100 episodes", axis, marks) }
}

fn dataset(entries: &[Entry<'_>], steps: &Axis) -> Panel {
    let sizes =
        entries.iter().flat_map(|entry| &entry.runs).flat_map(|run| run.course.dataset_size.iter().copied());
    dataset_panel(
        marks(entries, steps, |run| Some(points(&run.course.total_steps, &run.course.dataset_size))),
        sizes,
    )
}

/// A panel for each layer, all on one scale, so that layers compare as well as runs do.
fn dropout_panels(entries: &[Entry<'_>], steps: &Axis, layers: usize) -> Vec<Panel> {
    let all = || {
        let runs = entries.iter().flat_map(|entry| &entry.runs);
        runs.flat_map(|run| run.course.dropout.iter().flatten().copied())
    };
    let values = all().filter(|p| *p > NO_DROPOUT);
    let axis = match Axis::fitting(values.clone()) {
        axis if axis == Axis::from_zero(values, 0.1) => Axis { high: axis.high.min(1.0), ..axis },
        axis => axis,
    };
    let note = match axis.scale == Scale::Logarithmic {
        true if all().any(|p| p < axis.low) => "lower values on the edge",
        true => "logarithmic",
        false => "",
    };
    let panel = |layer| {
        let marks = marks(entries, steps, |run| {
            let p: &Vec<f64> = run.course.dropout.get(layer)?;
            Some(points(&run.course.total_steps, p))
        });
        let heading = format!("Dropout probability {}", layer_name(layer));
        Panel { note: note.to_owned(), empty: NO_EPISODES, ..Panel::new(heading, axis, marks) }
    };
    (0..layers).map(panel).collect()
}

/// Local dropout on a scale of its own, where a run has it: it stays far higher than that of layers.
fn local_panel(entries: &[Entry<'_>], steps: &Axis) -> Option<Panel> {
    let values = || {
        let runs = entries.iter().flat_map(|entry| &entry.runs);
        runs.filter_map(|run| run.course.local_dropout.as_ref()).flatten().copied()
    };
    values().next()?;
    let axis = Axis::of_probabilities(values());
    let marks = marks(entries, steps, |run| {
        Some(points(&run.course.total_steps, run.course.local_dropout.as_ref()?))
    });
    Some(Panel::new(format!("Dropout probability {LOCAL_NAME}"), axis, marks))
}

/// The lines of one column of every run, and the mean and range of every setting.
fn marks(entries: &[Entry<'_>], steps: &Axis, column: impl Fn(&RunTables) -> Option<Points>) -> Vec<Mark> {
    let series = |entry: &Entry<'_>| -> Vec<Points> {
        let series = entry.runs.iter().filter_map(|run| column(run));
        series.filter(|points| !points.is_empty()).collect()
    };
    let settings: Vec<_> = entries.iter().map(|entry| (series(entry), entry.stroke)).collect();
    seeds::marks(&settings, steps)
}
