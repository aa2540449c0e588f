//! One training, from its settings to its last file: the same whether it is alone or one of many.

use std::ffi::OsString;
use std::path::Path;

use control_envs::{Entry, Env};
use tch::Device;

use super::interrupt::Interrupt;
use super::terminal::{Terminal, Together};
use crate::agent::Agent;
use crate::checkpoint::{Build, Checkpoints, SavedCheckpoint};
use crate::concrete::Temperature;
use crate::config::{Config, settings};
use crate::engine::engine;
use crate::error::Error;
use crate::evaluation::evaluate;
use crate::files::write_json;
use crate::panics::caught;
use crate::rows::{EpisodeRecord, UpdateRecord};
use crate::run::{Meta, Record, Recorder, RunDirectory, Summary};
use crate::training::{Observer, TrainingProgress, TrainingSnapshot, train};

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

impl Surroundings<'_> {
    /// The command line as text.
    fn words(&self) -> Vec<String> {
        self.command.iter().map(|word| word.to_string_lossy().into_owned()).collect()
    }
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
        if surroundings.interrupt.wants_to_stop() {
            return Err(Error::Interrupted);
        }
        let Self { entry, config, .. } = self;
        let env = entry.make();
        let agent = self.agent()?;

        let directory = RunDirectory::create(surroundings.runs_dir, entry.alias(), config)?;
        let _lock = directory.lock()?;
        write_json(&directory.meta(), &Meta::gather(&config.device, surroundings.words()))?;
        self.say(
            surroundings,
            format_args!(
                "{} for {} steps, exploration {}, seed {}, in {}",
                entry.id(),
                config.steps,
                config.exploration.rule(),
                config.seed,
                directory.path().display()
            ),
        );
        let recorder = Recorder::start(directory, config, entry.spec(), &agent)?;
        Ok(self.go_on(env, agent, TrainingProgress::start(config.seed), recorder, surroundings))
    }

    /// Goes on with a run from its newest checkpoint, or from its start where it was ended before the first. The folder
    /// is to be locked.
    ///
    /// # Errors
    /// What kept it from starting, as a checkpoint that does not fit.
    pub fn resume(&self, directory: RunDirectory, surroundings: &Surroundings) -> Outcome {
        let Self { entry, config, .. } = self;
        let mut env = entry.make();
        let mut agent = self.agent()?;
        let mut checkpoints = Checkpoints::new(directory.checkpoints(), config.checkpoint.keep);
        let found = checkpoints.newest::<Record>()?;
        let progress = match &found {
            None => TrainingProgress::start(config.seed),
            Some(found) => {
                warn_of_differences(found, config);
                checkpoints.restore(found, env.as_mut(), &mut agent)?
            }
        };
        if agent.steps() > config.steps {
            return Err(Error::Usage(format!(
                "{} has taken {} steps already, so it cannot go on to {}; give a larger --steps",
                directory.path().display(),
                agent.steps(),
                config.steps
            )));
        }
        let spec = entry.spec();
        let recorder = match found {
            Some(found) => {
                let record = found.state.record;
                Recorder::resume(directory.clone(), config, spec, &agent, checkpoints, record)?
            }
            None => {
                directory.remove_rows()?;
                Recorder::start(directory.clone(), config, spec, &agent)?
            }
        };
        directory.write_config(config)?;
        directory.note_resumption(agent.steps(), &config.device, surroundings.words())?;
        self.say(
            surroundings,
            format_args!(
                "{} from step {} to {}, in {}",
                entry.id(),
                agent.steps(),
                config.steps,
                directory.path().display()
            ),
        );
        Ok(self.go_on(env, agent, progress, recorder, surroundings))
    }

    /// Trains from `progress` on, evaluates and writes all files.
    fn go_on(
        &self,
        mut env: Box<dyn Env>,
        mut agent: Agent,
        mut progress: TrainingProgress,
        mut recorder: Recorder,
        surroundings: &Surroundings,
    ) -> Trained {
        let config = &self.config;
        let Surroundings { terminal, interrupt, together, .. } = surroundings;
        if config.dropout.temperature > Temperature::BLURRED {
            tracing::warn!(
                "{}dropout.temperature = {} exceeds {}: masks stop being near 0 or 1, the variance over passes is no longer \
                 what p says, and the uncertainty suffers; see docs/uncertainty.md",
                self.prefix(),
                config.dropout.temperature,
                Temperature::BLURRED
            );
        }
        let mut ended = {
            let mut shown: Box<dyn Observer> = match together {
                Some(together) => Box::new(together.clone()),
                None => Box::new(terminal.progress(&self.prefix(), config.steps)),
            };
            let mut interrupt = interrupt.clone();
            let mut observers = Observers([&mut recorder, shown.as_mut(), &mut interrupt]);
            caught(|| train(env.as_mut(), &mut agent, &mut progress, &mut observers))
        };

        // Whatever ended the training, what it learned is written before anything is said.
        let snapshot = TrainingSnapshot { env: env.as_ref(), agent: &agent, progress: &progress };
        let mut run = recorder.finish(snapshot, ended.as_ref().err());
        if ended.is_ok() && config.evaluation.episodes > 0 {
            let (episodes, passes) = (config.evaluation.episodes, config.evaluation.passes);
            self.say(
                surroundings,
                format_args!("training is over; playing {episodes} episodes on the mean of {passes} passes"),
            );
            let stop = || interrupt.wants_to_stop();
            agent.set_temperature(config.evaluation_temperature());
            let network = agent.network();
            ended = engine(config, network)
                .and_then(|mut engine| {
                    let (engine, env) = (engine.as_mut(), env.as_mut());
                    caught(|| evaluate(network, engine, env, episodes, passes, config.seed, stop))
                })
                .and_then(|evaluation| run.evaluated(evaluation));
        }
        Trained { directory: run.directory, summary: run.summary, ended: ended.and(run.written) }
    }

    /// Says what it does, where it is not one of many.
    fn say(&self, surroundings: &Surroundings, what: std::fmt::Arguments<'_>) {
        let prefix = self.prefix();
        match surroundings.together {
            Some(_) => tracing::debug!("{prefix}{what}"),
            None => tracing::info!("{prefix}{what}"),
        }
    }

    /// What its lines on the terminal start with.
    fn prefix(&self) -> String {
        if self.name.is_empty() { String::new() } else { format!("{}: ", self.name) }
    }
}

/// Says where a checkpoint was made by another build or under other settings, since the bits may differ then.
fn warn_of_differences(found: &SavedCheckpoint<Record>, config: &Config) {
    let (build, current) = (&found.state.build, Build::current());
    if *build != current {
        tracing::warn!(
            "{} was written by another build of this program ({build}; this one is {current}); what follows may differ \
             in the last digits from what it would have computed",
            found.folder.display()
        );
    }
    let before = settings(&found.state.config);
    // A larger number of steps is what --steps is for, and the others change nothing that is computed.
    let is_told = |key: &str| {
        key == "steps" || ["checkpoint.", "logging."].iter().any(|section| key.starts_with(section))
    };
    let differences: Vec<String> = config
        .settings()
        .into_iter()
        .filter(|(key, value)| !is_told(key) && !before.contains(&(key.clone(), value.clone())))
        .map(|(key, value)| format!("{key} = {value}"))
        .collect();
    if !differences.is_empty() {
        tracing::warn!(
            "{} was written under other settings; from here on {}",
            found.folder.display(),
            differences.join(", ")
        );
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

    fn between_steps(&mut self, snapshot: TrainingSnapshot<'_>) -> Result<(), Error> {
        self.0.iter_mut().try_for_each(|observer| observer.between_steps(snapshot))
    }

    fn wants_to_stop(&self) -> bool {
        self.0.iter().any(|observer| observer.wants_to_stop())
    }
}
