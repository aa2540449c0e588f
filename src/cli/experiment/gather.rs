//! What the finished runs of an experiment come to, whatever trained them.

use crate::cli::terminal::Terminal;
use crate::error::Error;
use crate::experiment::{Plan, Results, Store, figures, groups, run_table};
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
    let drawn = figures::draw(&groups, &store.plots());
    let (text, rows, plots) = (text.display(), rows.display(), store.plots());
    terminal.report(format_args!(
        "{markdown}\ntable       {text} and {rows}\nruns        {} and {}\nplots       {}",
        of_runs.display(),
        parquet.display(),
        plots.display()
    ))?;
    drawn.map(|_| ())
}
