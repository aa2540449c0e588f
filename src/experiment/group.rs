//! The runs of one variant in one environment.

use control_envs::Entry;

use super::plan::{Cell, Plan};
use crate::error::Error;
use crate::files::read_json;
use crate::plot::table::RunTables;
use crate::run::{RunDirectory, Summary};
use crate::statistics::{mean, quantile};

/// The finished runs of one variant in one environment, seed after seed.
#[derive(Debug)]
pub struct Group<'a> {
    /// The environment, with the arguments that the variant gives it.
    pub environment: &'a Entry,
    /// The variant's name.
    pub variant: &'a str,
    /// How many runs there will be.
    pub planned: usize,
    /// Each of them.
    pub runs: Vec<(&'a Cell, RunDirectory)>,
    /// What each of them came to.
    pub summaries: Vec<Summary>,
    /// What each of them wrote.
    pub(super) tables: Vec<RunTables>,
}

/// The groups of an experiment, environment by environment, each with all variants. `finished` holds the run of every
/// cell that has one.
///
/// # Errors
/// Where a run's files can't be read.
pub fn groups<'a>(plan: &'a Plan, finished: &[Option<RunDirectory>]) -> Result<Vec<Group<'a>>, Error> {
    let mut groups = Vec::new();
    for environment in 0..plan.environments.len() {
        for (variant, name) in plan.variants.iter().enumerate() {
            let cells = plan.cells.iter().zip(finished);
            let own: Vec<_> = cells
                .filter(|(cell, _)| (cell.environment, cell.variant) == (environment, variant))
                .collect();
            let finished = own.iter().filter_map(|(cell, directory)| Some((*cell, (*directory).clone()?)));
            let runs: Vec<_> = finished.collect();
            let folders = || runs.iter().map(|(_, directory)| directory);
            let tables = runs.iter().map(|(cell, run): &(&Cell, RunDirectory)| {
                RunTables::read(run.path(), cell.config.has_local_dropout())
            });
            groups.push(Group {
                environment: plan.entry(environment, variant),
                variant: name,
                planned: own.len(),
                summaries: folders().map(|run| read_json(&run.summary())).collect::<Result<_, _>>()?,
                tables: tables.collect::<Result<_, _>>()?,
                runs,
            });
        }
    }
    Ok(groups)
}

impl Group<'_> {
    /// The mean return of every run's evaluation.
    pub fn evaluations(&self) -> Vec<f64> {
        let evaluations = self.summaries.iter().filter_map(|summary| summary.evaluation.as_ref());
        evaluations.map(|evaluation| evaluation.mean_return).collect()
    }

    /// The mean return of every run over all its training episodes: what learning cost, exploration included.
    pub fn online_returns(&self) -> Vec<f64> {
        let returns = self.tables.iter().map(|run| &run.episodes.episode_return);
        returns.filter(|returns| !returns.is_empty()).map(mean).collect()
    }

    /// The environment steps at which runs reached the reward threshold, of those that did.
    pub fn steps_to_threshold(&self) -> Vec<f64> {
        self.summaries.iter().filter_map(|summary| summary.solved_at_step).map(|step| step as f64).collect()
    }

    /// The medians over the runs of a number for each layer.
    pub fn layer_medians(&self, of: impl Fn(&Summary) -> &[f64]) -> Vec<f64> {
        let layers = self.summaries.iter().map(|summary| of(summary).len()).max().unwrap_or(0);
        let values = |layer: usize| -> Vec<f64> {
            self.summaries.iter().filter_map(|summary| of(summary).get(layer).copied()).collect()
        };
        (0..layers).filter_map(|layer| quantile(&values(layer), 0.5)).collect()
    }
}
