//! Thompson sampling with one dropout mask an episode.

use super::{ExplorationRule, Passes, QSamples};
use crate::randomness::Generator;

/// The best action of one network drawn from the posterior, held for an episode so that it is followed through
/// (Gal & Ghahramani 2016; Osband et al. 2016 on why the draw is to be held).
#[derive(Debug, Clone, Copy)]
pub struct Thompson;

impl ExplorationRule for Thompson {
    fn passes(&self) -> Passes {
        Passes::Held
    }

    fn choose(&self, samples: &QSamples<'_>, _progress: f64, _generator: &mut Generator) -> usize {
        samples.greedy_action()
    }
}
