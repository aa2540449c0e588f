//! Some settings, and where they come from.

use std::path::Path;

use toml::{Table, Value};

use super::settings::flatten;
use crate::error::Error;

/// Some settings and where they come from.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfigLayer {
    pub(super) source: String,
    pub(super) table: Table,
}

impl ConfigLayer {
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

    /// A layer of one assignment `section.key=value`. The value is TOML; what is not is taken as a string, so
    /// that strings need no quotes.
    ///
    /// # Errors
    /// [`Error::Usage`] where there is no `=` or the key is no dotted name.
    pub fn assignment(text: &str) -> Result<Self, Error> {
        let source = format!("--set {text}");
        let wrong = || {
            Error::Usage(format!(
                "`{source}` is not an assignment; write `--set section.key=value`, such as \
                 `--set agent.gamma=0.98`"
            ))
        };
        let table = text.split_once('=').and_then(|(key, value)| Self::nested(key, value));
        Ok(Self { table: table.ok_or_else(wrong)?, source })
    }

    /// A table of this dotted key alone, if it is one. The value is as for [`assignment`](Self::assignment).
    pub(super) fn nested(key: &str, value: &str) -> Option<Table> {
        let names: Vec<&str> = key.trim().split('.').collect();
        let is_name =
            |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !names.iter().all(is_name) {
            return None;
        }
        let value = value.trim();
        let parsed = format!("value = {value}").parse::<Table>().ok().filter(|table| table.len() == 1);
        let value = parsed.and_then(|mut table| table.remove("value")).unwrap_or_else(|| value.into());
        let nested = names
            .iter()
            .rev()
            .fold(value, |inner, name| Value::Table(Table::from_iter([((*name).to_owned(), inner)])));
        match nested {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    /// With whole numbers where whole numbers are known: TOML has no other way to write `1e4` than as a number
    /// with decimals.
    pub(super) fn with_whole_numbers(&self, known: &Table) -> Self {
        let mut layer = self.clone();
        make_whole(&mut layer.table, known);
        layer
    }

    /// Every setting as its dotted key and its value in TOML.
    pub fn settings(&self) -> Vec<(String, String)> {
        let mut settings = Vec::new();
        flatten("", &self.table, &mut settings);
        settings
    }

    /// Where the settings come from, such as a file's path.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The environment that this layer names, if it names one.
    pub fn env(&self) -> Option<&str> {
        self.table.get("env").and_then(Value::as_str)
    }

    /// The error for a value of the wrong type, given a deserialiser's message.
    pub(super) fn not_valid(&self, setting: &str, message: &str) -> Error {
        self.error(&format!("{setting} is not valid: {}", plain_words(message)))
    }

    /// The error for a problem of this layer.
    pub(super) fn error(&self, problem: &str) -> Error {
        Error::Usage(format!("{}: {problem}", self.source))
    }
}

fn make_whole(table: &mut Table, known: &Table) {
    /// Up to here every whole number is one of TOML's numbers with decimals.
    const LARGEST: f64 = (1_u64 << 53) as f64;
    for (key, value) in table {
        match (&mut *value, known.get(key)) {
            (Value::Table(inner), Some(Value::Table(known))) => make_whole(inner, known),
            (Value::Float(number), Some(Value::Integer(_)))
                if number.fract() == 0.0 && number.abs() <= LARGEST =>
            {
                *value = Value::Integer(*number as i64);
            }
            _ => {}
        }
    }
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
