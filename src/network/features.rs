//! What the first layer sees: the scaled observation, and fixed random Fourier features of it.

use control_envs::BoxSpace;
use rand_distr::{Distribution, StandardNormal};
use tch::{Device, Tensor};

use super::parameters::{Fill, Initial, MissingParameter, Parameter, Parameters};
use crate::randomness::Generator;
use crate::simd::sin_cos;

/// A fixed map from observations `[..., dimensions]` to features `[..., count]`.
///
/// The observation is scaled to about [-1, 1] by its space. With F frequencies, `sin(Bz)` and `cos(Bz)` follow the
/// scaled observation z, the entries of B drawn from Normal(0, bandwidth^2) once (Rahimi & Recht 2007; Tancik et
/// al. 2020). B is not trained.
#[derive(Debug)]
pub struct Features {
    /// Centre and half width, `[dimensions]` each, then B, `[dimensions, frequencies]`, if there are any.
    parameters: Parameters,
    /// Centre and half width once more, on the CPU.
    scale: [Vec<f32>; 2],
    /// The same as tensors that share their memory.
    centre: Tensor,
    half_width: Tensor,
    frequencies: Option<Tensor>,
}

/// How observations are scaled to about [-1, 1].
#[derive(Debug, Clone, Copy)]
pub struct Scaling<'a> {
    centre: &'a [f32],
    half_width: &'a [f32],
}

impl Scaling<'_> {
    /// Numbers in an observation.
    pub fn dimensions(&self) -> usize {
        self.centre.len()
    }

    /// A number of an observation, scaled.
    pub fn scaled(&self, observation: &[f32], dimension: usize) -> f32 {
        (observation[dimension] - self.centre[dimension]) / self.half_width[dimension]
    }

    /// The number that is `scaled` when it is scaled.
    pub fn unscaled(&self, scaled: f32, dimension: usize) -> f32 {
        scaled * self.half_width[dimension] + self.centre[dimension]
    }
}

impl Features {
    /// Features of `space`, with `frequencies` random ones of standard deviation `bandwidth`, in radians per scaled
    /// unit.
    ///
    /// # Errors
    /// None that can occur: the parameters that are looked up were placed just before.
    pub fn new(
        space: &BoxSpace,
        frequencies: usize,
        bandwidth: f64,
        generator: &mut Generator,
        device: Device,
    ) -> Result<Self, MissingParameter> {
        let dimensions = space.len();
        let scale: (Vec<f32>, Vec<f32>) = space.dimensions.iter().map(|d| d.scale()).unzip();
        let vector = |parameter, values| Initial { parameter, shape: vec![dimensions as i64], values };
        let mut initial =
            vec![vector(Parameter::Centre, scale.0.clone()), vector(Parameter::HalfWidth, scale.1.clone())];
        if frequencies > 0 {
            initial.push(Initial {
                parameter: Parameter::Frequencies,
                shape: vec![dimensions as i64, frequencies as i64],
                values: normal(bandwidth).sample_iter(generator).take(dimensions * frequencies).collect(),
            });
        }
        let parameters = Parameters::new(&initial, false, device);
        let view = |parameter| parameters.view(parameter).map(Tensor::shallow_clone);
        Ok(Self {
            centre: view(Parameter::Centre)?,
            half_width: view(Parameter::HalfWidth)?,
            frequencies: view(Parameter::Frequencies).ok(),
            scale: [scale.0, scale.1],
            parameters,
        })
    }

    /// The bandwidth for `inputs` inputs where none is given: pi over the number of inputs, of which at most 4 count.
    /// With more inputs the same frequencies make a function that wiggles more; the figures are those that were
    /// measured to work on MountainCar (2 inputs), CartPole (4) and Acrobot (6).
    pub fn bandwidth_for(inputs: usize) -> f64 {
        std::f64::consts::PI / inputs.clamp(1, 4) as f64
    }

    /// Numbers in an observation.
    pub fn dimensions(&self) -> usize {
        self.scale[0].len()
    }

    /// Number of features.
    pub fn count(&self) -> usize {
        let frequencies = self.frequencies.as_ref().map_or(0, |matrix| matrix.size()[1] as usize);
        self.dimensions() + 2 * frequencies
    }

    /// The fixed numbers.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Lets `fill` write the fixed numbers.
    ///
    /// # Errors
    /// The first that `fill` returns.
    pub fn restore<E>(&mut self, fill: &mut Fill<'_, E>) -> Result<(), E> {
        let Self { parameters, scale: [centre, half_width], .. } = self;
        parameters.restore("", &mut |name, shape, values| {
            fill(name, shape, values)?;
            for (parameter, kept) in
                [(Parameter::Centre, &mut *centre), (Parameter::HalfWidth, &mut *half_width)]
            {
                if parameter.to_string() == name {
                    kept.copy_from_slice(values);
                }
            }
            Ok(())
        })
    }

    /// How observations are scaled.
    pub fn scaling(&self) -> Scaling<'_> {
        let [centre, half_width] = &self.scale;
        Scaling { centre, half_width }
    }

    /// Makes `centre` and `half_width` what a dimension is scaled by.
    pub fn scale_dimension(&mut self, dimension: usize, centre: f32, half_width: f32) {
        let half_widths = self.dimensions();
        (self.scale[0][dimension], self.scale[1][dimension]) = (centre, half_width);
        let flat = self.parameters.flat_mut();
        flat.set(dimension, centre);
        flat.set(half_widths + dimension, half_width);
    }

    /// [`forward`](Self::forward) without libtorch, on the CPU: features of whole rows of `observations` to rows of
    /// `out`, from one of which to the next it is `stride` numbers.
    pub fn write(&self, observations: &[f32], stride: usize, out: &mut [f32]) {
        let (scale, frequencies) = self.parameters.values().split_at(2 * self.dimensions());
        let (centre, half_width) = scale.split_at(self.dimensions());
        write(centre, half_width, frequencies, observations, stride, out);
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
}

#[pulp::with_simd(write = pulp::Arch::new())]
#[inline(always)]
fn write_with_simd<'a, S: pulp::Simd>(
    _: S,
    centre: &'a [f32],
    half_width: &'a [f32],
    frequencies: &'a [f32],
    observations: &'a [f32],
    stride: usize,
    out: &'a mut [f32],
) {
    let (dimensions, count) = (centre.len(), frequencies.len() / centre.len());
    let rows = observations.chunks_exact(dimensions).zip(out.chunks_exact_mut(stride));
    for (observation, out) in rows {
        let (z, waves) = out.split_at_mut(dimensions);
        let (sines, cosines) = waves[..2 * count].split_at_mut(count);
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
