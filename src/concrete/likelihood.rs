//! The Gaussian likelihood, and the prior of its precision.

use tch::Tensor;

use super::bernoulli::Term;

/// Twice the Gaussian negative log-likelihood per datum, without its constant: `mean(tau (f - y)^2 - ln tau)`
/// (heteroscedastic noise: Kendall & Gal 2017, eq. 8).
///
/// `errors` is f - y, of any shape; `log_precisions` is ln tau, of the same shape for heteroscedastic noise or one
/// element for homoscedastic noise; the result is a scalar.
pub fn gaussian_nll(errors: &Tensor, log_precisions: &Tensor) -> Tensor {
    (errors.square() * log_precisions.exp() - log_precisions).mean(errors.kind())
}

/// The same in numbers for one precision, from the mean of the squared errors, with its derivative with respect to
/// ln tau.
pub fn gaussian_nll_at(mean_squared_error: f64, log_precision: f64) -> Term {
    let fit = log_precision.exp() * mean_squared_error;
    Term { value: fit - log_precision, derivative: fit - 1.0 }
}

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
    /// What tau is after `dataset_size` targets that were all predicted perfectly; without a prior there is no such limit.
    pub fn highest(&self, dataset_size: u64) -> f64 {
        self.precision * (1.0 + dataset_size as f64 / self.count)
    }

    /// The term of the loss, its mean over `log_precisions`: a differentiable scalar.
    pub fn term(&self, log_precisions: &Tensor, dataset_size: f64) -> Tensor {
        let terms = log_precisions.exp() * (1.0 / self.precision) - log_precisions;
        terms.mean(log_precisions.kind()) * (self.count / dataset_size)
    }

    /// The same in numbers for one precision, with its derivative with respect to ln tau.
    pub fn term_at(&self, log_precision: f64, dataset_size: f64) -> Term {
        let (weight, share) = (self.count / dataset_size, log_precision.exp() / self.precision);
        Term { value: weight * (share - log_precision), derivative: weight * (share - 1.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn likelihood_by_hand() {
        // Errors 1 and 3: mean square 5; tau = 2: 10 - ln 2.
        let errors = Tensor::from_slice(&[1.0, -3.0]);
        let homoscedastic = gaussian_nll(&errors, &Tensor::from_slice(&[2.0_f64.ln()]));
        assert!((homoscedastic.double_value(&[]) - (10.0 - 2.0_f64.ln())).abs() < 1e-12);
        // tau 2 and 1/2: 2 - ln 2 and 4.5 + ln 2, 3.25 on average.
        let each = gaussian_nll(&errors, &Tensor::from_slice(&[2.0_f64.ln(), 0.5_f64.ln()]));
        assert!((each.double_value(&[]) - 3.25).abs() < 1e-12);
    }

    #[test]
    fn numbers_and_tensors_agree_in_value_and_derivative() {
        let prior = PrecisionPrior { precision: 10.0, count: 30.0 };
        for log_precision in [-3.0, 0.0, 5.0] {
            let leaf = Tensor::from_slice(&[log_precision]).set_requires_grad(true);
            for (tensor, term) in [
                (gaussian_nll(&Tensor::from_slice(&[1.0, -3.0]), &leaf), gaussian_nll_at(5.0, log_precision)),
                (prior.term(&leaf, 400.0), prior.term_at(log_precision, 400.0)),
            ] {
                let gradient = Tensor::run_backward(&[&tensor], &[&leaf], false, false).remove(0);
                let close = |a: f64, b: f64| (a - b).abs() < 1e-12 * (1.0 + b.abs());
                assert!(close(tensor.double_value(&[]), term.value));
                assert!(close(gradient.double_value(&[0]), term.derivative));
            }
        }
    }

    #[test]
    fn with_perfect_predictions_tau_is_where_data_and_prior_balance() {
        // The loss is then -ln tau + n/N (tau / tau_0 - ln tau), least at tau_0 (1 + N/n).
        let prior = PrecisionPrior { precision: 10.0, count: 100.0 };
        let slope =
            |tau: f64| gaussian_nll_at(0.0, tau.ln()).derivative + prior.term_at(tau.ln(), 400.0).derivative;
        let least = 10.0 * (1.0 + 4.0);
        assert!(slope(0.99 * least) < 0.0 && slope(1.01 * least) > 0.0);
        let none = PrecisionPrior { precision: 10.0, count: 0.0 };
        assert_eq!(none.term_at(3.0, 5.0), Term { value: 0.0, derivative: 0.0 });
    }
}
