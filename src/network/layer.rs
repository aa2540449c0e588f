//! A layer of a Q-network: its shape, and with parameters.

use tch::Tensor;

use super::parameters::{MissingParameter, Parameter, Parameters};
#[cfg(test)]
use crate::concrete::Regularizer;
use crate::concrete::{
    ConcreteConv2d, ConcreteDropout, ConcreteLinear, ConvShape, DropoutGroups, InitialDropout,
};

/// What a layer is before it has parameters. What goes in and comes out of one is flat: an image goes channel by channel,
/// row by row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayerShape {
    /// A linear layer.
    Linear {
        /// Units that go in.
        inputs: i64,
        /// Units that come out.
        outputs: i64,
    },
    /// A convolution.
    Conv(ConvShape),
}

impl LayerShape {
    /// Shape of the weight.
    pub fn weight(&self) -> Vec<i64> {
        match self {
            Self::Linear { inputs, outputs } => vec![*outputs, *inputs],
            Self::Conv(shape) => shape.weight().to_vec(),
        }
    }

    /// Units that come out.
    pub fn outputs(&self) -> i64 {
        match self {
            Self::Linear { outputs, .. } => *outputs,
            Self::Conv(shape) => shape.output().iter().product(),
        }
    }

    /// K: masks for one input.
    pub fn masks(&self) -> i64 {
        match self {
            Self::Linear { inputs, .. } => *inputs,
            Self::Conv(shape) => shape.masks(),
        }
    }
}

/// A layer with Concrete Dropout in front.
#[derive(Debug)]
pub enum Layer {
    /// A linear layer.
    Linear(ConcreteLinear),
    /// A convolution.
    Conv(ConcreteConv2d),
}

impl Layer {
    /// The layer of this shape and number whose parameters are views into `parameters`.
    pub(super) fn assemble(
        shape: LayerShape,
        index: usize,
        parameters: &Parameters,
        initial: InitialDropout,
    ) -> Result<Self, MissingParameter> {
        let view =
            |parameter: fn(usize) -> Parameter| parameters.view(parameter(index)).map(Tensor::shallow_clone);
        let (weight, bias) = (view(Parameter::Weight)?, view(Parameter::Bias).ok());
        let p_logit = view(Parameter::DropoutLogit)?;
        Ok(match shape {
            LayerShape::Linear { .. } => {
                let dropout = ConcreteDropout::from_logit(p_logit, initial.temperature);
                Self::Linear(ConcreteLinear { dropout, weight, bias })
            }
            LayerShape::Conv(shape) => {
                let p_logit = match initial.groups {
                    DropoutGroups::Layer => p_logit,
                    DropoutGroups::Unit => p_logit.view(shape.mask_shape()),
                };
                let dropout = ConcreteDropout::from_logit(p_logit, initial.temperature);
                Self::Conv(ConcreteConv2d { dropout, weight, bias, shape })
            }
        })
    }

    /// Its shape.
    pub fn shape(&self) -> LayerShape {
        match self {
            Self::Linear(layer) => {
                LayerShape::Linear { inputs: layer.inputs(), outputs: layer.weight.size()[0] }
            }
            Self::Conv(layer) => LayerShape::Conv(layer.shape),
        }
    }

    /// The dropout in front.
    pub fn dropout(&self) -> &ConcreteDropout {
        match self {
            Self::Linear(layer) => &layer.dropout,
            Self::Conv(layer) => &layer.dropout,
        }
    }

    /// The dropout in front, to be changed.
    pub(super) fn dropout_mut(&mut self) -> &mut ConcreteDropout {
        match self {
            Self::Linear(layer) => &mut layer.dropout,
            Self::Conv(layer) => &mut layer.dropout,
        }
    }

    /// `||W_g||^2` of every dropout group, `[groups]`, differentiable.
    pub fn squared_norms(&self) -> Tensor {
        match self {
            Self::Linear(layer) => layer.squared_norms(),
            Self::Conv(layer) => layer.squared_norms(),
        }
    }

    /// Number of masks in each dropout group.
    pub fn masks_per_group(&self) -> f64 {
        match self {
            Self::Linear(layer) => layer.masks_per_group(),
            Self::Conv(layer) => layer.masks_per_group(),
        }
    }

    /// Number K of masks.
    pub fn masks(&self) -> i64 {
        match self {
            Self::Linear(layer) => layer.inputs(),
            Self::Conv(layer) => layer.masks(),
        }
    }

    /// One noisy pass, `[..., inputs]` to `[..., outputs]`, `noise` standard logistic, `[..., masks]`.
    pub fn forward(&self, x: &Tensor, noise: &Tensor) -> Tensor {
        match self {
            Self::Linear(layer) => layer.forward(x, noise),
            Self::Conv(layer) => {
                let noise = noise.unflatten(-1, layer.shape.mask_shape());
                layer.forward(&image(x, layer), &noise).flatten(-3, -1)
            }
        }
    }

    /// The deterministic pass, every unit kept: `[..., inputs]` to `[..., outputs]`.
    pub fn forward_mean(&self, x: &Tensor) -> Tensor {
        match self {
            Self::Linear(layer) => layer.forward_mean(x),
            Self::Conv(layer) => layer.forward_mean(&image(x, layer)).flatten(-3, -1),
        }
    }

    /// The deterministic pass of an input multiplied by a mask `[..., masks]`: `[..., inputs]` to `[..., outputs]`.
    pub fn forward_masked(&self, x: &Tensor, mask: &Tensor) -> Tensor {
        match self {
            Self::Linear(layer) => layer.forward_mean(&(x * mask)),
            Self::Conv(layer) => {
                let mask = mask.unflatten(-1, layer.shape.mask_shape());
                layer.forward_mean(&(image(x, layer) * mask)).flatten(-3, -1)
            }
        }
    }

    /// This layer's share of the KL per datum; a differentiable scalar.
    #[cfg(test)]
    pub fn regularization(&self, regularizer: &Regularizer) -> Tensor {
        match self {
            Self::Linear(layer) => layer.regularization(regularizer),
            Self::Conv(layer) => layer.regularization(regularizer),
        }
    }
}

fn image(x: &Tensor, layer: &ConcreteConv2d) -> Tensor {
    x.unflatten(-1, layer.shape.input)
}
