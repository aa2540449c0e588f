//! The KL term of Concrete Dropout's objective (Gal, Hron & Kendall 2017, eqs. 2-4), per datum.

use tch::Tensor;

use super::bernoulli::{Term, entropy, entropy_at};

/// The prior and the amount of data: what scales the regularisation of every dropout group.
///
/// With q(W) the dropout distribution of a layer, `2 KL(q || prior) / N`, divided by the precision tau, is up to a
/// constant the sum over its groups g, the masks that share one p, of
///
/// ```text
/// l^2/(tau N) ||W_g||^2 / (1-p_g)  -  2/(tau N) K_g H(p_g)
/// ```
///
/// which is to be added to a *mean squared error*. With `precision` 1 it goes with the twice negative log-likelihood
/// `tau (q-y)^2 - ln tau` instead, which is how the agent uses it, since there tau is learned too.
///
/// W is the stored weight of an inverted-dropout layer, whose input is divided by 1-p. The paper's mean weight is
/// M = W/(1-p), and its `(1-p) ||M||^2` is the `||W||^2/(1-p)` here. `W_g` are the weights that the group's masks
/// multiply, `K_g` is the number of its masks. A bias is not dropped and is not regularised.
///
/// Both terms stand twice: in numbers with the derivative with respect to the logit, and as a differentiable tensor.
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

    /// The weight term `l^2/(tau N) ||W||^2 / (1-p)`.
    pub fn weight_term_at(&self, squared_norm: f64, logit: f64) -> Term {
        let (scale, odds) = (self.weight_coefficient() * squared_norm, logit.exp());
        // 1/(1-p) = 1 + odds, exact where 1-p itself would round to 0.
        Term { value: scale * (1.0 + odds), derivative: scale * odds }
    }

    /// The entropy term `-2/(tau N) K H(p)` of `masks` = K masks.
    pub fn entropy_term_at(&self, masks: f64, logit: f64) -> Term {
        let (scale, entropy) = (-self.dropout_coefficient() * masks, entropy_at(logit));
        Term { value: scale * entropy.value, derivative: scale * entropy.derivative }
    }

    /// The weight term of every group, `[groups]`, from `||W_g||^2` and the logits of p, both `[groups]`.
    pub fn weight_term(&self, squared_norms: &Tensor, p_logits: &Tensor) -> Tensor {
        squared_norms * (p_logits.exp() + 1.0) * self.weight_coefficient()
    }

    /// The entropy term of every group, `[groups]`, each of `masks` = K_g masks.
    pub fn entropy_term(&self, masks: f64, p_logits: &Tensor) -> Tensor {
        entropy(p_logits) * (-self.dropout_coefficient() * masks)
    }

    /// Weight and entropy term of a layer, summed over its groups: a differentiable scalar.
    pub(super) fn total(&self, squared_norms: &Tensor, masks: f64, p_logits: &Tensor) -> Tensor {
        (self.weight_term(squared_norms, p_logits) + self.entropy_term(masks, p_logits)).sum(p_logits.kind())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_tensors_agree_in_value_and_derivative() {
        let regularizer = Regularizer { length_scale: 0.5, precision: 1.5, dataset_size: 200.0 };
        for logit in [-12.0, -1.0, 0.0, 2.0] {
            let leaf = Tensor::from_slice(&[logit]).set_requires_grad(true);
            let (norm, masks) = (7.0, 3.0);
            let norms = Tensor::from_slice(&[norm]);
            for (tensor, term) in [
                (regularizer.weight_term(&norms, &leaf), regularizer.weight_term_at(norm, logit)),
                (regularizer.entropy_term(masks, &leaf), regularizer.entropy_term_at(masks, logit)),
            ] {
                let gradient = Tensor::run_backward(&[&tensor], &[&leaf], false, false).remove(0);
                assert!((tensor.double_value(&[0]) - term.value).abs() < 1e-12);
                assert!((gradient.double_value(&[0]) - term.derivative).abs() < 1e-12);
            }
        }
    }
}
