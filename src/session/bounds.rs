//! What is said of observations whose bounds do not tell their scale.

use control_envs::EnvSpec;

use crate::agent::{Agent, Misfit};
use crate::training::Observer;

/// So many dimensions are named one by one.
const NAMED: usize = 5;

/// Says which dimensions are normalised by what is seen of them: those that are from the start, and those whose bounds
/// turn out not to be kept to or next to unused.
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
    fn on_misfits(&mut self, misfits: &[Misfit], observation: &[f32]) {
        let promised = |dimension: usize| self.spec.observation_space.dimensions[dimension].typical;
        let (mut exceeded, mut unfilled) = (Vec::new(), Vec::new());
        for misfit in misfits {
            match *misfit {
                Misfit::Exceeded(dimension) => exceeded.push(dimension),
                Misfit::Unfilled(dimension) => unfilled.push(dimension),
            }
        }
        if let Some(&first) = exceeded.first() {
            let (low, high) = promised(first);
            tracing::warn!(
                "{} left the bounds by far ({} where {low} to {high} was promised); from now on what is seen of them \
                 scales them, and values that were learned before have to be learned again",
                self.names(&exceeded),
                observation[first]
            );
        }
        if let Some(&first) = unfilled.first() {
            let (low, high) = promised(first);
            tracing::info!(
                "{} filled less than a thousandth of the bounds so far (they are {low} to {high}); from now on what is seen \
                 of them scales them",
                self.names(&unfilled)
            );
        }
    }
}
