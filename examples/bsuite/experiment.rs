//! The experiments, as bsuite 0.3.6 defines them (`bsuite/experiments/*/sweep.py`).

use std::fmt;

use clap::ValueEnum;
use concrete_dqn::{Config, Error, Session};
use control_envs::{Argument, CartPoleSwingup, DeepSea, EnvArgs, Registry};

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

    /// The arguments of the environment in a setting, as settings of a config.
    pub fn arguments(self, index: u64) -> String {
        match self {
            Self::DeepSea | Self::DeepSeaStochastic => format!(
                "env_args.size = {}\nenv_args.mapping_seed = 42\nenv_args.stochastic = {}",
                size(index),
                self == Self::DeepSeaStochastic
            ),
            Self::CartpoleSwingup => format!(
                "env_args.height_threshold = {:?}\nenv_args.x_reward_threshold = {:?}",
                index as f64 / 20.0,
                1.0 - index as f64 / 20.0
            ),
        }
    }

    /// An agent in the environment of `config`, which is watched.
    ///
    /// # Errors
    /// Those of [`Session::new`].
    pub fn session(self, config: Config, figures: Figures) -> Result<Session, Error> {
        let mut registry = Registry::new();
        match self {
            Self::DeepSea | Self::DeepSeaStochastic => {
                registry.register_with("deep-sea", declared(&DeepSea::arguments()), move |arguments| {
                    Ok(WatchedDeepSea::new(DeepSea::with_arguments(arguments)?, &figures))
                })
            }
            Self::CartpoleSwingup => {
                registry.register_with("swingup", declared(&CartPoleSwingup::arguments()), move |arguments| {
                    Ok(WatchedSwingup::new(CartPoleSwingup::with_arguments(arguments)?, &figures))
                })
            }
        }?;
        Session::new(&registry, config)
    }
}

/// Deep sea's size: 10, 12, ..., 50.
fn size(index: u64) -> u64 {
    10 + 2 * index
}

fn declared(arguments: &EnvArgs) -> Vec<Argument> {
    arguments.iter().map(|(argument, _)| argument.clone()).collect()
}
