//! Which masks share one p.

use serde::{Deserialize, Serialize};

/// A dropout group is the masks of a layer that share one probability p.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DropoutGroups {
    /// One p for all masks of a layer (Gal, Hron & Kendall 2017).
    #[default]
    Layer,
    /// A p for every mask: for every input of a linear layer, for every unit or feature map of a convolution.
    Unit,
}

impl DropoutGroups {
    /// Number of groups of a layer with `masks` masks. All groups of a layer have the same number of masks.
    pub fn count(self, masks: i64) -> i64 {
        match self {
            Self::Layer => 1,
            Self::Unit => masks,
        }
    }
}

/// What the dropout of a layer starts from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InitialDropout {
    /// Probability p of every group.
    pub p: f64,
    /// Temperature t of the masks.
    pub temperature: f64,
    /// Which masks share one p.
    pub groups: DropoutGroups,
}

impl Default for InitialDropout {
    fn default() -> Self {
        Self { p: 0.1, temperature: 0.1, groups: DropoutGroups::Layer }
    }
}
