//! Layers of settings laid over each other, and errors that name the layer, the key and the value.

use toml::{Table, Value};

use super::layer::ConfigLayer;
use super::{Config, environment, lists, rule, unknown};
use crate::error::Error;
use crate::section::Ranges;

impl Config {
    /// The defaults with the layers over them, the last on top.
    ///
    /// # Errors
    /// As for [`layered`](Self::layered).
    pub fn resolve(layers: &[ConfigLayer]) -> Result<Self, Error> {
        Self::default().layered(layers)
    }

    /// These settings with the layers over them, the last on top.
    ///
    /// # Errors
    /// [`Error::Usage`] for the first layer with an unknown key, a wrong type or a value out of range; it
    /// names the layer, the key, the value and what is allowed.
    pub fn layered(&self, layers: &[ConfigLayer]) -> Result<Self, Error> {
        let mut config = self.clone();
        let mut merged = config.to_table();
        for layer in layers {
            rule::choose(layer, &mut merged)?;
            environment::choose(layer, &mut merged)?;
            unknown::refuse_unknown_keys(layer, &merged)?;
            let layer = &layer.with_whole_numbers(&merged);
            lists::refuse_missing_brackets(layer, &merged)?;
            rule::refuse_wrong_types(layer, &merged)?;
            merge(&mut merged, &layer.table);
            config = deserialize(layer, &merged)?;
            if let Some(violation) = Ranges::violation(&config) {
                return Err(layer.error(&violation));
            }
        }
        Ok(config)
    }

    /// These settings with others over them, in TOML:
    ///
    /// ```
    /// # use concrete_dqn::Config;
    /// # fn main() -> Result<(), concrete_dqn::Error> {
    /// let config = Config::for_env("CartPole-v1")?.with("steps = 20_000\nagent.gamma = 0.98")?;
    /// assert_eq!((config.steps, config.agent.gamma), (20_000, 0.98));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`layered`](Self::layered), and where the text is not TOML.
    pub fn with(&self, settings: &str) -> Result<Self, Error> {
        self.layered(&[ConfigLayer::parse("the settings given by the program", settings)?])
    }

    /// Looks for a value out of its range, as where fields were changed by hand.
    ///
    /// # Errors
    /// [`Error::Usage`], which names the first one and says what is allowed.
    pub fn check(&self) -> Result<(), Error> {
        Ranges::violation(self)
            .map_or(Ok(()), |violation| Err(Error::Usage(format!("the config: {violation}"))))
    }

    /// All settings as TOML.
    pub fn to_toml(&self) -> String {
        self.to_table().to_string()
    }

    fn to_table(&self) -> Table {
        // A config holds only what TOML can hold; its ranges keep its integers within TOML's.
        Table::try_from(self).unwrap_or_default()
    }
}

fn merge(into: &mut Table, from: &Table) {
    for (key, value) in from {
        match (into.get_mut(key), value) {
            (Some(Value::Table(inner)), Value::Table(value)) => merge(inner, value),
            _ => {
                into.insert(key.clone(), value.clone());
            }
        }
    }
}

fn deserialize(layer: &ConfigLayer, merged: &Table) -> Result<Config, Error> {
    serde_path_to_error::deserialize(Value::Table(merged.clone())).map_err(|error| {
        let path = error.path().to_string();
        let key = path.split('[').next().unwrap_or_default();
        let value = key.split('.').try_fold(merged, |table, name| match table.get(name) {
            Some(Value::Table(inner)) => Ok(inner),
            other => Err(other.map(ToString::to_string)),
        });
        let shown = match value {
            Err(Some(value)) => format!("{key} = {value}"),
            _ => path.clone(),
        };
        layer.not_valid(&shown, &error.into_inner().to_string())
    })
}
