//! One training, from its settings to its last file: the same whether it is alone or one of many.

use std::ffi::OsString;
use std::path::Path;

use control_envs::Entry;
use tch::Device;

use super::caught::caught;
use super::interrupt::Interrupt;
use super::terminal::{Terminal, Together};
use crate::agent::{Agent, UpdateRecord};
use crate::config::Config;
use crate::engine::engine;
use crate::error::Error;
use crate::evaluation::evaluate;
use crate::randomness::{Stream, generator};
use crate::run::{Meta, Recorder, RunDirectory, Summary, write_json};
use crate::training::{EpisodeRecord, Observer, train};

/// A training whose settings are resolved.
#[derive(Debug)]
pub struct Training<'a> {
    /// What it is called among others, such as `seed 3`; empty where it is alone.
    pub name: String,
    /// The environment.
    pub entry: &'a Entry,
    /// Its settings.
    pub config: Config,
    /// Where its tensors are.
    pub device: Device,
}

/// What all trainings of one call of the program share.
#[derive(Debug)]
pub struct Surroundings<'a> {
    /// The folder of the run folders.
    pub runs_dir: &'a Path,
    /// The command line.
    pub command: &'a [OsString],
    /// Where they are watched.
    pub terminal: &'a Terminal,
    /// How they are ended early.
    pub interrupt: Interrupt,
    /// What shows them all as one; without it each shows itself.
    pub together: Option<Together>,
}

/// A training that is over, all its files written.
#[derive(Debug)]
pub struct Trained {
    /// Its folder.
    pub directory: RunDirectory,
    /// What it came to.
    pub summary: Summary,
    /// What ended it early, or kept a file from being written.
    pub ended: Result<(), Error>,
}

/// How a training went; an error is what kept it from starting.
pub type Outcome = Result<Trained, Error>;

/// What went wrong in a training, at its start or later.
pub fn failure(outcome: &Outcome) -> Option<&Error> {
    match outcome {
        Ok(trained) => trained.ended.as_ref().err(),
        Err(error) => Some(error),
    }
}

impl Training<'_> {
    /// A fresh agent with these settings.
    ///
    /// # Errors
    /// Where it does not fit into memory.
    pub fn agent(&self) -> Result<Agent, Error> {
        Agent::new(&self.config, self.entry.spec(), self.device)
    }

    /// Trains and evaluates, everything into a new folder.
    ///
    /// # Errors
    /// What kept it from starting: [`Error::Interrupted`] where the user has asked to end. What happens later is in
    /// [`Trained::ended`].
    pub fn run(&self, surroundings: &Surroundings) -> Outcome {
        let Surroundings { runs_dir, command, terminal, interrupt, together } = surroundings;
        if interrupt.wants_to_stop() {
            return Err(Error::Interrupted);
        }
        let Self { entry, config, .. } = self;
        let spec = entry.spec();
        let mut env = entry.make();
        let mut agent = self.agent()?;

        let directory = RunDirectory::create(runs_dir, entry.alias(), config)?;
        let command = command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        write_json(&directory.meta(), &Meta::gather(&config.device, command))?;
        let prefix = self.prefix();
        let say = |what: std::fmt::Arguments<'_>| match together {
            Some(_) => tracing::debug!("{prefix}{what}"),
            None => tracing::info!("{prefix}{what}"),
        };
        say(format_args!(
            "{} for {} steps, exploration {}, seed {}, in {}",
            spec.id,
            config.steps,
            config.exploration.rule,
            config.seed,
            directory.path().display()
        ));
        let mut recorder = Recorder::start(directory, config, spec, &agent)?;
        let mut ended = {
            let mut progress: Box<dyn Observer> = match together {
                Some(together) => Box::new(together.clone()),
                None => Box::new(terminal.progress(&prefix, config.steps)),
            };
            let mut interrupt = interrupt.clone();
            let mut observers = Observers([&mut recorder, progress.as_mut(), &mut interrupt]);
            let mut starts = generator(config.seed, Stream::Environment);
            caught(|| train(env.as_mut(), &mut agent, &mut starts, &mut observers))
        };

        // Whatever ended the training, what it learned is written before anything is said.
        let mut run = recorder.finish(&agent, ended.as_ref().err());
        if ended.is_ok() && config.evaluation.episodes > 0 {
            let (episodes, passes) = (config.evaluation.episodes, config.evaluation.passes);
            say(format_args!("training is over; playing {episodes} episodes on the mean of {passes} passes"));
            let stop = || interrupt.wants_to_stop();
            let network = agent.network();
            ended = engine(config, network)
                .and_then(|mut engine| {
                    let (engine, env) = (engine.as_mut(), env.as_mut());
                    caught(|| evaluate(network, engine, env, episodes, passes, config.seed, stop))
                })
                .and_then(|evaluation| run.evaluated(evaluation));
        }
        Ok(Trained { directory: run.directory, summary: run.summary, ended: ended.and(run.written) })
    }

    /// What its lines on the terminal start with.
    fn prefix(&self) -> String {
        if self.name.is_empty() { String::new() } else { format!("{}: ", self.name) }
    }
}

/// Several observers in turn.
struct Observers<'a, const N: usize>([&'a mut dyn Observer; N]);

impl<const N: usize> Observer for Observers<'_, N> {
    fn on_step(&mut self, agent: &Agent) {
        self.0.iter_mut().for_each(|observer| observer.on_step(agent));
    }

    fn on_update(&mut self, record: &UpdateRecord) -> Result<(), Error> {
        self.0.iter_mut().try_for_each(|observer| observer.on_update(record))
    }

    fn on_episode(&mut self, record: &EpisodeRecord, agent: &Agent) -> Result<(), Error> {
        self.0.iter_mut().try_for_each(|observer| observer.on_episode(record, agent))
    }

    fn wants_to_stop(&self) -> bool {
        self.0.iter().any(|observer| observer.wants_to_stop())
    }
}
