//! One training of the program, from its settings to its last file: the same whether it is alone or one of
//! many.

use std::path::{Path, PathBuf};

use control_envs::Entry;

use super::interrupt::Interrupt;
use super::terminal::{SharedProgress, Terminal, print};
use crate::config::Config;
use crate::dashboard::Dashboard;
use crate::error::Error;
use crate::evaluation::EvaluationConfig;
use crate::files::read_json;
use crate::report::Subject;
use crate::run::{RunDirectory, RunState, Summary};
use crate::session::{SavedRun, Session};
use crate::training::{Observer, Observers};

/// A training whose settings are resolved.
#[derive(Debug)]
pub struct Training<'a> {
    /// What it is called among others, such as `seed 3`.
    pub name: String,
    /// Its folder, where it is not to be named after what it is.
    pub folder: Option<PathBuf>,
    /// What there is of it already.
    pub state: RunState,
    /// The environment.
    pub entry: &'a Entry,
    /// Its settings.
    pub config: Config,
}

/// A training that is over, all its files written.
#[derive(Debug)]
pub struct Trained {
    /// What it came to.
    pub summary: Summary,
    /// Its folder.
    pub folder: PathBuf,
    /// Whether checkpoints are written, to resume it from.
    pub has_checkpoints: bool,
    /// What ended it early, or kept a file from being written.
    pub ended: Result<(), Error>,
}

impl Training<'_> {
    /// Checks that it can start.
    ///
    /// # Errors
    /// Where its replay does not fit into memory, or its device or engine is not available.
    pub fn check(&self) -> Result<(), Error> {
        Session::new(self.entry, self.config.clone()).map(|_| ())
    }

    /// Trains and evaluates, everything into its folder, or else into a new one in `runs_dir`. One that was ended early
    /// is resumed, and one that is finished is left as it is.
    ///
    /// # Errors
    /// What kept it from starting: [`Error::Interrupted`] where the user has asked to end. What happens later
    /// is in [`Trained::ended`].
    pub fn run(&self, runs_dir: &Path, context: &TrainingContext) -> Result<Trained, Error> {
        if context.interrupt.wants_to_stop() {
            return Err(Error::Interrupted);
        }
        let Self { name, entry, config, .. } = self;
        let session = match &self.state {
            RunState::Finished(directory) => {
                context.tell(directory.path());
                context.show(Subject {
                    directory: directory.clone(),
                    config: config.clone(),
                    spec: Some(entry.spec().clone()),
                });
                return Ok(Trained {
                    summary: read_json(&directory.summary())?,
                    folder: directory.path().to_owned(),
                    has_checkpoints: config.checkpoint.keep > 0,
                    ended: Ok(()),
                });
            }
            RunState::Begun(directory) => self.resumed(directory, context)?,
            RunState::New => None,
        };
        if let Some(session) = session {
            return Ok(context.train(name, session));
        }
        let session = Session::new(*entry, config.clone())?;
        let session = match &self.folder {
            Some(folder) => session.in_folder(folder)?,
            None => session.in_new_folder(runs_dir)?,
        };
        context.say(
            name,
            format_args!(
                "{} for {} steps, exploration {}, seed {}, in {}",
                config.env_title(),
                config.steps,
                config.exploration.rule(),
                config.seed,
                folder(&session).display()
            ),
        );
        Ok(context.train(name, session))
    }

    /// The session of a run that was ended early. `None`, with a warning, where it can't be resumed and there is another
    /// folder to begin anew in.
    fn resumed(&self, directory: &RunDirectory, context: &TrainingContext) -> Result<Option<Session>, Error> {
        let session = match SavedRun::open(directory.path()).and_then(|saved| saved.resume(self.entry)) {
            Ok(session) => session,
            // That another process is at work there, or the disk is full, will be over; this won't.
            Err(error @ (Error::Content { .. } | Error::CheckpointVersion { .. } | Error::Usage(_)))
                if self.folder.is_none() =>
            {
                tracing::warn!("{}: {error}; it begins anew, in a folder of its own", self.name);
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let (step, steps) = (session.agent().steps(), session.config().steps);
        if let Some(progress) = &context.shared_progress {
            progress.skip(step);
        }
        context.say(
            &self.name,
            format_args!("resumed at step {step} of {steps}, in {}", directory.path().display()),
        );
        Ok(Some(session))
    }
}

/// What all trainings of one call of the program share.
#[derive(Debug)]
pub struct TrainingContext<'a> {
    /// Where they are watched.
    pub terminal: &'a Terminal,
    /// How they are ended early.
    pub interrupt: Interrupt,
    /// What shows them all as one; without it each shows itself.
    pub shared_progress: Option<SharedProgress>,
    /// What shows them on a page.
    pub dashboard: Option<Dashboard>,
    /// Whether the folder of a run is printed before anything else, for a program that watches it.
    pub tells_folder: bool,
}

impl TrainingContext<'_> {
    /// Trains and evaluates. `name` is empty where the training is alone.
    pub fn train(&self, name: &str, mut session: Session) -> Trained {
        self.tell(&folder(&session));
        let mut interrupt = self.interrupt.clone();
        let mut progress: Box<dyn Observer> = match &self.shared_progress {
            Some(shared) => Box::new(shared.clone()),
            None => Box::new(self.terminal.progress(&prefix(name), session.config().steps)),
        };
        session.subject().into_iter().for_each(|subject| self.show(subject));
        let trained = session.train(&mut Observers([progress.as_mut(), &mut interrupt]));
        // Takes the progress bar away.
        drop(progress);
        let EvaluationConfig { episodes, passes, .. } = session.config().evaluation;
        let evaluated = trained.and_then(|_| {
            if episodes == 0 {
                return Ok(());
            }
            self.say(
                name,
                format_args!("training is over; playing {episodes} episodes on the mean of {passes} passes"),
            );
            session.evaluate_watched(episodes, &mut interrupt).map(|_| ())
        });
        Trained {
            summary: session.summary(),
            folder: folder(&session),
            has_checkpoints: session.config().checkpoint.keep > 0,
            ended: evaluated,
        }
    }

    /// Prints the folder of a run, where that is asked for.
    fn tell(&self, folder: &Path) {
        if self.tells_folder
            && let Err(error) = print(&format!("{}\n", folder.display()))
        {
            tracing::warn!("{error}");
        }
    }

    /// Shows a run on the page, where there is one.
    fn show(&self, subject: Subject) {
        if let Some(dashboard) = self.dashboard.as_ref()
            && dashboard.add(subject)
        {
            tracing::info!("the dashboard is at {}", dashboard.url());
        }
    }

    /// Says what a training does, where it is not one of many.
    pub fn say(&self, name: &str, what: std::fmt::Arguments<'_>) {
        let prefix = prefix(name);
        match self.shared_progress {
            Some(_) => tracing::debug!("{prefix}{what}"),
            None => tracing::info!("{prefix}{what}"),
        }
    }
}

/// What went wrong in a training, at its start or later.
pub fn failure(trained: &Result<Trained, Error>) -> Option<&Error> {
    match trained {
        Ok(trained) => trained.ended.as_ref().err(),
        Err(error) => Some(error),
    }
}

/// What the lines of a training on the terminal start with.
fn prefix(name: &str) -> String {
    if name.is_empty() { String::new() } else { format!("{name}: ") }
}

/// The folder of a session that has one.
fn folder(session: &Session) -> PathBuf {
    session.folder().unwrap_or(Path::new("")).to_owned()
}
