//! From flags to the resolved config.

use std::fmt::Display;
use std::time::Duration;

use control_envs::{Entry, Registry, contract};
use toml::{Table, Value};

use super::arguments::TrainArguments;
use crate::concrete::Temperature;
use crate::config::{Config, ConfigLayer, with_arguments};
use crate::error::Error;
use crate::panics::caught;

/// Defaults, the environment's preset, the config file, the flags.
pub fn resolve(registry: &Registry, arguments: &TrainArguments) -> Result<Config, Error> {
    let mut over = Vec::new();
    if let Some(path) = &arguments.config {
        over.push(ConfigLayer::read(path)?.with_env_id(registry));
    }
    let given = given(arguments, registry)?;
    refuse_contradictions(&given)?;
    over.extend(given);

    // The last layer that names an environment decides whose preset lies below.
    let default = ConfigLayer::empty("the defaults");
    let naming = over.iter().rev().find(|layer| layer.env().is_some()).unwrap_or(&default);
    let entry = registry
        .get(naming.env().unwrap_or(&Config::default().env))
        .map_err(|error| Error::Usage(format!("{}: {error}", naming.source())))?;
    let config = Config::for_env(entry.id())?.layered(&over)?;
    Ok(config.in_environment(&with_arguments(&entry, over.iter())?))
}

/// What the flags say, a layer each, and then every `--set`.
fn given(arguments: &TrainArguments, registry: &Registry) -> Result<Vec<ConfigLayer>, Error> {
    let TrainArguments { env, env_arg, steps, envs, seed, exploration, device, engine, .. } = arguments;
    let mut given = Vec::new();
    for (key, value) in [("env", env), ("device", device)] {
        given.extend(value.as_ref().map(|value| flag(key, value, value.as_str().into())));
    }
    for (key, value) in [("steps", *steps), ("seed", *seed)] {
        if let Some(value) = value {
            given.push(flag(key, value, whole(key, value)?));
        }
    }
    if let Some(value) = *envs {
        let mut layer = ConfigLayer::empty(&format!("--envs {value}"));
        layer.set("agent", Table::from_iter([("envs".to_owned(), whole("envs", value)?)]));
        given.push(layer);
    }
    if let Some(engine) = engine {
        given.push(flag("engine", engine, engine.to_string().into()));
    }
    if let Some(rule) = exploration {
        let section = Table::from_iter([("rule".to_owned(), rule.to_string().into())]);
        given.push(flag("exploration", rule, section.into()));
    }
    for argument in env_arg {
        given.push(ConfigLayer::env_argument(argument)?);
    }
    for assignment in &arguments.set {
        if arguments.seeds.is_some() && assignment.split('=').next().is_some_and(|key| key.trim() == "seed") {
            return Err(Error::Usage(format!(
                "--seeds and `--set {assignment}` cannot be used together, since both say which seed to train; \
                 leave one of them out"
            )));
        }
        given.push(ConfigLayer::assignment(assignment)?);
    }
    // By its id, since an alias says nothing else.
    Ok(given.into_iter().map(|layer| layer.with_env_id(registry)).collect())
}

/// The whole number that a flag says.
fn whole(flag: &str, value: u64) -> Result<Value, Error> {
    let error = |_| Error::Usage(format!("--{flag} {value} is too large; it must be at most {}", i64::MAX));
    i64::try_from(value).map(Value::from).map_err(error)
}

/// The layer of a flag, which has the name of what it sets.
fn flag(name: &str, value: impl Display, setting: Value) -> ConfigLayer {
    let mut layer = ConfigLayer::empty(&format!("--{name} {value}"));
    layer.set(name, setting);
    layer
}

/// Refuses what says two different things of one setting, since it can't be known which was meant.
fn refuse_contradictions(given: &[ConfigLayer]) -> Result<(), Error> {
    for (index, layer) in given.iter().enumerate() {
        for (key, value) in layer.settings() {
            let differs = |other: &&ConfigLayer| {
                other.settings().iter().any(|(other, other_value)| *other == key && *other_value != value)
            };
            if let Some(other) = given[..index].iter().find(differs) {
                return Err(Error::Usage(format!(
                    "`{}` and `{}` cannot be used together, since they set {key} to different values; leave one \
                     of them out",
                    other.source(),
                    layer.source()
                )));
            }
        }
    }
    Ok(())
}

/// Warns of an environment whose episodes may have no end. One of another program, which may be its user's own object, is
/// not played in to find out.
pub fn warn_of_endless(entry: &Entry) {
    if entry.args().is_open() {
        return;
    }
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
