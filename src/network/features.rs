//! What the first layer sees: the scaled observation, and fixed random Fourier features of it.

use control_envs::BoxSpace;
use rand_distr::{Distribution, StandardNormal};
use tch::{Device, Tensor};

use super::memory;
use crate::randomness::Generator;
use crate::simd::sin_cos;

/// A fixed map from observations `[..., dimensions]` to features `[..., count]`.
///
/// The observation is scaled to about [-1, 1] by its space. With F frequencies, `sin(Bz)` and `cos(Bz)` follow the
/// scaled observation z, the entries of B drawn from Normal(0, bandwidth^2) once (Rahimi & Recht 2007; Tancik et
/// al. 2020). B is not trained.
#[derive(Debug)]
pub struct Features {
    centre: Tensor,
    half_width: Tensor,
    frequencies: Option<Tensor>,
}

impl Features {
    /// Features of `space`, with `frequencies` random ones of standard deviation `bandwidth`, in radians per scaled
    /// unit.
    pub fn new(
        space: &BoxSpace,
        frequencies: usize,
        bandwidth: f64,
        generator: &mut Generator,
        device: Device,
    ) -> Self {
        let (centre, half_width): (Vec<f32>, Vec<f32>) = space.dimensions.iter().map(|d| d.scale()).unzip();
        let frequencies = (frequencies > 0).then(|| {
            let values: Vec<f32> =
                normal(bandwidth).sample_iter(generator).take(space.len() * frequencies).collect();
            Tensor::from_slice(&values).view([space.len() as i64, frequencies as i64]).to_device(device)
        });
        Self {
            centre: Tensor::from_slice(&centre).to_device(device),
            half_width: Tensor::from_slice(&half_width).to_device(device),
            frequencies,
        }
    }

    /// The bandwidth for so many inputs where none is given: pi over the number of inputs, of which at most 4 count.
    /// With more inputs the same frequencies make a function that wiggles more; the figures are those that were
    /// measured to work on MountainCar (2 inputs), CartPole (4) and Acrobot (6).
    pub fn bandwidth_for(inputs: usize) -> f64 {
        std::f64::consts::PI / inputs.clamp(1, 4) as f64
    }

    /// The same features, sharing their tensors.
    pub fn share(&self) -> Self {
        Self {
            centre: self.centre.shallow_clone(),
            half_width: self.half_width.shallow_clone(),
            frequencies: self.frequencies.as_ref().map(Tensor::shallow_clone),
        }
    }

    /// Numbers in an observation.
    pub fn dimensions(&self) -> usize {
        self.centre.numel()
    }

    /// [`forward`](Self::forward) without libtorch, on the CPU: features of whole rows of `observations` to `out`.
    pub fn write(&self, observations: &[f32], out: &mut [f32]) {
        let frequencies = self.frequencies.as_ref().map_or(&[][..], memory::values);
        write(memory::values(&self.centre), memory::values(&self.half_width), frequencies, observations, out);
    }

    /// Number of features.
    pub fn count(&self) -> i64 {
        let frequencies = self.frequencies.as_ref().map_or(0, |b| b.size()[1]);
        self.centre.size()[0] + 2 * frequencies
    }

    /// Features of `observations`, `[..., dimensions]` to `[..., count]`.
    pub fn forward(&self, observations: &Tensor) -> Tensor {
        let z = (observations - &self.centre) / &self.half_width;
        match &self.frequencies {
            None => z,
            Some(frequencies) => {
                let angle = z.matmul(frequencies);
                Tensor::cat(&[z, angle.sin(), angle.cos()], -1)
            }
        }
    }

    /// The fixed tensors by name.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, &Tensor)> {
        [("features.centre", &self.centre), ("features.half_width", &self.half_width)]
            .into_iter()
            .chain(self.frequencies.as_ref().map(|frequencies| ("features.frequencies", frequencies)))
    }
}

#[pulp::with_simd(write = pulp::Arch::new())]
#[inline(always)]
fn write_with_simd<'a, S: pulp::Simd>(
    _: S,
    centre: &'a [f32],
    half_width: &'a [f32],
    frequencies: &'a [f32],
    observations: &'a [f32],
    out: &'a mut [f32],
) {
    let (dimensions, count) = (centre.len(), frequencies.len() / centre.len());
    let rows = observations.chunks_exact(dimensions).zip(out.chunks_exact_mut(dimensions + 2 * count));
    for (observation, out) in rows {
        let (z, waves) = out.split_at_mut(dimensions);
        let (sines, cosines) = waves.split_at_mut(count);
        for (d, z) in z.iter_mut().enumerate() {
            *z = (observation[d] - centre[d]) / half_width[d];
        }
        sines.fill(0.0);
        for (z, frequencies) in z.iter().zip(frequencies.chunks_exact(count.max(1))) {
            sines.iter_mut().zip(frequencies).for_each(|(angle, f)| *angle = f.mul_add(*z, *angle));
        }
        for (sine, cosine) in sines.iter_mut().zip(cosines) {
            (*sine, *cosine) = sin_cos(*sine);
        }
    }
}

fn normal(standard_deviation: f64) -> impl Distribution<f32> {
    StandardNormal.map(move |x: f64| (x * standard_deviation) as f32)
}
