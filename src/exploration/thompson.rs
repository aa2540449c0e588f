//! Thompson sampling by dropout masks.

use serde::{Deserialize, Serialize};

use super::{DecisionContext, ExplorationRule, Passes, QSamples};
use crate::randomness::Generator;
use crate::section::{Ranges, Section};

/// The best action of one network drawn from the posterior (Gal & Ghahramani 2016).
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thompson {
    /// For how long a mask is held.
    pub thompson_mask: MaskSpan,
}

impl Section for Thompson {
    fn check(&self, _ranges: &mut Ranges) {}
}

/// For how long a mask is held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MaskSpan {
    /// For an episode, so that what one network believes is followed through (Osband et al. 2016).
    #[default]
    Episode,
    /// For one decision.
    Step,
}

impl ExplorationRule for Thompson {
    fn passes(&self) -> Passes {
        match self.thompson_mask {
            MaskSpan::Episode => Passes::Held,
            MaskSpan::Step => Passes::Fresh(1),
        }
    }

    fn choose(&self, samples: &QSamples<'_>, _context: DecisionContext, _generator: &mut Generator) -> usize {
        samples.greedy_action()
    }
}
