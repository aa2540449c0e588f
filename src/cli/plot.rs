//! `plot RUN...`: draws again, or compares.

use std::path::{Path, PathBuf};

use control_envs::Registry;

use super::arguments::PlotArguments;
use super::terminal::print;
use crate::config::Config;
use crate::error::Error;
use crate::files::{self, read_json};
use crate::plot::{RunLabel, draw_comparison, draw_run};
use crate::run::{RunDirectory, Summary, compared_labels};

/// Where a figure of several runs goes unless told otherwise: Git ignores what lies there.
const COMPARISON: &str = "runs/comparison";

pub fn run(registry: &Registry, arguments: &PlotArguments) -> Result<(), Error> {
    let mut paths: Vec<PathBuf> = Vec::new();
    let mut configs: Vec<Config> = Vec::new();
    let mut folders = arguments.runs.clone();
    files::keep_distinct(&mut folders);
    for path in &folders {
        let directory = RunDirectory::open(path)?;
        configs.push(directory.read_config()?);
        directory.require_rows()?;
        paths.push(path.clone());
    }
    // An environment that this program does not know can still be drawn, only without its threshold and the names of its state variables.
    let spec = |config: &Config| config.entry(registry).ok().map(|entry| entry.spec().clone());
    match (paths.as_slice(), configs.as_slice(), &arguments.output) {
        ([path], [config], None) => {
            draw_run(path, &with_threshold(RunLabel::of(config, spec(config).as_ref()), path))?;
            print(&format!("{}\n", path.join("plots").display()))?;
        }
        _ => {
            let labels = compared_labels(&configs, spec);
            let labelled = |(path, label): (PathBuf, RunLabel)| {
                let label = with_threshold(label, &path);
                (path, label)
            };
            let mut runs: Vec<_> = paths.into_iter().zip(labels).map(labelled).collect();
            tell_twins_apart(&mut runs);
            let output = arguments.output.as_deref().unwrap_or(Path::new(COMPARISON));
            for figure in draw_comparison(&runs, output)? {
                print(&format!("{}\n", figure.display()))?;
            }
        }
    }
    Ok(())
}

/// With the threshold that the training knew, where the environment is not known here.
fn with_threshold(label: RunLabel, run: &Path) -> RunLabel {
    let known = || {
        let summary: Summary = read_json(&RunDirectory::open(run).ok()?.summary()).ok()?;
        summary.reward_threshold
    };
    RunLabel { reward_threshold: label.reward_threshold.or_else(known), ..label }
}

/// Runs of the same settings and seed have nothing but their folders to be told apart by.
fn tell_twins_apart(runs: &mut [(PathBuf, RunLabel)]) {
    let shorts: Vec<String> = runs.iter().map(|(_, label)| label.short.clone()).collect();
    for (path, label) in runs {
        if shorts.iter().filter(|short| **short == label.short).count() > 1 {
            label.short = format!("{}, {}", label.short, name(path));
        }
    }
}

/// The name of a folder, which most often says enough.
fn name(folder: &Path) -> String {
    folder
        .file_name()
        .map_or_else(|| folder.display().to_string(), |name| name.to_string_lossy().into_owned())
}
