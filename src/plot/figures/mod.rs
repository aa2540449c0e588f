//! What is drawn, one file a figure.

pub(crate) mod chart;
pub(crate) mod comparison;
pub(crate) mod functions;
pub(crate) mod heatmaps;
pub(crate) mod landscape;
pub(crate) mod minimum;
pub(crate) mod run;
mod seeds;
pub(crate) mod state_space;
