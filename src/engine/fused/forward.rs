//! Passes through a network.

use faer::{Accum, MatMut, MatRef, Par, linalg::matmul::matmul};

use super::kernels::{Mask, rectify};
use super::layout::Layout;
use crate::network::{PassNoise, QNetwork};
use crate::simd::padded;

/// What the layers of a network were given and gave, for the passes and rows of the last call. Buffers only grow.
#[derive(Debug, Default)]
pub struct Activations {
    /// Input of each layer, masked but not yet scaled, `[passes * rows, inputs]` and padding; last the Q-values.
    pub inputs: Vec<Vec<f32>>,
    /// The masks, of the same shapes.
    pub keep: Vec<Vec<f32>>,
}

impl Activations {
    /// Passes of `network` at `observations` `[rows, dimensions]`: `[passes, rows, actions]`, or `[1, rows, actions]`
    /// without noise.
    pub fn forward(
        &mut self,
        network: &QNetwork,
        layout: &Layout,
        observations: &[f32],
        noise: Option<&PassNoise>,
    ) -> &[f32] {
        let rows = observations.len() / network.features().dimensions();
        let passes = noise.map_or(1, PassNoise::passes);
        debug_assert!(noise.is_none_or(|noise| noise.rows() == rows));
        self.inputs.resize_with(layout.layers.len() + 1, Vec::new);
        self.keep.resize_with(layout.layers.len(), Vec::new);

        let features = rows * layout.layers[0].inputs;
        grow(&mut self.inputs[0], passes * features);
        network.features().write(observations, &mut self.inputs[0][..features]);
        for pass in 1..passes {
            self.inputs[0].copy_within(..features, pass * features);
        }
        let parameters = network.parameters().values();
        for index in 0..layout.layers.len() {
            self.layer(index, layout, parameters, network.temperature(), passes * rows, noise);
        }
        let actions = layout.layers.last().map_or(0, |layer| layer.outputs);
        &self.inputs[layout.layers.len()][..passes * rows * actions]
    }

    fn layer(
        &mut self,
        index: usize,
        layout: &Layout,
        parameters: &[f32],
        temperature: f64,
        rows: usize,
        noise: Option<&PassNoise>,
    ) {
        let layer = &layout.layers[index];
        let [input, output, ..] = &mut self.inputs[index..] else { return };
        let count = rows * layer.inputs;
        let mut scale = 1.0;
        if let Some(noise) = noise {
            let keep = &mut self.keep[index];
            grow(keep, count);
            let blocks = padded(count);
            let logit = parameters[layer.p_logit];
            Mask::new(logit, temperature).apply(
                &mut input[..blocks],
                &mut keep[..blocks],
                noise.layer(index),
                index > 0,
            );
            // 1/(1-p)
            scale = 1.0 + logit.exp();
        } else if index > 0 {
            rectify(&mut input[..count]);
        }

        grow(output, rows * layer.outputs);
        let output = &mut output[..rows * layer.outputs];
        let accumulate = match &layer.bias {
            Some(bias) => {
                output
                    .chunks_exact_mut(layer.outputs)
                    .for_each(|row| row.copy_from_slice(&parameters[bias.clone()]));
                Accum::Add
            }
            None => Accum::Replace,
        };
        matmul(
            MatMut::from_row_major_slice_mut(output, rows, layer.outputs),
            accumulate,
            MatRef::from_row_major_slice(&input[..count], rows, layer.inputs),
            MatRef::from_row_major_slice(&parameters[layer.weight.clone()], layer.outputs, layer.inputs)
                .transpose(),
            scale,
            Par::Seq,
        );
    }
}

/// Makes room for `count` numbers and their padding.
pub fn grow(buffer: &mut Vec<f32>, count: usize) {
    if buffer.len() < padded(count) {
        buffer.resize(padded(count), 0.0);
    }
}
