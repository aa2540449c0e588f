//! Lays a figure out: titles and legend, and below them the columns of panels.

use plotters::style::WHITE;

use super::canvas::{Align, Canvas, Drawn, Font, Frame, HEADING, PLAIN, SOFT};
use super::panel;
use crate::plot::figure::{Column, Figure, Key, Panel};
use crate::plot::palette::{BAND, INK, TITLE};

pub(crate) const MARGIN: f64 = 32.0;
/// Where the space below title and subtitle begins.
pub(crate) const BELOW_TITLES: f64 = 128.0;
/// From one column of panels to the next.
const COLUMN_GAP: f64 = 28.0;
/// The length of the piece of line that stands for a series in a legend.
const SAMPLE: f64 = 44.0;

/// Draws a figure.
pub(super) fn draw(canvas: &mut Canvas<'_>, figure: &Figure) -> Drawn {
    let (width, height) = (f64::from(figure.size.0), f64::from(figure.size.1));
    titles(canvas, &figure.title, &figure.subtitle, figure.size)?;
    let legend = Legend::of(&figure.legend, width);
    legend.draw(canvas)?;
    let top = BELOW_TITLES + legend.height();
    let columns = figure.columns.len() as f64;
    let column_width = (width - 2.0 * MARGIN - COLUMN_GAP * (columns - 1.0)) / columns;
    for (index, panels) in figure.columns.iter().enumerate() {
        let left = MARGIN + index as f64 * (column_width + COLUMN_GAP);
        column(canvas, panels, Frame { left, right: left + column_width, top, bottom: height - 24.0 })?;
    }
    Ok(())
}

/// Clears a figure of this size and writes its title and subtitle.
pub(crate) fn titles(
    canvas: &mut Canvas<'_>,
    title: &str,
    subtitle: &str,
    (width, height): (u32, u32),
) -> Drawn {
    let (width, height) = (f64::from(width), f64::from(height));
    canvas.rectangle((0.0, 0.0), (width, height), WHITE)?;
    let room = width - 2.0 * MARGIN;
    let font = Font { size: TITLE, bold: true, color: INK };
    // A long title gets smaller before it is cut.
    let shrunk = (room / font.width(title).max(1.0)).clamp(0.65, 1.0);
    let font = Font { size: TITLE * shrunk, ..font };
    canvas.text(&font.fitted(title, room), (MARGIN, 52.0), Align::Left, &font)?;
    canvas.text(&SOFT.fitted(subtitle, room), (MARGIN, 98.0), Align::Left, &SOFT)
}

/// The names of the series, in as many rows as they need.
struct Legend<'a> {
    entries: Vec<(&'a Key, String)>,
    /// The width of an entry, one for all, so that names stand under each other.
    entry: f64,
    in_a_row: usize,
}

impl<'a> Legend<'a> {
    const ROW: f64 = 40.0;

    fn of(keys: &'a [Key], width: f64) -> Self {
        // A name has a row to itself before it is cut, since what tells it from others may be at its end.
        let room = width - 2.0 * MARGIN - SAMPLE - 12.0;
        let entries: Vec<_> = keys.iter().map(|key| (key, PLAIN.fitted(&key.name, room))).collect();
        let widest = entries.iter().map(|(_, name)| PLAIN.width(name)).fold(0.0, f64::max);
        let entry = SAMPLE + 12.0 + widest + 36.0;
        let in_a_row = ((width - 2.0 * MARGIN + 36.0) / entry).floor().max(1.0) as usize;
        Self { entries, entry, in_a_row }
    }

    fn height(&self) -> f64 {
        match self.entries.len().div_ceil(self.in_a_row) {
            0 => 0.0,
            rows => rows as f64 * Self::ROW + 14.0,
        }
    }

    fn draw(&self, canvas: &mut Canvas<'_>) -> Drawn {
        for (index, (key, name)) in self.entries.iter().enumerate() {
            let x = MARGIN + (index % self.in_a_row) as f64 * self.entry;
            let y = BELOW_TITLES + 16.0 + (index / self.in_a_row) as f64 * Self::ROW;
            if key.band {
                let corners = [(x, y - 12.0), (x + SAMPLE, y - 12.0), (x + SAMPLE, y + 12.0), (x, y + 12.0)];
                canvas.area(&corners, key.stroke.color, BAND)?;
            }
            canvas.line(&[(x, y), (x + SAMPLE, y)], &key.stroke)?;
            canvas.text(name, (x + SAMPLE + 12.0, y), Align::Left, &PLAIN)?;
        }
        Ok(())
    }
}

/// How high a legend is on a figure of this width, 0 without any series.
pub(crate) fn legend_height(keys: &[Key], width: u32) -> u32 {
    Legend::of(keys, f64::from(width)).height() as u32
}

/// Draws panels under each other on one horizontal axis, whose values stand under the last of them.
fn column(canvas: &mut Canvas<'_>, column: &Column, frame: Frame) -> Drawn {
    const HEAD: f64 = 58.0;
    const FOOT: f64 = 88.0;
    const PANEL_GAP: f64 = 22.0;
    let Column { across, name, panels } = column;
    let widest = |widths: Vec<f64>| widths.into_iter().fold(0.0, f64::max);
    let left = frame.left + 12.0 + widest(panels.iter().map(panel::values_width).collect());
    let right = frame.right - widest(panels.iter().map(panel::names_width).collect()).max(18.0);
    let gaps = PANEL_GAP * (panels.len() as f64 - 1.0) + HEAD * panels.len() as f64;
    let weights: f64 = panels.iter().map(|panel| panel.weight).sum();
    let bottom = frame.bottom - FOOT;
    let share = (bottom - frame.top - gaps) / weights;
    let ticks = across.ticks(((right - left) / 100.0) as usize);
    let (mut top, mut plot) = (frame.top, Frame { left, right, top: bottom, bottom });
    for panel in panels {
        canvas.text(&panel.heading, (frame.left, top + 28.0), Align::Left, &HEADING)?;
        let noted = HEADING.width(&panel.heading) + SOFT.width(&panel.note) + 24.0;
        if !panel.is_empty() && noted < right - frame.left {
            canvas.text(&panel.note, (right, top + 28.0), Align::Right, &SOFT)?;
        }
        plot = Frame { left, right, top: top + HEAD, bottom: top + HEAD + share * panel.weight };
        panel::draw(canvas, panel, across, &ticks, &plot)?;
        top = plot.bottom + PANEL_GAP;
    }

    // Where there is nothing yet there are no values either.
    let shown = if panels.iter().all(Panel::is_empty) { &[] } else { ticks.as_slice() };
    for (value, text) in shown {
        canvas.text(text, (plot.x(across, *value), bottom + 26.0), Align::Center, &SOFT)?;
    }
    canvas.text(name, (plot.middle().0, bottom + 66.0), Align::Center, &PLAIN)
}
