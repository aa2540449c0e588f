//! `--on ray`: the runs of an experiment on the nodes of a Ray cluster. A Python script hands them to Ray; here is what it
//! is told and what is made of its answers.

use std::env;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf, absolute};
use std::process::{Child, ChildStdin};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::Todo;
use crate::cli::experiment_flags::ExperimentArguments;
use crate::cli::interrupt::Interrupt;
use crate::cli::many::Failure;
use crate::cli::python;
use crate::cli::terminal::{SharedProgress, Terminal};
use crate::error::Error;
use crate::experiment::{Plan, Store};
use crate::files::{FolderLock, is_locked, read_json};
use crate::run::{RunDirectory, RunState, Summary};

/// What runs on the side of Ray.
const SCRIPT: &str = include_str!("../../../python/concrete_dqn/on_ray.py");
/// What it needs, as pip is told.
const PACKAGES: &str = "ray==2.60.0";
/// How often Ctrl-C is looked for, or the end of another driver.
const LOOK: Duration = Duration::from_millis(200);
/// How long the end of another driver is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the script is asked to do.
#[derive(Debug, Serialize)]
struct Request<'a> {
    address: Option<&'a str>,
    /// This program, which the nodes may have at the same place.
    program: PathBuf,
    /// The text of the experiment's file.
    experiment: &'a str,
    output: PathBuf,
    scratch: Option<&'a Path>,
    retries: u32,
    at_once: Option<NonZeroUsize>,
    cells: Vec<AskedCell>,
}

#[derive(Debug, Serialize)]
struct AskedCell {
    name: String,
    /// The folder of a run that was ended early, below `output`.
    run: Option<PathBuf>,
}

/// What the script tells. Cells are counted as in the request.
#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Event {
    /// Nothing will be done, and why.
    Refused {
        what: String,
    },
    Connected {
        nodes: usize,
        cpus: usize,
    },
    /// A run has a new checkpoint.
    Saved {
        cell: usize,
        step: u64,
    },
    /// A run's node or process died; it is begun or resumed elsewhere.
    Lost {
        cell: usize,
        how: String,
    },
    /// A run is over: the exit code of the program, or nothing where it was lost too often.
    Ended {
        cell: usize,
        code: Option<i32>,
        said: String,
        /// Its folder, where it has one.
        run: Option<PathBuf>,
    },
    Done,
}

/// Trains some runs. Returns what was not done, and how many CPUs the cluster had for them.
///
/// # Errors
/// Where there is no Python, no Ray or no cluster, or the script fails.
pub fn train(
    plan: &Plan,
    store: &Store,
    todo: &[Todo<'_>],
    arguments: &ExperimentArguments,
    interrupt: &Interrupt,
    terminal: &Terminal,
) -> Result<(Vec<Failure>, usize), Error> {
    let output = absolute(store.path()).map_err(Error::file("find", store.path()))?;
    let asked = todo.iter().map(|(cell, state)| AskedCell {
        name: plan.name(cell),
        run: match state {
            RunState::Begun(directory) => {
                directory.path().strip_prefix(store.path()).ok().map(Path::to_owned)
            }
            _ => None,
        },
    });
    let request = Request {
        address: arguments.address.as_deref(),
        program: env::current_exe().map_err(Error::file("find", Path::new("this program")))?,
        experiment: &plan.text,
        output,
        scratch: arguments.scratch.as_deref(),
        retries: arguments.retries.unwrap_or(3),
        at_once: arguments.jobs,
        cells: asked.collect(),
    };
    let steps: Vec<u64> = todo.iter().map(|(cell, _)| cell.config.steps).collect();
    let log = store.path().join("ray.log");
    let mut driver = Driver::start(&request, &log)?;
    let progress = terminal.shared_progress(steps.iter().sum(), steps.len());
    let mut board =
        Board { request: &request, steps, progress, cpus: 0, saved: Vec::new(), ended: Vec::new() };
    let ended = driver.listen(&mut board, interrupt);
    board.progress.clear();
    ended?;
    let cpus = board.cpus.max(1);
    let workers = arguments.jobs.map_or(cpus, |jobs| jobs.get().min(cpus));
    Ok((board.failures(interrupt.wants_to_stop()), workers))
}

/// Locks the experiment, and waits for another one that is ending as long as for its driver.
///
/// # Errors
/// Where the other one goes on.
pub fn lock(store: &Store) -> Result<FolderLock, Error> {
    let begun = Instant::now();
    loop {
        match store.lock() {
            Err(Error::Busy(_)) if begun.elapsed() < PATIENCE => thread::sleep(LOOK),
            locked => return locked,
        }
    }
}

/// Waits while another driver writes into the folder, a minute at most. One whose program was killed goes on for some
/// seconds, taking in what its runs send as they end, and what they come to is not to be done twice.
///
/// # Errors
/// Where the other one goes on.
pub fn wait_for_another_driver(folder: &Path) -> Result<(), Error> {
    let path = folder.join(".driver");
    let holder = || fs::read_to_string(&path).unwrap_or_default();
    if !is_locked(&path) {
        return Ok(());
    }
    tracing::info!(
        "waiting for the end of another driver ({}), which writes into {}",
        holder(),
        folder.display()
    );
    let begun = Instant::now();
    while is_locked(&path) {
        if begun.elapsed() > PATIENCE {
            return Err(Error::Usage(format!(
                "another driver ({}) writes into {}; wait until it has ended, end it, or give another --output",
                holder(),
                folder.display()
            )));
        }
        thread::sleep(LOOK);
    }
    Ok(())
}

/// How far the runs are.
struct Board<'a> {
    request: &'a Request<'a>,
    steps: Vec<u64>,
    progress: SharedProgress,
    /// How many the cluster has.
    cpus: usize,
    /// Up to where each run is saved, where it has been begun.
    saved: Vec<u64>,
    /// How each run ended that has.
    ended: Vec<Option<Result<(), Error>>>,
}

impl Board<'_> {
    fn take(&mut self, event: Event) -> Result<(), Error> {
        self.saved.resize(self.steps.len(), 0);
        self.ended.resize_with(self.steps.len(), || None);
        match event {
            Event::Refused { what } => return Err(Error::Usage(what)),
            Event::Connected { nodes, cpus } => {
                let plural = |count: usize| if count == 1 { "" } else { "s" };
                tracing::info!("Ray has {nodes} node{} and {cpus} CPU{}", plural(nodes), plural(cpus));
                self.cpus = cpus;
                if cpus == 0 {
                    tracing::warn!("no run can start before a node with a CPU joins the cluster");
                }
            }
            Event::Saved { cell, step } => self.reached(cell, step),
            Event::Lost { cell, how } => {
                let name = &self.request.cells[cell].name;
                let from = match self.saved[cell] {
                    // Its node may have been gone before it could tell of one.
                    0 => "goes on from its last checkpoint, if it has one".to_owned(),
                    step => format!("goes on from step {step}"),
                };
                tracing::warn!("{name} was lost and {from}: {how}");
            }
            Event::Ended { cell, code, said, run } => {
                let count = self.progress.count();
                let name = &self.request.cells[cell].name;
                let result = if code == Some(0) {
                    let summary =
                        run.and_then(|run| read_json(&RunDirectory::open(&run).ok()?.summary()).ok());
                    match summary.and_then(|summary: Summary| summary.evaluation) {
                        Some(evaluation) => tracing::info!("{count}: {name} is done: {evaluation}"),
                        None => tracing::info!("{count}: {name} is done"),
                    }
                    Ok(())
                } else {
                    let last = said.lines().rev().find_map(|line| line.strip_prefix("error: "));
                    let what =
                        last.or(said.lines().last()).unwrap_or("the program ended without a word").to_owned();
                    tracing::warn!("{count}: {name} failed: {what}");
                    Err(Error::Elsewhere(what))
                };
                self.ended[cell] = Some(result);
                self.reached(cell, self.steps[cell]);
            }
            Event::Done => {}
        }
        Ok(())
    }

    fn reached(&mut self, cell: usize, step: u64) {
        // A run that goes on from its last checkpoint is not seen to go back.
        self.progress.skip(step.saturating_sub(self.saved[cell]));
        self.saved[cell] = self.saved[cell].max(step);
    }

    fn failures(self, interrupted: bool) -> Vec<Failure> {
        let names = self.request.cells.iter().map(|cell| cell.name.clone());
        let ended = self.ended.into_iter().chain(std::iter::repeat_with(|| None));
        let failure = |(name, ended): (String, Option<Result<(), Error>>)| match ended {
            Some(Ok(())) => None,
            Some(Err(error)) => Some((name, error)),
            None if interrupted => Some((name, Error::Interrupted)),
            None => Some((name, Error::Elsewhere("the driver ended before it".to_owned()))),
        };
        names.zip(ended).filter_map(failure).collect()
    }
}

/// The script, running.
struct Driver<'a> {
    process: Child,
    /// Closed, it has the script end.
    input: Option<ChildStdin>,
    log: &'a Path,
}

impl<'a> Driver<'a> {
    fn start(request: &Request<'_>, log: &'a Path) -> Result<Self, Error> {
        let file = File::create(log).map_err(Error::file("create", log))?;
        let mut process = python::start(SCRIPT, PACKAGES, file)?;
        let mut input = process.stdin.take();
        let text = serde_json::to_string(request).map_err(|error| Error::Inconsistent(error.to_string()))?;
        if let Some(input) = &mut input {
            // Where it fails the script has ended, and its log says why.
            let _ = input.write_all(format!("{text}\n").as_bytes()).and_then(|()| input.flush());
        }
        Ok(Self { process, input, log })
    }

    /// Until all is done or the user has asked to end.
    fn listen(&mut self, board: &mut Board<'_>, interrupt: &Interrupt) -> Result<(), Error> {
        let lines = self.lines();
        loop {
            // After every line too, since lines may come faster than one can wait.
            if interrupt.wants_to_stop() {
                drop(self.input.take());
            }
            match lines.recv_timeout(LOOK) {
                Ok(line) => match serde_json::from_str(&line) {
                    Ok(Event::Done) => return Ok(()),
                    Ok(event) => board.take(event)?,
                    Err(error) => tracing::debug!("Ray's driver printed `{line}`: {error}"),
                },
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(self.broke()),
            }
        }
    }

    fn lines(&mut self) -> Receiver<String> {
        let (sender, lines) = mpsc::channel();
        if let Some(output) = self.process.stdout.take() {
            thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    if sender.send(line).is_err() {
                        return;
                    }
                }
            });
        }
        lines
    }

    fn broke(&mut self) -> Error {
        let how = self.process.wait().map_or_else(|error| error.to_string(), |status| status.to_string());
        let log = fs::read_to_string(self.log).unwrap_or_default();
        let last = log.lines().last().map(|line| format!(" `{line}`")).unwrap_or_default();
        Error::Elsewhere(format!(
            "Ray's driver broke off ({how});{last} {} has all it said. The same command goes on from here",
            self.log.display()
        ))
    }
}

impl Drop for Driver<'_> {
    fn drop(&mut self) {
        drop(self.input.take());
        // It ends by itself once its input is closed.
        let _ = self.process.wait();
    }
}
