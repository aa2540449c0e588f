//! Functions with bands around them.

use crate::plot::axis::{Axis, Scale};
use crate::plot::figure::{Column, Figure, Key, Mark, Panel, SMALL_DOT, Stroke};
use crate::plot::palette::{self, BAND};

/// Functions of one variable beside each other, two a row, all on the same axes.
#[derive(Debug, Clone, PartialEq)]
pub struct Functions {
    /// The heading of the figure.
    pub title: String,
    /// What there is to see, below the title.
    pub subtitle: String,
    /// The name of the horizontal axis, with its unit.
    pub horizontal: &'static str,
    /// The name of the vertical axis, with its unit.
    pub vertical: String,
    /// What the lines are.
    pub mean: String,
    /// What the inner bands are.
    pub inner: String,
    /// What the outer bands are.
    pub outer: String,
    /// The functions, the first row first.
    pub panels: Vec<FunctionPanel>,
}

/// One function, its points from left to right.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionPanel {
    /// What it is of.
    pub heading: String,
    /// Data, drawn as dots. Those outside the function's range are left out.
    pub data: Vec<(f64, f64)>,
    /// The function.
    pub mean: Vec<(f64, f64)>,
    /// Place, lower and upper end of the inner band.
    pub inner: Vec<(f64, f64, f64)>,
    /// Place, lower and upper end of the outer band.
    pub outer: Vec<(f64, f64, f64)>,
}

const COLUMNS: usize = 2;

/// The figure that shows them.
pub(crate) fn figure(functions: &Functions) -> Figure {
    let panels = || functions.panels.iter();
    let across = Axis::spanning(Scale::Linear, panels().flat_map(|panel| &panel.mean).map(|point| point.0));
    let within = |x: f64| (across.low..=across.high).contains(&x);
    let heights = panels().flat_map(|panel| {
        let ends = panel.outer.iter().flat_map(|(_, lower, upper)| [*lower, *upper]);
        ends.chain(panel.data.iter().filter(|point| within(point.0)).map(|point| point.1))
    });
    let axis = Axis::around(heights);
    let line = palette::color(0);
    let panel = |panel: &FunctionPanel| {
        let band = |band: &[(f64, f64, f64)]| Mark::Band {
            lower: band.iter().map(|(x, lower, _)| (*x, *lower)).collect(),
            upper: band.iter().map(|(x, _, upper)| (*x, *upper)).collect(),
            color: line,
        };
        let data = panel.data.iter().filter(|point| within(point.0)).copied().collect();
        let marks = vec![
            band(&panel.outer),
            band(&panel.inner),
            Mark::Dots { points: data, color: palette::INK, diameter: SMALL_DOT },
            Mark::line(panel.mean.clone(), Stroke::strong(line)),
        ];
        Panel::new(format!("{} · {}", functions.vertical, panel.heading), axis, marks)
    };
    let column = |column: usize| Column {
        across,
        name: functions.horizontal,
        panels: panels().skip(column).step_by(COLUMNS).map(panel).collect(),
    };
    // Wide and pale as a band; the inner one lies over the outer.
    let wide = |bands: f64| Stroke { color: line, alpha: bands * BAND, width: 14.0, dashed: false };
    let key = |name: &String, stroke| Key { name: name.clone(), stroke, band: false };
    Figure {
        title: functions.title.clone(),
        subtitle: functions.subtitle.clone(),
        legend: vec![
            key(&functions.mean, Stroke::strong(line)),
            key(&functions.inner, wide(2.0)),
            key(&functions.outer, wide(1.0)),
        ],
        columns: (0..COLUMNS.min(functions.panels.len())).map(column).collect(),
        size: (1600, 200 + 500 * functions.panels.len().div_ceil(COLUMNS) as u32),
    }
}
