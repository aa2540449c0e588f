//! No exploration.

use serde::{Deserialize, Serialize};

use super::{DecisionContext, ExplorationRule, Passes, QSamples};
use crate::randomness::Generator;
use crate::section::{Ranges, Section};

/// The best action of the mean pass.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Greedy;

impl Section for Greedy {
    fn check(&self, _ranges: &mut Ranges) {}
}

impl ExplorationRule for Greedy {
    fn passes(&self) -> Passes {
        Passes::Mean
    }

    fn choose(&self, samples: &QSamples<'_>, _context: DecisionContext, _generator: &mut Generator) -> usize {
        samples.greedy_action()
    }
}
