//! What one training came to, in a few lines.

use super::terminal::probabilities;
use super::training::Trained;
use crate::run::EvaluationScore;

/// The lines that a training alone ends with.
pub fn report(trained: &Trained) -> String {
    let summary = &trained.summary;
    let mut lines = Vec::new();
    if let Some(mean) = summary.mean_return_100 {
        let episodes = summary.episodes;
        lines.push(format!(
            "return      {mean:.1} on average over the last {} of {episodes} episodes",
            episodes.min(100)
        ));
    } else {
        lines.push("return      none, since no episode ended".to_owned());
    }
    match (summary.reward_threshold, summary.solved_at_step) {
        (Some(threshold), Some(step)) => {
            lines.push(format!("threshold   {threshold} reached at step {step}"));
        }
        (Some(threshold), None) => lines.push(format!("threshold   {threshold} not reached in training")),
        _ => {}
    }
    if let Some(EvaluationScore { step, mean_return }) = summary.best_evaluation {
        lines.push(format!("best        mean return {mean_return:.1} in an evaluation at step {step}"));
    }
    if let Some(evaluation) = &summary.evaluation {
        lines.push(format!("evaluation  {evaluation}"));
    }
    lines.push(format!(
        "dropout     p {} (peak {}), N = {}, tau = {:.0}",
        probabilities(&summary.p_final),
        probabilities(&summary.p_peak),
        summary.dataset_size,
        summary.precision
    ));
    lines.push(format!(
        "time        {:.1} s for {} steps, {:.0} a second",
        summary.training_seconds, summary.total_steps, summary.steps_per_second
    ));
    lines.push(format!("files       {}", trained.folder.display()));
    lines.join("\n")
}
