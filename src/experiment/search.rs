//! Ranges of settings that an experiment searches in, and the settings that it has tried there.

use serde::Serialize;
use serde_json::Value as Json;
use toml::{Table, Value};

use crate::config::settings;

/// What the names of the variants that a search tries start with.
pub const TRIAL: &str = "trial-";

/// A search: how many settings it tries, and in which ranges.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// How many.
    pub sample: usize,
    /// What varies.
    pub ranges: Vec<Range>,
}

/// The values that a setting may have.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Range {
    /// The setting, such as `agent.gamma`.
    pub key: String,
    /// Its values.
    #[serde(flatten)]
    pub domain: Domain,
}

/// Values.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Domain {
    /// Whole numbers from `low` to `high`.
    Whole {
        /// Lowest.
        low: i64,
        /// Highest.
        high: i64,
        /// Whether their logarithm is spread evenly.
        log: bool,
    },
    /// Numbers from `low` to `high`.
    Real {
        /// Lowest.
        low: f64,
        /// Highest.
        high: f64,
        /// Whether their logarithm is spread evenly.
        log: bool,
    },
    /// One of some values, in TOML.
    Choice {
        /// They.
        choices: Vec<String>,
    },
}

const FORM: &str =
    "write it as { low = 1e-5, high = 1e-2, log = true }, or as a list of values such as [32, 64]";

impl Search {
    /// The ranges below a section, whose keys are settings.
    ///
    /// # Errors
    /// What is wrong, as a sentence.
    pub fn new(sample: usize, section: &Table) -> Result<Self, String> {
        let mut ranges = Vec::new();
        collect("", section, &mut ranges)?;
        if ranges.is_empty() {
            return Err("ranges is empty; write one such as optimizer.learning_rate = { low = 1e-5, high = 1e-2, log \
                        = true } below [ranges]"
                .to_owned());
        }
        Ok(Self { sample, ranges })
    }

    /// The settings of a trial, as text that can follow an experiment's file. `values` are in the order of the ranges, a
    /// choice by its index.
    ///
    /// # Errors
    /// The key whose value is not in its range.
    pub fn variant(&self, number: usize, values: &[Json]) -> Result<String, String> {
        let mut text = format!("\n[variants.{TRIAL}{number:03}]\n");
        for (index, range) in self.ranges.iter().enumerate() {
            let value = values.get(index).and_then(|value| range.domain.text(value));
            let value = value.ok_or_else(|| range.key.clone())?;
            text += &format!("{} = {value}\n", range.key);
        }
        Ok(text)
    }

    /// The values of a trial in an experiment's file, as [`variant`](Self::variant) takes them. `None` where one is not in
    /// its range, as after the ranges were changed.
    pub fn values(&self, file: &str, trial: &str) -> Option<Vec<Json>> {
        let all = settings(file);
        let value = |range: &Range| {
            let key = format!("variants.{trial}.{}", range.key);
            all.iter().find(|(other, _)| *other == key).and_then(|(_, text)| range.domain.value(text))
        };
        self.ranges.iter().map(value).collect()
    }
}

fn collect(prefix: &str, section: &Table, ranges: &mut Vec<Range>) -> Result<(), String> {
    for (key, value) in section {
        let key = format!("{prefix}{key}");
        let domain = match value {
            Value::Table(table) if !table.contains_key("low") && !table.contains_key("high") => {
                collect(&format!("{key}."), table, ranges)?;
                continue;
            }
            Value::Table(table) => {
                Domain::between(table).map_err(|problem| format!("ranges.{key}: {problem}"))?
            }
            Value::Array(choices) if !choices.is_empty() => {
                Domain::Choice { choices: choices.iter().map(Value::to_string).collect() }
            }
            other => return Err(format!("ranges.{key} = {other} is not a range; {FORM}")),
        };
        ranges.push(Range { key, domain });
    }
    Ok(())
}

impl Domain {
    fn between(table: &Table) -> Result<Self, String> {
        if let Some(key) = table.keys().find(|key| !["low", "high", "log"].contains(&key.as_str())) {
            return Err(format!("there is no key {key} in a range; {FORM}"));
        }
        let log = match table.get("log") {
            None => false,
            Some(Value::Boolean(log)) => *log,
            Some(other) => return Err(format!("log = {other} is neither true nor false")),
        };
        let domain = match (table.get("low"), table.get("high")) {
            (Some(Value::Integer(low)), Some(Value::Integer(high))) => {
                Self::Whole { low: *low, high: *high, log }
            }
            (Some(low), Some(high)) => match (real(low), real(high)) {
                (Some(low), Some(high)) => Self::Real { low, high, log },
                _ => return Err(format!("low and high must be numbers; {FORM}")),
            },
            _ => return Err(format!("it needs both low and high; {FORM}")),
        };
        let (is_ordered, is_positive) = match domain {
            Self::Whole { low, high, .. } => (low < high, low > 0),
            Self::Real { low, high, .. } => (low < high && low.is_finite() && high.is_finite(), low > 0.0),
            Self::Choice { .. } => (true, true),
        };
        match (is_ordered, !log || is_positive) {
            (true, true) => Ok(domain),
            (false, _) => Err("low must be below high".to_owned()),
            (_, false) => Err("low must be above 0 where log = true".to_owned()),
        }
    }

    /// Values that show whether all are allowed, in TOML: both ends, or every choice.
    pub fn samples(&self) -> Vec<String> {
        match self {
            Self::Whole { low, high, .. } => vec![low.to_string(), high.to_string()],
            Self::Real { low, high, .. } => [*low, *high].map(|end| Value::Float(end).to_string()).to_vec(),
            Self::Choice { choices } => choices.clone(),
        }
    }

    /// A value in TOML.
    fn text(&self, value: &Json) -> Option<String> {
        match self {
            Self::Whole { low, high, .. } => {
                value.as_i64().filter(|value| (low..=high).contains(&value)).map(|value| value.to_string())
            }
            Self::Real { low, high, .. } => {
                let value = value.as_f64().filter(|value| (low..=high).contains(&value))?;
                Some(Value::Float(value).to_string())
            }
            Self::Choice { choices } => choices.get(usize::try_from(value.as_u64()?).ok()?).cloned(),
        }
    }

    /// The value that a text in TOML is, and [`text`](Self::text) turns back.
    fn value(&self, text: &str) -> Option<Json> {
        let value = match self {
            Self::Whole { .. } => Json::from(text.parse::<i64>().ok()?),
            Self::Real { .. } => Json::from(text.parse::<f64>().ok()?),
            Self::Choice { choices } => Json::from(choices.iter().position(|choice| choice == text)?),
        };
        self.text(&value).map(|_| value)
    }
}

fn real(value: &Value) -> Option<f64> {
    value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(ranges: &str) -> Result<Search, String> {
        Search::new(5, &ranges.parse().unwrap())
    }

    #[test]
    fn ranges_are_read_and_trials_are_written_and_read() {
        let search = search(
            "agent.n_step = { low = 1, high = 5 }\noptimizer.learning_rate = { low = 1e-5, high = 1, log = true }\n\
             network.hidden = [[64], [64, 64]]\nexploration.rule = [\"ucb\", \"thompson\"]",
        )
        .unwrap();
        let keys: Vec<&str> = search.ranges.iter().map(|range| range.key.as_str()).collect();
        assert_eq!(keys, ["agent.n_step", "exploration.rule", "network.hidden", "optimizer.learning_rate"]);
        let values = [Json::from(3), Json::from(1), Json::from(0), Json::from(0.001_25)];
        let text = search.variant(7, &values).unwrap();
        assert_eq!(
            text,
            "\n[variants.trial-007]\nagent.n_step = 3\nexploration.rule = \"thompson\"\nnetwork.hidden = [64]\n\
             optimizer.learning_rate = 0.00125\n"
        );
        assert_eq!(search.values(&text, "trial-007").unwrap(), values);
        assert_eq!(search.values(&text, "trial-008"), None);
        assert_eq!(search.values(&text.replace("= 3", "= 6"), "trial-007"), None, "it is not in its range");
        assert_eq!(search.variant(0, &[Json::from(9)]).unwrap_err(), "agent.n_step");
    }

    #[test]
    fn what_is_no_range_is_a_sentence() {
        for (ranges, part) in [
            ("", "ranges is empty"),
            ("a.b = 3", "ranges.a.b = 3 is not a range; write it as { low"),
            ("a = []", "ranges.a = [] is not a range"),
            ("a = { low = 1 }", "ranges.a: it needs both low and high"),
            ("a = { low = 3, high = 3 }", "ranges.a: low must be below high"),
            ("a = { low = 0, high = 3, log = true }", "ranges.a: low must be above 0 where log = true"),
            ("a = { low = \"x\", high = 3 }", "ranges.a: low and high must be numbers"),
            ("a = { low = 1, high = 3, step = 2 }", "ranges.a: there is no key step in a range"),
            ("a = { low = 1, high = 3, log = 2 }", "ranges.a: log = 2 is neither true nor false"),
        ] {
            let message = search(ranges).unwrap_err();
            assert!(message.contains(part), "`{part}` is missing in: {message}");
        }
    }
}
