//! All parameters of a network in one flat tensor.

use std::ops::Range;

use tch::{Device, Tensor};

use super::flat_tensor::FlatTensor;

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
/// An optimiser step is then a handful of operations over one tensor, a target update is one `lerp_`, and a checkpoint
/// is one tensor and a table of names.
#[derive(Debug)]
pub struct Parameters {
    flat: FlatTensor,
    names: Vec<String>,
    views: Vec<Tensor>,
}

impl Parameters {
    /// Places the parameters one after the other. The views require gradients if `trainable`.
    pub fn new(initial: &[Initial], trainable: bool, device: Device) -> Self {
        let values: Vec<f32> = initial.iter().flat_map(|parameter| &parameter.values).copied().collect();
        let flat = FlatTensor::new(&values, device);
        let mut offset = 0;
        let views = initial
            .iter()
            .map(|parameter| {
                let count: i64 = parameter.shape.iter().product();
                let view = flat.tensor().narrow(0, offset, count).view(parameter.shape.as_slice()).detach();
                offset += count;
                // A detached view is a leaf that shares the flat tensor's memory: it sees every update.
                if trainable { view.set_requires_grad(true) } else { view }
            })
            .collect();
        Self { flat, names: initial.iter().map(|parameter| parameter.name.clone()).collect(), views }
    }

    /// All of them in a row.
    pub fn flat(&self) -> &FlatTensor {
        &self.flat
    }

    /// All of them in a row, to be changed in place: every view sees it.
    pub fn flat_mut(&mut self) -> &mut FlatTensor {
        &mut self.flat
    }

    /// Number of scalars.
    pub fn count(&self) -> i64 {
        self.flat.count() as i64
    }

    /// The parameters by name, in the flat tensor's order.
    pub fn named(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.names.iter().map(String::as_str).zip(&self.views)
    }

    /// The parameter of this name.
    pub fn view(&self, name: &str) -> Option<&Tensor> {
        self.named().find(|(known, _)| *known == name).map(|(_, view)| view)
    }

    /// Where in the flat tensor each parameter lies, by name.
    pub fn ranges(&self) -> impl Iterator<Item = (&str, Range<usize>)> {
        self.named().scan(0, |end, (name, view)| {
            let start = *end;
            *end += view.numel();
            Some((name, start..*end))
        })
    }

    /// Where in the flat tensor the parameter of this name lies.
    pub fn range(&self, name: &str) -> Option<Range<usize>> {
        self.ranges().find_map(|(known, range)| (known == name).then_some(range))
    }

    /// The shares that the parameters have of another flat tensor as long as theirs, by name and in their shapes, sharing
    /// its memory.
    pub fn views_of<'a>(&'a self, flat: &'a FlatTensor) -> impl Iterator<Item = (&'a str, Tensor)> {
        let mut offset = 0;
        self.named().map(move |(name, own)| {
            let count = own.numel() as i64;
            let view = flat.tensor().narrow(0, offset, count).view(own.size().as_slice());
            offset += count;
            (name, view)
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
            self.flat.tensor_mut().copy_(source.flat.tensor());
        } else {
            let _ = self.flat.tensor_mut().lerp_(source.flat.tensor(), weight);
        }
    }

    /// A number for every scalar, chosen by the name of its parameter.
    pub fn constant_by_name(&self, value: impl Fn(&str) -> f32) -> FlatTensor {
        let values: Vec<f32> =
            self.named().flat_map(|(name, view)| std::iter::repeat_n(value(name), view.numel())).collect();
        FlatTensor::new(&values, self.flat.tensor().device())
    }
}
