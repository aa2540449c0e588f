//! How the networks are computed: one file a way.
//!
//! [`Autograd`] lets libtorch differentiate the objective as it stands in [`td`](crate::td) and
//! [`concrete`](crate::concrete): it is the reference, and the way for CUDA. [`Fused`] has the gradients written out and
//! runs on the CPU, on the same parameters in the same memory, several times as fast. A test holds one against the other.

mod autograd;
mod config;
mod fused;
mod learner;
#[cfg(test)]
mod masked;
#[cfg(test)]
mod parity;
mod prediction;
mod tabular;

use std::fmt;

use serde::{Deserialize, Serialize};
use tch::Device;

use crate::concrete::{Landscape, LogisticNoise, Regularizer, logit};
use crate::error::Error;
use crate::network::{PassNoise, QNetwork};
use crate::replay::Batch;
use crate::units::NetworkUnits;

pub use autograd::Autograd;
pub use config::{Data, DatasetSize, DropoutConfig, DropoutStep, OptimizerConfig, PrecisionConfig};
pub use fused::Fused;
pub(crate) use learner::ONLINE;
pub use learner::{Learner, LearnerSections, LearnerSettings};
pub use prediction::{Precision, Prediction, Stds};
pub use tabular::Tabular;

/// What an agent asks of its networks.
pub trait Engine: fmt::Debug + Send {
    /// What `network` predicts at `observations` `[rows, dimensions]`: in noisy passes under `noise`, which is for as
    /// many rows, or in one deterministic mean pass without.
    fn predict(
        &mut self,
        network: &QNetwork,
        observations: &[f32],
        noise: Option<&PassNoise>,
    ) -> Prediction<'_>;

    /// The sensitivity c of every dropout group of every layer at `observations` `[rows, dimensions]`, in squared network
    /// units, as [`QNetwork::sensitivity`] defines it.
    fn sensitivity(&mut self, network: &QNetwork, observations: &[f32]) -> Vec<Vec<f64>>;

    /// What decides where the p of every dropout group goes, at `observations` `[rows, dimensions]`.
    fn groups(&mut self, network: &QNetwork, observations: &[f32]) -> Vec<GroupFigures> {
        let (p, squared_norms) = (network.p(), network.squared_norms());
        let sensitivities = self.sensitivity(network, observations);
        let mut all = Vec::new();
        for (layer, sensitivities) in sensitivities.into_iter().enumerate() {
            let masks = network.masks()[layer] / sensitivities.len();
            for (group, sensitivity) in sensitivities.into_iter().enumerate() {
                let (p, squared_norm) = (p[layer][group], squared_norms[layer][group]);
                all.push(GroupFigures { layer, group, masks, p, squared_norm, sensitivity });
            }
        }
        all
    }

    /// One step of the natural gradient on the p of every dropout group, at the first few of some observations
    /// `[rows, dimensions]`. p stops where drops no longer happen.
    fn natural_step(&mut self, network: &mut QNetwork, observations: &[f32], regularizer: &Regularizer) {
        let precision = network.precision();
        let some = observations.len().min(NATURAL_ROWS * network.dimensions());
        for group in self.groups(network, &observations[..some]) {
            let logit = logit(group.p);
            let stepped =
                logit - NATURAL_RATE * group.landscape(precision, regularizer).natural_gradient(logit);
            network.set_dropout_logit(group.layer, group.group, stepped.max(LEAST_LOGIT));
        }
    }

    /// One learner step: TD targets, the loss of one noisy pass, its gradient, Adam, the target network. The noise of
    /// the targets is drawn first, then that of the prediction. Where the gradient is not finite, which its norm tells,
    /// nothing is changed.
    fn learn(
        &mut self,
        learner: &mut Learner,
        batch: &Batch,
        step: &LearnerStep,
        noise: &mut LogisticNoise,
    ) -> LossStatistics;
}

/// Observations of a batch by which p steps down its natural gradient.
const NATURAL_ROWS: usize = 16;
/// Share of the way that p goes at a learner step: an average over about 20 batches.
const NATURAL_RATE: f64 = 0.05;
/// p is 2e-9 there, less than one drop in a training.
const LEAST_LOGIT: f64 = -20.0;

/// What decides where the p of a dropout group goes; see [`Landscape`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupFigures {
    /// Number of the layer, from input to output.
    pub layer: usize,
    /// Number of the group in its layer.
    pub group: usize,
    /// K, the masks that share its p.
    pub masks: usize,
    /// p
    pub p: f64,
    /// `||W||^2` of the weights that its masks multiply.
    pub squared_norm: f64,
    /// Sensitivity c, in squared network units.
    pub sensitivity: f64,
}

impl GroupFigures {
    /// The objective against p, given tau and what scales the regularisation.
    pub fn landscape(&self, precision: f64, regularizer: &Regularizer) -> Landscape {
        Landscape {
            sensitivity: self.sensitivity,
            precision,
            squared_norm: self.squared_norm,
            length_scale: regularizer.length_scale,
            masks: self.masks as f64,
            dataset_size: regularizer.dataset_size,
        }
    }
}

/// What changes from one learner step to the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LearnerStep {
    /// The regulariser with the N of now. Its precision is 1, since the data term carries tau.
    pub regularizer: Regularizer,
    /// What is left of the learning rates, from 1 down.
    pub schedule: f64,
    /// Lowest and highest target, in network units.
    pub target_bounds: Option<(f32, f32)>,
    /// Whether the target network follows after this step.
    pub updates_target: bool,
}

/// The loss of a learner step and its parts, in network units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LossStatistics {
    /// `tau * mean((q - y)^2 + local variance) - ln tau`.
    pub data_term: f64,
    /// `l^2/N * sum of ||W||^2/(1-p)`.
    pub weight_term: f64,
    /// `-2/N * sum of K H(p)`.
    pub entropy_term: f64,
    /// The prior of tau, `n/N * (tau / tau_0 - ln tau)`.
    pub precision_term: f64,
    /// Mean of |q - y|.
    pub absolute_error: NetworkUnits,
    /// Mean of q.
    pub q_mean: NetworkUnits,
    /// Norm of the gradient of `loss / tau`, before it is bounded.
    pub gradient_norm: f64,
}

impl LossStatistics {
    /// The whole objective.
    pub fn total(&self) -> f64 {
        self.data_term + self.weight_term + self.entropy_term + self.precision_term
    }
}

/// The name of an engine, as `--engine` takes it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum EngineName {
    /// `fused` where it can, `autograd` elsewhere
    #[default]
    Auto,
    /// libtorch differentiates; the reference, and the way for CUDA
    Autograd,
    /// Gradients written out in vectorised kernels; on the CPU, for dense networks with one precision, only
    Fused,
}

impl fmt::Display for EngineName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Autograd => "autograd",
            Self::Fused => "fused",
        })
    }
}

/// The engine that a config asks for, for networks of this one's shape and device.
///
/// # Errors
/// Where it can't compute there, or not such networks.
pub fn engine(sections: impl Into<LearnerSections>, network: &QNetwork) -> Result<Box<dyn Engine>, Error> {
    let sections = sections.into();
    let settings = LearnerSettings::from(&sections);
    if network.is_table() {
        if network.device() != Device::Cpu {
            return Err(Error::Usage(format!(
                "a table, which network.kind = \"table\" asks for, has nothing for a GPU to compute, but {}; \
                 device must be cpu there",
                given_device(network.device())
            )));
        }
        if network.is_heteroscedastic() {
            return Err(Error::Usage(
                "precision.heteroscedastic = true asks for a precision that is a function of the observation, and a table, \
                 which network.kind = \"table\" asks for, has one for all; it must be false there"
                    .to_owned(),
            ));
        }
        return Ok(Box::new(Tabular::new(settings, network)?));
    }
    match sections.engine {
        EngineName::Auto | EngineName::Fused if Fused::computes(network) => {
            Ok(Box::new(Fused::new(settings, network)?))
        }
        EngineName::Auto | EngineName::Autograd => Ok(Box::new(Autograd::new(settings))),
        EngineName::Fused => {
            let (only, given) = match network.device() {
                Device::Cpu if network.is_dense() => (
                    "networks with one precision for all targets",
                    "precision.heteroscedastic = true".to_owned(),
                ),
                Device::Cpu => ("dense networks", "network.kind = \"conv\"".to_owned()),
                device => ("on the CPU", given_device(device)),
            };
            Err(Error::Usage(format!(
                "engine = \"fused\" computes {only} only, but {given}; engine must be auto or autograd there"
            )))
        }
    }
}

/// What a config says of a device.
fn given_device(device: Device) -> String {
    match device {
        Device::Cuda(index) => format!("device = \"cuda:{index}\""),
        device => format!("the device is {device:?}"),
    }
}
