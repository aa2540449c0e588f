//! `envs`: what there is.

use std::fmt::Write;

use control_envs::{Dimension, ImageShape, Registry};

use super::terminal::print;
use crate::config::preset;
use crate::error::Error;

pub fn run(registry: &Registry) -> Result<(), Error> {
    let mut text = String::new();
    for entry in registry {
        let spec = entry.spec();
        let _ = writeln!(text, "{} ({})", entry.alias(), spec.id);
        match spec.observation_space.image {
            Some(ImageShape { channels, rows, columns }) => {
                let _ = writeln!(text, "  observation    an image, {channels} x {rows} x {columns} pixels");
            }
            None => {
                for (index, dimension) in spec.observation_space.dimensions.iter().enumerate() {
                    let _ = writeln!(text, "  observation {index}  {}", described(dimension));
                }
            }
        }
        let _ = writeln!(text, "  actions        {}", spec.actions.join(", "));
        let limit = spec.max_episode_steps.map_or_else(|| "none".to_owned(), |steps| steps.to_string());
        let _ = writeln!(text, "  step limit     {limit}");
        let threshold = spec.reward_threshold.map_or_else(|| "none".to_owned(), |reward| reward.to_string());
        let _ = writeln!(text, "  threshold      {threshold}");
        let preset = preset(&spec.id).map_or("none, the defaults", |(name, _)| name);
        let _ = writeln!(text, "  preset         {preset}");
    }
    print(&text)
}

fn described(dimension: &Dimension) -> String {
    let Dimension { name, unit, low, high, .. } = dimension;
    let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
    format!("{name}, {low} to {high}{unit}")
}
