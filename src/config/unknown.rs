//! What is said of a key that does not exist.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::environment;
use super::layer::ConfigLayer;
use super::rule;
use super::settings::flatten;
use crate::error::Error;

/// # Errors
/// [`Error::Usage`] for the first key of the layer that is not in `known`, and for a section that is given a
/// value.
pub fn refuse_unknown_keys(layer: &ConfigLayer, known: &Table) -> Result<(), Error> {
    let mut settings = Vec::new();
    flatten("", known, &mut settings);
    // Those of other rules too: a key without its section is then still found.
    let keys: BTreeSet<String> = settings.into_iter().map(|(key, _)| key).chain(rule::keys()).collect();
    refuse_in_table(layer, &layer.table, known, "", &keys)
}

fn refuse_in_table(
    layer: &ConfigLayer,
    table: &Table,
    known: &Table,
    prefix: &str,
    keys: &BTreeSet<String>,
) -> Result<(), Error> {
    for (key, value) in table {
        // What an environment takes, it says itself.
        if prefix.is_empty() && key == environment::SECTION {
            continue;
        }
        match (known.get(key), value) {
            (None, _) => {
                if let Some(problem) = rule::of_another(prefix, key, known) {
                    return Err(layer.error(&problem));
                }
                let meant = match value {
                    Value::Table(_) => sections(prefix, key, known),
                    _ => meant(prefix, key, keys),
                };
                let names: Vec<&str> = known.keys().map(String::as_str).collect();
                let question = if meant.is_empty() { meant } else { format!("; did you mean {meant}?") };
                return Err(layer.error(&format!(
                    "there is no key {prefix}{key}{question}; allowed here are {}",
                    names.join(", ")
                )));
            }
            (Some(Value::Table(known)), Value::Table(inner)) => {
                refuse_in_table(layer, inner, known, &format!("{prefix}{key}."), keys)?;
            }
            (Some(Value::Table(known)), _) => {
                let names: Vec<&str> = known.keys().map(String::as_str).collect();
                return Err(layer.error(&format!(
                    "{prefix}{key} = {value} is not valid, since {key} is a section with the keys {}",
                    names.join(", ")
                )));
            }
            _ => {}
        }
    }
    Ok(())
}

/// How much alike two names are, from 0 to 1, where one may be meant by the other.
const ALIKE: f64 = 0.75;

/// The keys of this name in other sections; where there are none, the key that is written most like it.
fn meant(prefix: &str, key: &str, keys: &BTreeSet<String>) -> String {
    let name = |dotted: &str| dotted.rsplit('.').next().unwrap_or_default().to_owned();
    let elsewhere: Vec<&str> = keys.iter().filter(|dotted| name(dotted) == key).map(String::as_str).collect();
    if !elsewhere.is_empty() {
        return elsewhere.join(" or ");
    }
    let given = format!("{prefix}{key}");
    let of_name = |dotted: &str| strsim::jaro(&name(dotted), key);
    let likeness = |dotted: &str| strsim::jaro(dotted, &given) + of_name(dotted);
    let alike = keys.iter().filter(|dotted| of_name(dotted) >= ALIKE);
    alike.max_by(|a, b| likeness(a).total_cmp(&likeness(b))).cloned().unwrap_or_default()
}

/// The section that is written most like this one.
fn sections(prefix: &str, key: &str, known: &Table) -> String {
    let likeness = |name: &str| strsim::jaro(name, key);
    let sections = known.iter().filter(|(_, value)| value.is_table()).map(|(name, _)| name);
    let alike = sections.filter(|name| likeness(name) >= ALIKE);
    let nearest = alike.max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    nearest.map_or_else(String::new, |name| format!("{prefix}{name}"))
}
