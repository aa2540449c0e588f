//! What a trained network says of data that it has not seen.

use concrete_dqn::calibration::{Calibration, Gaussian};
use concrete_dqn::concrete::LogisticNoise;
use concrete_dqn::randomness::{Stream, generator};
use tch::Tensor;

use crate::networks::{Networks, Prediction, numbers};
use crate::problem::Data;

/// Held-out data of each network.
pub const HELD_OUT: usize = 500;
/// Monte-Carlo passes.
pub const PASSES: usize = 50;

/// One network's uncertainty, and how it fares.
#[derive(Debug, Clone)]
pub struct Measurement {
    /// p of each layer, the three in front of the hidden layers first.
    pub p: Vec<f64>,
    /// c of each layer.
    pub sensitivity: Vec<f64>,
    /// Square root of the mean over inputs of the variance of the mean over passes.
    pub epistemic: f64,
    /// Square root of the mean variance of the noise.
    pub aleatoric: f64,
    /// Root mean squared error of the mean over passes.
    pub rmse: f64,
    /// Negative log-likelihood of the passes' mixture, a datum, in nats.
    pub nll: f64,
    /// Where outcomes lie in the mixture.
    pub places: Vec<f64>,
}

impl Measurement {
    /// Square root of the sum of both variances.
    pub fn predictive(&self) -> f64 {
        self.epistemic.hypot(self.aleatoric)
    }

    /// The mean p in front of the second and third hidden layer and of the mean, those with as many inputs as there are
    /// hidden units.
    pub fn hidden_p(&self) -> f64 {
        self.p[1..4].iter().sum::<f64>() / 3.0
    }

    /// How well the outcomes fit the mixture.
    pub fn calibration(&self) -> Calibration {
        Calibration::new(self.places.iter().copied())
    }
}

/// Measures every network on held-out data of its seed.
pub fn measure(networks: &Networks, seeds: &[u64]) -> Vec<Measurement> {
    let held_out: Vec<_> = seeds.iter().map(|seed| Data::held_out(*seed, HELD_OUT)).collect();
    let x: Vec<f32> = held_out.iter().flat_map(|data| &data.x).copied().collect();
    let x = Tensor::from_slice(&x).view([seeds.len() as i64, -1, 1]);
    let mut noise = LogisticNoise::new(generator(seeds[0], Stream::EvaluationNoise));
    let passes: Vec<(Vec<f64>, Vec<f64>)> = (0..PASSES)
        .map(|_| {
            let Prediction { mean, log_variance } = tch::no_grad(|| networks.sample(&x, &mut noise));
            let variance = log_variance.exp().expand_as(&mean);
            (numbers(&mean), numbers(&variance))
        })
        .collect();
    let (p, sensitivity) = (networks.p(), networks.sensitivity(&x));
    let of_network =
        |numbers: &[Vec<f64>], network: usize| numbers.iter().map(|layer| layer[network]).collect();
    held_out
        .iter()
        .enumerate()
        .map(|(network, data)| {
            let (mut epistemic, mut aleatoric, mut squared, mut nll) = (0.0, 0.0, 0.0, 0.0);
            let mut places = Vec::with_capacity(HELD_OUT);
            for (row, y) in data.y.iter().enumerate() {
                let (index, y) = (network * HELD_OUT + row, f64::from(*y));
                let count = passes.len() as f64;
                let mean = passes.iter().map(|(mean, _)| mean[index]).sum::<f64>() / count;
                epistemic +=
                    passes.iter().map(|(m, _)| (m[index] - mean).powi(2)).sum::<f64>() / (count - 1.0);
                aleatoric += passes.iter().map(|(_, variance)| variance[index]).sum::<f64>() / count;
                squared += (mean - y).powi(2);
                let mixture: Vec<Gaussian> =
                    passes.iter().map(|(m, v)| Gaussian { mean: m[index], std: v[index].sqrt() }).collect();
                places.push(mixture.iter().map(|part| part.cdf(y)).sum::<f64>() / count);
                nll -= log_mean_exp(mixture.iter().map(|part| part.log_density(y)));
            }
            let rows = data.y.len() as f64;
            Measurement {
                p: of_network(&p, network),
                sensitivity: of_network(&sensitivity, network),
                epistemic: (epistemic / rows).sqrt(),
                aleatoric: (aleatoric / rows).sqrt(),
                rmse: (squared / rows).sqrt(),
                nll: nll / rows,
                places,
            }
        })
        .collect()
}

/// `ln mean exp`, without overflow.
fn log_mean_exp(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let most = values.clone().fold(f64::NEG_INFINITY, f64::max);
    let (sum, count) =
        values.fold((0.0, 0.0), |(sum, count), value| (sum + (value - most).exp(), count + 1.0));
    most + (sum / count).ln()
}
