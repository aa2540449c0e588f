//! Lays a figure out and draws it.

use plotters::prelude::DrawingBackend;
use plotters::style::WHITE;

use super::figure::{Column, Figure, Key, Panel};
use super::output::Picture;
use super::palette::{HEADING, INK, SMALL, SOFT_INK, SUBTITLE, TITLE};
use super::panel::{self, Frame};
use super::pen::{Align, Drawn, Font, Pen};

pub(super) const MARGIN: f64 = 32.0;
/// Where the space below title and subtitle begins.
pub(super) const BELOW_TITLES: f64 = 128.0;
/// From one column of panels to the next.
const COLUMN_GAP: f64 = 28.0;
/// The length of the piece of line that stands for a series in a legend.
const SAMPLE: f64 = 44.0;

impl Picture for Figure {
    fn size(&self) -> (u32, u32) {
        self.size
    }

    fn draw<B: DrawingBackend>(&self, pen: &Pen<'_, B>) -> Drawn {
        let (width, height) = (f64::from(self.size.0), f64::from(self.size.1));
        titles(pen, &self.title, &self.subtitle, self.size)?;
        let top = legend(pen, &self.legend, BELOW_TITLES, width)?;
        let columns = self.columns.len() as f64;
        let column_width = (width - 2.0 * MARGIN - COLUMN_GAP * (columns - 1.0)) / columns;
        for (index, panels) in self.columns.iter().enumerate() {
            let left = MARGIN + index as f64 * (column_width + COLUMN_GAP);
            let frame = Frame { left, right: left + column_width, top, bottom: height - 24.0 };
            column(pen, panels, frame)?;
        }
        Ok(())
    }
}

/// Clears a picture of this size and writes its title and subtitle.
pub(super) fn titles<B: DrawingBackend>(
    pen: &Pen<'_, B>,
    title: &str,
    subtitle: &str,
    (width, height): (u32, u32),
) -> Drawn {
    let (width, height) = (f64::from(width), f64::from(height));
    pen.rectangle((0.0, 0.0), (width, height), WHITE)?;
    let text = title;
    let title = Font { size: TITLE, bold: true, color: INK };
    // A long title gets smaller before it is cut.
    let shrunk = (0.92 * (width - 2.0 * MARGIN) / title.width(text).max(1.0)).clamp(0.65, 1.0);
    let title = Font { size: TITLE * shrunk, ..title };
    let text = title.fitted(text, 0.96 * (width - 2.0 * MARGIN));
    pen.text(&text, (MARGIN, 52.0), Align::Left, &title)?;
    let font = Font { size: SUBTITLE, bold: false, color: SOFT_INK };
    let text = font.fitted(subtitle, 0.96 * (width - 2.0 * MARGIN));
    pen.text(&text, (MARGIN, 98.0), Align::Left, &font)
}

/// Draws the names of the series in as many rows as they need, and returns where they end.
fn legend<B: DrawingBackend>(pen: &Pen<'_, B>, keys: &[Key], top: f64, width: f64) -> Result<f64, String> {
    let font = Font { size: SMALL, bold: false, color: INK };
    let names: Vec<_> = keys.iter().map(|key| font.fitted(&key.name, 500.0)).collect();
    // One width for all, so that names stand under each other; with room for a wider font in an SVG.
    let widest = names.iter().map(|name| 1.12 * font.width(name)).fold(0.0, f64::max);
    let entry = SAMPLE + 12.0 + widest + 36.0;
    let in_a_row = ((width - 2.0 * MARGIN + 36.0) / entry).floor().max(1.0) as usize;
    for (index, (key, name)) in keys.iter().zip(&names).enumerate() {
        let x = MARGIN + (index % in_a_row) as f64 * entry;
        let y = top + 16.0 + (index / in_a_row) as f64 * 40.0;
        if key.band {
            let corners = [(x, y - 12.0), (x + SAMPLE, y - 12.0), (x + SAMPLE, y + 12.0), (x, y + 12.0)];
            pen.area(&corners, key.stroke.color, panel::BAND)?;
        }
        pen.line(&[(x, y), (x + SAMPLE, y)], &key.stroke)?;
        pen.text(name, (x + SAMPLE + 12.0, y), Align::Left, &font)?;
    }
    let rows = keys.len().div_ceil(in_a_row) as f64;
    Ok(if keys.is_empty() { top } else { top + rows * 40.0 + 14.0 })
}

/// Draws panels under each other on one horizontal axis, whose values stand under the last of them.
fn column<B: DrawingBackend>(pen: &Pen<'_, B>, column: &Column, frame: Frame) -> Drawn {
    const HEAD: f64 = 58.0;
    const FOOT: f64 = 88.0;
    const PANEL_GAP: f64 = 22.0;
    let Column { across, name, panels } = column;
    let widest = |widths: Vec<f64>| widths.into_iter().fold(0.0, f64::max);
    let left = frame.left + 12.0 + widest(panels.iter().map(panel::values_width).collect());
    let right = frame.right - widest(panels.iter().map(panel::names_width).collect()).max(18.0);
    let gaps = PANEL_GAP * (panels.len() as f64 - 1.0) + HEAD * panels.len() as f64;
    let weights: f64 = panels.iter().map(|panel| panel.weight).sum();
    let share = (frame.bottom - FOOT - frame.top - gaps) / weights;

    let ticks = across.ticks(((right - left) / 100.0) as usize);
    let mut top = frame.top;
    for panel in panels {
        let heading = Font { size: HEADING, bold: true, color: INK };
        let note = Font { size: SMALL, bold: false, color: SOFT_INK };
        pen.text(&panel.heading, (frame.left, top + 28.0), Align::Left, &heading)?;
        // Only where there is room for it beside the heading, whatever font an SVG is shown with.
        if !panel.is_empty()
            && 1.12 * (heading.width(&panel.heading) + note.width(&panel.note)) + 24.0 < right - frame.left
        {
            pen.text(&panel.note, (right, top + 28.0), Align::Right, &note)?;
        }
        let plot = Frame { left, right, top: top + HEAD, bottom: top + HEAD + share * panel.weight };
        panel::draw(pen, panel, across, &ticks, &plot)?;
        top = plot.bottom + PANEL_GAP;
    }

    let bottom = frame.bottom - FOOT;
    let font = Font { size: SMALL, bold: false, color: SOFT_INK };
    // Where there is nothing yet there are no values either.
    let ticks = if panels.iter().all(Panel::is_empty) { &[] } else { ticks.as_slice() };
    for (value, text) in ticks {
        let x = left + across.position(*value) * (right - left);
        pen.text(text, (x, bottom + 26.0), Align::Center, &font)?;
    }
    let ink = Font { color: INK, ..font };
    pen.text(name, ((left + right) / 2.0, bottom + 66.0), Align::Center, &ink)
}
