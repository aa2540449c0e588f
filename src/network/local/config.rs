//! `[local]`.

use serde::{Deserialize, Serialize};

use crate::section::{Ranges, Section};

/// `[local]`: dropout with a p for every place.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocalConfig {
    /// Tilings of the observation space, each a place of every observation; 0 for no local dropout. A one-hot observation is
    /// a place of its own instead, for any number; a table keeps local dropout at 0 too.
    pub tilings: usize,
    /// Dimensions of a tiling: 2 tell which pairs of values are known, 3 which triples.
    pub axes: usize,
    /// Cells along an axis of a tiling.
    pub cells: usize,
    /// Standard deviation of Q where nothing was seen, in network units: as a share of the largest return so far.
    pub prior: f64,
    /// Share of the way to its minimum that p goes, and to its target that a value in a table goes, whenever a
    /// transition of the place is learned from.
    pub rate: f64,
    /// What p follows.
    pub p: LocalP,
}

/// What the p of a place follows. All but the first are controls, to see what the first adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LocalP {
    /// Its objective, given the data of the place.
    Learned,
    /// Nothing: it stays 1/2.
    Held,
    /// The number n of transitions, and no objective: the variance is `prior^2 / (1 + n)`, so that the standard deviation
    /// is the bonus of counting (Strehl & Littman 2008).
    Counted,
}

impl Default for LocalConfig {
    fn default() -> Self {
        Self { tilings: 16, axes: 2, cells: 4, prior: 0.3, rate: 0.5, p: LocalP::Learned }
    }
}

impl Section for LocalConfig {
    fn check(&self, ranges: &mut Ranges) {
        let Self { tilings, axes, cells, prior, rate, p: _ } = *self;
        ranges.whole("tilings", tilings, 0..=1024);
        ranges.whole("axes", axes, 1..=8);
        ranges.whole("cells", cells, 1..=256);
        let places = tilings as f64 * (cells as f64 + 1.0).powi(axes as i32);
        let allowed =
            format!("so small that tilings (cells + 1)^axes, here {places:.3e}, is at most 10,000,000");
        ranges.require("cells", cells, places <= 1e7, &allowed);
        ranges.positive("prior", prior);
        ranges.share("rate", rate);
    }
}
