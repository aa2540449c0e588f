//! `evaluate RUN`: plays episodes with a trained network.

use control_envs::Registry;
use serde::Serialize;

use super::arguments::EvaluateArguments;
use super::calibration::{self, CalibratedEvaluation};
use super::terminal::print;
use crate::error::Error;
use crate::evaluation::Evaluator;
use crate::plot::RunLabel;
use crate::run::RunDirectory;
use crate::session::Policy;
use crate::value_calibration::{OutcomeCollector, ValueCalibration};

pub fn run(registry: &Registry, arguments: &EvaluateArguments) -> Result<(), Error> {
    let (device, run) = (&arguments.device, &arguments.run);
    let mut policy = Policy::load_chosen(arguments.checkpoint, device, run, registry)?;
    let config = policy.config().clone();
    let of_run = Evaluator::from(&config);
    let evaluator = Evaluator {
        episodes: arguments.episodes.unwrap_or(of_run.episodes),
        passes: arguments.passes.unwrap_or(of_run.passes),
        seed: arguments.seed.unwrap_or(of_run.seed),
        ..of_run
    };
    if !arguments.calibration {
        let evaluation = policy.evaluate(evaluator, &mut ())?;
        return print(&if arguments.json {
            json(&evaluation, arguments)?
        } else {
            format!("{evaluation}\n")
        });
    }
    if !policy.has_seen_rewards() {
        return Err(Error::Usage(format!(
            "the run has seen no reward other than 0 in {}, so its values have no unit and can't be compared with returns; \
             train it longer first",
            config.env
        )));
    }
    let mut collector = OutcomeCollector::new(config.agent.gamma);
    let evaluation = policy.evaluate(evaluator, &mut collector)?;
    let directory = RunDirectory::open(&arguments.run)?;
    let (outcomes, left_out) = collector.finish();
    let calibration = ValueCalibration::of(&outcomes, left_out).ok_or_else(|| {
        Error::Usage(format!(
            "{}: the time limit cut short the return of every prediction, so there is nothing to compare; with a smaller \
             agent.gamma or a longer limit there would be",
            directory.path().display()
        ))
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
