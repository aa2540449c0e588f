//! Thompson sampling by dropout masks.

use serde::{Deserialize, Serialize};

use super::{ExplorationRule, Passes, QSamples, Situation};
use crate::randomness::Generator;

/// The best action of one network drawn from the posterior (Gal & Ghahramani 2016).
#[derive(Debug, Clone, Copy)]
pub struct Thompson {
    /// For how long a draw is followed.
    pub mask: MaskSpan,
}

/// For how long a mask is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MaskSpan {
    /// For an episode, so that what one network believes is followed through (Osband et al. 2016).
    Episode,
    /// For one decision.
    Step,
}

impl ExplorationRule for Thompson {
    fn passes(&self) -> Passes {
        match self.mask {
            MaskSpan::Episode => Passes::Held,
            MaskSpan::Step => Passes::Fresh(1),
        }
    }

    fn choose(&self, samples: &QSamples<'_>, _situation: Situation, _generator: &mut Generator) -> usize {
        samples.greedy_action()
    }
}
