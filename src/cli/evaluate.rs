//! `evaluate RUN`: plays episodes with a trained network.

use control_envs::{Registry, Step};
use serde::Serialize;

use super::arguments::EvaluateArguments;
use super::calibration::{self, CalibratedEvaluation};
use super::device::device;
use super::terminal::print;
use crate::config::Config;
use crate::engine::{EngineName, Learner, engine};
use crate::error::Error;
use crate::evaluation::{Decision, evaluate_with};
use crate::plot::RunLabel;
use crate::run::{RunDirectory, model};
use crate::value_calibration::{OutcomeCollector, ValueCalibration};

pub fn run(registry: &Registry, arguments: &EvaluateArguments) -> Result<(), Error> {
    let directory = RunDirectory::open(&arguments.run)?;
    let config = directory.read_config()?;
    let mut env = registry.make(&config.env).map_err(|error| {
        Error::Usage(format!(
            "{}: {error} A run in an environment of your own is evaluated by the program that registers it.",
            directory.config().display()
        ))
    })?;
    // The run's device and engine may not be at hand here, and any computes the same network.
    let config = Config { engine: EngineName::Auto, device: arguments.device.clone(), ..config };
    let mut network = Learner::new(&config, env.spec(), device(&arguments.device)?)?.online;
    network.set_temperature(config.evaluation_temperature());
    model::load(&mut network, &directory.model())?;
    let mut engine = engine(&config, &network)?;
    let episodes = arguments.episodes.unwrap_or(config.evaluation.episodes.max(1));
    let seed = arguments.seed.unwrap_or(config.seed);
    let passes = arguments.passes.unwrap_or(config.evaluation.passes);
    let mut collector = arguments.calibration.then(|| OutcomeCollector::new(config.agent.gamma));
    let watch = |decision: &Decision<'_>, step: &Step| {
        if let Some(collector) = &mut collector {
            collector.add(decision, step);
        }
    };
    let (engine, env) = (engine.as_mut(), env.as_mut());
    let evaluation = evaluate_with(&network, engine, env, episodes, passes, seed, || false, watch)?;
    let Some(collector) = collector else {
        return print(&if arguments.json {
            json(&evaluation, arguments)?
        } else {
            format!("{evaluation}\n")
        });
    };
    let (outcomes, left_out) = collector.finish();
    let calibration = ValueCalibration::of(&outcomes, left_out).ok_or_else(|| Error::Content {
        path: directory.path().to_owned(),
        problem:
            "the time limit cut short the return of every prediction, so there is nothing to compare; with a \
                  smaller agent.gamma or a longer limit there would be"
                .to_owned(),
    })?;
    calibration::write(&directory, &RunLabel::of(&config, None).title, &outcomes, &calibration)?;
    print(&if arguments.json {
        json(&CalibratedEvaluation { evaluation, calibration }, arguments)?
    } else {
        format!("{evaluation}\n{}", calibration::text(&calibration, &directory))
    })
}

fn json(value: &impl Serialize, arguments: &EvaluateArguments) -> Result<String, Error> {
    let json = serde_json::to_string(value).map_err(std::io::Error::from);
    Ok(format!("{}\n", json.map_err(Error::file("write", &arguments.run))?))
}
