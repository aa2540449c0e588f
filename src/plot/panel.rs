//! Draws one panel: its grid, its marks, and the names of its lines at their right ends.

use plotters::prelude::DrawingBackend;
use plotters::style::RGBColor;

use super::axis::{Axis, Scale};
use super::figure::{Mark, Panel, Stroke};
use super::palette::{FRAME, GRID, INK, SMALL, SOFT_INK};
use super::pen::{Align, Drawn, Font, Pen, Place};

/// How opaque a band is.
pub(super) const BAND: f64 = 0.18;
/// From the data's right end to the name of a line.
const NAME_INDENT: f64 = 64.0;
/// From one name to the next below.
const NAME_HEIGHT: f64 = 34.0;
const NAME: Font = Font { size: SMALL, bold: false, color: INK };
const VALUE: Font = Font { size: SMALL, bold: false, color: SOFT_INK };

/// A rectangle on a picture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
}

impl Frame {
    fn place(&self, panel: &Panel, across: &Axis, (x, y): (f64, f64)) -> Place {
        let across = across.position(x) * (self.right - self.left);
        let up = panel.axis.position(y) * (self.bottom - self.top);
        (self.left + across, self.bottom - up)
    }
}

/// The room that the values beside the vertical axis need, whatever the panel's height.
pub(super) fn values_width(panel: &Panel) -> f64 {
    if panel.is_empty() {
        return 0.0;
    }
    panel.axis.ticks(10).iter().map(|(_, text)| 1.08 * VALUE.width(text)).fold(0.0, f64::max)
}

/// The room that the names of the lines need at the right.
pub(super) fn names_width(panel: &Panel) -> f64 {
    if panel.is_empty() {
        return 0.0;
    }
    let widest = names(panel).map(|(_, name, _)| 1.1 * NAME.width(name)).fold(0.0, f64::max);
    if widest > 0.0 { NAME_INDENT + widest } else { 0.0 }
}

/// The marks that have a name: the height they end at, the name, and how they look.
fn names(panel: &Panel) -> impl Iterator<Item = (f64, &str, Stroke)> {
    panel.marks.iter().filter_map(|mark| match mark {
        Mark::Line { points, stroke, name } if !name.is_empty() => {
            Some((points.last()?.1, name.as_str(), *stroke))
        }
        Mark::Name { at, name, stroke } if !name.is_empty() => Some((*at, name.as_str(), *stroke)),
        Mark::Level { value, name } if !name.is_empty() => Some((*value, name.as_str(), LEVEL)),
        _ => None,
    })
}

const LEVEL: Stroke = Stroke { color: FRAME, alpha: 1.0, width: 3.0, dashed: true };

/// Draws the panel into its frame.
pub(super) fn draw<B: DrawingBackend>(
    pen: &Pen<'_, B>,
    panel: &Panel,
    across: &Axis,
    ticks: &[(f64, String)],
    frame: &Frame,
) -> Drawn {
    if panel.is_empty() {
        axes(pen, frame)?;
        let middle = ((frame.left + frame.right) / 2.0, (frame.top + frame.bottom) / 2.0);
        return pen.text(panel.empty, middle, Align::Center, &VALUE);
    }
    grid(pen, panel, across, ticks, frame)?;
    for mark in &panel.marks {
        let places = |points: &[(f64, f64)]| -> Vec<Place> {
            points.iter().map(|point| frame.place(panel, across, *point)).collect()
        };
        match mark {
            Mark::Dots { points, color, diameter } => {
                places(points)
                    .into_iter()
                    .try_for_each(|place| pen.dot(place, *diameter, *color, dot_alpha(points.len())))?;
            }
            Mark::Line { points, stroke, .. } => pen.line(&places(points), stroke)?,
            Mark::Level { value, .. } => {
                pen.line(&places(&[(across.low, *value), (across.high, *value)]), &LEVEL)?;
            }
            // Written with the others, once all of them are known.
            Mark::Name { .. } => {}
            Mark::Band { lower, upper, color } => band(pen, &places(lower), &places(upper), *color)?,
        }
    }
    end_names(pen, panel, frame)
}

/// Few dots must be seen, many must not hide each other.
fn dot_alpha(dots: usize) -> f64 {
    (120.0 / dots as f64).clamp(0.28, 0.7)
}

fn band<B: DrawingBackend>(pen: &Pen<'_, B>, lower: &[Place], upper: &[Place], color: RGBColor) -> Drawn {
    let corners: Vec<_> = lower.iter().chain(upper.iter().rev()).copied().collect();
    if corners.len() < 4 { Ok(()) } else { pen.area(&corners, color, BAND) }
}

fn grid<B: DrawingBackend>(
    pen: &Pen<'_, B>,
    panel: &Panel,
    across: &Axis,
    ticks: &[(f64, String)],
    frame: &Frame,
) -> Drawn {
    let thin = Stroke { color: GRID, alpha: 1.0, width: 1.5, dashed: false };
    for (value, _) in ticks {
        let (x, _) = frame.place(panel, across, (*value, panel.axis.low));
        pen.line(&[(x, frame.top), (x, frame.bottom)], &thin)?;
    }
    let room = if panel.axis.scale == Scale::Linear { 66.0 } else { 44.0 };
    for (value, text) in panel.axis.ticks(((frame.bottom - frame.top) / room).clamp(2.0, 8.0) as usize) {
        let (_, y) = frame.place(panel, across, (across.low, value));
        pen.line(&[(frame.left, y), (frame.right, y)], &thin)?;
        pen.text(&text, (frame.left - 12.0, y), Align::Right, &VALUE)?;
    }
    axes(pen, frame)
}

fn axes<B: DrawingBackend>(pen: &Pen<'_, B>, frame: &Frame) -> Drawn {
    let corners = [(frame.left, frame.top), (frame.left, frame.bottom), (frame.right, frame.bottom)];
    pen.line(&corners, &Stroke { color: FRAME, alpha: 1.0, width: 2.0, dashed: false })
}

/// Writes each name at the height at which its line ends, or as near as the others allow, and joins the two.
fn end_names<B: DrawingBackend>(pen: &Pen<'_, B>, panel: &Panel, frame: &Frame) -> Drawn {
    let height = |value: f64| frame.bottom - panel.axis.position(value) * (frame.bottom - frame.top);
    let mut names: Vec<_> = names(panel).map(|(value, name, stroke)| (height(value), name, stroke)).collect();
    names.sort_by(|a, b| a.0.total_cmp(&b.0));
    let heights: Vec<_> = names.iter().map(|(y, ..)| *y).collect();
    let spread = spread(&heights, frame.top, frame.bottom);
    for ((end, name, stroke), y) in names.into_iter().zip(spread) {
        let joint = [(8.0, end), (20.0, end), (36.0, y), (52.0, y)].map(|(x, y)| (frame.right + x, y));
        pen.line(&joint, &Stroke { alpha: 1.0, width: stroke.width.max(3.0), ..stroke })?;
        pen.text(name, (frame.right + NAME_INDENT, y), Align::Left, &NAME)?;
    }
    Ok(())
}

/// Moves sorted heights apart until names fit between them, from the top down and then, if need be, back up.
pub(super) fn spread(heights: &[f64], top: f64, bottom: f64) -> Vec<f64> {
    let mut spread = heights.to_vec();
    let mut least = top;
    for height in &mut spread {
        *height = height.max(least);
        least = *height + NAME_HEIGHT;
    }
    let mut most = bottom;
    for height in spread.iter_mut().rev() {
        *height = height.min(most);
        most = *height - NAME_HEIGHT;
    }
    spread
}
