//! What one training came to, in a few lines.

use std::ffi::{OsStr, OsString};

use super::shell;
use super::terminal::probabilities;
use super::training::Trained;
use crate::error::Error;
use crate::numbers::{mean, number, short};
use crate::report;
use crate::run::EvaluationScore;
use crate::training::RETURN_WINDOW;

/// The lines that a training alone ends with. `command` is the command line of this program.
pub fn report(trained: &Trained, command: &[OsString]) -> String {
    let summary = &trained.summary;
    let mut lines = Vec::new();
    if let Some(mean_return) = summary.mean_return_100 {
        let episodes = summary.episodes;
        lines.push(format!(
            "return      {} on average over the last {} of {episodes} episodes",
            mean(mean_return),
            episodes.min(RETURN_WINDOW as u64)
        ));
    } else {
        lines.push("return      none, since no episode ended".to_owned());
    }
    match (summary.reward_threshold.map(short), summary.solved_at_step) {
        (Some(threshold), Some(step)) => {
            lines.push(format!("threshold   {threshold} reached at step {step}"));
        }
        (Some(threshold), None) => lines.push(format!("threshold   {threshold} not reached in training")),
        _ => {}
    }
    if let Some(EvaluationScore { step, mean_return }) = summary.best_evaluation {
        lines.push(format!("best        mean return {} in an evaluation at step {step}", mean(mean_return)));
    }
    if let Some(evaluation) = &summary.evaluation {
        lines.push(format!("evaluation  {evaluation}"));
    }
    lines.push(format!(
        "dropout     p {} (peak {}), N = {}, tau = {}",
        probabilities(&summary.p_final, summary.has_local_dropout),
        probabilities(&summary.p_peak, summary.has_local_dropout),
        summary.dataset_size,
        number(summary.precision)
    ));
    lines.push(format!(
        "time        {:.1} s for {} steps, {} a second",
        summary.training_seconds,
        summary.total_steps,
        number(summary.steps_per_second)
    ));
    lines.push(format!("files       {}", trained.folder.display()));
    lines.push(format!("page        {}", trained.folder.join(report::FILE).display()));
    lines.extend(command.first().and_then(|program| resume_line(trained, program)));
    lines.join("\n")
}

/// The command that trains on, where the training was ended early and can be resumed.
pub fn resume_line(trained: &Trained, program: &OsStr) -> Option<String> {
    let is_resumable = trained.ended.as_ref().err().is_some_and(ended_early) && trained.has_checkpoints;
    is_resumable
        .then(|| format!("resume      {}", shell::command(program, "resume", &[trained.folder.as_path()])))
}

/// Whether it ended a training that can go on from where it was.
pub fn ended_early(error: &Error) -> bool {
    error.is_from_outside() || matches!(error, Error::File { .. })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::evaluation::Evaluation;
    use crate::run::Summary;

    fn trained(size: f64, ended: Result<(), Error>) -> Trained {
        let summary = serde_json::json!({
            "env": "X-v0", "exploration": "ucb", "seed": 0, "ended": "", "total_steps": 100, "updates": 1,
            "episodes": 10, "training_seconds": 1.0, "steps_per_second": 0.25, "mean_return_100": -size,
            "best_mean_return_100": null, "reward_threshold": size, "solved_at_step": null, "dataset_size": 1,
            "precision": 0.000_25, "p_final": [], "p_peak": []
        });
        let summary = Summary {
            evaluation: Some(Evaluation {
                episodes: 2,
                mean_return: -size,
                std_return: 1e-20,
                min_return: -size,
                max_return: -size,
                mean_length: 10.0,
                cut: 0,
            }),
            ..serde_json::from_value(summary).unwrap()
        };
        Trained { summary, folder: PathBuf::from("my runs/a"), has_checkpoints: true, ended }
    }

    #[test]
    fn returns_of_any_size_are_told() {
        let small = report(&trained(0.000_099_999_999_999_999_82, Ok(())), &[]);
        for part in [
            "return      -1.00e-4 on average",
            "threshold   1.00e-4 not reached",
            "evaluation  mean return -1.00e-4 +- 0.0 over 2 episodes, from -1.00e-4 to -1.00e-4, 10.0 steps",
            "tau = 2.50e-4",
            "steps, 0.250 a second",
        ] {
            assert!(small.contains(part), "`{part}` is missing in: {small}");
        }
        assert!(report(&trained(475.0, Ok(())), &[]).contains("from -475 to -475"));
        assert!(report(&trained(1e6, Ok(())), &[]).contains("return      -1.00e6 on average"));
    }

    #[test]
    fn what_was_ended_early_says_how_to_go_on() {
        let command = [OsString::from("concrete-dqn")];
        let interrupted = trained(1.0, Err(Error::Interrupted));
        assert!(report(&interrupted, &command).ends_with("\nresume      concrete-dqn resume 'my runs/a'"));
        let without = Trained { has_checkpoints: false, ..interrupted };
        for trained in [trained(1.0, Ok(())), without] {
            assert!(!report(&trained, &command).contains("resume"));
        }
    }
}
