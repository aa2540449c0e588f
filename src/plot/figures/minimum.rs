//! The p of each layer beside the p at which its objective is least.

use super::run::{NO_EPISODES, RunLabel, layer_name};
use crate::concrete::{Landscape, log_sigmoid};
use crate::plot::axis::Axis;
use crate::plot::figure::{Column, Figure, Mark, Panel, Stroke};
use crate::plot::palette;
use crate::plot::points::Points;
use crate::plot::table::{Group, RunTables};

/// So many moments of a run are drawn at most: a minimum takes longer to find than a point to draw.
const MOMENTS: usize = 300;
/// The p of every group at its start is of interest, and no less than this of it.
const LEAST: f64 = 0.5;

/// The figure, or none where no layer has a p.
///
/// The objective's least p is far below what a linear or a logarithmic axis of p has room for, so the axis is that of the
/// negative logarithm of p. Of a layer with several groups of masks it is the mean.
pub(crate) fn figure(tables: &RunTables, label: &RunLabel) -> Option<Figure> {
    let layers = 1 + tables.groups.iter().map(|group| group.layer.layer).max()?;
    let mut lines: Vec<[Points; 2]> = vec![<[Points; 2]>::default(); layers];
    for moment in moments(&tables.groups) {
        for (layer, [stood, least]) in lines.iter_mut().enumerate() {
            let groups: Vec<&Group> = moment.iter().filter(|group| group.layer.layer == layer).collect();
            let mean = |figure: &dyn Fn(&Group) -> f64| {
                groups.iter().map(|group| figure(group)).sum::<f64>() / groups.len() as f64
            };
            let step = moment[0].total_steps;
            if groups.is_empty() {
                continue;
            }
            stood.push((step, mean(&|group| -group.layer.p.ln())));
            least.push((step, mean(&|group| -log_sigmoid(landscape(group, label).minimum()))));
        }
    }
    let values = lines.iter().flatten().flatten().map(|point| point.1.max(LEAST));
    let axis = Axis::logarithmic(values);
    let steps = Axis::from_zero(tables.course.total_steps.iter().copied(), 0.0);
    let marks = lines.into_iter().enumerate().flat_map(|(layer, [stood, least])| {
        let stroke = palette::stroke(layer);
        let thin = Stroke { dashed: true, width: 0.6 * stroke.width, ..stroke };
        let line = |points, stroke, name| Mark::Line { points, stroke, name };
        let name = layer_name(layer);
        [line(least, thin, format!("{name}, minimum")), line(stood, stroke, name)]
    });
    let panel = Panel {
        empty: NO_EPISODES,
        ..Panel::new("ln(1/p): the higher, the smaller p", axis, marks.collect())
    };
    Some(Figure {
        title: label.title.clone(),
        subtitle: "Where the p of each layer stood, and the p at which its objective is least (dashed); 2.3 is a p of 0.1, 13.8 one of 10⁻⁶".to_owned(),
        legend: Vec::new(),
        columns: vec![Column::over_steps(steps, vec![panel])],
        size: (1600, 900),
    })
}

fn landscape(group: &Group, label: &RunLabel) -> Landscape {
    Landscape {
        sensitivity: group.layer.sensitivity,
        precision: group.precision,
        squared_norm: group.layer.squared_norm,
        length_scale: label.length_scale,
        masks: group.layer.masks as f64,
        dataset_size: group.dataset_size,
    }
}

/// The groups of some episodes, the first and the last among them.
fn moments(groups: &[Group]) -> Vec<&[Group]> {
    let all: Vec<&[Group]> = groups.chunk_by(|a, b| a.layer.episode == b.layer.episode).collect();
    let every = all.len().div_ceil(MOMENTS).max(1);
    let last = all.len().saturating_sub(1);
    all.into_iter()
        .enumerate()
        .filter(|(index, _)| index % every == 0 || *index == last)
        .map(|(_, moment)| moment)
        .collect()
}
