//! A figure of counts over two dimensions: a grid of heat maps on one scale of colours.

use std::path::{Path, PathBuf};

use plotters::style::RGBColor;
use plotters::style::colors::colormaps::{ColorMap, ViridisRGB};

use crate::error::Error;
use crate::plot::axis::{Axis, Scale};
use crate::plot::drawing::canvas::{Align, Canvas, Drawn, Frame, HEADING, OUTLINE, PLAIN, SOFT};
use crate::plot::drawing::{BELOW_TITLES, MARGIN, titles, write_drawing};

/// Heat maps in rows and columns, all over the same two dimensions and on one logarithmic scale of colours.
#[derive(Debug, Clone, PartialEq)]
pub struct Heatmaps {
    /// The heading of the figure.
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

impl Bounds {
    fn axis(&self) -> Axis {
        Axis { scale: Scale::Linear, low: self.low, high: self.high }
    }
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

impl Heatmaps {
    /// Writes them.
    pub(crate) fn write(&self, stem: &Path) -> Result<Vec<PathBuf>, Error> {
        write_drawing(self.size(), stem, |canvas| self.draw(canvas))
    }

    fn columns(&self) -> usize {
        self.rows.iter().map(|row| row.heatmaps.len()).max().unwrap_or(0)
    }

    /// Side of a heat map, in units.
    fn side(&self) -> f64 {
        let columns = self.columns().max(1) as f64;
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

    fn size(&self) -> (u32, u32) {
        (WIDTH, (self.top(self.rows.len().max(1)) - HEAD - ROW_GAP + FOOT + 24.0) as u32)
    }

    fn draw(&self, canvas: &mut Canvas<'_>) -> Drawn {
        titles(canvas, &self.title, &self.subtitle, self.size())?;
        let scale = self.scale();
        let [horizontal, vertical] = [&self.horizontal, &self.vertical].map(Bounds::axis);
        for (index, row) in self.rows.iter().enumerate() {
            let first = self.frame(index, 0);
            canvas.text(&row.name, (first.left, first.top - 70.0), Align::Left, &HEADING)?;
            canvas.text_upwards(&self.vertical.name, (MARGIN + 14.0, first.middle().1), &PLAIN)?;
            for (value, text) in vertical.ticks(4) {
                let y = first.y(&vertical, value);
                canvas.text(&text, (first.left - 12.0, y), Align::Right, &SOFT)?;
                canvas.straight((first.left - 8.0, y), (first.left, y), &OUTLINE)?;
            }
            for (column, heatmap) in row.heatmaps.iter().enumerate() {
                let frame = self.frame(index, column);
                canvas.text(&heatmap.name, (frame.left, frame.top - 24.0), Align::Left, &PLAIN)?;
                cells(canvas, heatmap, &scale, &frame)?;
                canvas.outline(frame)?;
                if index + 1 == self.rows.len() {
                    for (value, text) in horizontal.ticks(3) {
                        let x = frame.x(&horizontal, value);
                        canvas.text(&text, (x, frame.bottom + 28.0), Align::Center, &SOFT)?;
                        canvas.straight((x, frame.bottom), (x, frame.bottom + 8.0), &OUTLINE)?;
                    }
                    let below = (frame.middle().0, frame.bottom + 66.0);
                    canvas.text(&self.horizontal.name, below, Align::Center, &PLAIN)?;
                }
            }
        }
        self.bar(canvas, &scale)
    }

    /// The bar of colours, over the height of all rows.
    fn bar(&self, canvas: &mut Canvas<'_>, scale: &Axis) -> Drawn {
        const SHADES: usize = 100;
        let left = self.frame(0, self.columns()).left + 8.0;
        let (top, bottom) = (self.top(0), self.frame(self.rows.len().max(1) - 1, 0).bottom);
        let frame = Frame { left, right: left + BAR_WIDTH, top, bottom };
        let shades = Heatmap {
            name: self.counted.clone(),
            cells: (0..SHADES).map(|shade| vec![scale.value((shade as f64 + 0.5) / SHADES as f64)]).collect(),
        };
        cells(canvas, &shades, scale, &frame)?;
        canvas.outline(frame)?;
        for (value, text) in scale.ticks(8) {
            let y = frame.y(scale, value);
            canvas.straight((frame.right, y), (frame.right + 8.0, y), &OUTLINE)?;
            canvas.text(&text, (frame.right + 14.0, y), Align::Left, &SOFT)?;
        }
        canvas.text(&shades.name, (frame.left, top - 24.0), Align::Left, &PLAIN)
    }
}

/// Viridis from its light end to its dark one: it is read by any kind of colour vision, and on white more is
/// darker.
pub(crate) fn color(position: f64) -> RGBColor {
    ViridisRGB.get_color(1.0 - position)
}

fn cells(canvas: &mut Canvas<'_>, heatmap: &Heatmap, scale: &Axis, frame: &Frame) -> Drawn {
    // Between whole units, so that no seam shows between cells.
    let between = |from: f64, to: f64, index: usize, count: usize| {
        (from + index as f64 / count as f64 * (to - from)).round()
    };
    for (row, cells) in heatmap.cells.iter().enumerate() {
        let y = |row| between(frame.bottom, frame.top, row, heatmap.cells.len());
        let x = |column| between(frame.left, frame.right, column, cells.len());
        for (column, count) in cells.iter().enumerate().filter(|(_, count)| **count > 0.0) {
            let color = color(scale.position(*count));
            canvas.rectangle((x(column), y(row + 1)), (x(column + 1), y(row)), color)?;
        }
    }
    Ok(())
}
