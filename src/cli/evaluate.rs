//! `evaluate RUN`: plays episodes with a trained network.

use control_envs::Registry;

use super::arguments::EvaluateArguments;
use super::device::device;
use super::terminal::print;
use crate::config::Config;
use crate::engine::{EngineName, Learner, engine};
use crate::error::Error;
use crate::evaluation::evaluate;
use crate::run::{RunDirectory, model};

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
    model::load(&mut network, &directory.model())?;
    let mut engine = engine(&config, &network)?;
    let episodes = arguments.episodes.unwrap_or(config.evaluation.episodes.max(1));
    let seed = arguments.seed.unwrap_or(config.seed);
    let passes = config.evaluation.passes;
    let evaluation = evaluate(&network, engine.as_mut(), env.as_mut(), episodes, passes, seed, || false)?;
    if arguments.json {
        let json = serde_json::to_string(&evaluation).map_err(std::io::Error::from);
        print(&format!("{}\n", json.map_err(Error::file("write", &arguments.run))?))
    } else {
        print(&format!("{evaluation}\n"))
    }
}
