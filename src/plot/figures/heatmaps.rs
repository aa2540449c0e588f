//! A figure of counts over two dimensions: a grid of heat maps on one scale of colours.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use plotters::style::RGBColor;
use plotters::style::colors::colormaps::{ColorMap, ViridisRGB};

use crate::error::Error;
use crate::plot::axis::{Axis, Scale};
use crate::plot::drawing::canvas::{Align, Canvas, Drawn, Frame, HEADING, OUTLINE, PLAIN, SOFT};
use crate::plot::drawing::{BELOW_TITLES, MARGIN, titles, write_drawing};
use crate::plot::palette::INK;

/// Heat maps in rows and columns, all over the same two dimensions, on one logarithmic scale of colours or on one for each
/// row.
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
    /// Where the last cell ends; below `low` where the values fall from cell to cell.
    pub high: f64,
}

impl Bounds {
    fn axis(&self) -> Axis {
        Axis { scale: Scale::Linear, low: self.low, high: self.high }
    }

    fn ticks(&self, about: usize) -> Vec<(f64, String)> {
        let (low, high) = (self.low.min(self.high), self.low.max(self.high));
        Axis { scale: Scale::Linear, low, high }.ticks(about)
    }
}

/// Heat maps beside each other.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatmapRow {
    /// What they have in common.
    pub name: String,
    /// Their own scale of colours; `None` for the one that all rows share.
    pub colors: Option<Colors>,
    /// The heat maps, from left to right.
    pub heatmaps: Vec<Heatmap>,
}

/// A scale of colours over all values of a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Colors {
    /// What is measured, with its unit.
    pub name: String,
    /// Whether factors are equally far apart, and not differences.
    pub is_logarithmic: bool,
}

/// One heat map.
#[derive(Debug, Clone, PartialEq)]
pub struct Heatmap {
    /// What it shows.
    pub name: String,
    /// Rows of cells from the lowest up, each from left to right. A cell that is not a number stays white, and so does one
    /// of 0 on the scale that all rows share.
    pub cells: Vec<Vec<f64>>,
    /// Rows and columns of cells with a dot on them.
    pub dots: Vec<(usize, usize)>,
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

    /// The scale of colours that rows share: from a single count to the most.
    fn shared_scale(&self) -> Axis {
        let rows = self.rows.iter().filter(|row| row.colors.is_none());
        let most = rows.flat_map(HeatmapRow::values).fold(10.0, f64::max);
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
        let shared = self.shared_scale();
        let [horizontal, vertical] = [&self.horizontal, &self.vertical].map(Bounds::axis);
        for (index, row) in self.rows.iter().enumerate() {
            let scale = row.colors.as_ref().map_or(shared, |colors| colors.scale(row));
            let first = self.frame(index, 0);
            canvas.text(&row.name, (first.left, first.top - 70.0), Align::Left, &HEADING)?;
            canvas.text_upwards(&self.vertical.name, (MARGIN + 14.0, first.middle().1), &PLAIN)?;
            for (value, text) in self.vertical.ticks(4) {
                let y = first.y(&vertical, value);
                canvas.text(&text, (first.left - 12.0, y), Align::Right, &SOFT)?;
                canvas.straight((first.left - 8.0, y), (first.left, y), &OUTLINE)?;
            }
            for (column, heatmap) in row.heatmaps.iter().enumerate() {
                let frame = self.frame(index, column);
                canvas.text(&heatmap.name, (frame.left, frame.top - 24.0), Align::Left, &PLAIN)?;
                cells(canvas, heatmap, &scale, &frame)?;
                dots(canvas, heatmap, &frame)?;
                canvas.outline(frame)?;
                if index + 1 == self.rows.len() {
                    let is_last = column + 1 == row.heatmaps.len();
                    // What stands at the right end would touch the first value of the next heat map.
                    let has_room = |value: f64| is_last || horizontal.position(value) < 0.93;
                    for (value, text) in self.horizontal.ticks(3).into_iter().filter(|tick| has_room(tick.0))
                    {
                        let x = frame.x(&horizontal, value);
                        canvas.text(&text, (x, frame.bottom + 28.0), Align::Center, &SOFT)?;
                        canvas.straight((x, frame.bottom), (x, frame.bottom + 8.0), &OUTLINE)?;
                    }
                }
            }
            if index + 1 == self.rows.len() && !row.heatmaps.is_empty() {
                let last = self.frame(index, row.heatmaps.len() - 1);
                let below = (first.left.midpoint(last.right), last.bottom + 66.0);
                canvas.text(&self.horizontal.name, below, Align::Center, &PLAIN)?;
            }
            if let Some(colors) = row.colors.as_ref().filter(|_| row.values().any(f64::is_finite)) {
                self.bar(canvas, &colors.name, &scale, index..=index)?;
            }
        }
        if self.rows.iter().all(|row| row.colors.is_some()) && !self.rows.is_empty() {
            return Ok(());
        }
        self.bar(canvas, &self.counted, &shared, 0..=self.rows.len().max(1) - 1)
    }

    /// A bar of colours, over the height of some rows.
    fn bar(&self, canvas: &mut Canvas<'_>, name: &str, scale: &Axis, rows: RangeInclusive<usize>) -> Drawn {
        const SHADES: usize = 100;
        let left = self.frame(0, self.columns()).left + 8.0;
        let (top, bottom) = (self.top(*rows.start()), self.frame(*rows.end(), 0).bottom);
        let frame = Frame { left, right: left + BAR_WIDTH, top, bottom };
        let shades = Heatmap {
            name: name.to_owned(),
            cells: (0..SHADES).map(|shade| vec![scale.value((shade as f64 + 0.5) / SHADES as f64)]).collect(),
            dots: Vec::new(),
        };
        cells(canvas, &shades, scale, &frame)?;
        canvas.outline(frame)?;
        for (value, text) in scale.ticks(((bottom - top) / 75.0).clamp(4.0, 8.0) as usize) {
            let y = frame.y(scale, value);
            canvas.straight((frame.right, y), (frame.right + 8.0, y), &OUTLINE)?;
            canvas.text(&text, (frame.right + 14.0, y), Align::Left, &SOFT)?;
        }
        canvas.text(&shades.name, (frame.left, top - 24.0), Align::Left, &PLAIN)
    }
}

impl HeatmapRow {
    fn values(&self) -> impl Iterator<Item = f64> + '_ {
        self.heatmaps.iter().flat_map(|heatmap| heatmap.cells.iter().flatten()).copied()
    }
}

impl Colors {
    /// The scale over the values of a row.
    fn scale(&self, row: &HeatmapRow) -> Axis {
        match self.is_logarithmic {
            true => {
                let axis = Axis::spanning(Scale::Logarithmic, row.values());
                Axis { low: axis.low.clamp(axis.high * LEAST_SHARE, axis.high / 10.0), ..axis }
            }
            false => Axis::spanning(Scale::Linear, row.values()),
        }
    }
}

/// A logarithmic scale of colours does not tell apart what is a smaller share than this of the largest value.
const LEAST_SHARE: f64 = 1e-4;

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
        // Zero has no place on a logarithmic scale.
        let is_shown = |value: f64| value.is_finite() && (value > 0.0 || scale.scale == Scale::Linear);
        for (column, count) in cells.iter().enumerate().filter(|(_, value)| is_shown(**value)) {
            let color = color(scale.position(*count));
            canvas.rectangle((x(column), y(row + 1)), (x(column + 1), y(row)), color)?;
        }
    }
    Ok(())
}

fn dots(canvas: &mut Canvas<'_>, heatmap: &Heatmap, frame: &Frame) -> Drawn {
    let (rows, columns) = (heatmap.cells.len(), heatmap.cells.first().map_or(0, Vec::len));
    let (width, height) =
        ((frame.right - frame.left) / columns.max(1) as f64, (frame.bottom - frame.top) / rows.max(1) as f64);
    heatmap.dots.iter().try_for_each(|(row, column)| {
        let place =
            (frame.left + (*column as f64 + 0.5) * width, frame.bottom - (*row as f64 + 0.5) * height);
        canvas.dot(place, (0.45 * width.min(height)).clamp(2.0, 8.0), INK, 0.8)
    })
}
