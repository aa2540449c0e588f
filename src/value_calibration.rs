//! Predicted Q-values against the discounted returns that followed.

use control_envs::Step;
use serde::Serialize;

use crate::calibration::{Calibration, Gaussian};
use crate::evaluation::{Decision, EvaluationObserver};
use crate::statistics::mean;
use crate::units::NetworkUnits;

/// A return that the time limit cut short is left out unless what is missing had weighed at most so much.
const LARGEST_MISSING_WEIGHT: f64 = 0.01;

/// The predicted distribution of one Q-value and the return that followed, in units of the return. The field
/// names are the columns of `calibration.csv`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Outcome {
    /// Number of the episode, from 1.
    pub episode: u64,
    /// Number of the step in it, from 1.
    pub step: u64,
    /// The action taken.
    pub action: usize,
    /// Mean of Q over the passes.
    pub q_mean: f64,
    /// Standard deviation of Q over the passes.
    pub epistemic_std: f64,
    /// Standard deviation of the TD targets' noise.
    pub aleatoric_std: f64,
    /// The discounted sum of the rewards from this step to the episode's end.
    pub discounted_return: f64,
}

impl Outcome {
    /// The distribution of the mean alone: what more data would settle.
    pub fn epistemic(&self) -> Gaussian {
        Gaussian { mean: self.q_mean, std: self.epistemic_std }
    }

    /// The predictive distribution: epistemic and aleatoric variance together.
    pub fn predictive(&self) -> Gaussian {
        Gaussian { mean: self.q_mean, std: self.epistemic_std.hypot(self.aleatoric_std) }
    }
}

/// Gathers outcomes while episodes are played.
#[derive(Debug)]
pub struct OutcomeCollector {
    gamma: f64,
    episode: u64,
    /// The steps of the episode under way, with their rewards in place of the returns.
    steps: Vec<Outcome>,
    outcomes: Vec<Outcome>,
    left_out: usize,
}

impl OutcomeCollector {
    /// A collector for decisions under the discount factor `gamma`.
    pub fn new(gamma: f64) -> Self {
        Self { gamma, episode: 1, steps: Vec::new(), outcomes: Vec::new(), left_out: 0 }
    }

    fn end_episode(&mut self, terminated: bool) {
        let mut discounted_return = 0.0;
        for outcome in self.steps.iter_mut().rev() {
            discounted_return = outcome.discounted_return + self.gamma * discounted_return;
            outcome.discounted_return = discounted_return;
        }
        let length = self.steps.len();
        let is_whole = |outcome: &Outcome| {
            let missing_weight = self.gamma.powi((length + 1 - outcome.step as usize) as i32);
            terminated || missing_weight <= LARGEST_MISSING_WEIGHT
        };
        let before = self.outcomes.len();
        self.outcomes.extend(self.steps.drain(..).filter(is_whole));
        self.left_out += length - (self.outcomes.len() - before);
        self.episode += 1;
    }

    /// All outcomes, and how many were left out because the time limit had cut their returns short.
    pub fn finish(self) -> (Vec<Outcome>, usize) {
        (self.outcomes, self.left_out)
    }
}

impl EvaluationObserver for OutcomeCollector {
    fn on_step(&mut self, decision: &Decision<'_>, step: &Step) {
        let Decision { prediction, action, scale } = *decision;
        let samples = prediction.row(0);
        let in_returns = |value| scale.to_return(NetworkUnits(value)).0;
        self.steps.push(Outcome {
            episode: self.episode,
            step: self.steps.len() as u64 + 1,
            action,
            q_mean: in_returns(samples.mean(action)),
            epistemic_std: in_returns(samples.std(action)),
            aleatoric_std: in_returns(prediction.aleatoric_std(0, action)),
            discounted_return: step.reward,
        });
        if step.ends_episode() {
            self.end_episode(step.terminated);
        }
    }
}

/// How well predicted Q-values agree with the returns. The field names are those of
/// `evaluate --calibration --json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ValueCalibration {
    /// Predictions compared.
    pub outcomes: usize,
    /// Predictions left out, their returns cut short by the time limit.
    pub left_out: usize,
    /// Mean of Q less return: above 0 where values are overestimated.
    pub bias: f64,
    /// Root of the mean square of Q less return.
    pub rmse: f64,
    /// Mean epistemic standard deviation.
    pub epistemic_std: f64,
    /// Mean aleatoric standard deviation.
    pub aleatoric_std: f64,
    /// Of intervals by the epistemic standard deviation alone.
    pub epistemic: Intervals,
    /// Of intervals by both.
    pub predictive: Intervals,
}

/// What intervals around the predictions hold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Intervals {
    /// Share of outcomes in the central interval of 50%.
    pub coverage_50: f64,
    /// Of 80%.
    pub coverage_80: f64,
    /// Of 95%.
    pub coverage_95: f64,
    /// Mean of |coverage - level| over the reliability curve.
    pub expected_calibration_error: f64,
    /// The reliability curve: level and coverage.
    pub curve: Vec<(f64, f64)>,
}

impl Intervals {
    fn of(calibration: &Calibration) -> Self {
        Self {
            coverage_50: calibration.coverage(0.5),
            coverage_80: calibration.coverage(0.8),
            coverage_95: calibration.coverage(0.95),
            expected_calibration_error: calibration.expected_error(),
            curve: calibration.curve(),
        }
    }
}

impl ValueCalibration {
    /// Of these outcomes; `None` where there are none.
    pub fn of(outcomes: &[Outcome], left_out: usize) -> Option<Self> {
        if outcomes.is_empty() {
            return None;
        }
        let mean = |value: fn(&Outcome) -> f64| mean(outcomes.iter().map(value));
        let intervals = |distribution: fn(&Outcome) -> Gaussian| {
            let places = outcomes.iter().map(|outcome| distribution(outcome).cdf(outcome.discounted_return));
            Intervals::of(&Calibration::new(places))
        };
        Some(Self {
            outcomes: outcomes.len(),
            left_out,
            bias: mean(|outcome| outcome.q_mean - outcome.discounted_return),
            rmse: mean(|outcome| (outcome.q_mean - outcome.discounted_return).powi(2)).sqrt(),
            epistemic_std: mean(|outcome| outcome.epistemic_std),
            aleatoric_std: mean(|outcome| outcome.aleatoric_std),
            epistemic: intervals(Outcome::epistemic),
            predictive: intervals(Outcome::predictive),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Precision, Prediction};
    use crate::units::ValueScale;

    fn outcome(q_mean: f64, epistemic_std: f64, aleatoric_std: f64, discounted_return: f64) -> Outcome {
        Outcome { episode: 1, step: 1, action: 0, q_mean, epistemic_std, aleatoric_std, discounted_return }
    }

    #[test]
    fn returns_and_standard_deviations_by_hand() {
        // Two passes of two actions; action 1 is 0.03 and 0.05, 100 times as much in units of the return.
        let q = [0.01, 0.03, 0.02, 0.05];
        let play = |rewards: &[f64], terminates: bool| {
            let mut collector = OutcomeCollector::new(0.99);
            for (index, reward) in rewards.iter().enumerate() {
                let precision = Precision::Homoscedastic(10.0);
                let prediction =
                    Prediction { q: &q, precision, local_variance: &[], passes: 2, rows: 1, actions: 2 };
                let decision = Decision { prediction, action: 1, scale: ValueScale::of(100.0) };
                let last = index + 1 == rewards.len();
                let (terminated, truncated) = (last && terminates, last && !terminates);
                collector.on_step(
                    &decision,
                    &Step { observation: vec![], reward: *reward, terminated, truncated },
                );
            }
            collector.finish()
        };
        let (outcomes, left_out) = play(&[1.0, 0.0, -2.0], true);
        let returns: Vec<f64> = outcomes.iter().map(|outcome| outcome.discounted_return).collect();
        for (found, expected) in returns.iter().zip([1.0 - 2.0 * 0.99 * 0.99, -2.0 * 0.99, -2.0]) {
            assert!((found - expected).abs() < 1e-12, "{returns:?}");
        }
        let first = outcomes[0];
        assert_eq!((left_out, first.episode, first.step, first.action), (0, 1, 1, 1));
        assert!((first.q_mean - 4.0).abs() < 1e-5 && (first.epistemic_std - 2.0_f64.sqrt()).abs() < 1e-5);
        assert!((first.aleatoric_std - 100.0 / 10.0_f64.sqrt()).abs() < 1e-4);
        // What is missing after a truncation weighs 0.99^n, at most 1% from n = 459 on.
        let (outcomes, left_out) = play(&[1.0; 500], false);
        assert_eq!((outcomes.len(), left_out, outcomes[41].step), (42, 458, 42));
    }

    #[test]
    fn coverage_by_hand() {
        // Deviations of 1, 0 and 3 standard deviations; the aleatoric part makes the last 3/5.
        let outcomes = [
            outcome(1.0, 1.0, 0.0, 2.0),
            outcome(5.0, 2.0, 0.0, 5.0),
            outcome(0.0, 3.0, (225.0_f64 - 9.0).sqrt(), -9.0),
        ];
        let calibration = ValueCalibration::of(&outcomes, 4).unwrap();
        let epistemic = &calibration.epistemic;
        let third = 1.0 / 3.0;
        assert_eq!(
            [epistemic.coverage_50, epistemic.coverage_80, epistemic.coverage_95],
            [third, 2.0 * third, 2.0 * third]
        );
        let predictive = &calibration.predictive;
        assert_eq!(
            [predictive.coverage_50, predictive.coverage_80, predictive.coverage_95],
            [2.0 * third, 1.0, 1.0]
        );
        assert!((calibration.bias - 8.0 / 3.0).abs() < 1e-12);
        assert!((calibration.rmse - (82.0_f64 / 3.0).sqrt()).abs() < 1e-12);
        assert_eq!((calibration.outcomes, calibration.left_out), (3, 4));
        assert_eq!(ValueCalibration::of(&[], 7), None);
    }
}
