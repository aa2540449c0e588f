//! A bitmap on which lines have smooth edges and text stands where it stands in an SVG.

use plotters::backend::BitMapBackend;
use plotters_types::*;

/// The library's names for what a backend deals in.
mod plotters_types {
    pub(super) use plotters::prelude::DrawingBackend;
    pub(super) use plotters_backend::{BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingErrorKind};
}
