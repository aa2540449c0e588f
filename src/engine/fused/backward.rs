//! The gradient of the objective, from the last layer to the first.

use faer::{Accum, MatMut, MatRef, Par, linalg::matmul::matmul};

use super::forward::{Activations, grow};
use super::kernels::{add_scaled, mask_gradient, squared_norm};
use super::layout::Layout;
use crate::concrete::{Regularizer, sigmoid};

/// Room for the gradients with respect to a layer's output and its input.
#[derive(Debug, Default)]
pub struct Buffers {
    output: Vec<f32>,
    input: Vec<f32>,
}

impl Buffers {
    /// Room for the gradient with respect to the Q-values, `count` numbers, all 0.
    pub fn q_gradient(&mut self, count: usize) -> &mut [f32] {
        grow(&mut self.output, count);
        self.output[..count].fill(0.0);
        &mut self.output[..count]
    }

    /// Writes the gradient of the data term with respect to all weights, biases and p logits, from that with respect to
    /// the Q-values of the last pass.
    pub fn data_term(
        &mut self,
        layout: &Layout,
        parameters: &[f32],
        temperature: f64,
        activations: &Activations,
        rows: usize,
        gradient: &mut [f32],
    ) {
        for (index, layer) in layout.layers.iter().enumerate().rev() {
            let (inputs, outputs) = (layer.inputs, layer.outputs);
            // 1/(1-p)
            let scale = 1.0 + parameters[layer.p_logit].exp();
            let masked = &activations.inputs[index];
            let upstream = MatRef::from_row_major_slice(&self.output[..rows * outputs], rows, outputs);
            matmul(
                MatMut::from_row_major_slice_mut(&mut gradient[layer.weight.clone()], outputs, inputs),
                Accum::Replace,
                upstream.transpose(),
                MatRef::from_row_major_slice(&masked[..rows * inputs], rows, inputs),
                scale,
                Par::Seq,
            );
            if let Some(bias) = &layer.bias {
                let gradient = &mut gradient[bias.clone()];
                gradient.fill(0.0);
                for row in self.output[..rows * outputs].chunks_exact(outputs) {
                    add_scaled(gradient, row, 1.0);
                }
            }

            let count = rows * inputs;
            grow(&mut self.input, count);
            matmul(
                MatMut::from_row_major_slice_mut(&mut self.input[..count], rows, inputs),
                Accum::Replace,
                upstream,
                MatRef::from_row_major_slice(&parameters[layer.weight.clone()], outputs, inputs),
                1.0,
                Par::Seq,
            );
            let blocks = count.next_multiple_of(crate::simd::BLOCK);
            self.input[count..blocks].fill(0.0);
            let (product, dropped) = mask_gradient(
                &mut self.input[..blocks],
                &masked[..blocks],
                &activations.keep[index][..blocks],
                scale,
            );
            // The output is scale * W (x keep): the logit moves scale by e^logit = scale - 1, and keep by
            // -keep (1 - keep) / t.
            let scale = f64::from(scale);
            gradient[layer.p_logit] = ((scale - 1.0) * product - scale / temperature * dropped) as f32;
            std::mem::swap(&mut self.output, &mut self.input);
        }
    }
}

/// Adds the gradient of the weight and the entropy term. Returns the two.
pub fn regularize(
    layout: &Layout,
    parameters: &[f32],
    regularizer: &Regularizer,
    gradient: &mut [f32],
) -> (f64, f64) {
    let (mut weight_term, mut entropy_term) = (0.0, 0.0);
    for layer in &layout.layers {
        let logit = f64::from(parameters[layer.p_logit]);
        let weight = &parameters[layer.weight.clone()];
        let (coefficient, odds) = (regularizer.weight_coefficient(), logit.exp());
        // 1/(1-p) = 1 + odds
        add_scaled(&mut gradient[layer.weight.clone()], weight, (2.0 * coefficient * (1.0 + odds)) as f32);
        let squared_norm = squared_norm(weight);
        weight_term += coefficient * squared_norm * (1.0 + odds);

        let (p, units) = (sigmoid(logit), regularizer.dropout_coefficient() * layer.inputs as f64);
        // H = softplus(logit) - p logit, stable at both ends; dH/dlogit = -logit p (1 - p).
        let entropy = logit.max(0.0) + (-logit.abs()).exp().ln_1p() - p * logit;
        entropy_term -= units * entropy;
        let logit_gradient = coefficient * squared_norm * odds + units * logit * p * (1.0 - p);
        gradient[layer.p_logit] += logit_gradient as f32;
    }
    (weight_term, entropy_term)
}
