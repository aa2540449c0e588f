//! The experiments, as bsuite 0.3.6 defines them (`bsuite/experiments/*/sweep.py`).

use std::fmt;

use clap::ValueEnum;
use concrete_dqn::{Config, Error, Session};
use control_envs::{ArgValue, CartPoleSwingup, DeepSea, EnvArgs};

use crate::watched::{Figures, WatchedDeepSea, WatchedSwingup};

/// An experiment of bsuite that asks for exploration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Experiment {
    /// Deep sea of sizes 10 to 50
    DeepSea,
    /// The same with a wind and noise
    DeepSeaStochastic,
    /// The swing-up with thresholds from easy to hard
    CartpoleSwingup,
}

impl fmt::Display for Experiment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DeepSea => "deep_sea",
            Self::DeepSeaStochastic => "deep_sea_stochastic",
            Self::CartpoleSwingup => "cartpole_swingup",
        })
    }
}

impl Experiment {
    /// The id of its environment.
    pub fn env(self) -> &'static str {
        match self {
            Self::DeepSea | Self::DeepSeaStochastic => "DeepSea-v0",
            Self::CartpoleSwingup => "CartPoleSwingup-v0",
        }
    }

    /// How many settings it has.
    pub fn settings(self) -> u64 {
        match self {
            Self::DeepSea | Self::DeepSeaStochastic => 21,
            Self::CartpoleSwingup => 20,
        }
    }

    /// Episodes of each setting.
    pub fn episodes(self) -> u64 {
        match self {
            Self::DeepSea | Self::DeepSeaStochastic => 10_000,
            Self::CartpoleSwingup => 1_000,
        }
    }

    /// The most steps of an episode.
    pub fn longest_episode(self, index: u64) -> u64 {
        match self {
            Self::DeepSea | Self::DeepSeaStochastic => size(index),
            // Ten seconds of 0.01 s, and the step that finds them over.
            Self::CartpoleSwingup => 1_001,
        }
    }

    /// The file in which bsuite looks for the table of a setting.
    pub fn file(self, index: u64) -> String {
        format!("bsuite_id_-_{self}-{index}.csv")
    }

    /// An agent in a setting, watched.
    ///
    /// # Errors
    /// Those of [`Session::new`].
    pub fn session(self, index: u64, config: Config, figures: Figures) -> Result<Session, Error> {
        match self {
            Self::DeepSea | Self::DeepSeaStochastic => {
                let is_stochastic = self == Self::DeepSeaStochastic;
                let given: [(&str, ArgValue); 3] = [
                    ("size", (size(index) as i64).into()),
                    ("mapping_seed", 42.into()),
                    ("stochastic", is_stochastic.into()),
                ];
                let arguments = DeepSea::arguments().with(given)?;
                DeepSea::with_arguments(&arguments)?;
                Session::new(
                    move || WatchedDeepSea::new(made(DeepSea::with_arguments, &arguments), &figures),
                    config,
                )
            }
            Self::CartpoleSwingup => {
                let given: [(&str, ArgValue); 2] = [
                    ("height_threshold", (index as f64 / 20.0).into()),
                    ("x_reward_threshold", (1.0 - index as f64 / 20.0).into()),
                ];
                let arguments = CartPoleSwingup::arguments().with(given)?;
                CartPoleSwingup::with_arguments(&arguments)?;
                Session::new(
                    move || WatchedSwingup::new(made(CartPoleSwingup::with_arguments, &arguments), &figures),
                    config,
                )
            }
        }
    }
}

/// Deep sea's size: 10, 12, ..., 50.
fn size(index: u64) -> u64 {
    10 + 2 * index
}

/// An environment whose arguments were tried before.
fn made<E, F>(make: impl Fn(&EnvArgs) -> Result<E, F>, arguments: &EnvArgs) -> E
where
    F: fmt::Debug,
{
    make(arguments).expect("the arguments were tried before")
}
