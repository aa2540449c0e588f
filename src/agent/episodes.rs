//! What the agent keeps of the episode that is under way, one of each environment.

use serde::{Deserialize, Serialize};

use crate::concrete::LogisticNoise;
use crate::network::PassNoise;

/// Of one environment's episode; saved as it is, but for the mask, which is drawn again.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpisodeState {
    /// The exploration rule's decisions.
    pub decisions: u64,
    /// How many of them were exploratory.
    pub exploratory: u64,
    /// What the masks of local dropout are drawn from, for a rule that holds them.
    pub local_draw: u64,
    /// What the mask that is held was drawn from, as it was before.
    pub held_from: Option<LogisticNoise>,
    /// The noise of the mask that is held.
    #[serde(skip)]
    pub held: PassNoise,
}

impl EpisodeState {
    /// Draws the mask that is held, for a network whose layers have `masks` masks.
    pub fn hold_mask(&mut self, source: &mut LogisticNoise, masks: &[usize]) {
        self.held_from = Some(source.clone());
        self.held.draw(source, masks, 1, 1);
    }

    /// Draws it again.
    pub fn redraw_mask(&mut self, masks: &[usize]) {
        if let Some(mut source) = self.held_from.clone() {
            self.hold_mask(&mut source, masks);
        }
    }

    /// The share of the rule's decisions that were not the greedy action of the same samples. `None` before its first one:
    /// the random actions before learning starts are not the rule's.
    pub fn exploratory_share(&self) -> Option<f64> {
        (self.decisions > 0).then(|| self.exploratory as f64 / self.decisions as f64)
    }
}
