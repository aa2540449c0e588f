//! Logistic noise from a seeded generator of our own.

use serde::{Deserialize, Serialize};
use tch::{Device, Tensor};

use crate::randomness::{Generator, UniformLanes};

/// A stream of standard logistic noise, `ln u - ln(1 - u)` with u uniform on (0, 1): the randomness of a concrete mask.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LogisticNoise {
    lanes: UniformLanes,
    #[serde(skip)]
    uniforms: Vec<f32>,
}

impl LogisticNoise {
    /// Noise that is a function of `generator`.
    pub fn new(generator: Generator) -> Self {
        Self { lanes: UniformLanes::new(generator), uniforms: Vec::new() }
    }

    /// Independent draws, f32, of the given shape. All are finite, within about +-16.6.
    pub fn sample(&mut self, shape: &[i64], device: Device) -> Tensor {
        self.uniforms.resize(shape.iter().product::<i64>() as usize, 0.0);
        self.lanes.fill(&mut self.uniforms);
        logistic(Tensor::from_slice(&self.uniforms).to_device(device)).reshape(shape)
    }

    /// The u of as many draws as `out` is long.
    pub fn fill_uniforms(&mut self, out: &mut [f32]) {
        self.lanes.fill(out);
    }
}

/// `ln u - ln(1 - u)` of uniforms on (0, 1), in their place.
pub fn logistic(mut uniforms: Tensor) -> Tensor {
    uniforms.logit_(None::<f64>)
}

#[cfg(test)]
mod tests {
    use tch::Kind;

    use super::*;
    use crate::randomness::{Stream, generator};

    #[test]
    fn noise_is_standard_logistic() {
        // Mean 0, variance pi^2/3, P(x < 1) = sigmoid(1); 1e6 draws, five standard errors.
        let x = LogisticNoise::new(generator(7, Stream::Noise))
            .sample(&[1000, 1000], Device::Cpu)
            .to_kind(Kind::Double);
        let variance = std::f64::consts::PI.powi(2) / 3.0;
        assert!(x.mean(None).double_value(&[]).abs() < 5.0 * (variance / 1e6).sqrt());
        // The fourth central moment of a logistic is 21/5 of the variance squared.
        let error = (3.2_f64 * variance * variance / 1e6).sqrt();
        assert!((x.var(true).double_value(&[]) - variance).abs() < 5.0 * error);
        let below = x.lt(1.0).to_kind(Kind::Double).mean(None).double_value(&[]);
        let share = 1.0 / (1.0 + (-1.0_f64).exp());
        assert!((below - share).abs() < 5.0 * (share * (1.0 - share) / 1e6).sqrt());
    }

    #[test]
    fn noise_is_reproducible() {
        let mut noise = LogisticNoise::new(generator(3, Stream::Noise));
        let mut again = noise.clone();
        let (a, b) = (noise.sample(&[7, 3], Device::Cpu), again.sample(&[7, 3], Device::Cpu));
        assert_eq!(
            Vec::<f32>::try_from(a.flatten(0, 1)).unwrap(),
            Vec::<f32>::try_from(b.flatten(0, 1)).unwrap()
        );
    }
}
