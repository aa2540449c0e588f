//! `envs`: what there is.

use std::fmt::Write;

use control_envs::{About, Dimension, Entry, ImageShape, Registry};

use super::arguments::EnvsArguments;
use super::terminal::print;
use crate::config::preset;
use crate::error::Error;

pub fn run(registry: &Registry, arguments: &EnvsArguments) -> Result<(), Error> {
    print(&match &arguments.name {
        None => registry.iter().map(summary).chain(registry.families().map(family)).collect::<String>(),
        Some(name) => explanation(&registry.get(name).map_err(|error| Error::Usage(error.to_string()))?),
    })
}

/// What fits into a list.
fn summary(entry: &Entry) -> String {
    let mut text = String::new();
    let observation = &entry.spec().observation_space;
    let _ = writeln!(text, "{} ({})", entry.alias(), entry.id());
    match observation.image {
        Some(image) => line(&mut text, "observation", &pictured(image, observation.one_hot)),
        None => {
            for (index, dimension) in observation.dimensions.iter().enumerate() {
                line(&mut text, &format!("observation {index}"), &described(dimension));
            }
        }
    }
    let arguments: Vec<&str> = entry.args().iter().map(|(argument, _)| argument.name.as_str()).collect();
    if !arguments.is_empty() {
        line(&mut text, "arguments", &arguments.join(", "));
    }
    line(&mut text, "actions", &entry.spec().actions.join(", "));
    text + &rest(entry)
}

/// Environments that are known only once they are asked for.
fn family(prefix: &str) -> String {
    let mut text = format!("{prefix}:NAME\n");
    line(&mut text, "a family", &format!("`concrete-dqn envs {prefix}:NAME` explains the one of that name"));
    text
}

/// All that there is to know.
fn explanation(entry: &Entry) -> String {
    let mut text = String::new();
    let observation = &entry.spec().observation_space;
    let _ = match entry.alias() {
        alias if alias == entry.id() => writeln!(text, "{alias}"),
        alias => writeln!(text, "{alias} ({})", entry.id()),
    };
    let About { description, rewards, start, end, source } = &entry.spec().about;
    line(&mut text, "description", or_unknown(description));
    line(&mut text, "actions", &entry.spec().actions.join(", "));
    if let Some(image) = observation.image {
        line(&mut text, "observation", &pictured(image, observation.one_hot));
    }
    let dimensions: Vec<String> = observation.dimensions.iter().map(described).collect();
    for (index, dimension) in dimensions.iter().enumerate() {
        match (index, dimensions.len()) {
            // A large image is explained by its first pixels.
            (3.., 33..) if index + 1 < dimensions.len() => {
                if index == 3 {
                    line(&mut text, "...", "");
                }
            }
            _ => line(&mut text, &format!("observation {index}"), dimension),
        }
    }
    for (heading, words) in [("rewards", rewards), ("start", start), ("end", end), ("source", source)] {
        line(&mut text, heading, or_unknown(words));
    }
    text += &rest(entry);
    let mut heading = "arguments";
    for (argument, value) in entry.args().iter() {
        let (name, range, help) = (&argument.name, &argument.range, &argument.help);
        line(&mut text, heading, &format!("{name} = {value}, {range}: {help}"));
        heading = "";
    }
    if entry.args().is_open() {
        line(&mut text, "arguments", "whatever it takes: --env-arg NAME=VALUE, or env_args.NAME in a config");
    } else if entry.args().is_empty() {
        line(&mut text, heading, "none");
    } else {
        line(
            &mut text,
            "",
            "given as --env-arg NAME=VALUE, or as env_args.NAME in a config; the values are the defaults",
        );
    }
    text
}

/// What both say.
fn rest(entry: &Entry) -> String {
    let mut text = String::new();
    let spec = entry.spec();
    let limit = spec.max_episode_steps.map_or_else(|| "none".to_owned(), |steps| steps.to_string());
    line(&mut text, "step limit", &limit);
    let threshold = spec.reward_threshold.map_or_else(|| "none".to_owned(), |reward| reward.to_string());
    line(&mut text, "threshold", &threshold);
    line(&mut text, "preset", preset(&spec.id).map_or("none, the defaults", |(name, _)| name));
    text
}

/// What nobody has said of an environment.
fn or_unknown(words: &str) -> &str {
    if words.is_empty() { "its author has not said" } else { words }
}

fn line(text: &mut String, name: &str, value: &str) {
    let _ = writeln!(text, "{}", format!("  {name:<13}  {value}").trim_end());
}

fn pictured(image: ImageShape, one_hot: bool) -> String {
    let ImageShape { channels, rows, columns } = image;
    let kind = if one_hot { ", of which at most one is 1 and all others are 0" } else { "" };
    format!("an image, {channels} x {rows} x {columns} pixels{kind}")
}

fn described(dimension: &Dimension) -> String {
    let Dimension { name, unit, low, high, .. } = dimension;
    let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
    format!("{name}, {low} to {high}{unit}")
}
