//! The objective of one layer against its p.

use crate::concrete::{Landscape, Terms, logit, sigmoid};
use crate::plot::axis::{Axis, Scale, brief};
use crate::plot::figure::{Column, Figure, Mark, Panel, Stroke};
use crate::plot::palette;

/// Points of a curve.
const POINTS: usize = 400;
/// From here down p is drawn on a logarithmic axis.
const SMALL: f64 = 0.02;
/// How far the axis reaches below the smallest p of interest, and above the largest.
const REACH: (f64, f64) = (30.0, 10.0);
/// How far below p, as a factor, a minimum is still in the figure.
const LOWEST: f64 = 1e-4;
const DOT: f64 = 18.0;

/// What a landscape is drawn of.
#[derive(Debug, Clone, PartialEq)]
pub struct LandscapeFigure {
    /// The heading of the figure.
    pub title: String,
    /// The coefficients, below the title.
    pub subtitle: String,
    /// The landscape.
    pub landscape: Landscape,
    /// Where p stood, if it stood anywhere.
    pub p: Option<f64>,
}

/// The figure: the whole curve with its minimum and where p stood, and below it the three parts.
pub(crate) fn figure(of: &LandscapeFigure) -> Figure {
    let landscape = &of.landscape;
    let minimum = sigmoid(landscape.minimum());
    let most = of.p.map_or(minimum, |p| p.max(minimum)).max(f64::MIN_POSITIVE);
    // A minimum that is very far from p is left out of the figure, where it would leave no room for p.
    let least = of.p.map_or(minimum, |p| p.min(minimum)).max(LOWEST * most);
    // Far from both a curve says little, and near p = 1 it goes to infinity, which is in the way but where p stood there.
    let high = |reach: f64, end: f64| (reach * most).min(end.max(most.midpoint(1.0)));
    let across = if least < SMALL {
        Axis { scale: Scale::Logarithmic, low: least / REACH.0, high: high(REACH.1, 0.9) }
    } else {
        Axis { scale: Scale::Linear, low: 0.0, high: high(2.5, 0.7) }
    };
    let places: Vec<f64> =
        (0..=POINTS).map(|index| across.value(index as f64 / POINTS as f64).max(f64::MIN_POSITIVE)).collect();
    // The weight term's share that p has no part in would flatten all else.
    let at_zero = landscape.terms(logit(f64::MIN_POSITIVE));
    let terms = |p: f64| {
        let terms = landscape.terms(logit(p));
        Terms { weight: terms.weight - at_zero.weight, ..terms }
    };
    let line = |value: fn(&Terms) -> f64, stroke: Stroke, name: &str| Mark::Line {
        points: places.iter().map(|p| (*p, value(&terms(*p)))).collect(),
        stroke,
        name: name.to_owned(),
    };
    let colored = |color: usize| Stroke::strong(palette::color(color));
    let mut whole = vec![line(Terms::total, Stroke::strong(palette::INK), "")];
    let stood = of.p.map(|p| (p, 1, format!("p stood at {}", brief(p))));
    let lowest = if minimum < across.low {
        (across.low, 2, "minimum further left".to_owned())
    } else {
        (minimum, 2, format!("minimum at {}", brief(minimum)))
    };
    for (p, color, name) in std::iter::once(lowest).chain(stood) {
        let (at, stroke) = (terms(p).total(), colored(color));
        whole.push(Mark::Dots { points: vec![(p, at)], color: stroke.color, diameter: DOT });
        whole.push(Mark::Name { at, name, stroke });
    }
    let parts = vec![
        line(|terms| terms.likelihood, colored(0), "likelihood"),
        line(|terms| terms.weight, colored(3), "weights"),
        line(|terms| terms.entropy, colored(4), "entropy"),
    ];
    let panel = |heading: &str, marks: Vec<Mark>| {
        Panel::new(heading, Axis::around(marks.iter().flat_map(values)), marks)
    };
    Figure {
        title: of.title.clone(),
        subtitle: of.subtitle.clone(),
        legend: Vec::new(),
        columns: vec![Column {
            across,
            name: "dropout probability p",
            panels: vec![
                panel("L(p) − L(0): twice the negative evidence bound per datum (nats)", whole),
                panel("Its parts (nats)", parts),
            ],
        }],
        size: (1600, 1200),
    }
}

/// The heights of a mark.
fn values(mark: &Mark) -> Vec<f64> {
    match mark {
        Mark::Line { points, .. } | Mark::Dots { points, .. } => points.iter().map(|point| point.1).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_reaches_to_where_p_stood() {
        for p in [0.1, 0.69, 0.8, 0.95] {
            let landscape = Landscape {
                sensitivity: 1.0,
                precision: 1.0,
                squared_norm: 1.0,
                length_scale: 0.01,
                masks: 500.0,
                dataset_size: 200.0,
            };
            let drawn =
                LandscapeFigure { title: String::new(), subtitle: String::new(), landscape, p: Some(p) };
            let high = figure(&drawn).columns[0].across.high;
            assert!(high > p && high < 1.0, "{p}: up to {high}");
        }
    }
}
