//! What a trained network says of data that it has not seen.

use concrete_dqn::calibration::{Calibration, Gaussian};
use concrete_dqn::concrete::{LogisticNoise, PredictiveVariance};
use concrete_dqn::randomness::{Stream, generator};
use concrete_dqn::statistics::mean;
use tch::{Kind, Tensor};

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
        mean(&self.p[1..4])
    }

    /// How well the outcomes fit the mixture.
    pub fn calibration(&self) -> Calibration {
        Calibration::new(self.places.iter().copied())
    }
}

/// What many noisy passes of some networks say of some inputs.
pub struct Passes {
    /// The mean of each pass, `[passes, networks, rows]`.
    means: Tensor,
    /// The logarithm of its precision, of the same shape.
    log_precisions: Tensor,
}

impl Passes {
    /// `count` passes over `x` `[networks, rows, 1]`.
    pub fn draw(networks: &Networks, x: &Tensor, count: usize, noise: &mut LogisticNoise) -> Self {
        let predictions = (0..count).map(|_| {
            let Prediction { mean, log_variance } = tch::no_grad(|| networks.sample(x, noise));
            let log_precision = -log_variance.expand_as(&mean);
            (mean.squeeze_dim(-1), log_precision.squeeze_dim(-1))
        });
        let (means, log_precisions): (Vec<_>, Vec<_>) = predictions.unzip();
        Self { means: Tensor::stack(&means, 0), log_precisions: Tensor::stack(&log_precisions, 0) }
    }

    /// The mean over passes, `[networks, rows]`.
    pub fn mean(&self) -> Tensor {
        self.means.mean_dim(0_i64, false, Kind::Float)
    }

    /// Both variances, `[networks, rows]`.
    pub fn variance(&self) -> PredictiveVariance {
        PredictiveVariance::of(&self.means, &self.log_precisions)
    }

    /// The distribution that each pass predicts, `[networks][rows][passes]`.
    fn mixtures(&self) -> Vec<Vec<Vec<Gaussian>>> {
        let size = self.means.size();
        let (means, precisions) = (numbers(&self.means), numbers(&self.log_precisions.exp()));
        let (passes, networks, rows) = (size[0] as usize, size[1] as usize, size[2] as usize);
        let part = |pass: usize, network: usize, row: usize| {
            let index = (pass * networks + network) * rows + row;
            Gaussian { mean: means[index], std: precisions[index].powf(-0.5) }
        };
        let mixture = |network, row| (0..passes).map(|pass| part(pass, network, row)).collect();
        (0..networks).map(|network| (0..rows).map(|row| mixture(network, row)).collect()).collect()
    }
}

/// Measures every network on held-out data of its seed.
pub fn measure(networks: &Networks, seeds: &[u64]) -> Vec<Measurement> {
    let held_out: Vec<_> = seeds.iter().map(|seed| Data::held_out(*seed, HELD_OUT)).collect();
    let tensor = |values: fn(&Data) -> &Vec<f32>| {
        let values: Vec<f32> = held_out.iter().flat_map(values).copied().collect();
        Tensor::from_slice(&values).view([seeds.len() as i64, -1])
    };
    let (x, y) = (tensor(|data| &data.x).unsqueeze(-1), tensor(|data| &data.y));
    let mut noise = LogisticNoise::new(generator(seeds[0], Stream::EvaluationNoise));
    let passes = Passes::draw(networks, &x, PASSES, &mut noise);
    let root_mean = |squares: &Tensor| numbers(&squares.mean_dim(1_i64, false, Kind::Float).sqrt());
    let variance = passes.variance();
    let (epistemic, aleatoric) = (root_mean(&variance.epistemic), root_mean(&variance.aleatoric));
    let rmse = root_mean(&(passes.mean() - y).square());
    let (p, sensitivity) = (networks.p(), networks.sensitivity(&x));
    let of_network =
        |layers: &[Vec<f64>], network: usize| layers.iter().map(|layer| layer[network]).collect();
    let measurement = |(network, (data, mixtures)): (usize, (&Data, Vec<Vec<Gaussian>>))| {
        let outcomes = || mixtures.iter().zip(data.y.iter().map(|y| f64::from(*y)));
        let place = |(mixture, y): (&Vec<Gaussian>, f64)| mean(mixture.iter().map(|part| part.cdf(y)));
        let surprise = |(mixture, y): (&Vec<Gaussian>, f64)| {
            -log_mean_exp(mixture.iter().map(|part| part.log_density(y)))
        };
        Measurement {
            p: of_network(&p, network),
            sensitivity: of_network(&sensitivity, network),
            epistemic: epistemic[network],
            aleatoric: aleatoric[network],
            rmse: rmse[network],
            nll: mean(outcomes().map(surprise)),
            places: outcomes().map(place).collect(),
        }
    };
    held_out.iter().zip(passes.mixtures()).enumerate().map(measurement).collect()
}

/// `ln mean exp`, without overflow.
fn log_mean_exp(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let most = values.clone().fold(f64::NEG_INFINITY, f64::max);
    let (sum, count) =
        values.fold((0.0, 0.0), |(sum, count), value| (sum + (value - most).exp(), count + 1.0));
    most + (sum / count).ln()
}
