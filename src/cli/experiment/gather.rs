//! What the finished runs of an experiment come to, whatever trained them.

use std::cmp::Ordering;

use super::search;
use crate::cli::terminal::Terminal;
use crate::error::Error;
use crate::experiment::{Group, Plan, Results, Store, TRIAL, figures, groups, run_table};
use crate::files;

/// Writes table and plots of all that is finished on disk, and prints the table.
pub fn gather(plan: &Plan, store: &Store, terminal: &Terminal) -> Result<(), Error> {
    let groups = groups(plan, &store.finished(plan)?)?;
    let results = Results::of(&groups);
    let markdown = results.markdown();
    let (text, rows) = (store.path().join("table.md"), store.path().join("table.csv"));
    files::replace(&text, markdown.as_bytes())?;
    files::replace(&rows, &results.csv()?)?;
    let runs = run_table(plan, &groups, store.path());
    let (of_runs, parquet) = (store.path().join("runs.csv"), store.path().join("runs.parquet"));
    files::replace(&of_runs, &runs.csv()?)?;
    files::replace(&parquet, &runs.parquet()?)?;
    let drawn = figures::draw(&shown(plan, store, groups)?, &store.plots());
    let (text, rows, plots) = (text.display(), rows.display(), store.plots());
    terminal.report(format_args!(
        "{markdown}\ntable       {text} and {rows}\nruns        {} and {}\nplots       {}",
        of_runs.display(),
        parquet.display(),
        plots.display()
    ))?;
    search::tell_best(plan, store, terminal)?;
    drawn.map(|_| ())
}

/// So many of the settings that a search has tried are drawn, the best.
const DRAWN_TRIALS: usize = 5;

/// What is drawn: of a search no more than can be told apart.
fn shown<'a>(plan: &Plan, store: &Store, mut groups: Vec<Group<'a>>) -> Result<Vec<Group<'a>>, Error> {
    if plan.search.is_some() {
        let mut scores = search::scores(plan, store)?;
        scores.retain(|(_, score)| score.is_some());
        scores.sort_by(|(_, one), (_, other)| other.partial_cmp(one).unwrap_or(Ordering::Equal));
        scores.truncate(DRAWN_TRIALS);
        let is_drawn = |name: &str| !name.starts_with(TRIAL) || scores.iter().any(|(other, _)| other == name);
        groups.retain(|group| is_drawn(group.variant));
    }
    Ok(groups)
}
