//! Which action to try: rules that turn samples of Q into an action.
//!
//! Each rule is a file with its settings, their ranges and its choice; another one is a file more and a line
//! in the list of `rules!` here.

mod epsilon_greedy;
mod greedy;
mod information_directed;
mod q_samples;
mod thompson;
mod ucb;

use std::fmt;

use clap::ValueEnum;
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
    /// A number of passes, each with a fresh mask.
    Fresh(usize),
    /// One pass with the mask that is held for the episode.
    Held,
}

/// What else there is to know when an action is chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DecisionContext {
    /// The share of the training that is over, from 0 to 1.
    pub progress: f64,
    /// Aleatoric variance of the TD targets, 1 / tau, in squared network units.
    pub noise_variance: f64,
}

/// A rule of exploration.
pub trait ExplorationRule: fmt::Debug + Send {
    /// The passes that [`choose`](Self::choose) is to be given.
    fn passes(&self) -> Passes;

    /// The action to take, one of those that are [valid](QSamples::valid_actions). Where it is not the greedy action of the samples, the decision is exploratory.
    fn choose(&self, samples: &QSamples<'_>, context: DecisionContext, generator: &mut Generator) -> usize;
}

/// The names of the rules and the section of a config, from one list. Every rule is its own settings.
macro_rules! rules {
    ($($(#[$about:meta])* $rule:ident),+ $(,)?) => {
        /// The name of a rule, as `--exploration` and `exploration.rule` take it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
        #[serde(rename_all = "kebab-case")]
        pub enum RuleName {
            $($(#[$about])* $rule),+
        }

        /// `[exploration]`: the rule, and its settings beside it.
        #[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "rule", rename_all = "kebab-case")]
        pub enum ExplorationConfig {
            $($(#[$about])* $rule($rule)),+
        }

        impl ExplorationConfig {
            /// The name of the rule.
            pub fn rule(&self) -> RuleName {
                match self {
                    $(Self::$rule(_) => RuleName::$rule),+
                }
            }

            /// The rule itself.
            pub fn build(&self) -> Box<dyn ExplorationRule> {
                match *self {
                    $(Self::$rule(rule) => Box::new(rule)),+
                }
            }
        }

        /// The rule of this name with its defaults.
        impl From<RuleName> for ExplorationConfig {
            fn from(name: RuleName) -> Self {
                match name {
                    $(RuleName::$rule => Self::$rule($rule::default())),+
                }
            }
        }

        impl Section for ExplorationConfig {
            fn check(&self, ranges: &mut Ranges) {
                match self {
                    $(Self::$rule(rule) => rule.check(ranges)),+
                }
            }
        }
    };
}

rules! {
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

impl Default for ExplorationConfig {
    fn default() -> Self {
        RuleName::Ucb.into()
    }
}

impl fmt::Display for RuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_possible_value().map_or(Ok(()), |value| f.write_str(value.get_name()))
    }
}
