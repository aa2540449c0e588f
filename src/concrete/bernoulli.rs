//! A Bernoulli variable by the logit of its probability: exact and stable at both ends.

use tch::Tensor;

/// A term of the objective and its derivative.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Term {
    /// The term.
    pub value: f64,
    /// Its derivative with respect to the variable that the function names.
    pub derivative: f64,
}

/// `ln p - ln(1-p)`.
pub fn logit(p: f64) -> f64 {
    p.ln() - (-p).ln_1p()
}

/// `p = 1 / (1 + exp(-logit))`.
pub fn sigmoid(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

/// `ln p`, also where p itself would round to 0.
pub fn log_sigmoid(logit: f64) -> f64 {
    logit.min(0.0) - (-logit.abs()).exp().ln_1p()
}

/// The entropy in nats, `H = softplus(logit) - p logit`, and its derivative with respect to the logit,
/// `-logit p (1-p)`.
pub fn entropy_at(logit: f64) -> Term {
    let p = sigmoid(logit);
    Term {
        value: logit.max(0.0) + (-logit.abs()).exp().ln_1p() - p * logit,
        derivative: -logit * p * (1.0 - p),
    }
}

/// The entropy in nats, elementwise and differentiable.
pub fn entropy(p_logit: &Tensor) -> Tensor {
    p_logit.softplus() - p_logit.sigmoid() * p_logit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logarithm_of_a_probability_by_hand() {
        assert!((log_sigmoid(logit(0.2)) - 0.2_f64.ln()).abs() < 1e-12);
        assert_eq!(log_sigmoid(-5000.0), -5000.0);
        assert!((log_sigmoid(40.0) + (-40.0_f64).exp()).abs() < 1e-30);
    }

    #[test]
    fn entropy_by_hand_in_numbers_and_tensors() {
        // p = 0.2: -0.2 ln 0.2 - 0.8 ln 0.8 = 0.500402.
        assert!((entropy_at(logit(0.2)).value - 0.500_402_423).abs() < 1e-8);
        for logit in [-40.0, -5.0, -1.0, 0.0, 2.0, 30.0] {
            let leaf = Tensor::from_slice(&[logit]).set_requires_grad(true);
            let tensor = entropy(&leaf);
            tensor.backward();
            let term = entropy_at(logit);
            assert!((tensor.double_value(&[0]) - term.value).abs() < 1e-11);
            assert!((leaf.grad().double_value(&[0]) - term.derivative).abs() < 1e-11);
        }
    }
}
