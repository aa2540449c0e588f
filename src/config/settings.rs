//! A config as a flat list, for comparing.

use toml::{Table, Value};

use super::Config;

impl Config {
    /// Every setting as its dotted key and its value in TOML, such as `agent.gamma` and `0.99`.
    pub fn settings(&self) -> Vec<(String, String)> {
        settings(&self.to_toml())
    }
}

/// The same of the settings in a text, and of no others. A text that is not TOML has none.
pub fn settings(text: &str) -> Vec<(String, String)> {
    let table: Table = text.parse().unwrap_or_default();
    let mut settings = Vec::new();
    flatten("", &table, &mut settings);
    settings
}

pub(super) fn flatten(prefix: &str, table: &Table, into: &mut Vec<(String, String)>) {
    for (key, value) in table {
        match value {
            Value::Table(inner) => flatten(&format!("{prefix}{key}."), inner, into),
            _ => into.push((format!("{prefix}{key}"), value.to_string())),
        }
    }
}
