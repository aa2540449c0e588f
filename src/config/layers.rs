//! Layers of settings, each over the one before, and errors that name the layer, the key and the value.

use std::path::Path;

use toml::{Table, Value};

use super::{Config, rule};
use crate::error::Error;
use crate::section::Ranges;

/// Some settings and where they come from.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    source: String,
    pub(super) table: Table,
}

impl Layer {
    /// Settings from TOML text. `source` is what an error calls it, such as a file's path.
    ///
    /// # Errors
    /// [`Error::Usage`] where the text is not TOML.
    pub fn parse(source: &str, text: &str) -> Result<Self, Error> {
        let table = text.parse::<Table>().map_err(|error| {
            Error::Usage(format!("{source} is not valid TOML: {}", error.to_string().trim_end()))
        })?;
        Ok(Self { source: source.to_owned(), table })
    }

    /// Settings from a TOML file.
    ///
    /// # Errors
    /// [`Error::Usage`] where it can't be read or is not TOML.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Error::Usage(format!("could not read the config file {}: {error}", path.display()))
        })?;
        Self::parse(&path.display().to_string(), &text)
    }

    /// An empty layer, to be filled with [`set`](Self::set).
    pub fn empty(source: &str) -> Self {
        Self { source: source.to_owned(), table: Table::new() }
    }

    /// Sets a top-level key.
    pub fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.table.insert(key.to_owned(), value.into());
    }

    /// A layer of one assignment `section.key=value`. The value is TOML; what is not is taken as a string, so that
    /// strings need no quotes.
    ///
    /// # Errors
    /// [`Error::Usage`] where there is no `=` or the key is no dotted name.
    pub fn assignment(text: &str) -> Result<Self, Error> {
        let source = format!("--set {text}");
        let wrong = || {
            Error::Usage(format!(
                "`{source}` is not an assignment; write `--set section.key=value`, such as `--set agent.gamma=0.98`"
            ))
        };
        let (key, value) = text.split_once('=').ok_or_else(wrong)?;
        let names: Vec<&str> = key.trim().split('.').collect();
        let is_name =
            |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !names.iter().all(is_name) {
            return Err(wrong());
        }
        let value = value.trim();
        let parsed = format!("value = {value}").parse::<Table>().ok().filter(|table| table.len() == 1);
        let value = parsed.and_then(|mut table| table.remove("value")).unwrap_or_else(|| value.into());
        let nested = names
            .iter()
            .rev()
            .fold(value, |inner, name| Value::Table(Table::from_iter([((*name).to_owned(), inner)])));
        match nested {
            Value::Table(table) => Ok(Self { source, table }),
            _ => Err(wrong()),
        }
    }

    /// Where the settings come from, such as a file's path.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The environment that this layer names, if it names one.
    pub fn env(&self) -> Option<&str> {
        self.table.get("env").and_then(Value::as_str)
    }
}

impl Config {
    /// The defaults with the layers over them, the last on top.
    ///
    /// # Errors
    /// [`Error::Usage`] for the first layer with an unknown key, a wrong type or a value out of range; it names the
    /// layer, the key, the value and what is allowed.
    pub fn resolve(layers: &[Layer]) -> Result<Self, Error> {
        let mut config = Self::default();
        let mut merged = config.to_table();
        for layer in layers {
            rule::choose(layer, &mut merged)?;
            refuse_unknown_keys(layer, &layer.table, &merged, "")?;
            rule::refuse_wrong_types(layer, &merged)?;
            merge(&mut merged, &layer.table);
            config = deserialize(layer, &merged)?;
            if let Some(violation) = Ranges::violation(&config) {
                return Err(Error::Usage(format!("{}: {violation}", layer.source)));
            }
        }
        Ok(config)
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

fn refuse_unknown_keys(layer: &Layer, table: &Table, known: &Table, prefix: &str) -> Result<(), Error> {
    for (key, value) in table {
        match (known.get(key), value) {
            (None, _) => {
                if let Some(problem) = rule::of_another(prefix, key, known) {
                    return Err(Error::Usage(format!("{}: {problem}", layer.source)));
                }
                let names: Vec<&str> = known.keys().map(String::as_str).collect();
                let nearest =
                    names.iter().max_by(|a, b| strsim::jaro(a, key).total_cmp(&strsim::jaro(b, key)));
                return Err(Error::Usage(format!(
                    "{}: there is no key {prefix}{key}{}; allowed here are {}",
                    layer.source,
                    nearest.map_or_else(String::new, |name| format!("; did you mean {prefix}{name}?")),
                    names.join(", ")
                )));
            }
            (Some(Value::Table(known)), Value::Table(inner)) => {
                refuse_unknown_keys(layer, inner, known, &format!("{prefix}{key}."))?;
            }
            (Some(Value::Table(known)), _) => {
                let names: Vec<&str> = known.keys().map(String::as_str).collect();
                return Err(Error::Usage(format!(
                    "{}: {prefix}{key} = {value} is not valid, since {key} is a section with the keys {}",
                    layer.source,
                    names.join(", ")
                )));
            }
            _ => {}
        }
    }
    Ok(())
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

fn deserialize(layer: &Layer, merged: &Table) -> Result<Config, Error> {
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
        not_valid(layer, &shown, &error.into_inner().to_string())
    })
}

/// What to say of a setting of the wrong type, given a deserialiser's message.
pub(super) fn not_valid(layer: &Layer, setting: &str, message: &str) -> Error {
    Error::Usage(format!("{}: {setting} is not valid: {}", layer.source, plain_words(message)))
}

/// A deserialiser's message without its second line, which repeats the key, and with words for the types.
fn plain_words(message: &str) -> String {
    let mut words = message.lines().next().unwrap_or_default().to_owned();
    for (name, meaning) in [
        ("expected usize", "expected a whole number of 0 or more"),
        ("expected u64", "expected a whole number of 0 or more"),
        ("expected i64", "expected a whole number"),
        ("expected f64", "expected a number"),
    ] {
        words = words.replace(name, meaning);
    }
    words
}
