//! Logistic noise from a seeded generator of our own.

use rand::Rng;
use tch::{Device, Tensor};

use crate::randomness::Generator;

/// A stream of standard logistic noise, `ln u - ln(1 - u)` with u uniform on (0, 1): the randomness of a concrete mask.
#[derive(Debug, Clone)]
pub struct LogisticNoise {
    generator: Generator,
    uniforms: Vec<f32>,
}

impl LogisticNoise {
    /// Noise drawn from `generator`.
    pub fn new(generator: Generator) -> Self {
        Self { generator, uniforms: Vec::new() }
    }

    /// Independent draws, f32, of the given shape. All are finite, within about +-16.6.
    pub fn sample(&mut self, shape: &[i64], device: Device) -> Tensor {
        let count = shape.iter().product::<i64>() as usize;
        self.uniforms.resize(count, 0.0);
        fill_open_uniform(&mut self.generator, &mut self.uniforms);
        Tensor::from_slice(&self.uniforms).to_device(device).logit_(None::<f64>).reshape(shape)
    }
}

/// A uniform on the open interval (0, 1) from 23 of the bits: with 24 the largest would round to 1 in f32, and the
/// logarithm of its complement be infinite.
fn open_uniform(bits: u32) -> f32 {
    const UNIT: f32 = 1.0 / (1 << 23) as f32;
    ((bits >> 9) as f32 + 0.5) * UNIT
}

fn fill_open_uniform(generator: &mut Generator, out: &mut [f32]) {
    let mut pairs = out.chunks_exact_mut(2);
    for pair in &mut pairs {
        let bits = generator.next_u64();
        pair[0] = open_uniform(bits as u32);
        pair[1] = open_uniform((bits >> 32) as u32);
    }
    if let [last] = pairs.into_remainder() {
        *last = open_uniform(generator.next_u64() as u32);
    }
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
    fn noise_is_finite_at_the_extremes_and_reproducible() {
        let mut noise = LogisticNoise::new(generator(3, Stream::Noise));
        let mut again = noise.clone();
        let (a, b) = (noise.sample(&[7, 3], Device::Cpu), again.sample(&[7, 3], Device::Cpu));
        assert_eq!(
            Vec::<f32>::try_from(a.flatten(0, 1)).unwrap(),
            Vec::<f32>::try_from(b.flatten(0, 1)).unwrap()
        );
        for u in [open_uniform(0), open_uniform(u32::MAX)] {
            assert!(u > 0.0 && u < 1.0, "{u}");
        }
    }
}
