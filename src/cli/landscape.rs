//! `landscape`: draws the objective of one layer against its p, of a run or of numbers that are given.

use std::path::{Path, PathBuf};

use control_envs::Registry;
use tch::Device;

use super::arguments::LandscapeArguments;
use super::plot::stem;
use super::terminal::print;
use crate::concrete::{Landscape, logit, sigmoid};
use crate::engine::Learner;
use crate::error::Error;
use crate::plot::axis::number;
use crate::plot::{LandscapePicture, LayerState, RunLabel, draw_landscape};
use crate::run::RunDirectory;

pub fn run(registry: &Registry, arguments: &LandscapeArguments) -> Result<(), Error> {
    let (picture, output) = match &arguments.run {
        Some(run) => of_run(registry, arguments, run)?,
        None => of_numbers(arguments),
    };
    let output = arguments.output.as_deref().map_or(output, stem);
    print(&text(&picture))?;
    for path in draw_landscape(&picture, &output)? {
        print(&format!("{}\n", path.display()))?;
    }
    Ok(())
}

fn of_numbers(arguments: &LandscapeArguments) -> (LandscapePicture, PathBuf) {
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
    (picture("What the objective says of p".to_owned(), arguments, landscape, None), "landscape".into())
}

fn of_run(
    registry: &Registry,
    arguments: &LandscapeArguments,
    run: &Path,
) -> Result<(LandscapePicture, PathBuf), Error> {
    let directory = RunDirectory::open(run)?;
    let config = directory.read_config()?;
    let layer = arguments.layer.unwrap_or(0);
    let states = LayerState::read(run, layer)?;
    let env = registry.make(&config.env).map_err(|error| {
        Error::Usage(format!(
            "{}: {error} The layers of a run in an environment of your own are known to the program that registers it.",
            directory.config().display()
        ))
    })?;
    let network = Learner::new(&config, env.spec(), Device::Cpu)?.online;
    let Some(inputs) = network.masks().get(layer) else {
        return Err(Error::Usage(format!(
            "{} has no layer {layer}; its layers are numbered from 0 to {}",
            run.display(),
            network.masks().len() - 1
        )));
    };
    let Some((last, _)) = states.last() else {
        return Err(Error::Usage(format!("{} has no episode to draw the landscape of", run.display())));
    };
    let episode = arguments.episode.unwrap_or(*last);
    let Some((_, state)) = states.iter().find(|(number, _)| *number == episode) else {
        return Err(Error::Usage(format!(
            "{} has no episode {episode}; its episodes are numbered from 1 to {last}",
            run.display()
        )));
    };
    let landscape = Landscape {
        sensitivity: state.sensitivity,
        precision: state.precision,
        squared_norm: state.squared_norm,
        length_scale: config.dropout.length_scale,
        masks: *inputs as f64,
        dataset_size: state.dataset_size,
    };
    let title = format!("{} · layer {layer} after episode {episode}", RunLabel::of(&config, None).title);
    let name = format!("landscape-layer{layer}-episode{episode}");
    Ok((picture(title, arguments, landscape, Some(state.p)), run.join("plots").join(name)))
}

/// The picture of a landscape, with what the command line gives in place of what it had.
fn picture(
    title: String,
    arguments: &LandscapeArguments,
    found: Landscape,
    p: Option<f64>,
) -> LandscapePicture {
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
    LandscapePicture { title, subtitle, landscape, p }
}

/// The coefficients, and where the minimum is and p was.
fn text(picture: &LandscapePicture) -> String {
    let landscape = &picture.landscape;
    let mut lines = vec![
        picture.subtitle.clone(),
        format!(
            "minimum at p = {:.3e}; sigmoid(-tau c N / (2K)) = {:.3e}",
            sigmoid(landscape.minimum()),
            sigmoid(landscape.small_p_minimum())
        ),
    ];
    if let Some(p) = picture.p {
        let slope = landscape.gradient(logit(p));
        let direction = if slope > 0.0 { "down" } else { "up" };
        lines.push(format!("p stood at {p:.3e}, where dL/dlogit = {slope:.3e} pushes it {direction}"));
    }
    lines.into_iter().flat_map(|line| [line, "\n".to_owned()]).collect()
}
