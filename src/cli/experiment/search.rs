//! An experiment that searches in ranges: rounds of settings that Optuna asks for, each trained on every seed and judged by
//! the interquartile mean of its evaluations.

use std::collections::HashSet;
use std::fs;
use std::io::ErrorKind;
use std::io::Write;

use control_envs::Registry;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{refuse_what_cannot_start, train, unfinished};
use crate::cli::experiment_flags::ExperimentArguments;
use crate::cli::interrupt::Interrupt;
use crate::cli::many::Failure;
use crate::cli::python;
use crate::cli::terminal::Terminal;
use crate::error::Error;
use crate::experiment::{Plan, Range, Search, Store, TRIAL, groups};
use crate::files;
use crate::numbers;
use crate::statistics::interquartile_mean;

/// What asks Optuna.
const SCRIPT: &str = include_str!("../../../python/concrete_dqn/search.py");
/// What it needs, as pip is told.
const PACKAGES: &str = "optuna==5.0.0";
/// What stands above the trials in the file of an experiment.
const HEADING: &str = "\n# The settings that the search has tried.\n";

#[derive(Debug, Serialize)]
struct Request<'a> {
    ranges: &'a [Range],
    trials: Vec<ToldTrial>,
    number: usize,
}

#[derive(Debug, Serialize)]
struct ToldTrial {
    values: Vec<Json>,
    score: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Refused(String),
    Asked(Vec<Vec<Json>>),
}

/// The experiment of a file, with the settings that its search has tried so far.
pub fn read(registry: &Registry, arguments: &ExperimentArguments, store: &Store) -> Result<Plan, Error> {
    let plan = Plan::read(&arguments.file, registry)?;
    if plan.search.is_none() {
        return Ok(plan);
    }
    let (own, told) = parted(&plan.text);
    let known = trials(store)?;
    // The file of a folder, read elsewhere, has its trials with it.
    let tried = if known.is_empty() { told } else { &known };
    if tried.is_empty() {
        return Ok(plan);
    }
    Plan::parse(&arguments.file.display().to_string(), format!("{own}{HEADING}{tried}"), registry)
}

/// What the user has written, and the trials after it.
fn parted(text: &str) -> (&str, &str) {
    text.split_once(HEADING).unwrap_or((text, ""))
}

/// What was tried so far, as TOML; nothing where there is no such file yet.
fn trials(store: &Store) -> Result<String, Error> {
    match fs::read_to_string(store.trials()) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        read => read.map_err(Error::file("read", &store.trials())),
    }
}

/// Trains what is not finished, and tries settings until there are as many as the file says. Returns the experiment with all
/// of them, and what was not done.
///
/// # Errors
/// Where there is no Optuna, or what [`train`] needs is missing.
pub fn run(
    registry: &Registry,
    arguments: &ExperimentArguments,
    store: &Store,
    interrupt: &Interrupt,
    terminal: &Terminal,
) -> Result<(Plan, Vec<Failure>), Error> {
    let mut failures: Vec<Failure> = Vec::new();
    let mut failed: HashSet<String> = HashSet::new();
    loop {
        let plan = read(registry, arguments, store)?;
        let Some(search) = plan.search.clone() else { return Ok((plan, failures)) };
        warn_of_few_seeds(&plan);
        let states = store.states(&plan)?;
        refuse_what_cannot_start(&plan, &states)?;
        let mut todo = unfinished(&plan, &states);
        todo.retain(|(cell, _)| !failed.contains(&plan.name(cell)));
        let (undone, workers) = train(&plan, store, &todo, arguments, interrupt, terminal)?;
        let is_hopeless = !undone.is_empty() && undone.len() == todo.len();
        failed.extend(undone.iter().map(|(name, _)| name.clone()));
        failures.extend(undone);
        let scored = scores(&plan, store)?;
        let is_hopeless = is_hopeless && scored.iter().all(|(_, score)| score.is_none());
        if scored.len() >= search.sample || interrupt.wants_to_stop() || is_hopeless {
            return Ok((plan, failures));
        }
        let number = workers.div_ceil(plan.seeds).clamp(1, search.sample - scored.len());
        let told = scored.iter().filter_map(|(name, score)| {
            search.values(&plan.text, name).map(|values| ToldTrial { values, score: *score })
        });
        let request = Request { ranges: &search.ranges, trials: told.collect(), number };
        let asked = ask(&request, store)?;
        add(&search, store, parted(&plan.text).1, scored.len(), &asked)?;
    }
}

/// The name of every trial, and the interquartile mean of its evaluations where all of its seeds are finished.
pub fn scores(plan: &Plan, store: &Store) -> Result<Vec<(String, Option<f64>)>, Error> {
    let groups = groups(plan, &store.finished(plan)?)?;
    let trials = groups.iter().filter(|group| group.variant.starts_with(TRIAL));
    let score = |evaluations: Vec<f64>, planned| {
        (evaluations.len() == planned && planned > 0).then(|| interquartile_mean(&evaluations))
    };
    Ok(trials.map(|group| (group.variant.to_owned(), score(group.evaluations(), group.planned))).collect())
}

/// Names the best trial, writes its settings as a file that `--config` takes, and says so.
pub fn tell_best(plan: &Plan, store: &Store, terminal: &Terminal) -> Result<(), Error> {
    let scored = scores(plan, store)?;
    let best = scored
        .iter()
        .filter_map(|(name, score)| score.map(|score| (name, score)))
        .max_by(|(_, one), (_, other)| one.total_cmp(other));
    let (Some((name, score)), Some(search)) = (best, &plan.search) else { return Ok(()) };
    let Some(cell) = plan.cells.iter().find(|cell| plan.variants[cell.variant] == **name) else {
        return Ok(());
    };
    let path = store.path().join("best.toml");
    files::replace(&path, cell.config.to_toml().as_bytes())?;
    let settings = cell.config.settings();
    let varied = search.ranges.iter().map(|range| {
        let value = settings.iter().find(|(key, _)| *key == range.key).map(|(_, value)| value.as_str());
        format!("{} = {}", range.key, value.unwrap_or("-"))
    });
    let (varied, shown) = (varied.collect::<Vec<_>>().join(", "), numbers::mean(score));
    terminal.report(format_args!(
        "best        {name} of {}, evaluation {shown}: {varied}\nsettings    {}; the best of many was lucky too, so judge \
         it on seeds that it was not chosen by",
        scored.len(),
        path.display()
    ))
}

fn warn_of_few_seeds(plan: &Plan) {
    if plan.seeds < 3 {
        tracing::warn!(
            "each setting is judged by {} seed{}, which misleads; three are the least, and five better",
            plan.seeds,
            if plan.seeds == 1 { "" } else { "s" }
        );
    }
}

fn ask(request: &Request<'_>, store: &Store) -> Result<Vec<Vec<Json>>, Error> {
    let log = store.path().join("search.log");
    let file = fs::File::create(&log).map_err(Error::file("create", &log))?;
    let mut process = python::start(SCRIPT, PACKAGES, file)?;
    let text = serde_json::to_string(request).map_err(|error| Error::Inconsistent(error.to_string()))?;
    if let Some(mut input) = process.stdin.take() {
        // Where it fails the script has ended, and its log says why.
        let _ = input.write_all(format!("{text}\n").as_bytes());
    }
    let output = process.wait_with_output().map_err(Error::file("read from", &log))?;
    match serde_json::from_slice(&output.stdout) {
        Ok(Answer::Asked(asked)) => Ok(asked),
        Ok(Answer::Refused(what)) => Err(Error::Usage(what)),
        Err(_) => {
            let said = fs::read_to_string(&log).unwrap_or_default();
            let last = said.lines().last().unwrap_or("it said nothing");
            Err(Error::Elsewhere(format!(
                "Optuna was asked and failed: {last} ({} has the rest)",
                log.display()
            )))
        }
    }
}

/// Adds settings to those that have been `tried`.
fn add(search: &Search, store: &Store, tried: &str, first: usize, asked: &[Vec<Json>]) -> Result<(), Error> {
    let mut text = tried.to_owned();
    for (index, values) in asked.iter().enumerate() {
        text += &search.variant(first + index, values).map_err(|key| {
            Error::Elsewhere(format!("Optuna asked for a value of {key} that is not in its range"))
        })?;
    }
    files::replace(&store.trials(), text.as_bytes())
}
