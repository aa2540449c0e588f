//! From flags to the resolved config.

use std::time::Duration;

use control_envs::{Entry, Registry, contract};

use super::arguments::TrainArguments;
use crate::concrete::Temperature;
use crate::config::{Config, ConfigLayer};
use crate::error::Error;
use crate::panics::caught;

/// Defaults, the environment's preset, the config file, the flags.
pub fn resolve(registry: &Registry, arguments: &TrainArguments) -> Result<Config, Error> {
    let mut over = Vec::new();
    if let Some(path) = &arguments.config {
        over.push(ConfigLayer::read(path)?);
    }
    let mut flags = ConfigLayer::empty("the command line");
    if let Some(env) = &arguments.env {
        flags.set("env", env.as_str());
    }
    if let Some(device) = &arguments.device {
        flags.set("device", device.as_str());
    }
    for (key, value) in [("steps", arguments.steps), ("seed", arguments.seed)] {
        if let Some(value) = value {
            let value = i64::try_from(value).map_err(|_| {
                Error::Usage(format!("--{key} {value} is too large; it must be at most {}", i64::MAX))
            })?;
            flags.set(key, value);
        }
    }
    if let Some(engine) = arguments.engine {
        flags.set("engine", engine.to_string());
    }
    if let Some(rule) = arguments.exploration {
        flags.set("exploration", toml::Table::from_iter([("rule".to_owned(), rule.to_string().into())]));
    }
    over.push(flags);
    for assignment in &arguments.set {
        if arguments.seeds.is_some() && assignment.split('=').next().is_some_and(|key| key.trim() == "seed") {
            return Err(Error::Usage(format!(
                "--seeds and `--set {assignment}` cannot be used together, since both say which seed to train; \
                 leave one of them out"
            )));
        }
        over.push(ConfigLayer::assignment(assignment)?);
    }

    // The last layer that names an environment decides whose preset lies below.
    let default = ConfigLayer::empty("the defaults");
    let naming = over.iter().rev().find(|layer| layer.env().is_some()).unwrap_or(&default);
    let entry = registry
        .get(naming.env().unwrap_or(&Config::default().env))
        .map_err(|error| Error::Usage(format!("{}: {error}", naming.source())))?;
    let config = Config::for_env(entry.id())?.layered(&over)?;
    Ok(Config { env: entry.id().to_owned(), ..config })
}

/// Warns of an environment whose episodes may have no end.
pub fn warn_of_endless(entry: &Entry) {
    // One that panics does so in the training too, which says it.
    let probe = || Ok(contract::warning_of_endless(entry.make(), 1_000, Duration::from_secs(1)));
    if let Ok(Some(warning)) = caught(probe) {
        tracing::warn!("{warning}");
    }
}

/// Warns of settings that are allowed and still hardly meant.
pub fn warn_of_odd(config: &Config) {
    let (capacity, batch_size) = (config.agent.replay_capacity, config.agent.batch_size);
    if capacity < batch_size {
        tracing::warn!("agent.replay_capacity = {capacity} is smaller than agent.batch_size = {batch_size}");
    }
    let learning_starts = config.agent.learning_starts;
    if config.steps <= learning_starts {
        tracing::warn!(
            "nothing will be learned, since agent.learning_starts = {learning_starts} is not before the end"
        );
    }
    let temperature = config.dropout.temperature;
    if temperature > Temperature::BLURRED {
        tracing::warn!(
            "dropout.temperature = {temperature} exceeds {}: masks stop being near 0 or 1, the variance \
             over passes is no longer what p says, and the uncertainty suffers; see docs/uncertainty.md",
            Temperature::BLURRED
        );
    }
}
