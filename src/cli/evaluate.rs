//! `evaluate RUN`: plays episodes with a trained network.

use control_envs::Registry;

use super::arguments::EvaluateArguments;
use super::device::device;
use super::terminal::print;
use crate::agent::Agent;
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
    let mut network = Agent::networks(&config, env.spec(), device(&arguments.device)?).0;
    model::load(&mut network, &directory.model())?;
    let episodes = arguments.episodes.unwrap_or(config.evaluation.episodes.max(1));
    let seed = arguments.seed.unwrap_or(config.seed);
    let evaluation = evaluate(&network, env.as_mut(), episodes, config.evaluation.passes, seed, || false)?;
    if arguments.json {
        let json = serde_json::to_string(&evaluation).map_err(std::io::Error::from);
        print(&format!("{}\n", json.map_err(Error::file("write", &arguments.run))?))
    } else {
        print(&format!("{evaluation}\n"))
    }
}
