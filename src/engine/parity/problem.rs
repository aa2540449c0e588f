//! Random problems for a learner: networks, data and how they are learned from.

use control_envs::{Dimension, EnvSpec};
use proptest::prelude::*;
use rand::RngExt;
use tch::Device;

use super::super::{Learner, LearnerSections, LearnerStep};
use crate::concrete::{DropoutGroups, LogisticNoise, Regularizer};
use crate::config::Config;
use crate::network::{Parameter, Slot};
use crate::randomness::{Generator, Stream, generator};
use crate::replay::Batch;
use crate::td::Targets;

/// A problem for both engines.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    pub seed: u64,
    pub dimensions: usize,
    pub actions: usize,
    pub hidden: Vec<i64>,
    pub biases: bool,
    pub fourier_features: usize,
    pub rows: usize,
    pub temperature: f64,
    pub precision: f64,
    pub dataset_size: f64,
    pub optimistic: bool,
    pub passes: usize,
    pub bounded: bool,
    pub learned_precision: bool,
    pub learned_dropout: bool,
    pub groups: DropoutGroups,
    pub tilings: usize,
}

pub(super) fn problem() -> impl Strategy<Value = Problem> {
    let network =
        (1_usize..7, 2_usize..5, prop::collection::vec(8_i64..80, 1..4), any::<bool>(), 0_usize..20);
    let objective = (
        1_usize..40,
        prop::sample::select(vec![0.1, 0.15, 0.3, 0.5]),
        0.1..1000.0,
        1.0..1e5,
        any::<bool>(),
        2_usize..7,
        any::<bool>(),
        (any::<bool>(), any::<bool>()),
        (
            prop::sample::select(vec![DropoutGroups::Layer, DropoutGroups::Unit]),
            prop::sample::select(vec![0_usize, 5]),
        ),
    );
    (any::<u32>(), network, objective).prop_map(|(seed, network, objective)| Problem {
        seed: u64::from(seed),
        dimensions: network.0,
        actions: network.1,
        hidden: network.2,
        biases: network.3,
        fourier_features: network.4,
        rows: objective.0,
        temperature: objective.1,
        precision: objective.2,
        dataset_size: objective.3,
        optimistic: objective.4,
        passes: objective.5,
        bounded: objective.6,
        learned_precision: objective.7.0,
        learned_dropout: objective.7.1,
        groups: objective.8.0,
        tilings: objective.8.1,
    })
}

impl Problem {
    pub fn config(&self) -> LearnerSections {
        let mut config = LearnerSections::from(&Config { seed: self.seed, ..Config::default() });
        config.network.hidden.clone_from(&self.hidden);
        config.network.biases = self.biases;
        config.network.fourier_features = self.fourier_features;
        config.dropout.temperature = self.temperature;
        config.precision.initial = self.precision;
        config.precision.learned = self.learned_precision;
        config.dropout.learned = self.learned_dropout;
        config.dropout.groups = self.groups;
        config.local.tilings = self.tilings;
        config.precision.prior_count = 30.0;
        config.targets = if self.optimistic { Targets::Optimistic } else { Targets::DoubleQ };
        config.target_passes = self.passes;
        config
    }

    pub fn spec(&self) -> EnvSpec {
        let dimensions: Vec<_> = (0..self.dimensions).map(|_| Dimension::new("x", "", -2.0, 3.0)).collect();
        EnvSpec::new("Test-v0", dimensions, (0..self.actions).map(|action| action.to_string()))
    }

    /// Two networks that differ, with a p of its own in every layer.
    pub fn learner(&self, config: &LearnerSections) -> Learner {
        let mut learner = Learner::new(config.clone(), &self.spec(), Device::Cpu).unwrap();
        let mut random = generator(self.seed, Stream::Exploration);
        for network in [&mut learner.online, &mut learner.target] {
            let slots = network.parameters().slots().to_vec();
            let values = network.parameters_mut().values_mut();
            for Slot { parameter, range, .. } in slots {
                let values = values[range].iter_mut();
                match parameter {
                    // A p of its own for every dropout group.
                    Parameter::DropoutLogit(_) => {
                        values.for_each(|logit| *logit = random.random_range(-9.0..2.0))
                    }
                    Parameter::LogPrecision => {}
                    _ => values.for_each(|value| *value *= random.random_range(0.5..1.5)),
                }
            }
        }
        learner
    }

    pub fn batch(&self, random: &mut Generator) -> Batch {
        let mut numbers =
            |count: usize| (0..count).map(|_| random.random_range(-2.0..3.0)).collect::<Vec<f32>>();
        let (observations, next_observations) =
            (numbers(self.rows * self.dimensions), numbers(self.rows * self.dimensions));
        Batch {
            observations,
            next_observations,
            rewards: numbers(self.rows),
            actions: (0..self.rows).map(|_| random.random_range(0..self.actions as i64)).collect(),
            discounts: (0..self.rows).map(|_| if random.random_bool(0.9) { 0.95 } else { 0.0 }).collect(),
            // Of every other problem.
            next_valid: match self.seed % 2 {
                0 => Vec::new(),
                _ => (0..self.rows * self.actions).map(|_| random.random_bool(0.7)).collect(),
            },
        }
    }

    /// The same learner with its networks on a GPU.
    pub fn on_gpu(&self, config: &LearnerSections, learner: &Learner) -> Learner {
        let mut moved = Learner::new(config.clone(), &self.spec(), Device::Cuda(0)).unwrap();
        let named = learner.named();
        let fill = &mut |name: &str, _: &[i64], values: &mut [f32]| {
            let Some(from) = named.iter().find(|named| named.name == name) else { return Err(()) };
            values.copy_from_slice(&from.values);
            Ok(())
        };
        moved.restore(fill).unwrap();
        moved
    }

    pub fn step(&self) -> LearnerStep {
        LearnerStep {
            regularizer: Regularizer { length_scale: 0.3, precision: 1.0, dataset_size: self.dataset_size },
            schedule: 0.7,
            target_bounds: self.bounded.then_some((-0.5, 1.5)),
            updates_target: true,
        }
    }

    pub fn noise(&self) -> LogisticNoise {
        LogisticNoise::new(generator(self.seed, Stream::Noise))
    }
}

/// One of some size.
pub(super) fn example() -> Problem {
    Problem {
        seed: 1,
        dimensions: 4,
        actions: 3,
        hidden: vec![40, 24],
        biases: true,
        fourier_features: 8,
        rows: 32,
        temperature: 0.1,
        precision: 10.0,
        dataset_size: 500.0,
        optimistic: true,
        passes: 5,
        bounded: false,
        learned_precision: true,
        learned_dropout: true,
        groups: DropoutGroups::Unit,
        tilings: 6,
    }
}
