//! Passes through a network.

use faer::{Accum, Par, linalg::matmul::matmul};

use super::columns::Columns;
use super::kernels::{Power, apply_mask, rectify};
use super::layout::Layout;
use super::matrix::{view, view_mut};
use crate::network::{PassNoise, QNetwork};

/// What the layers of a network were given and gave, for the passes and rows of the last call. Buffers only grow.
#[derive(Debug, Default)]
pub struct Activations {
    /// Input of each layer, masked and scaled, `[passes * rows, input_stride]`, 0 in the padding; last the Q-values.
    pub inputs: Vec<Vec<f32>>,
    /// The masks, of the same shapes.
    pub keep: Vec<Vec<f32>>,
    /// What the masks depended on.
    pub columns: Vec<Columns>,
}

impl Activations {
    /// Passes of `network` at observations `[rows, dimensions]`: `[passes, rows, actions]`, or `[1, rows, actions]`
    /// without noise.
    pub fn forward(
        &mut self,
        network: &QNetwork,
        layout: &Layout,
        observations: &[f32],
        noise: Option<&PassNoise>,
    ) -> &[f32] {
        let rows = observations.len() / network.dimensions();
        let passes = noise.map_or(1, PassNoise::passes);
        debug_assert!(noise.is_none_or(|noise| noise.rows() == rows));
        self.inputs.resize_with(layout.layers.len() + 1, Vec::new);
        self.keep.resize_with(layout.layers.len(), Vec::new);
        self.columns.resize_with(layout.layers.len(), Columns::default);

        let stride = layout.layers[0].input_stride;
        let features = rows * stride;
        grow(&mut self.inputs[0], passes * features);
        network.features().write(observations, stride, &mut self.inputs[0][..features]);
        for pass in 1..passes {
            self.inputs[0].copy_within(..features, pass * features);
        }
        let parameters = network.parameters().values();
        for index in 0..layout.layers.len() {
            self.layer(index, layout, parameters, network.temperature(), passes * rows, noise);
        }
        &self.inputs[layout.layers.len()][..passes * rows * network.actions()]
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
        let count = rows * layer.input_stride;
        let input = &mut input[..count];
        if let Some(noise) = noise {
            let (keep, columns) = (&mut self.keep[index], &mut self.columns[index]);
            grow(keep, count);
            columns.set(layer, parameters, temperature);
            let floor = if index > 0 { 0.0 } else { f32::NEG_INFINITY };
            let power = Power::of(temperature);
            apply_mask(columns, power, input, &mut keep[..count], noise.layer(index), floor);
        } else if index > 0 {
            rectify(input);
        }

        grow(output, rows * layer.output_stride);
        let output = &mut output[..rows * layer.output_stride];
        let accumulate = match &layer.bias {
            Some(bias) => {
                output
                    .chunks_exact_mut(layer.output_stride)
                    .for_each(|row| row[..layer.outputs].copy_from_slice(&parameters[bias.clone()]));
                Accum::Add
            }
            None => Accum::Replace,
        };
        matmul(
            view_mut(output, rows, layer.outputs, layer.output_stride),
            accumulate,
            view(input, rows, layer.inputs, layer.input_stride),
            view(&parameters[layer.weight.clone()], layer.outputs, layer.inputs, layer.inputs).transpose(),
            1.0,
            Par::Seq,
        );
    }
}

/// Makes room for `count` numbers.
pub fn grow(buffer: &mut Vec<f32>, count: usize) {
    if buffer.len() < count {
        buffer.resize(count, 0.0);
    }
}
