//! The prior of the precision tau.

use tch::Tensor;

/// A conjugate prior of tau: as if `count` targets with errors of variance `1 / precision` had been seen before the
/// first one. Twice its negative logarithm per datum, up to a constant, is
///
/// ```text
/// count / N * (tau / precision - ln tau)
/// ```
///
/// It is a Gamma distribution with shape `1 + count / 2` and rate `count / (2 precision)`. While all targets are equal
/// they are predicted perfectly and the likelihood alone would let tau explode: with the prior tau stays below
/// `precision * (1 + N / count)`, and as data come in it is they that decide.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PrecisionPrior {
    /// Where the prior has its weight, in network units.
    pub precision: f64,
    /// How many data it counts for; 0 for no prior.
    pub count: f64,
}

impl PrecisionPrior {
    /// `count / N`.
    pub fn weight(&self, dataset_size: f64) -> f64 {
        self.count / dataset_size
    }

    /// The term of the loss, differentiable in `log_precision`, one element.
    pub fn term(&self, log_precision: &Tensor, dataset_size: f64) -> Tensor {
        (log_precision.exp() * (1.0 / self.precision) - log_precision) * self.weight(dataset_size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_perfect_predictions_tau_is_where_data_and_prior_balance() {
        // The loss is then -ln tau + n/N (tau / tau_0 - ln tau), least at tau_0 (1 + N/n).
        let prior = PrecisionPrior { precision: 10.0, count: 100.0 };
        let loss = |tau: f64| {
            let log_precision = Tensor::from_slice(&[tau.ln()]);
            prior.term(&log_precision, 400.0).double_value(&[0]) - tau.ln()
        };
        let least = 10.0 * (1.0 + 4.0);
        assert!(loss(least) < loss(0.99 * least) && loss(least) < loss(1.01 * least));
        let none = PrecisionPrior { precision: 10.0, count: 0.0 };
        assert_eq!(none.term(&Tensor::from_slice(&[3.0_f64]), 5.0).double_value(&[0]), 0.0);
    }
}
