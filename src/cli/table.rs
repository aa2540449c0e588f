//! What several trainings came to, in a row each.

use std::ffi::OsString;

use super::report::ended_early;
use super::shell;
use super::terminal::probabilities;
use super::training::{Trained, Training, failure};
use crate::error::Error;
use crate::numbers;
use crate::statistics::{mean, sample_std};

const HEADER: [&str; 6] = ["seed", "evaluation", "last 100", "threshold at step", "p at the end", "files"];
/// The first columns are numbers, which are aligned to the right.
const NUMBERS: usize = 4;

/// The table, the evaluation over all seeds, and the command that compares the runs. `command` is the command
/// line of this program.
pub fn table(trainings: &[Training], results: &[Result<Trained, Error>], command: &[OsString]) -> String {
    let rows = trainings.iter().zip(results).map(|(training, trained)| row(training, trained));
    let rows: Vec<_> = std::iter::once(HEADER.map(str::to_owned)).chain(rows).collect();
    let mut lines = aligned(&rows);

    let trained: Vec<_> = results.iter().flatten().collect();
    let returns: Vec<f64> = trained
        .iter()
        .filter_map(|trained| trained.summary.evaluation.as_ref())
        .map(|evaluation| evaluation.mean_return)
        .collect();
    lines.extend(over_seeds(&returns, trainings.len()).map(|text| format!("evaluation  {text}")));
    // A run without an episode has nothing to draw.
    let drawn = trained.iter().filter(|trained| trained.summary.episodes > 0);
    let folders: Vec<_> = drawn.map(|trained| trained.folder.as_path()).collect();
    if let ([_, _, ..], Some(program)) = (folders.as_slice(), command.first()) {
        lines.push(format!("compare     {}", shell::command(program, "plot", &folders)));
        lines.push(format!("page        {}", shell::command(program, "report", &folders)));
    }
    // Without checkpoints nothing can be gone on with.
    let is_resumable = trained.is_empty() || trained.iter().any(|trained| trained.has_checkpoints);
    if is_resumable && results.iter().filter_map(failure).any(ended_early) {
        lines.push(format!("resume      {}", shell::line(command.iter().map(OsString::as_os_str))));
    }
    lines.join("\n")
}

fn row(training: &Training, trained: &Result<Trained, Error>) -> [String; HEADER.len()] {
    let none = || "-".to_owned();
    let seed = training.config.seed.to_string();
    let trained = match trained {
        Ok(trained) => trained,
        Err(error) => {
            let state = if matches!(error, Error::Interrupted) { "not started" } else { "failed" };
            return [seed, state.to_owned(), none(), none(), none(), none()];
        }
    };
    let summary = &trained.summary;
    let evaluation = match (&summary.evaluation, &trained.ended) {
        (Some(evaluation), _) => numbers::mean(evaluation.mean_return),
        (None, Ok(())) => none(),
        (None, Err(Error::Interrupted)) => "interrupted".to_owned(),
        (None, Err(_)) => "failed".to_owned(),
    };
    [
        seed,
        evaluation,
        summary.mean_return_100.map_or_else(none, numbers::mean),
        summary.solved_at_step.map_or_else(none, |step| step.to_string()),
        probabilities(&summary.p_final, summary.has_local_dropout),
        trained.folder.display().to_string(),
    ]
}

fn aligned<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    let length = |cell: &String| cell.chars().count();
    let widths: [usize; N] =
        std::array::from_fn(|column| rows.iter().map(|row| length(&row[column])).max().unwrap_or(0));
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).enumerate().map(|(column, (cell, width))| {
            if column < NUMBERS { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// Mean and standard deviation (of a sample of seeds) of the returns of those of `seeds` seeds that
/// were evaluated.
fn over_seeds(returns: &[f64], seeds: usize) -> Option<String> {
    let evaluated = returns.len();
    if evaluated == 0 {
        return None;
    }
    let mean = numbers::mean(mean(returns));
    let deviation = sample_std(returns).map(|deviation| format!(" +- {}", numbers::mean(deviation)));
    let deviation = deviation.unwrap_or_default();
    let of = if evaluated == seeds { String::new() } else { format!("{evaluated} of ") };
    let plural = if seeds == 1 { "" } else { "s" };
    Some(format!("mean return {mean}{deviation} over {of}{seeds} seed{plural}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let rows = [
            ["seed", "evaluation", "last 100", "at", "p", "files"].map(str::to_owned),
            ["10", "500.0", "-", "-", "1.0e-6 0.12", "läufe/a"].map(str::to_owned),
            ["9", "not started", "-", "-", "-", "-"].map(str::to_owned),
        ];
        let wanted = [
            "seed   evaluation  last 100  at  p            files",
            "  10        500.0         -   -  1.0e-6 0.12  läufe/a",
            "   9  not started         -   -  -            -",
        ];
        assert_eq!(aligned(&rows), wanted);
    }

    #[test]
    fn seeds_are_summed_up_as_far_as_they_were_evaluated() {
        let over = |returns: &[f64], seeds| over_seeds(returns, seeds);
        assert_eq!(over(&[1.0, 2.0, 4.5], 3).unwrap(), "mean return 2.50 +- 1.80 over 3 seeds");
        assert_eq!(over(&[1.0, 3.0], 5).unwrap(), "mean return 2.00 +- 1.41 over 2 of 5 seeds");
        assert_eq!(over(&[7.0], 1).unwrap(), "mean return 7.00 over 1 seed");
        assert_eq!(over(&[7.0], 2).unwrap(), "mean return 7.00 over 1 of 2 seeds");
        assert_eq!(over(&[], 2), None);
    }
}
