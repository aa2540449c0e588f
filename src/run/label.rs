//! What a run is called in its plots.

use control_envs::EnvSpec;

use super::plots::RunLabel;
use crate::config::Config;

impl RunLabel {
    /// The label of a run with this config in this environment.
    pub fn of(config: &Config, spec: &EnvSpec) -> Self {
        let rule = config.exploration.rule;
        Self {
            title: format!("{} · {rule} · seed {}", spec.id, config.seed),
            short: format!("{rule}, seed {}", config.seed),
            group: format!("{} · {rule}", spec.id),
            reward_threshold: spec.reward_threshold,
        }
    }
}
