//! The exploration rule across layers. Its settings are its own, so a layer that chooses another rule starts
//! them anew.

use clap::ValueEnum;
use serde::Deserialize;
use toml::{Table, Value};

use super::layer::ConfigLayer;
use crate::error::Error;
use crate::exploration::{ExplorationConfig, RuleName};

const SECTION: &str = "exploration";

/// Where `layer` names another rule than those below, that rule with its defaults takes the place of theirs.
pub fn choose(layer: &ConfigLayer, below: &mut Table) -> Result<(), Error> {
    let rule_of = |table: &Table| table.get(SECTION).and_then(|section| section.get("rule").cloned());
    let Some(named) = rule_of(&layer.table) else { return Ok(()) };
    let rule = RuleName::deserialize(named.clone())
        .map_err(|error| layer.not_valid(&format!("{SECTION}.rule = {named}"), &error.to_string()))?;
    if rule_of(below) != Some(named) {
        below.insert(SECTION.to_owned(), Value::Table(defaults(rule)));
    }
    Ok(())
}

/// A tagged section is read as a whole and its errors know no key, so here each setting is read by itself.
pub fn refuse_wrong_types(layer: &ConfigLayer, below: &Table) -> Result<(), Error> {
    let (Some(Value::Table(settings)), Some(Value::Table(section))) =
        (layer.table.get(SECTION), below.get(SECTION))
    else {
        return Ok(());
    };
    for (key, value) in settings {
        let mut section = section.clone();
        section.insert(key.clone(), value.clone());
        ExplorationConfig::deserialize(Value::Table(section))
            .map_err(|error| layer.not_valid(&format!("{SECTION}.{key} = {value}"), &error.to_string()))?;
    }
    Ok(())
}

/// Where `key` is no setting of the rule in `section` but of others: what to say of it.
pub fn of_another(prefix: &str, key: &str, section: &Table) -> Option<String> {
    let rule = section.get("rule").and_then(Value::as_str).filter(|_| prefix == "exploration.")?;
    let owners: Vec<String> = RuleName::value_variants()
        .iter()
        .filter(|rule| defaults(**rule).contains_key(key))
        .map(ToString::to_string)
        .collect();
    let owner = owners.first()?;
    let own: Vec<&str> = section.keys().map(String::as_str).filter(|name| *name != "rule").collect();
    let allowed = match own[..] {
        [] => format!("{rule} has no settings"),
        _ => format!("allowed with {rule}: {}", own.join(", ")),
    };
    Some(format!(
        "{prefix}{key} is a setting of {}, and the rule is {rule}; {allowed}; for {owner}, set \
         {prefix}rule = \"{owner}\" first",
        owners.join(" and ")
    ))
}

/// The dotted keys of the settings of all rules.
pub fn keys() -> impl Iterator<Item = String> {
    let of = |rule: &RuleName| defaults(*rule).into_iter().map(|(key, _)| format!("{SECTION}.{key}"));
    RuleName::value_variants().iter().flat_map(of)
}

impl ConfigLayer {
    /// Without settings of other exploration rules than the one that it names: until version 0.2 a run's
    /// `config.toml` held those of all rules, and they meant nothing.
    pub fn without_other_rules(mut self) -> Self {
        if let Some(Value::Table(section)) = self.table.get_mut(SECTION)
            && let Some(rule) = section.get("rule").cloned()
            && let Ok(rule) = RuleName::deserialize(rule)
        {
            let own = defaults(rule);
            let is_of_another =
                |key: &str| RuleName::value_variants().iter().any(|rule| defaults(*rule).contains_key(key));
            section.retain(|key, _| own.contains_key(key) || !is_of_another(key));
        }
        self
    }
}

/// The section with this rule and its defaults.
fn defaults(rule: RuleName) -> Table {
    // A rule holds only what TOML can hold.
    Table::try_from(ExplorationConfig::from(rule)).unwrap_or_default()
}
