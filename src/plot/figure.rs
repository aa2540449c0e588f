//! What is drawn, as plain data: a figure is columns of panels, a panel is marks on two axes.

use plotters::style::RGBColor;

use super::axis::Axis;
use super::points::Points;

/// What one file shows.
#[derive(Debug)]
pub(crate) struct Figure {
    pub title: String,
    pub subtitle: String,
    /// The series that all panels share. Series of a single panel are named at their right end instead.
    pub legend: Vec<Key>,
    pub columns: Vec<Column>,
    pub size: (u32, u32),
}

/// Panels under each other on one horizontal axis.
#[derive(Debug)]
pub(crate) struct Column {
    /// The horizontal axis of every panel.
    pub across: Axis,
    /// Its name, with its unit.
    pub name: &'static str,
    pub panels: Vec<Panel>,
}

impl Column {
    /// Panels over environment steps.
    pub fn over_steps(across: Axis, panels: Vec<Panel>) -> Self {
        Self { across, name: "environment steps", panels }
    }
}

/// One diagram on a figure.
#[derive(Debug)]
pub(crate) struct Panel {
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
pub(crate) enum Mark {
    /// One faint dot a point.
    Dots { points: Points, color: RGBColor, diameter: f64 },
    /// A line through the points, named at its right end unless the name is empty.
    Line { points: Points, stroke: Stroke, name: String },
    /// A name at the right of the panel, at this height.
    Name { at: f64, name: String, stroke: Stroke },
    /// A level across the whole panel.
    Level { value: f64, name: String },
    /// The area between two curves over the same places.
    Band { lower: Points, upper: Points, color: RGBColor },
}

/// How a line looks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stroke {
    pub color: RGBColor,
    pub alpha: f64,
    pub width: f64,
    pub dashed: bool,
}

/// How wide a dot is where there are many.
pub(crate) const SMALL_DOT: f64 = 7.0;

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
pub(crate) struct Key {
    pub name: String,
    pub stroke: Stroke,
    /// Whether the series is shown with a band around it.
    pub band: bool,
}

impl Panel {
    /// A panel without a note, as high as others.
    pub fn new(heading: impl Into<String>, axis: Axis, marks: Vec<Mark>) -> Self {
        let (heading, note) = (heading.into(), String::new());
        Self { heading, note, axis, marks, empty: "nothing to show", weight: 1.0 }
    }

    /// Whether there is nothing to show on it. A level alone says nothing.
    pub fn is_empty(&self) -> bool {
        self.marks.iter().all(|mark| match mark {
            Mark::Dots { points, .. } | Mark::Line { points, .. } => points.is_empty(),
            Mark::Level { .. } => true,
            Mark::Name { .. } | Mark::Band { .. } => false,
        })
    }
}

impl Mark {
    /// A line without a name.
    pub fn line(points: Points, stroke: Stroke) -> Self {
        Self::Line { points, stroke, name: String::new() }
    }
}
