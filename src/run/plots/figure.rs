//! What a picture shows, as plain data: a figure is columns of panels, a panel is marks on two axes.

use plotters::style::RGBColor;

use super::axis::Axis;
use super::series::Points;

/// One picture.
#[derive(Debug)]
pub(super) struct Figure {
    pub title: String,
    pub subtitle: String,
    /// The series that all panels share. Series of a single panel are named at their right end instead.
    pub legend: Vec<Key>,
    /// The horizontal axis of every panel.
    pub horizontal: Axis,
    /// Its name, with its unit.
    pub horizontal_name: String,
    pub columns: Vec<Vec<Panel>>,
    pub size: (u32, u32),
}

/// One diagram on a figure.
#[derive(Debug)]
pub(super) struct Panel {
    /// The name of the vertical axis, with its unit.
    pub heading: String,
    /// How to read the marks.
    pub note: String,
    pub axis: Axis,
    pub marks: Vec<Mark>,
    /// What to say where there are no marks.
    pub empty: &'static str,
    /// The panel's share of its column's height.
    pub weight: f64,
}

/// Something drawn on a panel, later marks over earlier ones.
#[derive(Debug)]
pub(super) enum Mark {
    /// One faint dot a point.
    Dots { points: Points, color: RGBColor },
    /// A line through the points, named at its right end unless the name is empty.
    Line { points: Points, stroke: Stroke, name: String },
    /// A level across the whole panel.
    Level { value: f64, name: String },
    /// The area between two curves over the same steps.
    Band { lower: Points, upper: Points, color: RGBColor },
}

/// How a line looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stroke {
    pub color: RGBColor,
    pub alpha: f64,
    pub width: f64,
    pub dashed: bool,
}

impl Stroke {
    /// A line that a reader follows.
    pub fn strong(color: RGBColor) -> Self {
        Self { color, alpha: 1.0, width: 4.0, dashed: false }
    }

    /// A line in the background of another.
    pub fn thin(color: RGBColor) -> Self {
        Self { color, alpha: 0.4, width: 2.0, dashed: false }
    }
}

/// An entry of a legend.
#[derive(Debug)]
pub(super) struct Key {
    pub name: String,
    pub stroke: Stroke,
    /// Whether the series is shown with a band around it.
    pub band: bool,
}

impl Panel {
    /// Whether there is nothing to show on it. A level alone says nothing.
    pub fn is_empty(&self) -> bool {
        self.marks.iter().all(|mark| matches!(mark, Mark::Level { .. }))
    }
}
