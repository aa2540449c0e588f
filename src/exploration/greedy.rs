//! No exploration.

use super::{ExplorationRule, Passes, QSamples, Situation};
use crate::randomness::Generator;

/// The best action of the mean pass.
#[derive(Debug, Clone, Copy)]
pub struct Greedy;

impl ExplorationRule for Greedy {
    fn passes(&self) -> Passes {
        Passes::Mean
    }

    fn choose(&self, samples: &QSamples<'_>, _situation: Situation, _generator: &mut Generator) -> usize {
        samples.greedy_action()
    }
}
