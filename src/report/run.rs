//! What a page knows of a run.

use std::collections::BTreeMap;

use control_envs::{Dimension, EnvSpec};
use serde::Serialize;
use serde_json::Value;

use super::Subject;
use super::maps::Maps;
use super::tables::{Ends, Means, Tables};
use crate::error::Error;
use crate::files::read_json;
use crate::plot::RunLabel;
use crate::run::Summary;

/// A run as a page shows it.
#[derive(Debug, Clone, Serialize)]
pub struct RunData {
    /// The name of its folder.
    name: String,
    /// Environment, rule and seed.
    title: String,
    /// What tells it from the other runs of the page.
    short: String,
    /// What it shares with runs of other seeds.
    setting: String,
    reward_threshold: Option<f64>,
    actions: Vec<String>,
    /// The names of the observation's dimensions, with their units.
    dimensions: Vec<String>,
    /// Channels, rows and columns, where the observation is an image.
    image: Option<[usize; 3]>,
    has_local_dropout: bool,
    length_scale: f64,
    /// Every setting, by its dotted key.
    settings: BTreeMap<String, String>,
    /// `config.toml`.
    config: String,
    meta: Option<Value>,
    /// Only of a training that has ended.
    summary: Option<Summary>,
    /// How many rows the tables have in all.
    rows: RowCounts,
    tables: Tables,
    #[serde(skip_serializing_if = "Option::is_none")]
    means: Option<Means>,
    #[serde(skip_serializing_if = "Option::is_none")]
    maps: Option<Maps>,
    /// `recording.json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    recording: Option<Value>,
}

/// How many rows there are of what a page may show fewer of.
#[derive(Debug, Clone, Copy, Serialize)]
struct RowCounts {
    episodes: usize,
    updates: usize,
}

impl RunData {
    /// Reads a run, with about `most` rows of each table at most, and how far its tables were read.
    pub fn read(subject: &Subject, label: RunLabel, most: usize) -> Result<(Self, Ends), Error> {
        let Subject { directory, config, spec } = subject;
        let name = directory.path().file_name().map(|name| name.to_string_lossy().into_owned());
        let (tables, ends) = Tables::read_after(directory, Ends::default())?.unwrap_or_default();
        // A run that is resumed has the summary of its training before, which knows of fewer steps.
        let steps = [&tables.episodes, &tables.updates, &tables.evaluations]
            .map(|table| table.column("total_steps").last());
        let steps = steps.into_iter().flatten().copied().fold(0.0, f64::max);
        let summary: Option<Summary> = read_json(&directory.summary()).ok();
        let summary = summary.filter(|summary| summary.total_steps as f64 >= steps);
        let is_evaluated = summary.as_ref().is_some_and(|summary| summary.evaluation.is_some());
        let run = Self {
            name: name.unwrap_or_else(|| directory.path().display().to_string()),
            title: label.title,
            short: label.short,
            setting: label.setting,
            // An environment that is not known here was known to the training.
            reward_threshold: label
                .reward_threshold
                .or(summary.as_ref().and_then(|summary| summary.reward_threshold)),
            actions: spec.as_ref().map_or_else(Vec::new, |spec| spec.actions.clone()),
            dimensions: spec.as_ref().map_or_else(Vec::new, dimensions),
            image: spec
                .as_ref()
                .and_then(|spec| spec.observation_space.image)
                .map(|shape| [shape.channels, shape.rows, shape.columns]),
            has_local_dropout: label.has_local_dropout,
            length_scale: config.dropout.length_scale,
            settings: config.settings().into_iter().collect(),
            config: config.to_toml(),
            meta: read_json(&directory.meta()).ok(),
            summary,
            rows: RowCounts { episodes: tables.episodes.len(), updates: tables.updates.len() },
            means: tables.means(most),
            tables: tables.thinned(most),
            // One from before the run was trained further is of another policy.
            recording: is_evaluated.then(|| read_json(&directory.recording()).ok()).flatten(),
            maps: Maps::read(directory.path(), spec.as_ref())?,
        };
        Ok((run, ends))
    }
}

/// So many dimensions have names that are worth their room; more are pixels.
const NAMED_DIMENSIONS: usize = 32;

fn dimensions(spec: &EnvSpec) -> Vec<String> {
    let dimensions = &spec.observation_space.dimensions;
    if dimensions.len() > NAMED_DIMENSIONS { Vec::new() } else { dimensions.iter().map(named).collect() }
}

/// A dimension's name with its unit.
fn named(dimension: &Dimension) -> String {
    let Dimension { name, unit, .. } = dimension;
    if unit.is_empty() { name.clone() } else { format!("{name} ({unit})") }
}
