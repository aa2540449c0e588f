//! `plot RUN...`: draws again, or compares.

use std::path::{Path, PathBuf};

use control_envs::Registry;

use super::arguments::PlotArguments;
use super::terminal::print;
use crate::config::Config;
use crate::error::Error;
use crate::plot::{RunLabel, draw_comparison, draw_run};
use crate::run::{RunDirectory, compared_labels};

pub fn run(registry: &Registry, arguments: &PlotArguments) -> Result<(), Error> {
    let mut paths: Vec<PathBuf> = Vec::new();
    let mut configs: Vec<Config> = Vec::new();
    for path in &arguments.runs {
        configs.push(RunDirectory::open(path)?.read_config()?);
        paths.push(path.clone());
    }
    // An environment that this program does not know can still be drawn, only without its threshold.
    let threshold =
        |config: &Config| config.entry(registry).ok().and_then(|entry| entry.spec().reward_threshold);
    match (paths.as_slice(), configs.as_slice(), &arguments.output) {
        ([path], [config], None) => {
            draw_run(path, &RunLabel::of(config, threshold(config)))?;
            print(&format!("{}\n", path.join("plots").display()))?;
        }
        _ => {
            let labels = compared_labels(&configs, threshold);
            let runs: Vec<_> = paths.into_iter().zip(labels).collect();
            let output = arguments.output.as_deref().unwrap_or(Path::new("comparison"));
            for figure in draw_comparison(&runs, &stem(output))? {
                print(&format!("{}\n", figure.display()))?;
            }
        }
    }
    Ok(())
}

/// The path without the ending of a figure, since both endings are written.
pub fn stem(output: &Path) -> PathBuf {
    let is_figure = output.extension().is_some_and(|ending| ending == "svg" || ending == "png");
    if is_figure { output.with_extension("") } else { output.to_owned() }
}
