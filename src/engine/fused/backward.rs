//! The gradient of the objective, from the last layer to the first.

use faer::{Accum, Par, linalg::matmul::matmul};

use super::forward::{Activations, grow};
use super::kernels::{add_columns, mask_gradient, regularize_weight, sensitivity_gradient};
use super::layout::{LayerLayout, Layout};
use super::matrix::{view, view_mut};
use crate::concrete::Regularizer;

/// Room for the gradients with respect to a layer's output and its input, and for sums over columns and groups.
#[derive(Debug, Default)]
pub struct Buffers {
    output: Vec<f32>,
    input: Vec<f32>,
    columns: [Vec<f32>; 2],
    groups: Vec<f64>,
}

impl Buffers {
    /// Room for the gradient with respect to the Q-values, `count` numbers, all 0.
    pub fn q_gradient(&mut self, count: usize) -> &mut [f32] {
        grow(&mut self.output, count);
        self.output[..count].fill(0.0);
        &mut self.output[..count]
    }

    /// Writes the gradient of the data term with respect to all weights, biases and p logits, from that with respect to
    /// the Q-values of the first of the last passes. For the logits that of each row counts with a weight.
    pub fn data_term(
        &mut self,
        layout: &Layout,
        parameters: &[f32],
        temperature: f64,
        activations: &Activations,
        row_weights: &[f32],
        gradient: &mut [f32],
    ) {
        let rows = row_weights.len();
        for (index, layer) in layout.layers.iter().enumerate().rev() {
            let count = rows * layer.input_stride;
            let masked = &activations.inputs[index][..count];
            let upstream = &self.output[..rows * layer.output_stride];
            matmul(
                view_mut(&mut gradient[layer.weight.clone()], layer.outputs, layer.inputs, layer.inputs),
                Accum::Replace,
                view(upstream, rows, layer.outputs, layer.output_stride).transpose(),
                view(masked, rows, layer.inputs, layer.input_stride),
                1.0,
                Par::Seq,
            );
            if let Some(bias) = &layer.bias {
                let gradient = &mut gradient[bias.clone()];
                gradient.fill(0.0);
                for row in upstream.chunks_exact(layer.output_stride) {
                    add_columns(gradient, &row[..layer.outputs]);
                }
            }

            self.through_weight(layer, parameters, rows);
            let (keep, columns) = (&activations.keep[index][..count], &activations.columns[index]);
            let [products, dropped] = self.columns.each_mut().map(|sums| zeros(sums, layer.input_stride));
            let scale = &columns.scale;
            let g = &mut self.input[..count];
            mask_gradient(g, masked, keep, scale, row_weights, (&mut *products, &mut *dropped));
            let inverse = 1.0 / temperature;
            // The input is x keep / (1-p): the logit moves ln(1/(1-p)) by p, and ln keep by -(1 - keep) / t.
            let of_inputs = (0..layer.inputs).map(|input| {
                let p = f64::from(columns.odds[input] / columns.scale[input]);
                p * f64::from(products[input]) - inverse * f64::from(dropped[input])
            });
            layer.group_sums(of_inputs, &mut self.groups);
            let logits = gradient[layer.p_logits.clone()].iter_mut();
            logits.zip(&self.groups).for_each(|(gradient, sum)| *gradient = *sum as f32);
            std::mem::swap(&mut self.output, &mut self.input);
        }
    }

    /// The gradient with respect to a layer's input from that with respect to its output.
    fn through_weight(&mut self, layer: &LayerLayout, parameters: &[f32], rows: usize) {
        let count = rows * layer.input_stride;
        grow(&mut self.input, count);
        let upstream = &self.output[..rows * layer.output_stride];
        matmul(
            view_mut(&mut self.input[..count], rows, layer.inputs, layer.input_stride),
            Accum::Replace,
            view(upstream, rows, layer.outputs, layer.output_stride),
            view(&parameters[layer.weight.clone()], layer.outputs, layer.inputs, layer.inputs),
            1.0,
            Par::Seq,
        );
    }

    /// The sum over the rows of `(x_k dQ/dx_k)^2`, added up over the masks of each dropout group of each layer, from the
    /// gradient with respect to the Q-values of the last mean pass.
    pub fn sensitivity(
        &mut self,
        layout: &Layout,
        parameters: &[f32],
        activations: &Activations,
        rows: usize,
    ) -> Vec<Vec<f64>> {
        let mut all = Vec::new();
        for (index, layer) in layout.layers.iter().enumerate().rev() {
            let count = rows * layer.input_stride;
            self.through_weight(layer, parameters, rows);
            let squares = zeros(&mut self.columns[0], layer.input_stride);
            sensitivity_gradient(&mut self.input[..count], &activations.inputs[index][..count], squares);
            let mut groups = Vec::new();
            layer.group_sums(squares.iter().map(|&square| f64::from(square)), &mut groups);
            all.push(groups);
            std::mem::swap(&mut self.output, &mut self.input);
        }
        all.reverse();
        all
    }

    /// Adds the gradient of the weight and the entropy term. Returns the two.
    pub fn regularize(
        &mut self,
        layout: &Layout,
        parameters: &[f32],
        regularizer: &Regularizer,
        gradient: &mut [f32],
    ) -> (f64, f64) {
        let (mut weight_term, mut entropy_term) = (0.0, 0.0);
        let coefficient = regularizer.weight_coefficient();
        for layer in &layout.layers {
            let (weight, logits) = (&parameters[layer.weight.clone()], &parameters[layer.p_logits.clone()]);
            let masks = layer.masks_per_group();
            let [factors, squares] = self.columns.each_mut().map(|sums| zeros(sums, layer.inputs));
            for (factors, logit) in factors.chunks_exact_mut(masks).zip(logits) {
                // d/dW of ||W||^2 / (1-p)
                factors.fill((2.0 * coefficient * (1.0 + f64::from(*logit).exp())) as f32);
            }
            regularize_weight(&mut gradient[layer.weight.clone()], weight, factors, squares);
            layer.group_sums(squares.iter().map(|&square| f64::from(square)), &mut self.groups);
            let of_logits = gradient[layer.p_logits.clone()].iter_mut().zip(logits);
            for ((gradient, &logit), &squared_norm) in of_logits.zip(&self.groups) {
                let weight = regularizer.weight_term_at(squared_norm, f64::from(logit));
                let entropy = regularizer.entropy_term_at(masks as f64, f64::from(logit));
                *gradient += (weight.derivative + entropy.derivative) as f32;
                weight_term += weight.value;
                entropy_term += entropy.value;
            }
        }
        (weight_term, entropy_term)
    }
}

/// As many zeros as asked for, in a buffer that is kept.
fn zeros(buffer: &mut Vec<f32>, count: usize) -> &mut [f32] {
    buffer.clear();
    buffer.resize(count, 0.0);
    buffer
}
