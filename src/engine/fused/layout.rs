//! Where in the flat tensor everything lies.

use std::ops::Range;

use crate::network::QNetwork;

/// A linear layer with its dropout.
#[derive(Debug)]
pub struct LayerLayout {
    /// Number K of inputs.
    pub inputs: usize,
    /// Number of outputs.
    pub outputs: usize,
    /// The weight, `[outputs, inputs]`.
    pub weight: Range<usize>,
    /// The bias, `[outputs]`.
    pub bias: Option<Range<usize>>,
    /// The logit of p.
    pub p_logit: usize,
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
    pub fn of(network: &QNetwork) -> Self {
        let range = |name: &str| network.parameters().range(name);
        let layers = network.inputs().iter().enumerate().map_while(|(index, &inputs)| {
            let weight = range(&format!("layers.{index}.weight"))?;
            Some(LayerLayout {
                inputs,
                outputs: weight.len() / inputs,
                weight,
                bias: range(&format!("layers.{index}.bias")),
                p_logit: range(&format!("layers.{index}.p_logit"))?.start,
            })
        });
        Self {
            layers: layers.collect(),
            log_precision: range("log_precision").map_or(0, |range| range.start),
        }
    }
}
