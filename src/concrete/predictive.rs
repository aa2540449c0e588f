//! What a prediction's variance is made of.

use tch::Tensor;

/// The variance of a prediction, split into what more data would remove and what they would not.
///
/// Over T Monte-Carlo passes, each with a mean f and a precision tau of the observation noise, the predictive distribution
/// is a mixture of T Gaussians, and its variance (Kendall & Gal 2017, eq. 9) is
///
/// ```text
/// Var_t(f_t)  +  mean_t(1 / tau_t)
/// epistemic      aleatoric
/// ```
#[derive(Debug)]
pub struct PredictiveVariance {
    /// The unbiased variance over the passes of the mean: what is not known of the function.
    pub epistemic: Tensor,
    /// The mean over the passes of the noise's variance: what is not known of an observation where the function is known.
    pub aleatoric: Tensor,
}

impl PredictiveVariance {
    /// From passes `[passes, ...]`, at least two, of means and of ln tau; the latter also one element, for homoscedastic noise.
    /// Both variances have the shape of a pass.
    pub fn of(means: &Tensor, log_precisions: &Tensor) -> Self {
        let epistemic = means.var_dim(0, true, false);
        let aleatoric = (-log_precisions).exp().expand_as(means).mean_dim(0, false, means.kind());
        Self { epistemic, aleatoric }
    }

    /// The variance of an observation.
    pub fn total(&self) -> Tensor {
        &self.epistemic + &self.aleatoric
    }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind, nn, nn::OptimizerConfig};

    use super::*;
    use crate::concrete::{ConcreteLinear, InitialDropout, LogisticNoise, Regularizer, gaussian_nll};
    use crate::randomness::{Stream, generator};

    #[test]
    fn variance_by_hand() {
        // Means 1 and 3 have the unbiased variance 2; noise of variance 1/2 and 2 has the mean 1.25.
        let means = Tensor::from_slice(&[1.0, 3.0]).view([2, 1]);
        let variance =
            PredictiveVariance::of(&means, &Tensor::from_slice(&[2.0_f64.ln(), 0.5_f64.ln()]).view([2, 1]));
        assert!((variance.epistemic.double_value(&[0]) - 2.0).abs() < 1e-12);
        assert!((variance.aleatoric.double_value(&[0]) - 1.25).abs() < 1e-12);
        assert!((variance.total().double_value(&[0]) - 3.25).abs() < 1e-12);
        let homoscedastic = PredictiveVariance::of(&means, &Tensor::from_slice(&[4.0_f64.ln()]));
        assert!((homoscedastic.aleatoric.double_value(&[0]) - 0.25).abs() < 1e-12);
    }

    /// The standard deviation of the noise at x.
    fn noise_std(x: f64) -> f64 {
        0.1 + 0.4 * (x + 1.0)
    }

    #[test]
    fn a_heteroscedastic_head_recovers_the_noise_profile() {
        tch::set_num_threads(1);
        let mut random = LogisticNoise::new(generator(1, Stream::Environment));
        let mut noise = LogisticNoise::new(generator(1, Stream::Noise));
        let rows = 2000;
        // y = sin 3x + noise whose standard deviation goes from 0.1 to 0.9; a logistic's own is pi / sqrt 3.
        let x = Tensor::linspace(-1.0, 1.0, rows, (Kind::Float, Device::Cpu)).view([rows, 1]);
        let standard = random.sample(&[rows, 1], Device::Cpu) * (3.0_f64.sqrt() / std::f64::consts::PI);
        let y = (&x * 3.0).sin() + standard * ((&x + 1.0) * 0.4 + 0.1);

        let store = nn::VarStore::new(Device::Cpu);
        let root = store.root();
        let layers = [(1, 50), (50, 50), (50, 2)].map(|(inputs, outputs)| {
            ConcreteLinear::new(&(&root / outputs / inputs), inputs, outputs, InitialDropout::default())
        });
        // nn::linear draws from libtorch's generator; the test is to be the same every time.
        tch::no_grad(|| {
            for layer in &layers {
                let drawn = random.sample(&layer.weight.size(), Device::Cpu) * 0.3;
                let mut weight = layer.weight.shallow_clone();
                weight.copy_(&(drawn / (layer.inputs() as f64).sqrt()));
            }
        });
        let mut pass = || {
            let mut z = x.shallow_clone();
            for (index, layer) in layers.iter().enumerate() {
                z = layer.forward(&z, &noise.sample(&layer.noise_shape(rows), Device::Cpu));
                z = if index + 1 < layers.len() { z.relu() } else { z };
            }
            z
        };
        let regularizer = Regularizer { length_scale: 0.01, precision: 1.0, dataset_size: rows as f64 };
        let mut optimizer = nn::Adam::default().build(&store, 5e-3).unwrap();
        for step in 0..1000 {
            optimizer.set_lr(1e-2 * (1.0 - f64::from(step) / 1000.0));
            let output = pass();
            let data = gaussian_nll(&(output.narrow(1, 0, 1) - &y), &output.narrow(1, 1, 1));
            let kl: Tensor = layers.iter().map(|layer| layer.regularization(&regularizer)).sum();
            optimizer.backward_step(&(data + kl).sum(Kind::Float));
        }
        let passes = tch::no_grad(|| Tensor::stack(&(0..20).map(|_| pass()).collect::<Vec<_>>(), 0));
        let variance = PredictiveVariance::of(&passes.narrow(2, 0, 1), &passes.narrow(2, 1, 1));
        let std = |variance: &Tensor, row: i64| {
            variance.narrow(0, row - 100, 200).mean(Kind::Float).double_value(&[]).sqrt()
        };
        for row in (100..2000).step_by(200) {
            let at = -1.0 + 2.0 * row as f64 / rows as f64;
            let (aleatoric, epistemic) = (std(&variance.aleatoric, row), std(&variance.epistemic, row));
            println!(
                "x {at:+.1}: noise {:.2}, aleatoric {aleatoric:.3}, epistemic {epistemic:.3}",
                noise_std(at)
            );
            assert!((aleatoric / noise_std(at) - 1.0).abs() < 0.15, "{aleatoric} at {at}");
            assert!(epistemic < aleatoric, "{epistemic} at {at}");
        }
    }
}
