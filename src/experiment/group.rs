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

/// Dropout probabilities, medians over runs.
#[derive(Debug, Clone, PartialEq)]
pub struct DropoutMedians {
    /// Of each layer, from input to output.
    pub layers: Vec<f64>,
    /// Of the mean of local dropout, if there is any.
    pub local: Option<f64>,
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

    /// The medians over the runs of one of the lists of dropout probabilities.
    pub fn dropout_medians(&self, of: impl Fn(&Summary) -> &[f64]) -> DropoutMedians {
        let parts: Vec<_> = self.summaries.iter().map(|summary| summary.parts(of(summary))).collect();
        let layers = parts.iter().map(|(layers, _)| layers.len()).max().unwrap_or(0);
        let median = |values: Vec<f64>| quantile(&values, 0.5);
        DropoutMedians {
            layers: (0..layers)
                .filter_map(|layer| {
                    median(parts.iter().filter_map(|(layers, _)| layers.get(layer).copied()).collect())
                })
                .collect(),
            local: median(parts.iter().filter_map(|(_, local)| *local).collect()),
        }
    }
}
