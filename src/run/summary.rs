//! `summary.json`: what a run came to.

use serde::{Deserialize, Serialize};

use crate::evaluation::Evaluation;
use crate::rows::{EpisodeRecord, EvaluationRecord, UpdateRecord};
use crate::training::RETURN_WINDOW;

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Environment id.
    pub env: String,
    /// Exploration rule.
    pub exploration: String,
    /// Seed.
    pub seed: u64,
    /// How it ended: `finished`, `interrupted`, or the error that stopped it.
    pub ended: String,
    /// Environment steps.
    pub total_steps: u64,
    /// Learner steps.
    pub updates: u64,
    /// Finished episodes.
    pub episodes: u64,
    /// Seconds that the training took, evaluation and plots at the end not counted.
    pub training_seconds: f64,
    /// Environment steps a second over that time, learning included.
    pub steps_per_second: f64,
    /// Mean return of the last 100 episodes, at the end.
    pub mean_return_100: Option<f64>,
    /// Its highest value, once there were 100 episodes.
    pub best_mean_return_100: Option<f64>,
    /// The environment's reward threshold.
    pub reward_threshold: Option<f64>,
    /// Environment steps when the mean return of 100 episodes first reached it.
    pub solved_at_step: Option<u64>,
    /// N of the objective at the end.
    pub dataset_size: u64,
    /// Precision tau at the end, in network units.
    pub precision: f64,
    /// Dropout probability of each layer at the end, from input to output.
    pub p_final: Vec<f64>,
    /// Its highest value, at the start, at the end, or in a row of `episodes.csv` or `updates.csv`.
    pub p_peak: Vec<f64>,
    /// Whether the last of these is the mean of local dropout.
    #[serde(default)]
    pub has_local_dropout: bool,
    /// The best of the evaluations while training, of equals the later one.
    pub best_evaluation: Option<EvaluationScore>,
    /// Evaluation after the training.
    pub evaluation: Option<Evaluation>,
}

impl Summary {
    /// Of one of its lists of dropout probabilities those of the layers, and the mean of local dropout, if there is any.
    pub fn parts<'a>(&self, p: &'a [f64]) -> (&'a [f64], Option<f64>) {
        match p.split_last() {
            Some((local, layers)) if self.has_local_dropout => (layers, Some(*local)),
            _ => (p, None),
        }
    }
}

/// What an evaluation while training came to, in short.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluationScore {
    /// Environment steps of the training up to then.
    pub step: u64,
    /// Mean return.
    pub mean_return: f64,
}

/// What has to be kept of a run's rows for its summary.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunStatistics {
    reward_threshold: Option<f64>,
    episodes: u64,
    mean_return_100: Option<f64>,
    best_mean_return_100: Option<f64>,
    solved_at_step: Option<u64>,
    p_peak: Vec<f64>,
    last_evaluation: Option<EvaluationScore>,
    best_evaluation: Option<EvaluationScore>,
    /// Environment steps of the newest map.
    #[serde(default)]
    mapped_at: Option<u64>,
}

impl RunStatistics {
    /// No episodes yet, of an environment with this threshold; the layers start at `p`.
    pub fn new(reward_threshold: Option<f64>, p: &[f64]) -> Self {
        Self { reward_threshold, p_peak: p.to_vec(), ..Self::default() }
    }

    /// Takes an episode in.
    pub fn add(&mut self, record: &EpisodeRecord) {
        self.add_p(&record.p);
        // A mean over fewer episodes is not what the threshold is about.
        if record.episode >= RETURN_WINDOW as u64 {
            let mean = record.mean_return_100;
            self.best_mean_return_100 = Some(self.best_mean_return_100.map_or(mean, |best| best.max(mean)));
            if self.solved_at_step.is_none()
                && self.reward_threshold.is_some_and(|threshold| mean >= threshold)
            {
                self.solved_at_step = Some(record.total_steps);
            }
        }
        (self.episodes, self.mean_return_100) = (record.episode, Some(record.mean_return_100));
    }

    /// Takes a logged learner step in.
    pub fn add_update(&mut self, record: &UpdateRecord) {
        self.add_p(&record.p);
    }

    fn add_p(&mut self, p: &[f64]) {
        self.p_peak.iter_mut().zip(p).for_each(|(peak, p)| *peak = peak.max(*p));
    }

    /// Takes an evaluation in. Whether it is the best so far, of equals the later one.
    pub fn add_evaluation(&mut self, record: &EvaluationRecord) -> bool {
        let score = EvaluationScore { step: record.total_steps, mean_return: record.mean_return };
        self.last_evaluation = Some(score);
        let is_best = self.best_evaluation.is_none_or(|best| score.mean_return >= best.mean_return);
        if is_best {
            self.best_evaluation = Some(score);
        }
        is_best
    }

    /// Takes a map of the state space in.
    pub fn add_map(&mut self, step: u64) {
        self.mapped_at = Some(step);
    }

    /// Environment steps of the newest map.
    pub fn mapped_at(&self) -> Option<u64> {
        self.mapped_at
    }

    /// The newest evaluation.
    pub fn last_evaluation(&self) -> Option<EvaluationScore> {
        self.last_evaluation
    }

    /// The best evaluation.
    pub fn best_evaluation(&self) -> Option<EvaluationScore> {
        self.best_evaluation
    }

    /// Episodes so far.
    pub fn episodes(&self) -> u64 {
        self.episodes
    }

    /// Mean return of the last 100 of them.
    pub fn mean_return_100(&self) -> Option<f64> {
        self.mean_return_100
    }

    /// Highest mean return of 100 episodes.
    pub fn best_mean_return_100(&self) -> Option<f64> {
        self.best_mean_return_100
    }

    /// Environment steps when the threshold was first reached.
    pub fn solved_at_step(&self) -> Option<u64> {
        self.solved_at_step
    }

    /// Highest p of each layer.
    pub fn p_peak(&self) -> &[f64] {
        &self.p_peak
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(episode: u64, mean_return_100: f64, p: f64) -> EpisodeRecord {
        let total_steps = 10 * episode;
        EpisodeRecord { episode, total_steps, mean_return_100, p: vec![p], ..EpisodeRecord::default() }
    }

    #[test]
    fn solved_means_the_threshold_over_a_hundred_episodes() {
        let mut statistics = RunStatistics::new(Some(475.0), &[0.1]);
        for (episode, mean, p) in [(99, 480.0, 0.1), (100, 470.0, 0.4), (101, 476.0, 0.2), (102, 460.0, 0.1)]
        {
            statistics.add(&record(episode, mean, p));
        }
        assert_eq!(statistics.solved_at_step(), Some(1010));
        assert_eq!(statistics.best_mean_return_100(), Some(476.0));
        assert_eq!(statistics.p_peak(), [0.4]);
        assert_eq!((statistics.episodes(), statistics.mean_return_100()), (102, Some(460.0)));
    }

    #[test]
    fn of_equal_evaluations_the_later_one_is_the_best() {
        let mut statistics = RunStatistics::new(None, &[]);
        let mut add = |total_steps, mean_return| {
            statistics.add_evaluation(&EvaluationRecord {
                total_steps,
                mean_return,
                ..EvaluationRecord::default()
            })
        };
        assert_eq!(
            [(10, 5.0), (20, 4.0), (30, 5.0)].map(|(step, mean)| add(step, mean)),
            [true, false, true]
        );
        assert_eq!(statistics.best_evaluation(), Some(EvaluationScore { step: 30, mean_return: 5.0 }));
        assert_eq!(statistics.last_evaluation(), statistics.best_evaluation());
    }
}
