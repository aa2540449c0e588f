//! Draws one panel: its grid, its marks, and the names of its lines at their right ends.

use super::canvas::{Align, Canvas, Drawn, Frame, OUTLINE, PLAIN, Place, SOFT};
use crate::plot::axis::{Axis, Scale};
use crate::plot::figure::{Mark, Panel, Stroke};
use crate::plot::palette::{BAND, FRAME, GRID};

/// From the data's right end to the name of a line.
const NAME_INDENT: f64 = 64.0;
/// From one name to the next below.
const NAME_HEIGHT: f64 = 34.0;
const LEVEL: Stroke = Stroke { color: FRAME, alpha: 1.0, width: 3.0, dashed: true };

/// The room that the values beside the vertical axis need, whatever the panel's height.
pub(super) fn values_width(panel: &Panel) -> f64 {
    if panel.is_empty() {
        return 0.0;
    }
    panel.axis.ticks(10).iter().map(|(_, text)| SOFT.width(text)).fold(0.0, f64::max)
}

/// The room that the names of the lines need at the right.
pub(super) fn names_width(panel: &Panel) -> f64 {
    if panel.is_empty() {
        return 0.0;
    }
    names(panel).map(|(_, name, _)| NAME_INDENT + PLAIN.width(name)).fold(0.0, f64::max)
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

/// Draws the panel into its frame.
pub(super) fn draw(
    canvas: &mut Canvas<'_>,
    panel: &Panel,
    across: &Axis,
    ticks: &[(f64, String)],
    frame: &Frame,
) -> Drawn {
    if panel.is_empty() {
        axes(canvas, frame)?;
        return canvas.text(panel.empty, frame.middle(), Align::Center, &SOFT);
    }
    grid(canvas, panel, ticks.iter().map(|(value, _)| frame.x(across, *value)), frame)?;
    let place = |(x, y): &(f64, f64)| (frame.x(across, *x), frame.y(&panel.axis, *y));
    let places = |points: &[(f64, f64)]| points.iter().map(place).collect::<Vec<Place>>();
    for mark in &panel.marks {
        match mark {
            Mark::Dots { points, color, diameter } => {
                let alpha = dot_alpha(points.len());
                points.iter().try_for_each(|point| canvas.dot(place(point), *diameter, *color, alpha))?;
            }
            Mark::Line { points, stroke, .. } => canvas.line(&places(points), stroke)?,
            Mark::Level { value, .. } => {
                let y = frame.y(&panel.axis, *value);
                canvas.line(&[(frame.left, y), (frame.right, y)], &LEVEL)?;
            }
            // Written with the others, once all of them are known.
            Mark::Name { .. } => {}
            Mark::Band { lower, upper, color } => {
                let corners: Vec<_> = lower.iter().chain(upper.iter().rev()).map(place).collect();
                if corners.len() >= 4 {
                    canvas.area(&corners, *color, BAND)?;
                }
            }
        }
    }
    end_names(canvas, panel, frame)
}

/// Few dots must be seen, many must not hide each other.
fn dot_alpha(dots: usize) -> f64 {
    (120.0 / dots as f64).clamp(0.28, 0.7)
}

fn grid(canvas: &mut Canvas<'_>, panel: &Panel, across: impl Iterator<Item = f64>, frame: &Frame) -> Drawn {
    let thin = Stroke { color: GRID, ..OUTLINE };
    for x in across {
        canvas.straight((x, frame.top), (x, frame.bottom), &thin)?;
    }
    let room = if panel.axis.scale == Scale::Linear { 66.0 } else { 44.0 };
    for (value, text) in panel.axis.ticks(((frame.bottom - frame.top) / room).clamp(2.0, 8.0) as usize) {
        let y = frame.y(&panel.axis, value);
        canvas.straight((frame.left, y), (frame.right, y), &thin)?;
        canvas.text(&text, (frame.left - 12.0, y), Align::Right, &SOFT)?;
    }
    axes(canvas, frame)
}

fn axes(canvas: &mut Canvas<'_>, frame: &Frame) -> Drawn {
    let corner = (frame.left, frame.bottom);
    canvas.straight((frame.left, frame.top), corner, &OUTLINE)?;
    canvas.straight(corner, (frame.right, frame.bottom), &OUTLINE)
}

/// Writes each name at the height at which its line ends, or as near as the others allow, and joins the two.
fn end_names(canvas: &mut Canvas<'_>, panel: &Panel, frame: &Frame) -> Drawn {
    let place = |(value, name, stroke)| (frame.y(&panel.axis, value), name, stroke);
    let mut names: Vec<_> = names(panel).map(place).collect();
    names.sort_by(|a, b| a.0.total_cmp(&b.0));
    let heights: Vec<_> = names.iter().map(|(y, ..)| *y).collect();
    let spread = spread(&heights, frame.top, frame.bottom);
    for ((end, name, stroke), y) in names.into_iter().zip(spread) {
        let joint = [(8.0, end), (20.0, end), (36.0, y), (52.0, y)].map(|(x, y)| (frame.right + x, y));
        canvas.line(&joint, &Stroke { alpha: 1.0, width: stroke.width.max(3.0), ..stroke })?;
        canvas.text(name, (frame.right + NAME_INDENT, y), Align::Left, &PLAIN)?;
    }
    Ok(())
}

/// Moves sorted heights apart until names fit between them, from the top down and then, if need be, back up.
fn spread(heights: &[f64], top: f64, bottom: f64) -> Vec<f64> {
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
