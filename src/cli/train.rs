//! Training, from flags to the last file.

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use control_envs::{EnvError, Registry};
use tch::{Cuda, Device};

use super::arguments::TrainArguments;
use super::terminal::{Terminal, probabilities};
use crate::agent::{Agent, UpdateRecord};
use crate::config::{Config, Layer, preset};
use crate::engine::engine;
use crate::error::Error;
use crate::evaluation::evaluate;
use crate::randomness::{Stream, generator};
use crate::run::{FinishedRun, Meta, Recorder, RunDirectory, write_json};
use crate::training::{EpisodeRecord, Observer, train};

pub fn run(
    registry: &Registry,
    arguments: &TrainArguments,
    command: &[OsString],
    terminal: &Terminal,
) -> Result<(), Error> {
    let config = resolve(registry, arguments)?;
    tracing::debug!("the settings are\n{}", config.to_toml());
    let device = device(&config.device)?;
    let entry = registry.get(&config.env).map_err(usage)?;
    let mut env = entry.make();
    let spec = entry.spec();
    let mut agent = Agent::new(&config, spec, device)?;

    let directory = RunDirectory::create(&arguments.runs_dir, entry.alias(), &config)?;
    let command = command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    write_json(&directory.meta(), &Meta::gather(&config.device, command))?;
    tracing::info!(
        "{} for {} steps, exploration {}, seed {}, in {}",
        spec.id,
        config.steps,
        config.exploration.rule,
        config.seed,
        directory.path().display()
    );
    let (capacity, batch_size) = (config.agent.replay_capacity, config.agent.batch_size);
    if capacity < batch_size {
        tracing::warn!("agent.replay_capacity = {capacity} is smaller than agent.batch_size = {batch_size}");
    }
    let learning_starts = config.agent.learning_starts;
    if config.steps <= learning_starts {
        tracing::warn!(
            "nothing will be learned, since agent.learning_starts = {learning_starts} is not before the end"
        );
    }
    let mut recorder = Recorder::start(directory, &config, spec, &agent)?;
    let mut interrupt = Interrupt::install();
    let mut ended = {
        let mut progress = terminal.progress(config.steps);
        let mut observers = Observers([&mut recorder, &mut progress, &mut interrupt]);
        let mut starts = generator(config.seed, Stream::Environment);
        caught(|| train(env.as_mut(), &mut agent, &mut starts, &mut observers))
    };

    // Whatever ended the training, what it learned is written before anything is said.
    let mut run = recorder.finish(&agent, ended.as_ref().err());
    if ended.is_ok() && config.evaluation.episodes > 0 {
        let (episodes, passes) = (config.evaluation.episodes, config.evaluation.passes);
        tracing::info!("training is over; playing {episodes} episodes on the mean of {passes} passes");
        let stop = || interrupt.wants_to_stop();
        let network = agent.network();
        ended = engine(&config, network)
            .and_then(|mut engine| {
                let (engine, env) = (engine.as_mut(), env.as_mut());
                caught(|| evaluate(network, engine, env, episodes, passes, config.seed, stop))
            })
            .and_then(|evaluation| run.evaluated(evaluation));
    }
    let reported = terminal.report(report(&run));
    ended.and(run.written).and(reported)
}

/// Runs `work`, and turns a panic in it, as of an environment or of libtorch without memory, into an error, so that
/// what was done so far is still written.
fn caught<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let message = panic.downcast_ref::<String>().map(String::as_str);
        let message = message.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(Error::Panicked(message.unwrap_or("a panic without a message").to_owned()))
    })
}

/// Defaults, the environment's preset, the config file, the flags.
fn resolve(registry: &Registry, arguments: &TrainArguments) -> Result<Config, Error> {
    let mut over = Vec::new();
    if let Some(path) = &arguments.config {
        over.push(Layer::read(path)?);
    }
    let mut flags = Layer::empty("the command line");
    if let Some(env) = &arguments.env {
        flags.set("env", env.as_str());
    }
    if let Some(device) = &arguments.device {
        flags.set("device", device.as_str());
    }
    for (key, value) in [("steps", arguments.steps), ("seed", arguments.seed)] {
        if let Some(value) = value {
            let value = i64::try_from(value).map_err(|_| {
                Error::Usage(format!("--{key} {value} is too large; it must be at most {}", i64::MAX))
            })?;
            flags.set(key, value);
        }
    }
    if let Some(engine) = arguments.engine {
        flags.set("engine", engine.to_string());
    }
    if let Some(rule) = arguments.exploration {
        flags.set("exploration", toml::Table::from_iter([("rule".to_owned(), rule.to_string().into())]));
    }
    over.push(flags);
    for assignment in &arguments.set {
        over.push(Layer::assignment(assignment)?);
    }

    // The last layer that names an environment decides whose preset lies below.
    let default = Layer::empty("the defaults");
    let naming = over.iter().rev().find(|layer| layer.env().is_some()).unwrap_or(&default);
    let entry = registry
        .get(naming.env().unwrap_or(&Config::default().env))
        .map_err(|error| Error::Usage(format!("{}: {error}", naming.source())))?;
    let mut layers = Vec::new();
    if let Some((name, text)) = preset(entry.id()) {
        layers.push(Layer::parse(name, text)?);
    }
    layers.append(&mut over);
    let config = Config::resolve(&layers)?;
    Ok(Config { env: entry.id().to_owned(), ..config })
}

/// The device of this name.
pub fn device(name: &str) -> Result<Device, Error> {
    let index = match name {
        "cpu" => return Ok(Device::Cpu),
        "cuda" => Some(0),
        _ => name.strip_prefix("cuda:").and_then(|index| index.parse::<usize>().ok()),
    };
    let Some(index) = index else {
        return Err(Error::Usage(format!("there is no device `{name}`; device must be cpu, cuda or cuda:N")));
    };
    if !Cuda::is_available() {
        return Err(Error::Usage(format!(
            "the device {name} is not available, because this build's libtorch has no CUDA or finds no GPU; use \
             --device cpu, or build against a CUDA libtorch as the README describes"
        )));
    }
    let count = Cuda::device_count();
    if index as i64 >= count {
        return Err(Error::Usage(format!(
            "the device {name} is not available, since there are {count} CUDA devices, numbered from 0"
        )));
    }
    Ok(Device::Cuda(index))
}

/// An unknown environment is a wrong argument.
pub fn usage(error: EnvError) -> Error {
    Error::Usage(error.to_string())
}

fn report(run: &FinishedRun) -> String {
    let summary = &run.summary;
    let mut lines = Vec::new();
    if let Some(mean) = summary.mean_return_100 {
        let episodes = summary.episodes;
        lines.push(format!(
            "return      {mean:.1} on average over the last {} of {episodes} episodes",
            episodes.min(100)
        ));
    }
    match (summary.reward_threshold, summary.solved_at_step) {
        (Some(threshold), Some(step)) => {
            lines.push(format!("threshold   {threshold} reached at step {step}"));
        }
        (Some(threshold), None) => lines.push(format!("threshold   {threshold} not reached in training")),
        _ => {}
    }
    if let Some(evaluation) = &summary.evaluation {
        lines.push(format!("evaluation  {evaluation}"));
    }
    lines.push(format!(
        "dropout     p {} (peak {}), N = {} at the last episode's end, tau = {:.0}",
        probabilities(&summary.p_final),
        probabilities(&summary.p_peak),
        summary.dataset_size,
        summary.precision
    ));
    lines.push(format!(
        "time        {:.1} s for {} steps, {:.0} a second",
        summary.training_seconds, summary.total_steps, summary.steps_per_second
    ));
    lines.push(format!("files       {}", run.directory.path().display()));
    lines.join("\n")
}

/// Ends the training after the episode in hand on Ctrl-C (or SIGTERM), and the program at once on the second.
#[derive(Debug)]
struct Interrupt(Arc<AtomicU32>);

impl Interrupt {
    fn install() -> Self {
        let presses = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&presses);
        let installed = ctrlc::set_handler(move || {
            if counted.fetch_add(1, Ordering::SeqCst) > 0 {
                // Not std::process::exit, which would run libtorch's destructors under a thread that is still in it.
                signal_hook::low_level::exit(i32::from(Error::Interrupted.exit_code()));
            }
            tracing::warn!("finishing the episode in hand; once more ends it now");
        });
        if let Err(error) = installed {
            tracing::warn!("Ctrl-C will end the run at once, because no handler could be set: {error}");
        }
        Self(presses)
    }
}

impl Observer for Interrupt {
    fn wants_to_stop(&self) -> bool {
        self.0.load(Ordering::SeqCst) > 0
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
