//! What is said of observations whose bounds do not tell their scale.

use control_envs::EnvSpec;

use crate::agent::Agent;
use crate::training::Observer;

/// So many dimensions are named one by one.
const NAMED: usize = 5;

/// Says which dimensions are normalised by what is seen of them: those that are from the start, and those whose bounds
/// turn out not to be kept to.
pub struct BoundsWatch<'a> {
    spec: &'a EnvSpec,
}

impl<'a> BoundsWatch<'a> {
    /// Watches an agent in an environment of this spec.
    pub fn start(spec: &'a EnvSpec, agent: &Agent) -> Self {
        let watch = Self { spec };
        let normalized: Vec<usize> = agent.normalized_dimensions().collect();
        if !normalized.is_empty() {
            tracing::info!(
                "the bounds of {} do not tell their scale; they are normalised by what is seen of them",
                watch.names(&normalized)
            );
        }
        watch
    }

    fn names(&self, dimensions: &[usize]) -> String {
        let named = dimensions.iter().take(NAMED);
        let named: Vec<String> = named
            .map(|&dimension| format!("`{}`", self.spec.observation_space.dimensions[dimension].name))
            .collect();
        let more = dimensions.len() - named.len();
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        format!("the observation's {}{more}", named.join(", "))
    }
}

impl Observer for BoundsWatch<'_> {
    fn on_exceeded_bounds(&mut self, dimensions: &[usize], observation: &[f32]) {
        let Some(&first) = dimensions.first() else { return };
        let (low, high) = self.spec.observation_space.dimensions[first].typical;
        tracing::warn!(
            "{} left the bounds by far ({} where {low} to {high} was promised); from now on what is seen of them \
             scales them, and values that were learned before have to be learned again",
            self.names(dimensions),
            observation[first]
        );
    }
}
