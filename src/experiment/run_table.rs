//! A row for every finished run: what it was and what it came to.

use std::path::Path;

use super::columns::{Columns, Values};
use super::group::Group;
use super::plan::Plan;
use crate::config::Config;
use crate::plot::table::RunTables;
use crate::run::{RunDirectory, Summary};
use crate::statistics::mean;

/// A finished run.
struct FinishedRun<'a> {
    environment: &'a str,
    variant: &'a str,
    config: &'a Config,
    directory: &'a RunDirectory,
    summary: &'a Summary,
    tables: &'a RunTables,
}

/// One of a summary's lists of dropout probabilities.
type List = fn(&Summary) -> &[f64];

/// The table of all finished runs, environment by environment, variant by variant, seed after seed. Settings that are not
/// the same in the whole experiment are columns of their own. `output` is the experiment's folder.
pub fn run_table(plan: &Plan, groups: &[Group<'_>], output: &Path) -> Columns {
    let runs: Vec<FinishedRun<'_>> = groups
        .iter()
        .flat_map(|group| {
            let came_to = group.summaries.iter().zip(&group.tables);
            group.runs.iter().zip(came_to).map(|((cell, directory), (summary, tables))| FinishedRun {
                environment: group.environment.id(),
                variant: group.variant,
                config: &cell.config,
                directory,
                summary,
                tables,
            })
        })
        .collect();
    let mut columns = Columns::default();
    let text = |of: &dyn Fn(&FinishedRun<'_>) -> Option<String>| Values::Text(runs.iter().map(of).collect());
    let whole = |of: &dyn Fn(&Summary) -> Option<u64>| {
        Values::Whole(
            runs.iter().map(|run| of(run.summary).and_then(|number| i64::try_from(number).ok())).collect(),
        )
    };
    let real =
        |of: &dyn Fn(&Summary) -> Option<f64>| Values::Real(runs.iter().map(|run| of(run.summary)).collect());
    columns.add("environment", text(&|run| Some(run.environment.to_owned())));
    columns.add("variant", text(&|run| Some(run.variant.to_owned())));
    columns.add("seed", whole(&|summary| Some(summary.seed)));
    for (key, values) in different_settings(plan, &runs) {
        columns.add(key, values);
    }
    let evaluation = |of: fn(&crate::evaluation::Evaluation) -> f64| {
        move |summary: &Summary| summary.evaluation.as_ref().map(of)
    };
    columns.add("evaluation_mean_return", real(&evaluation(|evaluation| evaluation.mean_return)));
    columns.add("evaluation_std_return", real(&evaluation(|evaluation| evaluation.std_return)));
    columns.add("evaluation_min_return", real(&evaluation(|evaluation| evaluation.min_return)));
    columns.add("evaluation_max_return", real(&evaluation(|evaluation| evaluation.max_return)));
    columns.add("evaluation_mean_length", real(&evaluation(|evaluation| evaluation.mean_length)));
    let of_training = runs.iter().map(|run| &run.tables.episodes.episode_return);
    let of_training = of_training.map(|returns| (!returns.is_empty()).then(|| mean(returns)));
    columns.add("training_mean_return", Values::Real(of_training.collect()));
    columns.add("mean_return_100", real(&|summary| summary.mean_return_100));
    columns.add("best_mean_return_100", real(&|summary| summary.best_mean_return_100));
    columns.add("solved_at_step", whole(&|summary| summary.solved_at_step));
    columns.add("total_steps", whole(&|summary| Some(summary.total_steps)));
    columns.add("updates", whole(&|summary| Some(summary.updates)));
    columns.add("episodes", whole(&|summary| Some(summary.episodes)));
    columns.add("dataset_size", whole(&|summary| Some(summary.dataset_size)));
    columns.add("precision", real(&|summary| Some(summary.precision)));
    let layers = runs.iter().map(|run| run.summary.parts(&run.summary.p_final).0.len()).max().unwrap_or(0);
    let lists: [(&str, List); 2] =
        [("p_peak", |summary| &summary.p_peak), ("p_final", |summary| &summary.p_final)];
    for (name, list) in lists {
        for layer in 0..layers {
            let of_layer = |summary: &Summary| summary.parts(list(summary)).0.get(layer).copied();
            columns.add(format!("{name}_{layer}"), real(&of_layer));
        }
        columns.add(format!("{name}_local"), real(&|summary| summary.parts(list(summary)).1));
    }
    columns.add("training_seconds", real(&|summary| Some(summary.training_seconds)));
    let folder = |run: &FinishedRun<'_>| {
        let path = run.directory.path();
        Some(path.strip_prefix(output).unwrap_or(path).display().to_string())
    };
    columns.add("run", text(&folder));
    columns
}

/// The settings in which cells of the plan differ, seed and environment aside, numbers as numbers.
fn different_settings(plan: &Plan, runs: &[FinishedRun<'_>]) -> Vec<(String, Values)> {
    let mut settings: Vec<Vec<(String, String)>> = Vec::new();
    // All seeds are alike.
    let first = plan.cells.first().map(|cell| cell.config.seed);
    for cell in plan.cells.iter().filter(|cell| Some(cell.config.seed) == first) {
        settings.push(cell.config.settings());
    }
    let mut keys: Vec<&String> = Vec::new();
    for (key, value) in settings.iter().flatten() {
        let is_same = |other: &Vec<(String, String)>| other.iter().any(|(k, v)| k == key && v == value);
        if !["env", "seed"].contains(&key.as_str()) && !keys.contains(&key) && !settings.iter().all(is_same) {
            keys.push(key);
        }
    }
    let of_runs: Vec<_> = runs.iter().map(|run| run.config.settings()).collect();
    let column = |key: &String| {
        let of_run = |settings: &Vec<(String, String)>| {
            settings
                .iter()
                .find(|(other, _)| other == key)
                .map(|(_, value)| value.trim_matches('"').to_owned())
        };
        let texts: Vec<Option<String>> = of_runs.iter().map(of_run).collect();
        let numbers: Option<Vec<Option<f64>>> = texts
            .iter()
            .map(|text| text.as_ref().map_or(Some(None), |text| text.parse().ok().map(Some)))
            .collect();
        (key.clone(), numbers.map_or(Values::Text(texts), Values::Real))
    };
    keys.into_iter().map(column).collect()
}
