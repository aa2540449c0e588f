//! The noise of some passes through a network.

use tch::{Device, Tensor};

use crate::concrete::{LogisticNoise, logistic};
use crate::simd::row_stride;

/// Noise for every layer's mask in some passes over some rows: uniforms on (0, 1), drawn before the pass, so that a
/// mask is held by holding its noise.
///
/// Layer by layer in the order `[passes, rows, masks]`, each row padded to the stride of the vector kernels.
#[derive(Debug, Clone, Default)]
pub struct PassNoise {
    uniforms: Vec<f32>,
    passes: usize,
    rows: usize,
    masks: Vec<usize>,
}

impl PassNoise {
    /// Draws anew, for a network whose layers have `masks` masks.
    pub fn draw(&mut self, source: &mut LogisticNoise, masks: &[usize], passes: usize, rows: usize) {
        self.masks.clear();
        self.masks.extend_from_slice(masks);
        (self.passes, self.rows) = (passes, rows);
        let count = passes * rows * masks.iter().map(|&masks| row_stride(masks)).sum::<usize>();
        // It only grows, since a learner step draws for many passes and for one in turns.
        if self.uniforms.len() < count {
            self.uniforms.resize(count, 0.0);
        }
        source.fill_uniforms(&mut self.uniforms[..count]);
    }

    /// Becomes the noise of one pass, whose rows are those of `each`, all of one pass and one row of the same network.
    pub fn stack<'a>(&mut self, each: impl ExactSizeIterator<Item = &'a Self> + Clone) {
        (self.passes, self.rows) = (1, each.len());
        self.uniforms.clear();
        self.masks.clear();
        self.masks.extend(each.clone().next().iter().flat_map(|first| &first.masks));
        for layer in 0..self.masks.len() {
            each.clone().for_each(|noise| self.uniforms.extend_from_slice(noise.layer(layer)));
        }
    }

    /// Number of passes.
    pub fn passes(&self) -> usize {
        self.passes
    }

    /// Number of rows; 1 for noise that is shared by all rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The uniforms of a layer, `[passes, rows, row_stride(masks)]`.
    pub fn layer(&self, index: usize) -> &[f32] {
        let count = |masks: &usize| self.passes * self.rows * row_stride(*masks);
        let start = self.masks[..index].iter().map(count).sum::<usize>();
        &self.uniforms[start..][..count(&self.masks[index])]
    }

    /// The uniforms of a row in one of the passes, layer by layer, and nothing between them.
    pub fn row(&self, pass: usize, row: usize) -> impl Iterator<Item = f32> + '_ {
        let of_layer = move |(index, &masks): (usize, &usize)| {
            let start = (pass * self.rows + row) * row_stride(masks);
            self.layer(index)[start..start + masks].iter().copied()
        };
        self.masks.iter().enumerate().flat_map(of_layer)
    }

    /// A layer's noise as standard logistic numbers, `[passes, rows, masks]`.
    pub fn logistic(&self, index: usize, device: Device) -> Tensor {
        let (masks, stride) = (self.masks[index], row_stride(self.masks[index]));
        let shape = [self.passes, self.rows, stride].map(|size| size as i64);
        let rows = logistic(Tensor::from_slice(self.layer(index)).to_device(device)).view(shape);
        if masks == stride { rows } else { rows.narrow(2, 0, masks as i64) }
    }

    /// The noise of one of the passes.
    pub fn pass(&self, pass: usize) -> Self {
        let mut uniforms = Vec::with_capacity(self.uniforms.len() / self.passes);
        for index in 0..self.masks.len() {
            let noise = self.layer(index);
            let count = noise.len() / self.passes;
            uniforms.extend_from_slice(&noise[pass * count..][..count]);
        }
        Self { uniforms, passes: 1, rows: self.rows, masks: self.masks.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::randomness::{Stream, generator};

    #[test]
    fn rows_that_are_stacked_are_those_of_each() {
        let mut source = LogisticNoise::new(generator(1, Stream::Noise));
        let each: Vec<PassNoise> = (0..3)
            .map(|_| {
                let mut noise = PassNoise::default();
                noise.draw(&mut source, &[5, 19], 1, 1);
                noise
            })
            .collect();
        let mut all = PassNoise::default();
        // Over what was there before.
        all.draw(&mut source, &[40], 2, 7);
        all.stack(each.iter());
        assert_eq!((all.passes(), all.rows()), (1, 3));
        for (row, noise) in each.iter().enumerate() {
            assert!(all.row(0, row).eq(noise.row(0, 0)), "row {row}");
        }
    }
}
