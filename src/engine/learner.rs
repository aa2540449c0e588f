//! What learning changes, and what it goes by.

use control_envs::EnvSpec;
use tch::{Device, Tensor};

use super::PrecisionPrior;
use crate::config::{Config, Targets};
use crate::error::Error;
use crate::network::{Adam, InitialUncertainty, QNetwork};
use crate::randomness::{Stream, generator};

/// The networks and their optimiser: all that a learner step changes.
#[derive(Debug)]
pub struct Learner {
    /// The network that acts and learns.
    pub online: QNetwork,
    /// The network that values the next state; it follows the online one.
    pub target: QNetwork,
    /// The optimiser of the online network.
    pub adam: Adam,
}

impl Learner {
    /// A fresh learner, its initial weights derived from the config's seed.
    ///
    /// # Errors
    /// Where the environment's observations are not what the config's network is for, or there are too many weights.
    pub fn new(config: &Config, spec: &EnvSpec, device: Device) -> Result<Self, Error> {
        let start = InitialUncertainty {
            // Where p is 0 for good, its logit is still to be a number: no mask is ever other than 1 at this one.
            p: config.dropout.initial_p.max(f64::from(f32::MIN_POSITIVE)),
            temperature: config.dropout.temperature,
            precision: config.precision.initial,
            heteroscedastic: config.precision.heteroscedastic,
        };
        let mut generator = generator(config.seed, Stream::Initialisation);
        let (online, target) = QNetwork::pair(&config.network, start, spec, &mut generator, device)?;
        let (weights, dropout) = (config.optimizer.learning_rate, config.optimizer.dropout_learning_rate);
        let learning_rates = online.parameters().constant_by_name(|name| {
            if name.ends_with("p_logit") || name == "log_precision" { dropout as f32 } else { weights as f32 }
        });
        Ok(Self { online, target, adam: Adam::new(learning_rates) })
    }

    /// All its numbers by name, sharing their memory: the online network with its fixed features, the target network,
    /// and Adam's moments parameter by parameter.
    pub fn named_tensors(&self) -> Vec<(String, Tensor)> {
        let online = self.online.named_tensors().into_iter().map(|(name, tensor)| {
            let owner = if name.starts_with("features.") { "" } else { "online." };
            (format!("{owner}{name}"), tensor)
        });
        let parameters = self.target.parameters();
        let target = parameters.named().map(|(name, tensor)| (format!("target.{name}"), tensor.detach()));
        let moments = self.adam.moments().into_iter().flat_map(|(moment, flat)| {
            let views = parameters.views_of(flat);
            views.map(move |(name, view)| (format!("adam.{moment}.{name}"), view))
        });
        online.chain(target).chain(moments).collect()
    }
}

/// What a learner step goes by, the same for all steps of a training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LearnerSettings {
    /// The form of the TD targets.
    pub targets: Targets,
    /// Noisy passes of the target network for optimistic targets.
    pub target_passes: usize,
    /// Weight of their standard deviation.
    pub target_beta: f64,
    /// Whether the layers' p are learned.
    pub learned_dropout: bool,
    /// Whether tau is learned.
    pub learned_precision: bool,
    /// What tau is held near while there are few data.
    pub precision_prior: PrecisionPrior,
    /// Largest norm of the gradient of `loss / tau`.
    pub max_gradient_norm: f64,
    /// How far the target network follows.
    pub target_lerp: f64,
}

impl From<&Config> for LearnerSettings {
    fn from(config: &Config) -> Self {
        let agent = &config.agent;
        Self {
            targets: agent.targets,
            target_passes: agent.target_passes,
            target_beta: agent.target_beta,
            learned_dropout: config.dropout.learned,
            learned_precision: config.precision.learned,
            precision_prior: PrecisionPrior {
                precision: config.precision.initial,
                count: config.precision.prior_count,
            },
            max_gradient_norm: config.optimizer.max_gradient_norm,
            target_lerp: agent.target_lerp,
        }
    }
}

impl LearnerSettings {
    /// What a gradient of the loss is multiplied with, given tau and its norm, so that the norm of the gradient of
    /// `loss / tau` is bounded.
    ///
    /// It is not bounded itself: the gradient of the likelihood grows with tau as the fit gets better, and clipping it
    /// would silence the batches with the most to learn from.
    pub fn gradient_scale(&self, norm_over_precision: f64) -> f64 {
        (self.max_gradient_norm / norm_over_precision).min(1.0)
    }
}
