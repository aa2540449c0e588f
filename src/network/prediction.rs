//! What noisy passes predict, observation noise included.

use tch::{Kind, Tensor};

use super::pass_noise::PassNoise;
use super::q_network::QNetwork;
use crate::concrete::PredictiveVariance;

/// What noisy passes predict.
#[derive(Debug)]
pub struct Prediction {
    /// Q-values, `[passes, rows, actions]`.
    pub q: Tensor,
    /// Of a heteroscedastic network ln tau of the targets, of the same shape; otherwise it is one for all,
    /// [`QNetwork::log_precision`].
    pub log_precisions: Option<Tensor>,
}

impl QNetwork {
    /// The standard deviations of a prediction at observations `[rows, dimensions]`, in network units: the epistemic and the
    /// aleatoric variance's roots for every row and action, `[rows, actions]` each, over at least two passes.
    ///
    /// The aleatoric part is the noise of the TD targets that the network was fitted to: of rewards and transitions up to
    /// the bootstrapped value, and of that value while it was moving. It is not the spread of returns.
    pub fn standard_deviations(&self, observations: &Tensor, noise: &PassNoise) -> (Tensor, Tensor) {
        let Prediction { q, log_precisions } = self.predict(observations, noise);
        let log_precisions = log_precisions.unwrap_or_else(|| self.log_precision().shallow_clone());
        let variance = PredictiveVariance::of(&q, &log_precisions);
        (variance.epistemic.sqrt(), variance.aleatoric.sqrt())
    }

    /// The aleatoric standard deviation at the action with the highest mean, averaged over observations `[rows, dimensions]`,
    /// in network units.
    pub fn greedy_aleatoric_std(&self, observations: &Tensor, noise: &PassNoise) -> f64 {
        let greedy = self.sample(observations, noise).mean_dim(0, false, Kind::Float).argmax(-1, true);
        let (_, aleatoric) = self.standard_deviations(observations, noise);
        aleatoric.gather(-1, &greedy, false).mean(Kind::Float).double_value(&[])
    }
}

#[cfg(test)]
mod tests {
    use control_envs::{Dimension, EnvSpec};
    use tch::Device;

    use super::*;
    use crate::concrete::LogisticNoise;
    use crate::network::{InitialUncertainty, NetworkConfig};
    use crate::randomness::{Stream, generator};

    #[test]
    fn one_tau_is_everyones_noise_and_a_head_tells_states_apart() {
        let spec = EnvSpec::new("Test-v0", [Dimension::new("x", "m", -1.0, 1.0)], ["a", "b"]);
        let x = Tensor::from_slice(&[0.5_f32, -0.5, 0.9]).view([3, 1]);
        for heteroscedastic in [false, true] {
            let start = InitialUncertainty { p: 0.3, temperature: 0.1, precision: 25.0, heteroscedastic };
            let mut random = generator(1, Stream::Initialisation);
            let (mut network, _) =
                QNetwork::pair(&NetworkConfig::default(), start, &spec, &mut random, Device::Cpu).unwrap();
            let mut noise = PassNoise::default();
            noise.draw(&mut LogisticNoise::new(generator(2, Stream::Noise)), network.inputs(), 5, 3);
            // tau = 25 leaves a standard deviation of 1/5, of the head too before it has learned.
            let (epistemic, aleatoric) = network.standard_deviations(&x, &noise);
            assert!(aleatoric.allclose(&aleatoric.full_like(0.2), 1e-5, 1e-5, false));
            let expected = network.sample(&x, &noise).std_dim(0, true, false);
            assert!(epistemic.allclose(&expected, 1e-5, 1e-6, false));
            assert!((network.greedy_aleatoric_std(&x, &noise) - 0.2).abs() < 1e-5);

            let _ = tch::no_grad(|| network.parameters_mut().flat_mut().tensor_mut().g_add_scalar_(0.02));
            let (_, aleatoric) = network.standard_deviations(&x, &noise);
            assert_eq!(aleatoric.std(true).double_value(&[]) > 1e-6, heteroscedastic);
        }
    }
}
