//! Concrete Dropout in front of a linear layer.

use tch::{Tensor, nn};

use super::dropout::ConcreteDropout;
use super::groups::InitialDropout;
use super::regularizer::Regularizer;

/// A linear layer with Concrete Dropout in front: `W (x * keep / (1-p)) + b`.
#[derive(Debug)]
pub struct ConcreteLinear {
    /// The dropout of the input.
    pub dropout: ConcreteDropout,
    /// Weight W, `[outputs, inputs]`.
    pub weight: Tensor,
    /// Bias b, `[outputs]`, neither dropped nor regularised.
    pub bias: Option<Tensor>,
}

impl ConcreteLinear {
    /// A layer in a `tch` model, initialised as `nn::linear` does by default, its dropout starting at `initial`.
    pub fn new(path: &nn::Path, inputs: i64, outputs: i64, initial: InitialDropout) -> Self {
        let linear = nn::linear(path, inputs, outputs, nn::LinearConfig::default());
        Self { dropout: ConcreteDropout::new(path, &[inputs], initial), weight: linear.ws, bias: linear.bs }
    }

    /// Number K of inputs, the units that are dropped.
    pub fn inputs(&self) -> i64 {
        self.weight.size()[1]
    }

    /// One noisy pass. `x` is `[rows, inputs]`, `noise` standard logistic of that shape or `[1, inputs]`; the result
    /// is `[rows, outputs]`.
    pub fn forward(&self, x: &Tensor, noise: &Tensor) -> Tensor {
        self.dropout.apply(x, noise).linear(&self.weight, self.bias.as_ref())
    }

    /// The deterministic pass, every unit kept: `[rows, inputs]` to `[rows, outputs]`.
    pub fn forward_mean(&self, x: &Tensor) -> Tensor {
        x.linear(&self.weight, self.bias.as_ref())
    }

    /// Noise for one pass of `rows` rows: the shape to draw.
    pub fn noise_shape(&self, rows: i64) -> [i64; 2] {
        [rows, self.inputs()]
    }

    /// `||W_g||^2` of every group, `[groups]`, differentiable: of all weights, or of the column of each input.
    pub fn squared_norms(&self) -> Tensor {
        let squares = self.weight.square();
        match self.dropout.p_logit.numel() {
            1 => squares.sum(self.weight.kind()).view([1]),
            _ => squares.sum_dim_intlist(0, false, self.weight.kind()),
        }
    }

    /// Number `K_g` of masks in each group.
    pub fn masks_per_group(&self) -> f64 {
        self.inputs() as f64 / self.dropout.p_logit.numel() as f64
    }

    /// This layer's share of the KL per datum, weight and entropy term together; a differentiable scalar.
    pub fn regularization(&self, regularizer: &Regularizer) -> Tensor {
        regularizer.total(&self.squared_norms(), self.masks_per_group(), &self.dropout.p_logit)
    }
}
