//! The environment across layers. Its arguments are its own, so a layer that names another environment starts them
//! anew.

use control_envs::{ArgValue, Entry, EnvError, Registry};
use toml::{Table, Value};

use super::Config;
use super::layer::ConfigLayer;
use crate::error::Error;

pub(super) const SECTION: &str = "env_args";

/// Checks that the arguments of `layer` are a section, and drops those below where it names another environment.
pub(super) fn choose(layer: &ConfigLayer, below: &mut Table) -> Result<(), Error> {
    if let Some(value) = layer.table.get(SECTION).filter(|value| !value.is_table()) {
        return Err(layer.error(&format!(
            "{SECTION} = {value} is not valid, since {SECTION} is a section with the arguments of the environment, such \
             as {SECTION}.size = 20"
        )));
    }
    let named = layer.env();
    if named.is_some() && named != below.get("env").and_then(Value::as_str) {
        below.remove(SECTION);
    }
    below.entry(SECTION).or_insert_with(|| Table::new().into());
    Ok(())
}

impl ConfigLayer {
    /// A layer of one argument of the environment, `name=value`, as `--env-arg` takes it.
    ///
    /// # Errors
    /// [`Error::Usage`] where there is no `=` or the name is none.
    pub fn env_argument(text: &str) -> Result<Self, Error> {
        let source = format!("--env-arg {text}");
        let named = text.split_once('=').filter(|(name, _)| !name.contains('.'));
        let nested = named.and_then(|(name, value)| Self::nested(&format!("{SECTION}.{name}"), value));
        let table = nested.ok_or_else(|| {
            Error::Usage(format!(
                "`{source}` is not an argument of an environment; write `--env-arg name=value`, such as `--env-arg size=20`"
            ))
        })?;
        Ok(Self { source, table })
    }

    /// The same layer, its environment named by its id where `registry` knows it: an alias is no other environment.
    pub fn with_env_id(mut self, registry: &Registry) -> Self {
        if let Some(entry) = self.env().and_then(|name| registry.get(name).ok()) {
            self.set("env", entry.id());
        }
        self
    }
}

/// The environment with the arguments of all `layers`, the last on top. Layers below one that names another
/// environment have none.
///
/// # Errors
/// [`Error::Usage`] for an argument that the environment does not take; it names the layer.
pub fn with_arguments<'a>(
    entry: &Entry,
    layers: impl DoubleEndedIterator<Item = &'a ConfigLayer>,
) -> Result<Entry, Error> {
    let is_of_another = |layer: &ConfigLayer| layer.env().is_some_and(|name| name != entry.id());
    let own: Vec<_> = layers.rev().take_while(|layer| !is_of_another(layer)).collect();
    own.into_iter().rev().try_fold(entry.clone(), |entry, layer| match layer.table.get(SECTION) {
        Some(Value::Table(given)) => {
            entry.with_args(arguments(given)).map_err(|error| layer.error(&error.to_string()))
        }
        _ => Ok(entry),
    })
}

impl Config {
    /// The environment of these settings, with their arguments, among those of `registry`.
    ///
    /// # Errors
    /// [`EnvError::UnknownEnv`], and those of [`Entry::with_args`].
    pub fn entry(&self, registry: &Registry) -> Result<Entry, EnvError> {
        self.with_own_arguments(&registry.get(&self.env)?)
    }

    /// The environment with the arguments of these settings over its own, in their wrappers.
    ///
    /// # Errors
    /// Those of [`Entry::with_args`].
    pub fn with_own_arguments(&self, entry: &Entry) -> Result<Entry, EnvError> {
        Ok(entry.with_args(arguments(&self.env_args))?.with_wrappers(self.wrappers))
    }

    /// These settings in that environment: its id, and all its arguments, so that they say the same should a default
    /// ever change.
    pub fn in_environment(self, entry: &Entry) -> Self {
        let argument = |(name, value): (String, &ArgValue)| {
            let value = match value {
                ArgValue::Flag(value) => Value::from(*value),
                ArgValue::Whole(value) => Value::from(*value),
                ArgValue::Number(value) => Value::from(*value),
                ArgValue::Text(value) | ArgValue::Other(value) => Value::from(value.as_str()),
            };
            (name, value)
        };
        let named = entry.args().iter().map(|(argument, value)| (argument.name.clone(), value));
        Self { env: entry.id().to_owned(), env_args: named.map(argument).collect(), ..self }
    }

    /// The environment as titles name it: with its arguments that are not as by default, such as `DeepSea-v0 size=20`.
    /// Of an environment that is not built in the defaults are not known here, and all its arguments are named.
    pub fn env_title(&self) -> String {
        let known = Registry::builtin().find(&self.env).map(|entry| self.with_own_arguments(entry));
        match known {
            Some(Ok(entry)) => entry.args().label(&self.env),
            _ => {
                let named =
                    |title: String, (name, value): (&String, &Value)| format!("{title} {name}={value}");
                self.env_args.iter().fold(self.env.clone(), named)
            }
        }
    }
}

/// Arguments in TOML as an environment takes them.
fn arguments(table: &Table) -> impl Iterator<Item = (&String, ArgValue)> {
    table.iter().map(|(name, value)| {
        let value = match value {
            Value::Boolean(value) => ArgValue::Flag(*value),
            Value::Integer(value) => ArgValue::Whole(*value),
            Value::Float(value) => ArgValue::Number(*value),
            Value::String(value) => ArgValue::Text(value.clone()),
            other => ArgValue::Other(other.to_string()),
        };
        (name, value)
    })
}
