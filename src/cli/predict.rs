//! `predict RUN`: what a trained network would do.

use std::io::{self, BufRead};
use std::path::Path;

use control_envs::Registry;
use serde::{Deserialize, Serialize};

use super::arguments::PredictArguments;
use super::terminal::{print, print_while_read};
use crate::error::Error;
use crate::session::{ActionValues, Policy};

/// A line that is read.
#[derive(Deserialize)]
#[serde(untagged)]
enum Asked {
    Observation(Vec<f32>),
    Masked(Masked),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Masked {
    observation: Vec<f32>,
    action_mask: Option<Vec<bool>>,
}

/// A line that is printed.
#[derive(Serialize)]
#[serde(untagged)]
enum Line<'a> {
    /// The first: what is expected, and of what is answered.
    Ready { env: &'a str, observation: usize, actions: &'a [String] },
    /// To an observation.
    Answer(ActionValues),
    /// To what is none.
    Error { error: String },
}

pub fn run(registry: &Registry, arguments: &PredictArguments) -> Result<(), Error> {
    let PredictArguments { run, checkpoint, device } = arguments;
    let mut policy = Policy::load_chosen(*checkpoint, device, run, registry)?;
    let spec = policy.environment().spec();
    let (env, observation) = (&spec.id, spec.observation_space.len());
    print(&json(&Line::Ready { env, observation, actions: &spec.actions })?)?;
    for line in io::stdin().lock().split(b'\n') {
        let line = line.map_err(Error::file("read", Path::new("the standard input")))?;
        let answer = match serde_json::from_slice(&line) {
            Ok(Asked::Observation(observation)) => policy.predict(&observation),
            Ok(Asked::Masked(Masked { observation, action_mask })) => {
                policy.predict_among(action_mask.as_deref(), &observation)
            }
            Err(_) => Err(Error::Usage(
                "this is no list of numbers, and no {\"observation\": [numbers], \"action_mask\": [true or false]} either"
                    .to_owned(),
            )),
        };
        let answer = answer.map_err(|error| error.to_string());
        if !print_while_read(&json(&answer.map_or_else(|error| Line::Error { error }, Line::Answer))?)? {
            break;
        }
    }
    Ok(())
}

fn json(line: &Line<'_>) -> Result<String, Error> {
    let text = serde_json::to_string(line).map_err(io::Error::from);
    Ok(text.map_err(Error::file("write", Path::new("the standard output")))? + "\n")
}
