//! All parameters of a network in one flat tensor.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use tch::{Device, Tensor};

use super::flat_tensor::FlatTensor;
use crate::error::Error;

/// What a parameter is, and which layer it belongs to. All that depends on it follows from here: its place, its learning
/// rate, whether it is learned, its name in files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parameter {
    /// The weight of a layer.
    Weight(usize),
    /// The bias of a layer.
    Bias(usize),
    /// The logits of p of a layer, one for each of its dropout groups.
    DropoutLogit(usize),
    /// ln tau of the targets.
    LogPrecision,
    /// A fixed feature: what is subtracted from an observation.
    Centre,
    /// A fixed feature: what an observation is then divided by.
    HalfWidth,
    /// A fixed feature: the Fourier frequencies.
    Frequencies,
    /// Local dropout: the logits of p.
    LocalLogit,
    /// Local dropout: the values of a table.
    LocalValue,
    /// Local dropout: the values of a table that the target network has.
    LocalTargetValue,
    /// Units of the return in a network unit; 0 where no reward has told it yet.
    ReturnScale,
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Weight(layer) => write!(f, "layers.{layer}.weight"),
            Self::Bias(layer) => write!(f, "layers.{layer}.bias"),
            Self::DropoutLogit(layer) => write!(f, "layers.{layer}.p_logit"),
            Self::LogPrecision => f.write_str("log_precision"),
            Self::Centre => f.write_str("features.centre"),
            Self::HalfWidth => f.write_str("features.half_width"),
            Self::Frequencies => f.write_str("features.frequencies"),
            Self::LocalLogit => f.write_str("local.p_logit"),
            Self::LocalValue => f.write_str("local.value"),
            Self::LocalTargetValue => f.write_str("local.target_value"),
            Self::ReturnScale => f.write_str("return_scale"),
        }
    }
}

/// One parameter before it is placed.
#[derive(Debug, Clone)]
pub struct Initial {
    /// What it is.
    pub parameter: Parameter,
    /// Shape.
    pub shape: Vec<i64>,
    /// As many values as the shape has elements, row-major.
    pub values: Vec<f32>,
}

/// The place of a parameter in the flat tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// What it is.
    pub parameter: Parameter,
    /// Shape.
    pub shape: Vec<i64>,
    /// Where its values lie, row-major.
    pub range: Range<usize>,
}

/// A parameter that was looked up in a network that has none of the kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the network has no parameter `{0}`")]
pub struct MissingParameter(pub Parameter);

impl From<MissingParameter> for Error {
    fn from(missing: MissingParameter) -> Self {
        Self::Inconsistent(missing.to_string())
    }
}

/// Some numbers with a name and a shape, to be read.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedValues<'a> {
    /// Their name, such as `layers.0.weight`.
    pub name: String,
    /// Their shape.
    pub shape: &'a [i64],
    /// The values, row-major; borrowed where they are on the CPU.
    pub values: Cow<'a, [f32]>,
}

/// Parameters, each a view into one flat f32 tensor.
///
/// An optimiser step is then a handful of operations over one tensor, a target update is one `lerp_`, and a checkpoint
/// is one tensor and a table of names.
///
/// Values are lent read-only and changed through `&mut` alone, so this does not compile:
///
/// ```compile_fail,E0502
/// # use concrete_dqn::network::{Initial, Parameter, Parameters};
/// let initial = Initial { parameter: Parameter::LogPrecision, shape: vec![1], values: vec![0.5] };
/// let mut parameters = Parameters::new(&[initial], false, tch::Device::Cpu);
/// let before = parameters.values();
/// parameters.restore("", &mut |_, _, values| Ok::<(), ()>(values.fill(1.0))).unwrap();
/// assert_eq!(before, [0.5]);
/// ```
#[derive(Debug)]
pub struct Parameters {
    flat: FlatTensor,
    slots: Vec<Slot>,
    views: Vec<Tensor>,
}

impl Parameters {
    /// Places the parameters one after the other. The views require gradients if `trainable`.
    pub fn new(initial: &[Initial], trainable: bool, device: Device) -> Self {
        let values: Vec<f32> = initial.iter().flat_map(|parameter| &parameter.values).copied().collect();
        let flat = FlatTensor::new(&values, device);
        let mut end = 0;
        let slots: Vec<Slot> = initial
            .iter()
            .map(|Initial { parameter, shape, values }| {
                let start = end;
                end += values.len();
                Slot { parameter: *parameter, shape: shape.clone(), range: start..end }
            })
            .collect();
        let views = slots
            .iter()
            .map(|slot| {
                // A detached view is a leaf that shares the flat tensor's memory: it sees every update.
                narrow(flat.tensor(), slot).view(slot.shape.as_slice()).detach().set_requires_grad(trainable)
            })
            .collect();
        Self { flat, slots, views }
    }

    /// Where each parameter lies, in the flat tensor's order.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Where a parameter lies in the flat tensor.
    ///
    /// # Errors
    /// Where there is none of this kind.
    pub fn range(&self, parameter: Parameter) -> Result<Range<usize>, MissingParameter> {
        Ok(self.slots[self.index(parameter)?].range.clone())
    }

    /// The tensor of a parameter, which shares the flat tensor's memory.
    pub(super) fn view(&self, parameter: Parameter) -> Result<&Tensor, MissingParameter> {
        Ok(&self.views[self.index(parameter)?])
    }

    fn index(&self, parameter: Parameter) -> Result<usize, MissingParameter> {
        self.slots.iter().position(|slot| slot.parameter == parameter).ok_or(MissingParameter(parameter))
    }

    /// Number of scalars.
    pub fn count(&self) -> usize {
        self.flat.count()
    }

    /// Where they lie.
    pub fn device(&self) -> Device {
        self.flat.device()
    }

    /// All of them in a row, to be changed in place: every view sees it.
    pub(super) fn flat_mut(&mut self) -> &mut FlatTensor {
        &mut self.flat
    }

    /// All values in a row.
    ///
    /// # Panics
    /// Where they are not on the CPU.
    pub fn values(&self) -> &[f32] {
        self.flat.values()
    }

    /// All values in a row, to be changed.
    ///
    /// # Panics
    /// Where they are not on the CPU.
    pub fn values_mut(&mut self) -> &mut [f32] {
        self.flat.values_mut()
    }

    /// Every parameter with its values, its name behind `prefix`.
    pub fn named(&self, prefix: &str) -> Vec<NamedValues<'_>> {
        named(&self.slots, &self.flat, prefix)
    }

    /// The same for another flat tensor, whose numbers each belong to a parameter.
    pub(super) fn named_as<'a>(&'a self, flat: &'a FlatTensor, prefix: &str) -> Vec<NamedValues<'a>> {
        named(&self.slots, flat, prefix)
    }

    /// Lets `fill` write the values of every parameter, which it is given by name (behind `prefix`) and shape.
    ///
    /// # Errors
    /// The first that `fill` returns. Nothing is changed then.
    pub fn restore<E>(&mut self, prefix: &str, fill: &mut Fill<'_, E>) -> Result<(), E> {
        restore(&self.slots, &mut self.flat, prefix, fill)
    }

    /// The same for another flat tensor, whose numbers each belong to a parameter.
    pub(super) fn restore_as<E>(
        &self,
        flat: &mut FlatTensor,
        prefix: &str,
        fill: &mut Fill<'_, E>,
    ) -> Result<(), E> {
        restore(&self.slots, flat, prefix, fill)
    }

    /// The gradient of a scalar loss with respect to the flat tensor; zero where the loss does not depend on it.
    pub fn gradient(&self, loss: &Tensor) -> Tensor {
        self.gradient_of(loss, |_| true, false)
    }

    /// The same with respect to some of the parameters only, zero elsewhere. The graph is kept where another gradient is to
    /// follow.
    pub fn gradient_of(&self, loss: &Tensor, wanted: impl Fn(Parameter) -> bool, keep_graph: bool) -> Tensor {
        let is_wanted: Vec<bool> = self.slots.iter().map(|slot| wanted(slot.parameter)).collect();
        let inputs: Vec<&Tensor> =
            self.views.iter().zip(&is_wanted).filter_map(|(view, wanted)| wanted.then_some(view)).collect();
        let mut computed = Tensor::run_backward(&[loss], &inputs, keep_graph, false).into_iter();
        let gradients: Vec<Tensor> = self
            .views
            .iter()
            .zip(is_wanted)
            .map(|(view, wanted)| {
                let gradient = wanted.then(|| computed.next()).flatten().filter(Tensor::defined);
                gradient.unwrap_or_else(|| view.zeros_like()).reshape([-1])
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
}

/// What writes the values of a parameter: it gets name, shape and the values to be replaced.
pub type Fill<'a, E> = dyn FnMut(&str, &[i64], &mut [f32]) -> Result<(), E> + 'a;

/// The share of a parameter in a flat tensor.
pub(super) fn narrow(flat: &Tensor, slot: &Slot) -> Tensor {
    flat.narrow(0, slot.range.start as i64, slot.range.len() as i64)
}

fn named<'a>(slots: &'a [Slot], flat: &'a FlatTensor, prefix: &str) -> Vec<NamedValues<'a>> {
    let values = flat.read();
    let of_slot = |slot: &'a Slot| NamedValues {
        name: format!("{prefix}{}", slot.parameter),
        shape: &slot.shape,
        values: match &values {
            Cow::Borrowed(values) => Cow::Borrowed(&values[slot.range.clone()]),
            Cow::Owned(values) => Cow::Owned(values[slot.range.clone()].to_vec()),
        },
    };
    slots.iter().map(of_slot).collect()
}

fn restore<E>(slots: &[Slot], flat: &mut FlatTensor, prefix: &str, fill: &mut Fill<'_, E>) -> Result<(), E> {
    let mut values = flat.read().into_owned();
    for slot in slots {
        fill(&format!("{prefix}{}", slot.parameter), &slot.shape, &mut values[slot.range.clone()])?;
    }
    flat.write(&values);
    Ok(())
}
