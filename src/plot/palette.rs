//! Colours and sizes of type.

use plotters::style::RGBColor;

use super::figure::Stroke;

/// The colours of Okabe and Ito (2008), which readers with any kind of colour vision tell apart. Yellow is
/// left out: on white it is too faint for a line.
const COLORS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),   // blue
    RGBColor(213, 94, 0),    // vermillion
    RGBColor(0, 158, 115),   // bluish green
    RGBColor(230, 159, 0),   // orange
    RGBColor(204, 121, 167), // reddish purple
    RGBColor(86, 180, 233),  // sky blue
    RGBColor(0, 0, 0),       // black
];

/// Text that is read.
pub(crate) const INK: RGBColor = RGBColor(34, 34, 34);
/// Text that explains.
pub(crate) const SOFT_INK: RGBColor = RGBColor(95, 95, 95);
/// The lines behind the data.
pub(crate) const GRID: RGBColor = RGBColor(233, 233, 233);
/// The frame of the data, and what is neither run nor layer, as a threshold.
pub(crate) const FRAME: RGBColor = RGBColor(120, 120, 120);

// Sizes of type in units of a figure 1600 wide, which a page usually shows at half that width or a little
// more.
pub(crate) const TITLE: f64 = 34.0;
pub(crate) const LARGE: f64 = 26.0;
pub(crate) const SMALL: f64 = 23.0;

/// How opaque a band is.
pub(crate) const BAND: f64 = 0.18;

/// The colour of the n-th series of a figure.
pub(crate) fn color(index: usize) -> RGBColor {
    COLORS[index % COLORS.len()]
}

/// Whether the n-th series is dashed, since its colour alone was already given to another one.
fn dashed(index: usize) -> bool {
    (index / COLORS.len()) % 2 == 1
}

/// How the n-th series is drawn.
pub(crate) fn stroke(index: usize) -> Stroke {
    Stroke { dashed: dashed(index), ..Stroke::strong(color(index)) }
}
