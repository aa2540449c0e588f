//! The flags of `experiment`.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::cli::parallel::job_count;

/// Where the runs are trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Place {
    /// On this machine
    Local,
    /// On the nodes of a Ray cluster
    Ray,
    /// As a job array of Slurm
    Slurm,
}

#[derive(Debug, Args)]
pub struct ExperimentArguments {
    /// TOML file with environments, seeds and variants (docs/experiments.md describes it)
    pub file: PathBuf,

    /// How many runs are trained at once [default: the number of processor cores; with --on ray or slurm, as many as
    /// there is room for]
    #[arg(long, value_name = "N", value_parser = job_count, allow_negative_numbers = true)]
    pub jobs: Option<NonZeroUsize>,

    /// Where the runs, the table and the plots go; finished runs there are not done again [default:
    /// runs/experiments/ and the file's name]
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,

    /// Where the runs are trained (docs/cluster.md)
    #[arg(long, value_name = "PLACE", value_enum, default_value = "local")]
    pub on: Place,

    /// With --on ray: the cluster, such as 10.0.0.1:6379 [default: RAY_ADDRESS, or the one that this machine is in]
    #[arg(long, value_name = "HOST:PORT")]
    pub address: Option<String>,

    /// With --on ray: a folder on every node to train in; runs are sent from there [default: the experiment's folder where
    /// the node has it too, or one for temporary files]
    #[arg(long, value_name = "DIR")]
    pub scratch: Option<PathBuf>,

    /// With --on ray: how often a run may be lost to a node that dies, without a new checkpoint in between [default: 3]
    #[arg(long, value_name = "N", value_parser = retry_count, allow_negative_numbers = true)]
    pub retries: Option<u32>,

    /// With --on slurm: one more option for sbatch, such as --sbatch=--time=12:00:00; may be repeated
    #[arg(long, value_name = "OPTION", allow_hyphen_values = true)]
    pub sbatch: Vec<String>,

    /// List the runs and which of them are finished, and do nothing; with --on slurm, print the script
    #[arg(long)]
    pub dry_run: bool,

    /// Print the runs, their settings and what there is of them, as JSON, and do nothing
    #[arg(long, conflicts_with = "dry_run")]
    pub plan: bool,

    /// Train one of the runs, or resume it, named as --dry-run lists it; print its folder first
    #[arg(long, value_name = "NAME", conflicts_with_all = ["dry_run", "plan", "gather", "on"])]
    pub cell: Option<String>,

    /// Write the tables and plots of what is finished, and train nothing
    #[arg(long, conflicts_with_all = ["dry_run", "plan"])]
    pub gather: bool,
}

impl ExperimentArguments {
    /// The folder that the flags ask for: by default one of the file's name.
    pub fn output(&self) -> PathBuf {
        let default = || Path::new("runs/experiments").join(self.file.file_stem().unwrap_or_default());
        self.output.clone().unwrap_or_else(default)
    }

    /// A flag that is of another place than the one that was chosen, and the place it is of.
    pub fn misplaced(&self) -> Option<(&'static str, &'static str)> {
        let flags = [
            ("--address", self.address.is_some(), Place::Ray, "ray"),
            ("--scratch", self.scratch.is_some(), Place::Ray, "ray"),
            ("--retries", self.retries.is_some(), Place::Ray, "ray"),
            ("--sbatch", !self.sbatch.is_empty(), Place::Slurm, "slurm"),
        ];
        let misplaced = flags.into_iter().find(|(_, given, place, _)| *given && *place != self.on);
        misplaced.map(|(flag, _, _, place)| (flag, place))
    }
}

fn retry_count(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| "it must be a whole number of 0 or more, such as 3".to_owned())
}
