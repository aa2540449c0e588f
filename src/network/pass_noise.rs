//! The noise of some passes through a network.

use tch::{Device, Tensor};

use crate::concrete::{LogisticNoise, logistic};
use crate::simd::padded;

/// Noise for every layer's mask in some passes over some rows: uniforms on (0, 1), drawn before the pass, so that a
/// mask is held by holding its noise.
///
/// Layer by layer in the order `[passes, rows, inputs]`, each layer's share padded to whole blocks of the vector kernels.
#[derive(Debug, Clone, Default)]
pub struct PassNoise {
    uniforms: Vec<f32>,
    passes: usize,
    rows: usize,
    inputs: Vec<usize>,
}

impl PassNoise {
    /// Draws anew, for a network whose layers have so many inputs.
    pub fn draw(&mut self, source: &mut LogisticNoise, inputs: &[usize], passes: usize, rows: usize) {
        self.inputs.clear();
        self.inputs.extend_from_slice(inputs);
        (self.passes, self.rows) = (passes, rows);
        let count = inputs.iter().map(|inputs| padded(passes * rows * inputs)).sum();
        // It only grows, since a learner step draws for many passes and for one in turns.
        if self.uniforms.len() < count {
            self.uniforms.resize(count, 0.0);
        }
        source.fill_uniforms(&mut self.uniforms[..count]);
    }

    /// Number of passes.
    pub fn passes(&self) -> usize {
        self.passes
    }

    /// Number of rows; 1 for noise that is shared by all rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The uniforms of a layer, `[passes, rows, inputs]` and padding.
    pub fn layer(&self, index: usize) -> &[f32] {
        let count = |inputs: &usize| padded(self.passes * self.rows * inputs);
        let start = self.inputs[..index].iter().map(count).sum::<usize>();
        &self.uniforms[start..][..count(&self.inputs[index])]
    }

    /// A layer's noise as standard logistic numbers, `[passes, rows, inputs]`.
    pub fn logistic(&self, index: usize, device: Device) -> Tensor {
        let shape = [self.passes, self.rows, self.inputs[index]];
        let uniforms = &self.layer(index)[..shape.iter().product()];
        logistic(uniforms, device).view(shape.map(|size| size as i64).as_slice())
    }

    /// The noise of one of the passes.
    #[cfg(test)]
    pub fn pass(&self, pass: usize) -> Self {
        let mut uniforms = Vec::new();
        for (index, inputs) in self.inputs.iter().enumerate() {
            let count = self.rows * inputs;
            let start = uniforms.len();
            uniforms.extend_from_slice(&self.layer(index)[pass * count..][..count]);
            uniforms.resize(start + padded(count), 0.5);
        }
        Self { uniforms, passes: 1, rows: self.rows, inputs: self.inputs.clone() }
    }
}
