//! Which action to try: rules that turn samples of Q into an action, one a file.

mod epsilon_greedy;
mod greedy;
mod information_directed;
mod q_samples;
mod thompson;
mod ucb;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::randomness::Generator;
use crate::section::{Ranges, Section};

pub use epsilon_greedy::EpsilonGreedy;
pub use greedy::Greedy;
pub use information_directed::InformationDirected;
pub use q_samples::QSamples;
pub use thompson::{MaskSpan, Thompson};
pub use ucb::Ucb;

/// The passes of the Q-network that a rule wants for a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passes {
    /// One deterministic pass, every unit kept.
    Mean,
    /// So many passes, each with a fresh mask.
    Fresh(usize),
    /// One pass with the mask that is held for the episode.
    Held,
}

/// What else there is to know when an action is chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Situation {
    /// The share of the training that is over, from 0 to 1.
    pub progress: f64,
    /// Aleatoric variance of the TD targets, 1 / tau, in squared network units.
    pub noise_variance: f64,
}

/// A rule of exploration.
pub trait ExplorationRule: fmt::Debug + Send {
    /// The passes that [`choose`](Self::choose) is to be given.
    fn passes(&self) -> Passes;

    /// The action to take. Where it is not the greedy action of the samples, the decision is exploratory.
    fn choose(&self, samples: &QSamples<'_>, situation: Situation, generator: &mut Generator) -> usize;
}

/// The name of a rule, as `--exploration` takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum RuleName {
    /// Mean plus beta times the standard deviation over Monte-Carlo passes
    Ucb,
    /// Greedy under one dropout mask, held for an episode or a step
    Thompson,
    /// The least squared regret for the information gained over Monte-Carlo passes
    InformationDirected,
    /// A random action with a probability that falls over the training; the baseline
    EpsilonGreedy,
    /// Always the best action of the mean pass
    Greedy,
}

impl fmt::Display for RuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ucb => "ucb",
            Self::Thompson => "thompson",
            Self::InformationDirected => "information-directed",
            Self::EpsilonGreedy => "epsilon-greedy",
            Self::Greedy => "greedy",
        })
    }
}

/// The `[exploration]` section of a config.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExplorationConfig {
    /// The rule.
    pub rule: RuleName,
    /// Monte-Carlo passes a decision of `ucb` and `information-directed`.
    pub passes: usize,
    /// Weight of the standard deviation in `ucb`, and in the bounds of `information-directed`.
    pub beta: f64,
    /// For how long `thompson` holds a mask.
    pub thompson_mask: MaskSpan,
    /// Random share of `epsilon-greedy` at the start.
    pub epsilon_initial: f64,
    /// Random share of `epsilon-greedy` at the end.
    pub epsilon_final: f64,
    /// Share of the training over which it falls, linearly.
    pub epsilon_fraction: f64,
}

impl Default for ExplorationConfig {
    fn default() -> Self {
        Self {
            rule: RuleName::Ucb,
            passes: 10,
            beta: 1.0,
            thompson_mask: MaskSpan::Episode,
            epsilon_initial: 1.0,
            epsilon_final: 0.05,
            epsilon_fraction: 0.2,
        }
    }
}

impl Section for ExplorationConfig {
    fn check(&self, ranges: &mut Ranges) {
        ranges.passes("passes", self.passes);
        ranges.not_negative("beta", self.beta);
        ranges.probability("epsilon_initial", self.epsilon_initial);
        ranges.probability("epsilon_final", self.epsilon_final);
        ranges.share("epsilon_fraction", self.epsilon_fraction);
    }
}

impl ExplorationConfig {
    /// The rule that these settings describe.
    pub fn build(&self) -> Box<dyn ExplorationRule> {
        match self.rule {
            RuleName::Ucb => Box::new(Ucb { beta: self.beta, passes: self.passes }),
            RuleName::Thompson => Box::new(Thompson { mask: self.thompson_mask }),
            RuleName::InformationDirected => {
                Box::new(InformationDirected { beta: self.beta, passes: self.passes })
            }
            RuleName::EpsilonGreedy => Box::new(EpsilonGreedy {
                initial: self.epsilon_initial,
                last: self.epsilon_final,
                fraction: self.epsilon_fraction,
            }),
            RuleName::Greedy => Box::new(Greedy),
        }
    }
}
