//! `landscape`: draws the objective of one layer against its p, of a run or of numbers that are given.

use std::path::{Path, PathBuf};

use super::arguments::LandscapeArguments;
use super::terminal::print;
use crate::concrete::{Landscape, logit, sigmoid};
use crate::error::Error;
use crate::network::NetworkKind;
use crate::plot::axis::number;
use crate::plot::{LandscapeFigure, RunLabel, draw_landscape};
use crate::rows::{EpisodeRecord, LayerRecord, read};
use crate::run::RunDirectory;

/// Where a figure without a run goes unless told otherwise: Git ignores what lies there.
const WITHOUT_RUN: &str = "runs/landscape";

pub fn run(arguments: &LandscapeArguments) -> Result<(), Error> {
    let (figure, output) = match &arguments.run {
        Some(run) => of_run(arguments, run)?,
        None => of_numbers(arguments),
    };
    let output = arguments.output.clone().unwrap_or(output);
    print(&text(&figure))?;
    for path in draw_landscape(&figure, &output)? {
        print(&format!("{}\n", path.display()))?;
    }
    Ok(())
}

fn of_numbers(arguments: &LandscapeArguments) -> (LandscapeFigure, PathBuf) {
    // The command line requires both where there is no run.
    let (dataset_size, inputs) = (arguments.n.unwrap_or(1.0), arguments.k.unwrap_or(1.0));
    let landscape = Landscape {
        sensitivity: 1.0,
        precision: 1.0,
        squared_norm: inputs,
        length_scale: 0.01,
        masks: inputs,
        dataset_size,
    };
    (figure("What the objective says of p".to_owned(), arguments, landscape, None), WITHOUT_RUN.into())
}

fn of_run(arguments: &LandscapeArguments, run: &Path) -> Result<(LandscapeFigure, PathBuf), Error> {
    let directory = RunDirectory::open(run)?;
    let config = directory.read_config()?;
    directory.require_rows()?;
    let usage = |problem: String| Err(Error::Usage(format!("{} {problem}", run.display())));
    if config.network.kind == NetworkKind::Table {
        return usage(
            "has a table and no layers, so there is no layer's landscape to draw; that of a place is the one of a single \
             mask, `landscape --k 1 --n` and its number of transitions"
                .to_owned(),
        );
    }
    if !directory.layers().exists() {
        return usage(
            "holds no layers.csv, which the runs of earlier versions lack; draw its landscape with the version that \
             wrote it, as its meta.json names it, or give the coefficients by --n, --k and so on without a run"
                .to_owned(),
        );
    }
    let episodes: Vec<EpisodeRecord> = read(&directory.episodes())?;
    let Some(last) = episodes.last().map(|row| row.episode) else {
        return usage("has no episode to draw the landscape of".to_owned());
    };
    let episode = arguments.episode.unwrap_or(last);
    let Some(row) = episodes.iter().find(|row| row.episode == episode) else {
        return usage(format!("has no episode {episode}; its episodes are numbered from 1 to {last}"));
    };
    let mut groups: Vec<LayerRecord> = read(&directory.layers())?;
    groups.retain(|row| row.episode == episode);
    let Some(last) = groups.last().map(|row| row.layer) else {
        let problem = format!("it has no row of episode {episode}, which episodes.csv has");
        return Err(Error::Content { path: directory.layers(), problem });
    };
    let (layer, group) = (arguments.layer.unwrap_or(0), arguments.group.unwrap_or(0));
    groups.retain(|row| row.layer == layer);
    let Some(last_group) = groups.last().map(|row| row.group) else {
        return usage(format!("has no layer {layer}; its layers are numbered from 0 to {last}"));
    };
    let Some(state) = groups.iter().find(|row| row.group == group) else {
        return usage(format!(
            "has no dropout group {group} in layer {layer}; the layer's groups are numbered from 0 to {last_group}"
        ));
    };
    let landscape = Landscape {
        sensitivity: state.sensitivity,
        precision: row.precision,
        squared_norm: state.squared_norm,
        length_scale: config.dropout.length_scale,
        masks: state.masks as f64,
        dataset_size: row.dataset_size as f64,
    };
    let (of_group, suffix) = match last_group {
        0 => (String::new(), String::new()),
        _ => (format!(", group {group}"), format!("-group{group}")),
    };
    let run_title = RunLabel::of(&config, None).title;
    let title = format!("{run_title} · layer {layer}{of_group} after episode {episode}");
    let name = format!("landscape-layer{layer}{suffix}-episode{episode}");
    Ok((figure(title, arguments, landscape, Some(state.p)), run.join("plots").join(name)))
}

/// The figure of a landscape, with what the command line gives in place of what it had.
fn figure(
    title: String,
    arguments: &LandscapeArguments,
    found: Landscape,
    p: Option<f64>,
) -> LandscapeFigure {
    let landscape = Landscape {
        sensitivity: arguments.sensitivity.unwrap_or(found.sensitivity),
        precision: arguments.precision.unwrap_or(found.precision),
        squared_norm: arguments.squared_norm.unwrap_or(found.squared_norm),
        length_scale: arguments.length_scale.unwrap_or(found.length_scale),
        masks: arguments.k.unwrap_or(found.masks),
        dataset_size: arguments.n.unwrap_or(found.dataset_size),
    };
    let subtitle = format!(
        "N = {}, K = {}, precision τ = {}, sensitivity c = {}, norm(W)² = {}, length scale l = {}",
        landscape.dataset_size,
        landscape.masks,
        number(landscape.precision),
        number(landscape.sensitivity),
        number(landscape.squared_norm),
        landscape.length_scale
    );
    LandscapeFigure { title, subtitle, landscape, p }
}

/// What a probability is, or that it is too small for a number.
fn equal(p: f64) -> String {
    if p < 1e-300 { "< 1e-300".to_owned() } else { format!("= {p:.3e}") }
}

/// The coefficients, and where the minimum is and p was.
fn text(figure: &LandscapeFigure) -> String {
    let landscape = &figure.landscape;
    let mut lines = vec![
        figure.subtitle.clone(),
        format!(
            "minimum at p {}; sigmoid(-tau c N / (2K)) {}",
            equal(sigmoid(landscape.minimum())),
            equal(sigmoid(landscape.small_p_minimum()))
        ),
    ];
    if let Some(p) = figure.p {
        let slope = landscape.gradient(logit(p));
        let direction = if slope > 0.0 { "down" } else { "up" };
        lines.push(format!("p stood at {p:.3e}, where dL/dlogit = {slope:.3e} pushes it {direction}"));
    }
    lines.into_iter().flat_map(|line| [line, "\n".to_owned()]).collect()
}
