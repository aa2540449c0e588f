//! Flags and subcommands.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};

use super::dashboard::address;
use super::experiment_flags::ExperimentArguments;
use super::figure_path::figure_path;
use super::parallel::job_count;
use super::run_name::run_name;
use crate::checkpoint::CheckpointChoice;
use crate::config::{Seeds, count};
use crate::engine::EngineName;
use crate::exploration::RuleName;

const FIRST_COMMANDS: &str = "\
First commands:
  concrete-dqn --env cartpole        Train; what it leaves is in a folder below runs/
  concrete-dqn watch runs/FOLDER     Look at the run, while it trains or later
  concrete-dqn evaluate runs/FOLDER  Play with what it has learned";

/// Train a DQN agent whose dropout adapts while it learns.
///
/// Without a subcommand it trains: concrete-dqn --env cartpole
#[derive(Debug, Parser)]
#[command(version, name = "concrete-dqn", after_help = FIRST_COMMANDS)]
pub struct Arguments {
    #[command(flatten)]
    pub train: TrainArguments,

    /// Print errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,

    /// Print more; RUST_LOG sets it in detail
    #[arg(short, long, global = true)]
    verbose: bool,

    /// The standard input is a socket to the process that environments of Gymnasium are in, as the Python package has it
    #[arg(long, global = true, hide = true)]
    pub gymnasium_on_stdin: bool,

    #[command(subcommand)]
    pub command: Option<Command>,
}

/// How much is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verbosity {
    Quiet,
    Normal,
    Verbose,
}

impl Arguments {
    /// Whether flags of a training stand before a subcommand that takes none of them.
    pub fn train_flags_are_misplaced(&self) -> bool {
        self.command.is_some() && self.has_train_flags()
    }

    /// Whether they don't say what to do.
    pub fn says_nothing(&self) -> bool {
        self.command.is_none() && !self.has_train_flags()
    }

    fn has_train_flags(&self) -> bool {
        let TrainArguments {
            env,
            env_arg,
            steps,
            envs,
            seed,
            seeds,
            jobs,
            exploration,
            device,
            engine,
            config,
            set,
            name,
            runs_dir,
            dashboard,
        } = &self.train;
        env.is_some()
            || !env_arg.is_empty()
            || steps.is_some()
            || envs.is_some()
            || seed.is_some()
            || seeds.is_some()
            || jobs.is_some()
            || exploration.is_some()
            || device.is_some()
            || engine.is_some()
            || config.is_some()
            || !set.is_empty()
            || name.is_some()
            || dashboard.is_some()
            || runs_dir.as_os_str() != RUNS_DIR
    }

    pub fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        }
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Play episodes with a trained network and print their returns
    Evaluate(EvaluateArguments),
    /// Say what a trained network would do: an observation a line in, an answer a line out, in JSON
    Predict(PredictArguments),
    /// Write a trained network for other programs: safetensors with a loader in NumPy, and ONNX
    Export(ExportArguments),
    /// Go on with a training where its newest checkpoint is
    Resume(ResumeArguments),
    /// Train every variant of an experiment in every environment on every seed, and sum up
    Experiment(ExperimentArguments),
    /// Look at a run in the terminal, while it trains or later
    Watch(WatchArguments),
    /// Draw a run's plots again, or one figure that compares several runs
    Plot(PlotArguments),
    /// Write the page of a run again, or one page that compares several runs
    Report(ReportArguments),
    /// Draw the objective of one layer against its p: the curve, its three parts, the minimum
    Landscape(LandscapeArguments),
    /// List the environments, or explain one
    Envs(EnvsArguments),
}

/// Where runs go unless told otherwise.
const RUNS_DIR: &str = "runs";

#[derive(Debug, Args)]
pub struct TrainArguments {
    /// Environment, such as cartpole or CartPole-v1 (`concrete-dqn envs` lists them) [default: cartpole]
    #[arg(short, long, value_name = "NAME")]
    pub env: Option<String>,

    /// One argument of the environment, such as size=20 (`concrete-dqn envs NAME` lists them); may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    pub env_arg: Vec<String>,

    /// Environment steps to train for [default: the environment's preset]
    #[arg(long, value_name = "N", value_parser = whole_number, allow_negative_numbers = true)]
    pub steps: Option<u64>,

    /// Copies of the environment that take turns and learn together [default: 1]
    #[arg(long, value_name = "N", value_parser = whole_number, allow_negative_numbers = true)]
    pub envs: Option<u64>,

    /// Seed of every random choice [default: 0]
    #[arg(short, long, value_name = "N", value_parser = whole_number, allow_negative_numbers = true)]
    pub seed: Option<u64>,

    /// Seeds such as 0-9, 0,3,7 or 0-2,7: a run for each, several at a time
    #[arg(long, value_name = "SEEDS", conflicts_with = "seed", allow_negative_numbers = true)]
    pub seeds: Option<Seeds>,

    /// With --seeds: how many runs are trained at once [default: the number of processor cores]
    #[arg(long, value_name = "N", value_parser = job_count, requires = "seeds", allow_negative_numbers = true)]
    pub jobs: Option<NonZeroUsize>,

    /// How actions are chosen [default: ucb]
    #[arg(short = 'x', long, value_name = "RULE")]
    pub exploration: Option<RuleName>,

    /// cpu, cuda or cuda:N [default: cpu]
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,

    /// How the networks are computed [default: auto]
    #[arg(long, value_name = "ENGINE")]
    pub engine: Option<EngineName>,

    /// TOML file with settings, laid over the environment's preset; a run's config.toml is one
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// One setting, such as --set agent.gamma=0.98; may be repeated
    #[arg(long, value_name = "SECTION.KEY=VALUE")]
    pub set: Vec<String>,

    /// Name of the run's folder; with --seeds, __s and the seed follow it [default: what the run is, and the time]
    #[arg(long, value_name = "NAME", value_parser = run_name)]
    pub name: Option<String>,

    /// Where a run's folder goes
    #[arg(long, value_name = "DIR", default_value = RUNS_DIR)]
    pub runs_dir: PathBuf,

    /// Serve a live page of the training, or of all of --seeds, for a browser [default address: 127.0.0.1:8008]
    #[arg(long, value_name = "ADDR", value_parser = address, num_args = 0..=1, default_missing_value = "8008")]
    pub dashboard: Option<SocketAddr>,
}

#[derive(Debug, Args)]
pub struct EnvsArguments {
    /// Environment to explain, such as deep-sea or DeepSea-v0
    pub name: Option<String>,
}

#[derive(Debug, Args)]
pub struct EvaluateArguments {
    /// Folder of the run
    pub run: PathBuf,

    /// Episodes to play [default: as the run's config says]
    #[arg(long, value_name = "N", value_parser = positive_number, allow_negative_numbers = true)]
    pub episodes: Option<u64>,

    /// Play with the network of a checkpoint: best, last, or the step of one [default: the run's model]
    #[arg(long, value_name = "WHICH")]
    pub checkpoint: Option<CheckpointChoice>,

    /// Compare every predicted Q-value with the discounted return that followed
    #[arg(long)]
    pub calibration: bool,

    /// Monte-Carlo passes a decision [default: as the run's config says]
    #[arg(long, value_name = "T", value_parser = pass_count, allow_negative_numbers = true)]
    pub passes: Option<usize>,

    /// Seed of starts and noise [default: the run's]
    #[arg(long, value_name = "N", value_parser = whole_number, allow_negative_numbers = true)]
    pub seed: Option<u64>,

    /// cpu, cuda or cuda:N
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    pub device: String,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct PredictArguments {
    /// Folder of the run
    pub run: PathBuf,

    /// Predict with the network of a checkpoint: best, last, or the step of one [default: the run's model]
    #[arg(long, value_name = "WHICH")]
    pub checkpoint: Option<CheckpointChoice>,

    /// cpu, cuda or cuda:N
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    pub device: String,
}

#[derive(Debug, Args)]
pub struct ExportArguments {
    /// Folder of the run
    pub run: PathBuf,

    /// Export the network of a checkpoint: best, last, or the step of one [default: the run's model]
    #[arg(long, value_name = "WHICH")]
    pub checkpoint: Option<CheckpointChoice>,

    /// The folder that it goes into [default: export in the run's folder]
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct ResumeArguments {
    /// Folder of the run
    pub run: PathBuf,

    /// Environment steps to train for in all, also where the run has finished
    /// [default: as the run's config says]
    #[arg(long, value_name = "N", value_parser = positive_number, allow_negative_numbers = true)]
    pub steps: Option<u64>,

    /// cpu, cuda or cuda:N [default: the run's]
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,

    /// Serve a live page of the training, for a browser [default address: 127.0.0.1:8008]
    #[arg(long, value_name = "ADDR", value_parser = address, num_args = 0..=1, default_missing_value = "8008")]
    pub dashboard: Option<SocketAddr>,
}

#[derive(Debug, Args)]
pub struct WatchArguments {
    /// Folder of the run
    pub run: PathBuf,

    /// Print what it shows once, as text, as is done where there is no terminal
    #[arg(long)]
    pub once: bool,
}

#[derive(Debug, Args)]
pub struct PlotArguments {
    /// Folders of runs: the plots of one are drawn again, several are compared in one figure
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<PathBuf>,

    /// Draw one figure of the runs into this .svg or .png, or without an ending into both
    /// [default for several runs: runs/comparison]
    #[arg(short, long, value_name = "PATH", value_parser = OsStringValueParser::new().try_map(figure_path))]
    pub output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct ReportArguments {
    /// Folders of runs, or of experiments, whose runs are taken; several runs are compared on one page
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<PathBuf>,

    /// The file that the page goes into [default: report.html in the folder, or for several runs/report.html]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Where the coefficients of a run are not taken, what they are; each can be given beside a run too, to see
/// what it does.
#[derive(Debug, Args)]
pub struct LandscapeArguments {
    /// Folder of a run, whose coefficients are taken
    pub run: Option<PathBuf>,

    /// With a run: which of its layers, counted from 0 as in layers.csv [default: 0]
    #[arg(long, value_name = "I", requires = "run", value_parser = index, allow_negative_numbers = true)]
    pub layer: Option<usize>,

    /// With a run: which of the layer's dropout groups, counted from 0 as in layers.csv [default: 0]
    #[arg(long, value_name = "G", requires = "run", value_parser = index, allow_negative_numbers = true)]
    pub group: Option<usize>,

    /// With a run: after which of its episodes [default: the last]
    #[arg(long, value_name = "E", requires = "run", value_parser = positive_number, allow_negative_numbers = true)]
    pub episode: Option<u64>,

    /// Number of data N
    #[arg(short, long, value_name = "N", value_parser = positive, required_unless_present = "run", allow_negative_numbers = true)]
    pub n: Option<f64>,

    /// Number of units K that are dropped
    #[arg(short, long, value_name = "K", value_parser = positive, required_unless_present = "run", allow_negative_numbers = true)]
    pub k: Option<f64>,

    /// Precision tau of the observation noise [default: the run's, or 1]
    #[arg(long, value_name = "TAU", value_parser = positive, allow_negative_numbers = true)]
    pub precision: Option<f64>,

    /// Sensitivity c of the output to the layer's noise, whose variance is c p/(1-p)
    /// [default: the run's, or 1]
    #[arg(long, value_name = "C", value_parser = not_negative, allow_negative_numbers = true)]
    pub sensitivity: Option<f64>,

    /// Squared norm of the weights [default: the run's, or K]
    #[arg(long, value_name = "W", value_parser = not_negative, allow_negative_numbers = true)]
    pub squared_norm: Option<f64>,

    /// Length scale l of the prior over the weights [default: the run's, or 0.01]
    #[arg(long, value_name = "L", value_parser = not_negative, allow_negative_numbers = true)]
    pub length_scale: Option<f64>,

    /// The .svg or .png that the figure goes into, or without an ending both
    /// [default: in the run's plots/, or runs/landscape]
    #[arg(short, long, value_name = "PATH", value_parser = OsStringValueParser::new().try_map(figure_path))]
    pub output: Option<PathBuf>,
}

fn real_number(text: &str) -> Option<f64> {
    count(text).map(|whole| whole as f64).or_else(|| text.parse().ok())
}

fn positive(text: &str) -> Result<f64, String> {
    let number = real_number(text).filter(|number| (1e-9..=1e12).contains(number));
    number.ok_or_else(|| "it must be a number from 1e-9 to 1e12".to_owned())
}

fn not_negative(text: &str) -> Result<f64, String> {
    let number = real_number(text).filter(|number| (0.0..=1e12).contains(number));
    number.ok_or_else(|| "it must be a number from 0 to 1e12".to_owned())
}

fn whole_number(text: &str) -> Result<u64, String> {
    count(text)
        .ok_or_else(|| "it must be a whole number of 0 or more, such as 10000, 10_000 or 1e4".to_owned())
}

fn positive_number(text: &str) -> Result<u64, String> {
    whole_number(text).and_then(|number| match number {
        0 => Err("it must be at least 1".to_owned()),
        _ => Ok(number),
    })
}

fn index(text: &str) -> Result<usize, String> {
    let index = whole_number(text)?;
    usize::try_from(index).map_err(|_| format!("it must be at most {}", usize::MAX))
}

fn pass_count(text: &str) -> Result<usize, String> {
    let passes = whole_number(text)?;
    let in_range = usize::try_from(passes).ok().filter(|passes| (2..=10_000).contains(passes));
    in_range
        .ok_or_else(|| "it must be from 2 to 10000, since a standard deviation takes two passes".to_owned())
}
