//! Where in the flat tensor everything lies.

use std::ops::Range;

use crate::network::{MissingParameter, Parameter, QNetwork};
use crate::simd::row_stride;

/// A linear layer with its dropout.
#[derive(Debug)]
pub struct LayerLayout {
    /// Number K of inputs.
    pub inputs: usize,
    /// From one row of inputs to the next.
    pub input_stride: usize,
    /// Number of outputs.
    pub outputs: usize,
    /// From one row of outputs to the next.
    pub output_stride: usize,
    /// The weight, `[outputs, inputs]`.
    pub weight: Range<usize>,
    /// The bias, `[outputs]`.
    pub bias: Option<Range<usize>>,
    /// The logits of p, one for each dropout group.
    pub p_logits: Range<usize>,
}

impl LayerLayout {
    /// Number of masks in each dropout group.
    pub fn masks_per_group(&self) -> usize {
        self.inputs / self.p_logits.len()
    }

    /// What belongs to the inputs, added up to what belongs to the dropout groups.
    pub fn group_sums(&self, of_inputs: impl Iterator<Item = f64>, sums: &mut Vec<f64>) {
        let (mut of_inputs, masks) = (of_inputs, self.masks_per_group());
        sums.clear();
        sums.extend(self.p_logits.clone().map(|_| of_inputs.by_ref().take(masks).sum::<f64>()));
    }
}

/// A network's parameters.
#[derive(Debug)]
pub struct Layout {
    /// From input to output.
    pub layers: Vec<LayerLayout>,
    /// ln tau.
    pub log_precision: usize,
}

impl Layout {
    /// The layout of `network`, and of every other of its shape.
    pub fn of(network: &QNetwork) -> Result<Self, MissingParameter> {
        let parameters = network.parameters();
        let mut layers = Vec::new();
        for (index, &inputs) in network.masks().iter().enumerate() {
            let weight = parameters.range(Parameter::Weight(index))?;
            let outputs = weight.len() / inputs;
            let is_last = index + 1 == network.masks().len();
            layers.push(LayerLayout {
                inputs,
                input_stride: row_stride(inputs),
                outputs,
                // The Q-values go to others, without gaps.
                output_stride: if is_last { outputs } else { row_stride(outputs) },
                weight,
                bias: parameters.range(Parameter::Bias(index)).ok(),
                p_logits: parameters.range(Parameter::DropoutLogit(index))?,
            });
        }
        Ok(Self { layers, log_precision: parameters.range(Parameter::LogPrecision)?.start })
    }
}
