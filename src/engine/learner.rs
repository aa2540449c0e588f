//! What learning changes, and what it goes by.

use control_envs::EnvSpec;
use tch::Device;

use super::EngineName;
use super::config::{DropoutConfig, DropoutStep, OptimizerConfig, PrecisionConfig};
use crate::concrete::{InitialDropout, PrecisionPrior};
use crate::error::Error;
use crate::network::{
    Adam, Fill, InitialUncertainty, LocalConfig, LocalDropout, NamedValues, NetworkConfig, NetworkKind,
    Parameter, Parameters, QNetwork, Segment, Slot,
};
use crate::randomness::{Stream, generator};
use crate::td::Targets;

/// What the names of the acting network's tensors start with.
pub(crate) const ONLINE: &str = "online.";

/// The networks and their optimiser: all that a learner step changes.
#[derive(Debug)]
pub struct Learner {
    /// The network that acts and learns.
    pub online: QNetwork,
    /// The network that values the next state; it follows the online one.
    pub target: QNetwork,
    /// The optimiser of the online network.
    pub adam: Adam,
    /// The prior of the precision where that is learned; one that is held is held in network units.
    learned_precision: Option<PrecisionPrior>,
}

impl Learner {
    /// A fresh learner, its initial weights derived from the config's seed.
    ///
    /// # Errors
    /// Where the environment's observations are not what the config's network is for, or there are too many weights.
    pub fn new(sections: impl Into<LearnerSections>, spec: &EnvSpec, device: Device) -> Result<Self, Error> {
        let sections = sections.into();
        let LearnerSections { dropout, precision, .. } = &sections;
        let start = InitialUncertainty {
            dropout: InitialDropout {
                // Where p is 0 for good, its logit is still to be a number: no mask is ever other than 1 at this one.
                p: dropout.initial_p.max(f64::from(f32::MIN_POSITIVE)),
                temperature: dropout.temperature,
                groups: dropout.groups,
            },
            precision: precision.initial,
            heteroscedastic: precision.heteroscedastic,
        };
        let mut generator = generator(sections.seed, Stream::Initialisation);
        let (mut online, target) = QNetwork::pair(&sections.network, start, spec, &mut generator, device)?;
        let is_table = sections.network.kind == NetworkKind::Table;
        if is_table || sections.local.tilings > 0 {
            let (space, actions) = (&spec.observation_space, spec.actions.len());
            let mut generator = self::generator(sections.seed, Stream::Places);
            let local = LocalDropout::new(sections.local, space, actions, is_table, &mut generator);
            online.attach(local);
        }
        let segments = online.parameters().slots().iter().map(|slot| segment(slot, &sections.optimizer));
        let adam = Adam::new(segments, device);
        let learned_precision = sections.precision.learned.then_some(sections.precision.prior());
        Ok(Self { online, target, adam, learned_precision })
    }

    /// Makes `scale` units of the return a network unit, before anything was learned: what the networks and the precision
    /// start from is in network units.
    pub fn begin_return_scale(&mut self, scale: f32) {
        self.online.begin_return_scale(scale);
        self.target.begin_return_scale(scale);
    }

    /// Makes `scale` units of the return a network unit. Values and a learned precision, in units of the return, stay what
    /// they were, unless this is the first scale: values had no unit before. `dataset_size` is N: however small errors are
    /// in the new unit, a learned precision is at most what its prior allows after so many.
    pub fn set_return_scale(&mut self, scale: f32, dataset_size: u64) {
        let Self { online, target, adam, learned_precision } = self;
        target.set_return_scale(scale);
        let Some(factor) = online.set_return_scale(scale) else { return };
        let kept = f64::from(factor).powi(-2);
        let grown = match learned_precision {
            None => 1.0,
            Some(prior) => {
                let bound = f64::from(QNetwork::LOG_PRECISION_BOUND).exp();
                kept.min((prior.highest(dataset_size).min(bound) / online.precision()).max(1.0))
            }
        };
        if learned_precision.is_some() {
            for network in [&mut *online, target] {
                network.multiply_precision(grown);
            }
        }
        // The gradient of the loss goes with tau, with the error and, by way of the last weights to all before them, with
        // those.
        if grown < kept {
            adam.rescale(&online.hidden_ranges(), (grown / kept) as f32);
            adam.rescale(&online.value_ranges(), (grown / kept) as f32 / factor);
        } else {
            adam.rescale(&online.value_ranges(), 1.0 / factor);
        }
    }

    /// Makes `centre` and `half_width` what a dimension of the observation is scaled by.
    pub fn scale_dimension(&mut self, dimension: usize, centre: f32, half_width: f32) {
        for network in [&mut self.online, &mut self.target] {
            network.features_mut().scale_dimension(dimension, centre, half_width);
        }
    }

    /// All its numbers by name: the online network with its fixed features, the target network, and Adam's moments
    /// parameter by parameter.
    pub fn named(&self) -> Vec<NamedValues<'_>> {
        let mut named = self.online.named(ONLINE);
        named.extend(self.target.parameters().named("target."));
        named.extend(self.adam.named(self.online.parameters()));
        named
    }

    /// Lets `fill` write all that [`named`](Self::named) names.
    ///
    /// # Errors
    /// The first that `fill` returns.
    pub fn restore<E>(&mut self, fill: &mut Fill<'_, E>) -> Result<(), E> {
        self.online.restore(ONLINE, fill)?;
        self.target.restore("target.", fill)?;
        self.adam.restore(self.online.parameters(), fill)
    }
}

/// What Adam goes by for a parameter.
fn segment(slot: &Slot, optimizer: &OptimizerConfig) -> Segment {
    let (learning_rate, epsilon) = match slot.parameter {
        Parameter::Weight(_) | Parameter::Bias(_) => (optimizer.learning_rate, Adam::EPSILON),
        Parameter::LogPrecision => (optimizer.dropout_learning_rate, Adam::EPSILON),
        // The gradient of a group's logit is as many times smaller than a layer's as there are groups.
        Parameter::DropoutLogit(_) => {
            (optimizer.dropout_learning_rate, Adam::EPSILON / slot.range.len() as f32)
        }
        // What is fixed, or learns in a way of its own.
        _ => (0.0, Adam::EPSILON),
    };
    Segment { range: slot.range.clone(), learning_rate: learning_rate as f32, epsilon }
}

/// The settings that networks are made by and learn by, section by section.
#[derive(Debug, Clone, PartialEq)]
pub struct LearnerSections {
    /// Seed of the initial weights.
    pub seed: u64,
    /// How the networks are computed.
    pub engine: EngineName,
    /// `[network]`
    pub network: NetworkConfig,
    /// `[dropout]`
    pub dropout: DropoutConfig,
    /// `[local]`
    pub local: LocalConfig,
    /// `[precision]`
    pub precision: PrecisionConfig,
    /// `[optimizer]`
    pub optimizer: OptimizerConfig,
    /// The form of the TD targets; this and what follows is of `[agent]`.
    pub targets: Targets,
    /// Noisy passes of the target network.
    pub target_passes: usize,
    /// Weight of their standard deviation in optimistic targets.
    pub target_beta: f64,
    /// How far the target network follows.
    pub target_lerp: f64,
}

/// What a learner step goes by, the same for all steps of a training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LearnerSettings {
    /// Noisy passes of the target network.
    pub target_passes: usize,
    /// Weight of their standard deviation in the targets; 0 for double-Q targets.
    pub target_beta: f64,
    /// Whether Adam learns the layers' p.
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

impl From<&LearnerSections> for LearnerSettings {
    fn from(sections: &LearnerSections) -> Self {
        let LearnerSections { dropout, precision, optimizer, .. } = sections;
        Self {
            target_passes: sections.target_passes,
            target_beta: match sections.targets {
                Targets::DoubleQ => 0.0,
                Targets::Optimistic => sections.target_beta,
            },
            learned_dropout: dropout.learned && dropout.step == DropoutStep::Adam,
            learned_precision: precision.learned,
            precision_prior: precision.prior(),
            max_gradient_norm: optimizer.max_gradient_norm,
            target_lerp: sections.target_lerp,
        }
    }
}

impl LearnerSettings {
    /// Those of the parameters that are held where they start.
    pub fn held<'a>(&self, parameters: &'a Parameters) -> impl Iterator<Item = &'a Slot> + use<'a> {
        let (learned_dropout, learned_precision) = (self.learned_dropout, self.learned_precision);
        parameters.slots().iter().filter(move |slot| match slot.parameter {
            Parameter::DropoutLogit(_) => !learned_dropout,
            Parameter::LogPrecision => !learned_precision,
            Parameter::Weight(_) | Parameter::Bias(_) => false,
            _ => true,
        })
    }

    /// What a gradient of the loss is multiplied with, given tau and its norm, so that the norm of the gradient of
    /// `loss / tau` is bounded.
    ///
    /// It is not bounded itself: the gradient of the likelihood grows with tau as the fit gets better, and clipping it
    /// would silence the batches with the most to learn from.
    pub fn gradient_scale(&self, norm_over_precision: f64) -> f64 {
        (self.max_gradient_norm / norm_over_precision).min(1.0)
    }
}
