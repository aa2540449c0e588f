//! What the first layer sees: the scaled observation, and fixed random Fourier features of it.

use control_envs::BoxSpace;
use rand_distr::{Distribution, StandardNormal};
use tch::{Device, Tensor};

use super::flat_tensor::FlatTensor;
use crate::randomness::Generator;
use crate::simd::sin_cos;

/// A fixed map from observations `[..., dimensions]` to features `[..., count]`.
///
/// The observation is scaled to about [-1, 1] by its space. With F frequencies, `sin(Bz)` and `cos(Bz)` follow the
/// scaled observation z, the entries of B drawn from Normal(0, bandwidth^2) once (Rahimi & Recht 2007; Tancik et
/// al. 2020). B is not trained.
#[derive(Debug)]
pub struct Features {
    centre: FlatTensor,
    half_width: FlatTensor,
    /// B, `[dimensions, frequencies]`.
    frequencies: Option<FlatTensor>,
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
            FlatTensor::new(&values, device)
        });
        Self {
            centre: FlatTensor::new(&centre, device),
            half_width: FlatTensor::new(&half_width, device),
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
            centre: self.centre.share(),
            half_width: self.half_width.share(),
            frequencies: self.frequencies.as_ref().map(FlatTensor::share),
        }
    }

    /// Numbers in an observation.
    pub fn dimensions(&self) -> usize {
        self.centre.count()
    }

    /// [`forward`](Self::forward) without libtorch, on the CPU: features of whole rows of `observations` to `out`.
    pub fn write(&self, observations: &[f32], out: &mut [f32]) {
        let frequencies = self.frequencies.as_ref().map_or(&[][..], FlatTensor::values);
        write(self.centre.values(), self.half_width.values(), frequencies, observations, out);
    }

    /// Number of features.
    pub fn count(&self) -> i64 {
        let frequencies = self.frequencies.as_ref().map_or(0, |b| b.count() / self.dimensions());
        (self.dimensions() + 2 * frequencies) as i64
    }

    /// Features of `observations`, `[..., dimensions]` to `[..., count]`.
    pub fn forward(&self, observations: &Tensor) -> Tensor {
        let z = (observations - self.centre.tensor()) / self.half_width.tensor();
        match self.frequency_matrix() {
            None => z,
            Some(frequencies) => {
                let angle = z.matmul(&frequencies);
                Tensor::cat(&[z, angle.sin(), angle.cos()], -1)
            }
        }
    }

    fn frequency_matrix(&self) -> Option<Tensor> {
        self.frequencies.as_ref().map(|b| b.tensor().view([self.dimensions() as i64, -1]))
    }

    /// The fixed tensors by name, sharing their memory.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, Tensor)> {
        let vectors =
            [("features.centre", &self.centre), ("features.half_width", &self.half_width)].into_iter();
        vectors
            .map(|(name, vector)| (name, vector.tensor().shallow_clone()))
            .chain(self.frequency_matrix().map(|frequencies| ("features.frequencies", frequencies)))
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
