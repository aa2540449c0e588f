//! How numbers are written and read.

use serde::{Deserialize, Deserializer, Serializer};

/// As short as it can be without a change of value: 17 and not 17.0.
pub fn exact<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// A number that comes from f32 arithmetic, in the six significant digits that it is good for.
pub fn single<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    exact(&rounded(*value), serializer)
}

/// The same, or an empty cell.
pub fn optional_single<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => single(value, serializer),
        None => serializer.serialize_none(),
    }
}

/// The same, or an empty cell for NaN.
pub fn single_or_empty<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if value.is_nan() { serializer.serialize_none() } else { single(value, serializer) }
}

/// A number, or NaN where the cell is empty.
pub fn or_nan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

/// What stands in a column that the table of an older version does not have.
pub fn nan() -> f64 {
    f64::NAN
}

/// To six significant digits.
pub fn rounded(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}
