//! Concrete Dropout: dropout whose probability is learned by gradient descent.

use tch::{Device, Kind, Tensor, nn};

use super::bernoulli::{logit, sigmoid};
use super::groups::{DropoutGroups, InitialDropout};
use crate::statistics::mean;

/// Dropout of a layer's input with a learnable probability p for each of its [groups](super::DropoutGroups) of masks.
///
/// The discrete keep mask is relaxed to a concrete (binary Gumbel-softmax) one so that gradients reach p
/// (Gal, Hron & Kendall 2017, eq. 5):
///
/// ```text
/// keep = sigmoid(-(logit + ln u - ln(1-u)) / t),   u ~ Uniform(0, 1),   p = sigmoid(logit)
/// ```
///
/// and the input becomes `x * keep / (1-p)`. The paper writes the drop mask `z = 1 - keep`.
#[derive(Debug)]
pub struct ConcreteDropout {
    /// The unconstrained parameters: p = sigmoid(logit), never 0 or 1. One element for a p that all masks share, or the
    /// masks' own shape; it broadcasts against the noise.
    pub p_logit: Tensor,
    /// Temperature t of the relaxation. It can be changed at any time: lowering it step by step anneals.
    pub temperature: Temperature,
}

/// Temperature t of the relaxation: the mask tends to a 0/1 mask as t goes to 0. The authors use 0.1.
#[derive(Debug)]
pub enum Temperature {
    /// t itself. 0 is the hard mask: every unit is kept or dropped, nothing between, and no gradient reaches p through it.
    Fixed(f64),
    /// ln t, learned: one element. Nothing in the objective holds it down; see docs/uncertainty.md.
    Learned(Tensor),
}

impl Temperature {
    /// Above this t much of a mask lies between its ends, and the variance that it makes is no longer what p says.
    pub const BLURRED: f64 = 0.3;

    /// t.
    pub fn value(&self) -> f64 {
        match self {
            Self::Fixed(temperature) => *temperature,
            Self::Learned(log) => log.double_value(&[0]).exp(),
        }
    }
}

impl From<f64> for Temperature {
    fn from(temperature: f64) -> Self {
        Self::Fixed(temperature)
    }
}

impl ConcreteDropout {
    /// Dropout with the given logits, which may be a view into other parameters.
    pub fn from_logit(p_logit: Tensor, temperature: impl Into<Temperature>) -> Self {
        Self { p_logit, temperature: temperature.into() }
    }

    /// Dropout of masks of shape `mask_shape`, its logits a trainable variable `p_logit` of `path`.
    pub fn new(path: &nn::Path, mask_shape: &[i64], initial: InitialDropout) -> Self {
        let shape = match initial.groups {
            DropoutGroups::Layer => &[1],
            DropoutGroups::Unit => mask_shape,
        };
        let p_logit = path.var("p_logit", shape, nn::Init::Const(logit(initial.p)));
        Self::from_logit(p_logit, initial.temperature)
    }

    /// The dropout probability of every group, in f64 so that it is neither 0 nor 1 at any logit that training can
    /// reach (+-36).
    pub fn p(&self) -> Vec<f64> {
        let logits = self.p_logit.detach().to_kind(Kind::Double).to_device(Device::Cpu).reshape([-1]);
        let mut values = vec![0.0; logits.numel()];
        logits.copy_data(&mut values, logits.numel());
        values.into_iter().map(sigmoid).collect()
    }

    /// The mean of p over the groups, all of which have as many masks.
    pub fn mean_p(&self) -> f64 {
        mean(self.p())
    }

    /// The keep mask, of the noise's shape: relaxed, in (0, 1), or hard at temperature 0. `noise` is standard logistic.
    pub fn keep_mask(&self, noise: &Tensor) -> Tensor {
        let mut sum = noise + &self.p_logit;
        // In place, since nothing else sees the sum, and a large tensor's memory costs more than its arithmetic.
        match &self.temperature {
            Temperature::Fixed(0.0) => sum.lt(0.0).to_kind(sum.kind()),
            Temperature::Fixed(temperature) => sum.g_mul_scalar_(-1.0 / temperature).sigmoid_(),
            Temperature::Learned(log) => (-sum * (-log).exp()).sigmoid(),
        }
    }

    /// `x * keep / (1-p)`: a noisy input whose mean is about x. `noise` broadcasts against x: one row of noise for all
    /// rows of x is one mask held over the batch.
    pub fn apply(&self, x: &Tensor, noise: &Tensor) -> Tensor {
        // 1/(1-p) = 1 + exp(logit), exact where 1-p itself would round to 0.
        x * self.keep_mask(noise) * (self.p_logit.exp() + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::concrete::{LogisticNoise, Regularizer};
    use crate::randomness::{Stream, generator};

    fn dropout(logit: f64, temperature: f64) -> ConcreteDropout {
        ConcreteDropout::from_logit(Tensor::from_slice(&[logit]), temperature)
    }

    fn noise(rows: i64, columns: i64) -> Tensor {
        LogisticNoise::new(generator(11, Stream::Noise))
            .sample(&[rows, columns], Device::Cpu)
            .to_kind(Kind::Double)
    }

    #[test]
    fn mask_by_hand() {
        // logit 0, u = 0.75: noise ln 3; t = 1: keep = 1/(1 + 3) = 0.25, p = 0.5, so x = 1 becomes 0.25 / 0.5.
        let noise = Tensor::from_slice(&[3.0_f64.ln()]);
        let y = dropout(0.0, 1.0).apply(&Tensor::from_slice(&[1.0_f64]), &noise);
        assert!((y.double_value(&[0]) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn units_are_dropped_with_probability_p() {
        // P(keep < 1/2) = p at every temperature. 250,000 draws, five standard errors.
        let noise = noise(500, 500);
        for p in [0.05, 0.3, 0.7] {
            let mask = dropout(logit(p), 0.1).keep_mask(&noise);
            let dropped = mask.lt(0.5).to_kind(Kind::Double).mean(None).double_value(&[]);
            assert!((dropped - p).abs() < 5.0 * (p * (1.0 - p) / 250_000.0).sqrt(), "{dropped} for {p}");
        }
    }

    #[test]
    fn mask_becomes_binary_and_unbiased_as_temperature_goes_to_zero() {
        let noise = noise(500, 500);
        let p = 0.3;
        let mut last = f64::INFINITY;
        for t in [1.0, 0.1, 0.01] {
            let mask = dropout(logit(p), t).keep_mask(&noise);
            // Mean distance from {0, 1}.
            let blur = mask.minimum(&(mask.ones_like() - &mask)).mean(None).double_value(&[]);
            assert!(blur < last / 3.0, "blur {blur} at temperature {t}");
            last = blur;
        }
        let scaled = dropout(logit(p), 0.01).apply(&Tensor::ones([1], (Kind::Double, Device::Cpu)), &noise);
        let error = (p / (1.0 - p) / 250_000.0_f64).sqrt();
        assert!((scaled.mean(None).double_value(&[]) - 1.0).abs() < 5.0 * error);
    }

    #[test]
    fn at_temperature_zero_masks_are_hard_and_drop_what_a_relaxed_one_nearly_drops() {
        let (noise, p) = (noise(500, 500), 0.3);
        let hard = dropout(logit(p), 0.0).keep_mask(&noise);
        let relaxed = dropout(logit(p), 0.1).keep_mask(&noise);
        assert!(hard.equal(&relaxed.gt(0.5).to_kind(Kind::Double)));
        // Kept units are divided by 1-p, so the mean is kept exactly; five standard errors.
        let scaled = dropout(logit(p), 0.0).apply(&Tensor::ones([1], (Kind::Double, Device::Cpu)), &noise);
        let error = (p / (1.0 - p) / 250_000.0_f64).sqrt();
        assert!((scaled.mean(None).double_value(&[]) - 1.0).abs() < 5.0 * error);
    }

    #[test]
    fn a_learned_temperature_masks_as_a_fixed_one_and_has_a_gradient() {
        let noise = noise(20, 20);
        let leaf = Tensor::from_slice(&[0.2_f64.ln()]).set_requires_grad(true);
        let learned = ConcreteDropout::from_logit(
            Tensor::from_slice(&[logit(0.3)]),
            Temperature::Learned(leaf.shallow_clone()),
        );
        assert!((learned.temperature.value() - 0.2).abs() < 1e-12);
        let fixed = |t: f64| dropout(logit(0.3), t).keep_mask(&noise);
        let mask = learned.keep_mask(&noise);
        assert!(mask.allclose(&fixed(0.2), 1e-12, 1e-12, false));
        // Against central differences of a weighted sum of the mask.
        let weighted = |mask: &Tensor| (mask * &noise).sum(Kind::Double);
        weighted(&mask).backward();
        let at = |by: f64| weighted(&fixed(0.2 * by.exp())).double_value(&[]);
        let (analytic, numeric) = (leaf.grad().double_value(&[0]), (at(1e-5) - at(-1e-5)) / 2e-5);
        assert!((analytic / numeric - 1.0).abs() < 1e-6, "{analytic} against {numeric}");
    }

    #[test]
    fn extreme_logits_stay_finite_and_p_inside() {
        for logit in [-30.0_f32, 30.0] {
            let leaf = Tensor::from_slice(&[logit]).set_requires_grad(true);
            let dropout = ConcreteDropout::from_logit(leaf.shallow_clone(), 0.1);
            assert!(dropout.mean_p() > 0.0 && dropout.mean_p() < 1.0);
            let noise = LogisticNoise::new(generator(1, Stream::Noise)).sample(&[64, 64], Device::Cpu);
            let regularizer = Regularizer { length_scale: 0.01, precision: 1.0, dataset_size: 100.0 };
            let loss = dropout.apply(&noise.ones_like(), &noise).square().mean(Kind::Float)
                + regularizer.weight_term(&Tensor::from(512.0_f32), &leaf)
                + regularizer.entropy_term(64.0, &leaf);
            loss.sum(Kind::Float).backward();
            assert!(loss.isfinite().all().int64_value(&[]) == 1);
            assert!(leaf.grad().isfinite().all().int64_value(&[]) == 1);
        }
    }
}
