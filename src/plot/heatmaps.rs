//! A picture of counts over two dimensions: a grid of heat maps on one scale of colours.

use plotters::prelude::DrawingBackend;
use plotters::style::RGBColor;
use plotters::style::colors::colormaps::{ColorMap, ViridisRGB};

use super::axis::{Axis, Scale};
use super::figure::Stroke;
use super::output::Picture;
use super::palette::{FRAME, HEADING, INK, SMALL, SOFT_INK};
use super::panel::Frame;
use super::pen::{Align, Drawn, Font, Pen};
use super::render::{BELOW_TITLES, MARGIN, titles};

/// Heat maps in rows and columns, all over the same two dimensions and on one logarithmic scale of colours.
#[derive(Debug, Clone, PartialEq)]
pub struct Heatmaps {
    /// The heading of the picture.
    pub title: String,
    /// What there is to see, below the title.
    pub subtitle: String,
    /// The horizontal dimension.
    pub horizontal: Bounds,
    /// The vertical dimension.
    pub vertical: Bounds,
    /// What the colours count.
    pub counted: String,
    /// The rows, from the top down.
    pub rows: Vec<HeatmapRow>,
}

/// A dimension of a heat map.
#[derive(Debug, Clone, PartialEq)]
pub struct Bounds {
    /// Its name, with its unit.
    pub name: String,
    /// Where the first cell begins.
    pub low: f64,
    /// Where the last cell ends.
    pub high: f64,
}

/// Heat maps beside each other.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatmapRow {
    /// What they have in common.
    pub name: String,
    /// The heat maps, from left to right.
    pub heatmaps: Vec<Heatmap>,
}

/// One heat map.
#[derive(Debug, Clone, PartialEq)]
pub struct Heatmap {
    /// What it shows.
    pub name: String,
    /// Rows of cells from the lowest up, each from left to right. A cell of 0 stays white.
    pub cells: Vec<Vec<f64>>,
}

const WIDTH: u32 = 1600;
/// The height of a row's name, and of the names of its heat maps.
const HEAD: f64 = 96.0;
/// From a row to the next.
const ROW_GAP: f64 = 36.0;
/// From a heat map to the next.
const COLUMN_GAP: f64 = 28.0;
/// What stands left of a row: the name of the vertical dimension and its values.
const LEFT: f64 = 132.0;
/// What stands below the last row: the values of the horizontal dimension and its name.
const FOOT: f64 = 96.0;
/// What stands right of the rows: the bar of colours and its values.
const RIGHT: f64 = 150.0;
const BAR_WIDTH: f64 = 28.0;

const NAME: Font = Font { size: SMALL, bold: false, color: INK };
const VALUE: Font = Font { size: SMALL, bold: false, color: SOFT_INK };
const OUTLINE: Stroke = Stroke { color: FRAME, alpha: 1.0, width: 2.0, dashed: false };

impl Heatmaps {
    /// Side of a heat map, in units.
    fn side(&self) -> f64 {
        let columns = self.rows.iter().map(|row| row.heatmaps.len()).max().unwrap_or(0).max(1) as f64;
        ((f64::from(WIDTH) - 2.0 * MARGIN - LEFT - RIGHT - COLUMN_GAP * (columns - 1.0)) / columns).min(600.0)
    }

    /// The scale of colours: from a single count to the most.
    fn scale(&self) -> Axis {
        let heatmaps = self.rows.iter().flat_map(|row| &row.heatmaps);
        let most = heatmaps.flat_map(|heatmap| heatmap.cells.iter().flatten()).copied().fold(10.0, f64::max);
        Axis { scale: Scale::Logarithmic, low: 1.0, high: most }
    }

    fn top(&self, row: usize) -> f64 {
        BELOW_TITLES + HEAD + row as f64 * (self.side() + HEAD + ROW_GAP)
    }

    /// The place of a heat map.
    fn frame(&self, row: usize, column: usize) -> Frame {
        let (side, top) = (self.side(), self.top(row));
        let left = MARGIN + LEFT + column as f64 * (side + COLUMN_GAP);
        Frame { left, right: left + side, top, bottom: top + side }
    }
}

impl Picture for Heatmaps {
    fn size(&self) -> (u32, u32) {
        (WIDTH, (self.top(self.rows.len().max(1)) - HEAD - ROW_GAP + FOOT + 24.0) as u32)
    }

    fn draw<B: DrawingBackend>(&self, pen: &Pen<'_, B>) -> Drawn {
        titles(pen, &self.title, &self.subtitle, self.size())?;
        let scale = self.scale();
        let horizontal = Axis { scale: Scale::Linear, low: self.horizontal.low, high: self.horizontal.high };
        let vertical = Axis { scale: Scale::Linear, low: self.vertical.low, high: self.vertical.high };
        for (index, row) in self.rows.iter().enumerate() {
            let first = self.frame(index, 0);
            let heading = Font { size: HEADING, bold: true, color: INK };
            pen.text(&row.name, (first.left, first.top - 70.0), Align::Left, &heading)?;
            let middle = (first.top + first.bottom) / 2.0;
            pen.text_upwards(&self.vertical.name, (MARGIN + 14.0, middle), &NAME)?;
            for (value, text) in vertical.ticks(4) {
                let y = first.bottom - vertical.position(value) * (first.bottom - first.top);
                pen.text(&text, (first.left - 12.0, y), Align::Right, &VALUE)?;
                pen.line(&[(first.left - 8.0, y), (first.left, y)], &OUTLINE)?;
            }
            for (column, heatmap) in row.heatmaps.iter().enumerate() {
                let frame = self.frame(index, column);
                pen.text(&heatmap.name, (frame.left, frame.top - 24.0), Align::Left, &NAME)?;
                cells(pen, heatmap, &scale, &frame)?;
                outline(pen, &frame)?;
                if index + 1 == self.rows.len() {
                    for (value, text) in horizontal.ticks(3) {
                        let x = frame.left + horizontal.position(value) * (frame.right - frame.left);
                        pen.text(&text, (x, frame.bottom + 28.0), Align::Center, &VALUE)?;
                        pen.line(&[(x, frame.bottom), (x, frame.bottom + 8.0)], &OUTLINE)?;
                    }
                    let middle = (frame.left + frame.right) / 2.0;
                    pen.text(&self.horizontal.name, (middle, frame.bottom + 66.0), Align::Center, &NAME)?;
                }
            }
        }
        self.bar(pen, &scale)
    }
}

impl Heatmaps {
    /// The bar of colours, over the height of all rows.
    fn bar<B: DrawingBackend>(&self, pen: &Pen<'_, B>, scale: &Axis) -> Drawn {
        let columns = self.rows.iter().map(|row| row.heatmaps.len()).max().unwrap_or(0);
        let left = self.frame(0, columns).left + 8.0;
        let (top, bottom) = (self.top(0), self.frame(self.rows.len().max(1) - 1, 0).bottom);
        let frame = Frame { left, right: left + BAR_WIDTH, top, bottom };
        const SHADES: usize = 100;
        let height = |position: f64| bottom - position * (bottom - top);
        for shade in 0..SHADES {
            let (from, to) = (shade as f64 / SHADES as f64, (shade + 1) as f64 / SHADES as f64);
            let color = color((from + to) / 2.0);
            pen.rectangle((frame.left, height(to)), (frame.right, height(from)), color)?;
        }
        outline(pen, &frame)?;
        for (value, text) in scale.ticks(8) {
            let y = height(scale.position(value));
            pen.line(&[(frame.right, y), (frame.right + 8.0, y)], &OUTLINE)?;
            pen.text(&text, (frame.right + 14.0, y), Align::Left, &VALUE)?;
        }
        pen.text(&self.counted, (frame.left, top - 24.0), Align::Left, &NAME)
    }
}

/// Viridis from its light end to its dark one: it is read by any kind of colour vision, and on white more is darker.
pub(super) fn color(position: f64) -> RGBColor {
    ViridisRGB.get_color(1.0 - position)
}

fn cells<B: DrawingBackend>(pen: &Pen<'_, B>, heatmap: &Heatmap, scale: &Axis, frame: &Frame) -> Drawn {
    let rows = heatmap.cells.len() as f64;
    for (row, cells) in heatmap.cells.iter().enumerate() {
        let height = |row: usize| frame.bottom - row as f64 / rows * (frame.bottom - frame.top);
        let across =
            |column: usize| frame.left + column as f64 / cells.len() as f64 * (frame.right - frame.left);
        for (column, count) in cells.iter().enumerate().filter(|(_, count)| **count > 0.0) {
            let (top_left, bottom_right) =
                ((across(column), height(row + 1)), (across(column + 1), height(row)));
            pen.rectangle(top_left, bottom_right, color(scale.position(*count)))?;
        }
    }
    Ok(())
}

fn outline<B: DrawingBackend>(pen: &Pen<'_, B>, frame: &Frame) -> Drawn {
    let Frame { left, right, top, bottom } = *frame;
    pen.line(&[(left, top), (right, top), (right, bottom), (left, bottom), (left, top)], &OUTLINE)
}
