//! Settings that are lists.

use toml::{Table, Value};

use super::layer::ConfigLayer;
use crate::error::Error;

/// # Errors
/// [`Error::Usage`] where a list has another value, which says how it is written.
pub fn refuse_missing_brackets(layer: &ConfigLayer, known: &Table) -> Result<(), Error> {
    refuse_in_table(layer, &layer.table, known, "")
}

fn refuse_in_table(layer: &ConfigLayer, table: &Table, known: &Table, prefix: &str) -> Result<(), Error> {
    for (key, value) in table {
        match (known.get(key), value) {
            (Some(Value::Array(_)), Value::Array(_)) => {}
            (Some(Value::Array(known)), _) => {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let bracketed = format!("list = [{text}]").parse::<Table>().ok();
                let list = bracketed.and_then(|mut table| table.remove("list"));
                let right = list.unwrap_or_else(|| Value::Array(known.clone())).to_string().replace(' ', "");
                return Err(layer.error(&format!(
                    "{prefix}{key} = {value} is not valid, since it is a list, which has brackets; write \
                     {prefix}{key}={right}"
                )));
            }
            (Some(Value::Table(known)), Value::Table(inner)) => {
                refuse_in_table(layer, inner, known, &format!("{prefix}{key}."))?;
            }
            _ => {}
        }
    }
    Ok(())
}
