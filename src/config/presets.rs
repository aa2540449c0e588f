//! The presets of the built-in environments, embedded in the binary.

use control_envs::Registry;

use super::{Config, ConfigLayer};
use crate::error::Error;

const PRESETS: [(&str, &str, &str); 7] = [
    ("CartPole-v1", "configs/cartpole.toml", include_str!("../../configs/cartpole.toml")),
    ("MountainCar-v0", "configs/mountaincar.toml", include_str!("../../configs/mountaincar.toml")),
    ("Acrobot-v1", "configs/acrobot.toml", include_str!("../../configs/acrobot.toml")),
    ("Catch-v0", "configs/catch.toml", include_str!("../../configs/catch.toml")),
    ("DeepSea-v0", "configs/deep-sea.toml", include_str!("../../configs/deep-sea.toml")),
    (
        "CartPoleSwingup-v0",
        "configs/cartpole-swingup.toml",
        include_str!("../../configs/cartpole-swingup.toml"),
    ),
    (
        "SparseMountainCar-v0",
        "configs/sparse-mountaincar.toml",
        include_str!("../../configs/sparse-mountaincar.toml"),
    ),
];

/// Name and text of the preset of the environment with this id, if it has one.
pub fn preset(env_id: &str) -> Option<(&'static str, &'static str)> {
    PRESETS.iter().find(|(id, ..)| *id == env_id).map(|&(_, name, text)| (name, text))
}

/// Environment id, name and text of every preset.
pub fn presets() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    PRESETS.into_iter()
}

impl Config {
    /// The settings for an environment: the defaults, and its preset over them where it has one. A built-in
    /// environment is found by its alias too; any other name is taken as it is.
    ///
    /// # Errors
    /// Where a preset is not valid, which a test rules out.
    pub fn for_env(name: &str) -> Result<Self, Error> {
        let env = Registry::builtin().find(name).map_or(name, |entry| entry.id()).to_owned();
        let preset = preset(&env).map(|(name, text)| ConfigLayer::parse(name, text)).transpose()?;
        Ok(Self { env, ..Self::resolve(preset.as_slice())? })
    }
}
