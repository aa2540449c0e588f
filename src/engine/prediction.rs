//! What passes predict.

use crate::exploration::QSamples;
use crate::statistics::mean;
use crate::units::NetworkUnits;

/// Q-values and the precision of the TD targets under some passes, in network units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction<'a> {
    /// Q-values, `[passes, rows, actions]`.
    pub q: &'a [f32],
    /// tau of the targets.
    pub precision: Precision<'a>,
    /// Variance of local dropout, `[rows, actions]`; empty where there is none. It is not in the passes.
    pub local_variance: &'a [f32],
    /// Number of passes.
    pub passes: usize,
    /// Number of observations.
    pub rows: usize,
    /// Number of actions.
    pub actions: usize,
}

/// The precision tau of the TD targets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Precision<'a> {
    /// One for all observations and actions.
    Homoscedastic(f64),
    /// ln tau of every pass, observation and action, `[passes, rows, actions]`.
    Heteroscedastic(&'a [f32]),
}

impl<'a> Prediction<'a> {
    /// The passes' Q-values at one of the observations.
    pub fn row(&self, row: usize) -> QSamples<'a> {
        let samples = QSamples::of_row(self.q, self.rows, self.actions, row);
        let local = self.local_variance.get(row * self.actions..);
        samples.with_variance(local.unwrap_or_default())
    }

    /// Whether every Q-value is a finite number.
    pub fn is_finite(&self) -> bool {
        self.q.iter().all(|q| q.is_finite())
    }

    /// The aleatoric standard deviation: the root of the mean over the passes of `1 / tau` (Kendall & Gal 2017, eq. 9).
    ///
    /// It is the noise of the TD targets that the network was fitted to: of rewards and transitions up to the bootstrapped
    /// value, and of that value while it was moving. It is not the spread of returns.
    pub fn aleatoric_std(&self, row: usize, action: usize) -> f64 {
        let variance = match self.precision {
            Precision::Homoscedastic(precision) => 1.0 / precision,
            Precision::Heteroscedastic(log_precisions) => {
                let first = row * self.actions + action;
                let each = log_precisions[first..].iter().step_by(self.rows * self.actions);
                mean(each.map(|&log_precision| (-f64::from(log_precision)).exp()))
            }
        };
        variance.sqrt()
    }

    /// The mean over the observations of the epistemic and of the aleatoric standard deviation at the action that
    /// `choose` picks for each.
    pub fn mean_stds(&self, choose: impl Fn(usize, &QSamples<'a>) -> usize) -> Stds {
        let (mut epistemic, mut aleatoric) = (0.0, 0.0);
        for row in 0..self.rows {
            let samples = self.row(row);
            let action = choose(row, &samples);
            epistemic += samples.std(action);
            aleatoric += self.aleatoric_std(row, action);
        }
        let rows = self.rows as f64;
        Stds { epistemic: NetworkUnits(epistemic / rows), aleatoric: NetworkUnits(aleatoric / rows) }
    }
}

/// Standard deviations of a prediction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stds {
    /// Of Q over the passes: what more data would settle.
    pub epistemic: NetworkUnits,
    /// Of the TD targets' noise.
    pub aleatoric: NetworkUnits,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_deviations_by_hand() {
        // Two passes, two observations, two actions: of observation 1 action 0 is 1 and 3, action 1 is 2.5 twice.
        let q = [0.0, 0.0, 1.0, 2.5, 0.0, 0.0, 3.0, 2.5];
        let precision = Precision::Homoscedastic(25.0);
        let one = Prediction { q: &q, precision, local_variance: &[], passes: 2, rows: 2, actions: 2 };
        assert_eq!(one.row(1).greedy_action(), 1);
        let stds = one.mean_stds(|_, _| 0);
        assert!(
            (stds.epistemic.0 - 2.0_f64.sqrt() / 2.0).abs() < 1e-12 && (stds.aleatoric.0 - 0.2).abs() < 1e-12
        );
        let local_variance = [0.0, 0.0, 7.0, 0.0];
        assert!((Prediction { local_variance: &local_variance, ..one }.row(1).std(0) - 3.0).abs() < 1e-12);
        // tau of observation 1 and action 0 is 2 and 1/2 in the passes: variances 1/2 and 2, 1.25 on average.
        let mut log_precisions = [0.0; 8];
        (log_precisions[2], log_precisions[6]) = (2.0_f32.ln(), 0.5_f32.ln());
        let each = Prediction { precision: Precision::Heteroscedastic(&log_precisions), ..one };
        assert!((each.aleatoric_std(1, 0) - 1.25_f64.sqrt()).abs() < 1e-6);
        assert!((each.aleatoric_std(0, 1) - 1.0).abs() < 1e-12);
    }
}
