//! The KL term of Concrete Dropout's objective (Gal, Hron & Kendall 2017, eqs. 2-4), per datum.

use tch::Tensor;

/// The prior and the amount of data: what scales the regularisation of every layer.
///
/// With q(W) the dropout distribution of a layer, `2 KL(q || prior) / N`, divided by the precision tau, is up to a
/// constant
///
/// ```text
/// l^2/(tau N) ||W||^2 / (1-p)  -  2/(tau N) K H(p)
/// ```
///
/// which is to be added to a *mean squared error*. With `precision` 1 it goes with the twice negative log-likelihood
/// `tau (q-y)^2 - ln tau` instead, which is how the agent uses it, since there tau is learned too.
///
/// W is the stored weight of an inverted-dropout layer, whose input is divided by 1-p. The paper's mean weight is
/// M = W/(1-p), and its `(1-p) ||M||^2` is the `||W||^2/(1-p)` here. A bias is not dropped and is not regularised.
///
/// The fields can be changed at any time: a growing dataset is `dataset_size` going up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Regularizer {
    /// Length scale l of the Gaussian prior over the weights: larger means smoother functions.
    pub length_scale: f64,
    /// Precision tau of the observation noise, in inverse squared units of the targets.
    pub precision: f64,
    /// Number N of data the posterior is conditioned on: the whole dataset, never the batch.
    pub dataset_size: f64,
}

impl Regularizer {
    /// `l^2 / (tau N)`: what multiplies `||W||^2 / (1-p)`.
    pub fn weight_coefficient(&self) -> f64 {
        self.length_scale * self.length_scale / (self.precision * self.dataset_size)
    }

    /// `2 / (tau N)`: what multiplies `-K H(p)`.
    pub fn dropout_coefficient(&self) -> f64 {
        2.0 / (self.precision * self.dataset_size)
    }

    /// The weight term `l^2/(tau N) ||W||^2 / (1-p)`, differentiable, from the [`squared_norm`] of a weight and its
    /// p logit; or elementwise for several layers.
    pub fn weight_term(&self, squared_norm: &Tensor, p_logit: &Tensor) -> Tensor {
        // 1/(1-p) = 1 + exp(logit), exact where 1-p itself would round to 0.
        squared_norm * (p_logit.exp() + 1.0) * self.weight_coefficient()
    }

    /// The entropy term `-2/(tau N) K H(p)`, differentiable in `p_logit`, for `inputs` = K dropped units; or elementwise
    /// for several layers.
    pub fn entropy_term(&self, inputs: &Tensor, p_logit: &Tensor) -> Tensor {
        entropy(p_logit) * inputs * -self.dropout_coefficient()
    }
}

/// `||W||^2`, a scalar.
pub fn squared_norm(weight: &Tensor) -> Tensor {
    weight.square().sum(weight.kind())
}

/// The entropy of a Bernoulli variable, in nats, from the logit of its probability:
/// `H = softplus(logit) - p logit`, stable at both ends.
pub fn entropy(p_logit: &Tensor) -> Tensor {
    p_logit.softplus() - p_logit.sigmoid() * p_logit
}
