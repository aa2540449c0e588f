//! All parameters of a network in one flat tensor.

use std::ops::Range;

use tch::{Device, Kind, Tensor};

use super::memory;

/// One parameter before it is placed: its name, shape and initial values in row-major order.
#[derive(Debug, Clone)]
pub struct Initial {
    /// Name, unique in the network, such as `layers.0.weight`.
    pub name: String,
    /// Shape.
    pub shape: Vec<i64>,
    /// As many values as the shape has elements.
    pub values: Vec<f32>,
}

/// Named parameters, each a view into one flat f32 tensor.
///
/// The flat tensor's memory is also that of the kernels that compute without libtorch ([`Parameters::values`]).
///
/// An optimiser step is then a handful of operations over one tensor, a target update is one `lerp_`, and a checkpoint
/// is one tensor and a table of names.
#[derive(Debug)]
pub struct Parameters {
    flat: Tensor,
    names: Vec<String>,
    views: Vec<Tensor>,
}

impl Parameters {
    /// Places the parameters one after the other. The views require gradients if `trainable`.
    pub fn new(initial: &[Initial], trainable: bool, device: Device) -> Self {
        let values: Vec<f32> = initial.iter().flat_map(|parameter| &parameter.values).copied().collect();
        let flat = Tensor::from_slice(&values).to_device(device);
        let mut offset = 0;
        let views = initial
            .iter()
            .map(|parameter| {
                let count: i64 = parameter.shape.iter().product();
                let view = flat.narrow(0, offset, count).view(parameter.shape.as_slice()).detach();
                offset += count;
                // A detached view is a leaf that shares the flat tensor's memory: it sees every update.
                if trainable { view.set_requires_grad(true) } else { view }
            })
            .collect();
        Self { flat, names: initial.iter().map(|parameter| parameter.name.clone()).collect(), views }
    }

    /// The flat tensor, `[count]`.
    pub fn flat(&self) -> &Tensor {
        &self.flat
    }

    /// The flat tensor, to be changed in place: every view sees it.
    pub fn flat_mut(&mut self) -> &mut Tensor {
        &mut self.flat
    }

    /// The flat tensor's values, which must be on the CPU.
    pub fn values(&self) -> &[f32] {
        memory::values(&self.flat)
    }

    /// The same, to be changed in place: every view sees it.
    pub fn values_mut(&mut self) -> &mut [f32] {
        memory::values_mut(&mut self.flat)
    }

    /// Number of scalars.
    pub fn count(&self) -> i64 {
        self.flat.numel() as i64
    }

    /// The parameters by name, in the flat tensor's order.
    pub fn named(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.names.iter().map(String::as_str).zip(&self.views)
    }

    /// The parameter of this name.
    pub fn view(&self, name: &str) -> Option<&Tensor> {
        self.named().find(|(known, _)| *known == name).map(|(_, view)| view)
    }

    /// Where in the flat tensor the parameter of this name lies.
    pub fn range(&self, name: &str) -> Option<Range<usize>> {
        let mut start = 0;
        self.named().find_map(|(known, view)| {
            let range = start..start + view.numel();
            start = range.end;
            (known == name).then_some(range)
        })
    }

    /// The gradient of a scalar loss with respect to the flat tensor; zero where the loss does not depend on it.
    pub fn gradient(&self, loss: &Tensor) -> Tensor {
        let gradients: Vec<Tensor> =
            Tensor::run_backward(&[loss], &self.views, false, false)
                .into_iter()
                .zip(&self.views)
                .map(|(gradient, view)| {
                    if gradient.defined() { gradient.reshape([-1]) } else { view.zeros_like().reshape([-1]) }
                })
                .collect();
        Tensor::cat(&gradients, 0)
    }

    /// `self <- self + weight (source - self)`: a target network's update; weight 1 copies.
    pub fn lerp(&mut self, source: &Parameters, weight: f64) {
        if weight == 1.0 {
            self.flat.copy_(&source.flat)
        } else {
            drop(self.flat.lerp_(&source.flat, weight))
        }
    }

    /// A tensor that is a constant for every element of a parameter, chosen by the parameter's name: `[count]`.
    pub fn constant_by_name(&self, value: impl Fn(&str) -> f32) -> Tensor {
        let values: Vec<Tensor> = self
            .named()
            .map(|(name, view)| {
                Tensor::full([view.numel() as i64], value(name) as f64, (Kind::Float, self.flat.device()))
            })
            .collect();
        Tensor::cat(&values, 0)
    }
}
