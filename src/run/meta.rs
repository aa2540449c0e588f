//! `meta.json`: what ran, where and when.

use std::process::Command;

use serde::{Deserialize, Serialize};

/// What a figure must be traced back to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Meta {
    /// Version of concrete-dqn.
    pub version: String,
    /// Version of tch.
    pub tch: String,
    /// Version of libtorch, as its headers state it, if the build could read them.
    pub libtorch: Option<String>,
    /// Commit of the git checkout in which the program was started, if it was started in one; `-dirty`
    /// follows where files had been changed.
    pub git_revision: Option<String>,
    /// Where the tensors are.
    pub device: String,
    /// Threads of libtorch.
    pub threads: i32,
    /// Operating system and architecture.
    pub platform: String,
    /// Start of the run, UTC.
    pub started: String,
    /// The command line.
    pub command: Vec<String>,
    /// When and by what the run was resumed, in that order.
    #[serde(default)]
    pub resumed: Vec<Resumption>,
}

/// One time that a run was resumed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resumption {
    /// Environment steps of the checkpoint that it was resumed from.
    pub step: u64,
    /// When, UTC.
    pub started: String,
    /// Version of concrete-dqn.
    pub version: String,
    /// As [`Meta::git_revision`].
    pub git_revision: Option<String>,
    /// The command line.
    pub command: Vec<String>,
}

impl Meta {
    /// The version of tch that Cargo.toml asks for.
    pub const TCH: &'static str = "0.26.0";

    /// What runs here and now.
    pub fn gather(device: &str) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            tch: Self::TCH.to_owned(),
            libtorch: option_env!("LIBTORCH_VERSION").map(str::to_owned),
            git_revision: git_revision(),
            device: device.to_owned(),
            threads: tch::get_num_threads(),
            platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            started: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            command: std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect(),
            resumed: Vec::new(),
        }
    }

    /// Adds that the run is resumed from `step`, here and now.
    pub fn add_resumption(&mut self, step: u64) {
        let Self { version, git_revision, started, command, .. } = Self::gather(&self.device);
        self.resumed.push(Resumption { step, started, version, git_revision, command });
    }
}

fn git_revision() -> Option<String> {
    let output =
        Command::new("git").args(["describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"]).output();
    let output = output.ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_tch_is_the_one_in_cargo_toml() {
        let manifest: toml::Table = include_str!("../../Cargo.toml").parse().unwrap();
        assert_eq!(manifest["dependencies"]["tch"].as_str(), Some(Meta::TCH));
    }
}
