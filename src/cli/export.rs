//! `export RUN`: a trained network for other programs.

use control_envs::Registry;

use super::arguments::ExportArguments;
use super::terminal::print;
use crate::error::Error;
use crate::export::export;
use crate::session::Policy;

/// Where it goes in the run's folder unless told otherwise.
const FOLDER: &str = "export";

pub fn run(registry: &Registry, arguments: &ExportArguments) -> Result<(), Error> {
    let ExportArguments { run, checkpoint, output } = arguments;
    let mut policy = Policy::load_chosen(*checkpoint, "cpu", run, registry)?;
    let folder = output.clone().unwrap_or_else(|| run.join(FOLDER));
    export(&mut policy, &folder)?.into_iter().try_for_each(|file| print(&format!("{}\n", file.display())))
}
