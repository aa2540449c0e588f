//! The two engines compute the same, and libtorch's the same on a GPU: `cargo test --release gpu -- --ignored`.

use control_envs::{Dimension, EnvSpec};
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestCaseError};
use rand::RngExt;
use tch::{Device, Kind, Tensor};

use super::{
    Autograd, Engine, Fused, LEAST_LOGIT, Learner, LearnerSections, LearnerSettings, LearnerStep,
    LossStatistics, NATURAL_ROWS,
};
use crate::concrete::{DropoutGroups, LogisticNoise, Regularizer, logit};
use crate::config::Config;
use crate::network::{Parameter, PassNoise, QNetwork, Slot};
use crate::randomness::{Generator, Stream, generator};
use crate::replay::Batch;
use crate::td::Targets;
use crate::units::NetworkUnits;

/// A problem for both engines.
#[derive(Debug, Clone)]
struct Problem {
    seed: u64,
    dimensions: usize,
    actions: usize,
    hidden: Vec<i64>,
    biases: bool,
    fourier_features: usize,
    rows: usize,
    temperature: f64,
    precision: f64,
    dataset_size: f64,
    optimistic: bool,
    passes: usize,
    bounded: bool,
    learned_precision: bool,
    learned_dropout: bool,
    groups: DropoutGroups,
    tilings: usize,
}

fn problem() -> impl Strategy<Value = Problem> {
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
    fn config(&self) -> LearnerSections {
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

    fn spec(&self) -> EnvSpec {
        let dimensions: Vec<_> = (0..self.dimensions).map(|_| Dimension::new("x", "", -2.0, 3.0)).collect();
        EnvSpec::new("Test-v0", dimensions, (0..self.actions).map(|action| action.to_string()))
    }

    /// Two networks that differ, with a p of its own in every layer.
    fn learner(&self, config: &LearnerSections) -> Learner {
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

    fn batch(&self, random: &mut Generator) -> Batch {
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
    fn on_gpu(&self, config: &LearnerSections, learner: &Learner) -> Learner {
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

    fn step(&self) -> LearnerStep {
        LearnerStep {
            regularizer: Regularizer { length_scale: 0.3, precision: 1.0, dataset_size: self.dataset_size },
            schedule: 0.7,
            target_bounds: self.bounded.then_some((-0.5, 1.5)),
            updates_target: true,
        }
    }

    fn noise(&self) -> LogisticNoise {
        LogisticNoise::new(generator(self.seed, Stream::Noise))
    }
}

/// ||a - b|| / ||b||. Networks of fewer than 8 units a layer are left out, because there a mask in the middle of its
/// slope can be the whole output, and the rounding of its exponent, ten times that of a logarithm, is not averaged out.
fn distance(a: &Tensor, b: &Tensor) -> f64 {
    let norm = |x: &Tensor| x.to_kind(Kind::Double).norm().double_value(&[]);
    norm(&(a - b)) / norm(b)
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-5 * (1.0 + a.abs().max(b.abs()))
}

// One seed in a few meets a unit so near the kink of its ReLU that rounding decides its side, which is no error.
proptest! {
    #![proptest_config(ProptestConfig { cases: 200, rng_seed: RngSeed::Fixed(2), ..ProptestConfig::default() })]

    #[test]
    fn fused_gradients_agree(problem in problem()) {
        let config = problem.config();
        let learner = problem.learner(&config);
        let settings = LearnerSettings::from(&config);
        let (batch, step) = (problem.batch(&mut generator(problem.seed, Stream::Replay)), problem.step());
        let (reference, expected) =
            Autograd::new(settings).gradient(&learner, &batch, &step, &mut problem.noise());
        let mut fused = Fused::new(settings, &learner.online).unwrap();
        let statistics = fused.write_gradient(&learner, &batch, &step, &mut problem.noise());
        let gradient = Tensor::from_slice(fused.gradient());
        gradients_agree((&gradient, &statistics), (&reference, &expected))?;
    }

    #[test]
    fn fused_passes_agree(problem in problem()) {
        let config = problem.config();
        let learner = problem.learner(&config);
        let settings = LearnerSettings::from(&config);
        let batch = problem.batch(&mut generator(problem.seed, Stream::Replay));
        let mut fused = Fused::new(settings, &learner.online).unwrap();
        let mut autograd = Autograd::new(settings);
        passes_agree(
            &problem,
            &batch.observations,
            (&mut fused, &learner.online),
            (&mut autograd, &learner.online),
        )?;
    }

    #[test]
    #[ignore = "needs a GPU"]
    fn a_gpu_computes_the_same_gradients(problem in problem()) {
        let config = problem.config();
        let learner = problem.learner(&config);
        let on_gpu = problem.on_gpu(&config, &learner);
        let settings = LearnerSettings::from(&config);
        let (batch, step) = (problem.batch(&mut generator(problem.seed, Stream::Replay)), problem.step());
        let of = |learner: &Learner| {
            let (gradient, statistics) =
                Autograd::new(settings).gradient(learner, &batch, &step, &mut problem.noise());
            (gradient.to_device(Device::Cpu), statistics)
        };
        let ((gradient, statistics), (reference, expected)) = (of(&on_gpu), of(&learner));
        gradients_agree((&gradient, &statistics), (&reference, &expected))?;
    }

    #[test]
    #[ignore = "needs a GPU"]
    fn a_gpu_computes_the_same_passes(problem in problem()) {
        let config = problem.config();
        let learner = problem.learner(&config);
        let on_gpu = problem.on_gpu(&config, &learner);
        let settings = LearnerSettings::from(&config);
        let batch = problem.batch(&mut generator(problem.seed, Stream::Replay));
        passes_agree(
            &problem,
            &batch.observations,
            (&mut Autograd::new(settings), &on_gpu.online),
            (&mut Autograd::new(settings), &learner.online),
        )?;
    }
}

/// A gradient and its loss agree with the expected ones.
fn gradients_agree(
    (gradient, statistics): (&Tensor, &LossStatistics),
    (reference, expected): (&Tensor, &LossStatistics),
) -> Result<(), TestCaseError> {
    let distance = distance(gradient, reference);
    prop_assert!(distance < 1e-5, "gradients differ by {distance:e}");
    for (name, value, reference) in [
        ("data term", statistics.data_term, expected.data_term),
        ("weight term", statistics.weight_term, expected.weight_term),
        ("precision term", statistics.precision_term, expected.precision_term),
        ("entropy term", statistics.entropy_term, expected.entropy_term),
        ("absolute error", statistics.absolute_error.0, expected.absolute_error.0),
        ("mean Q", statistics.q_mean.0, expected.q_mean.0),
        ("gradient norm", statistics.gradient_norm, expected.gradient_norm),
    ] {
        prop_assert!(close(value, reference), "{name}: {value} against {reference}");
    }
    Ok(())
}

/// Noisy passes, the mean pass and the sensitivity of two engines and networks agree.
fn passes_agree(
    problem: &Problem,
    observations: &[f32],
    (one, one_network): (&mut dyn Engine, &QNetwork),
    (other, other_network): (&mut dyn Engine, &QNetwork),
) -> Result<(), TestCaseError> {
    let mut noise = PassNoise::default();
    noise.draw(&mut problem.noise(), one_network.masks(), problem.passes, problem.rows);
    for noise in [Some(&noise), None] {
        let one = Tensor::from_slice(one.predict(one_network, observations, noise).q);
        let other = Tensor::from_slice(other.predict(other_network, observations, noise).q);
        prop_assert!(distance(&one, &other) < 1e-5);
    }
    let (one, other) =
        (one.sensitivity(one_network, observations), other.sensitivity(other_network, observations));
    prop_assert_eq!(one.len(), problem.hidden.len() + 1);
    for (one, other) in one.iter().zip(&other) {
        prop_assert_eq!(one.len(), other.len());
        prop_assert!(distance(&Tensor::from_slice(one), &Tensor::from_slice(other)) < 1e-4);
    }
    Ok(())
}

/// One of some size.
fn example() -> Problem {
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

#[test]
fn hard_passes_agree() {
    for seed in 0..20 {
        let problem = Problem { seed, ..example() };
        let config = problem.config();
        let mut learner = problem.learner(&config);
        learner.online.set_temperature(0.0);
        let settings = LearnerSettings::from(&config);
        let batch = problem.batch(&mut generator(problem.seed, Stream::Replay));
        let mut noise = PassNoise::default();
        noise.draw(&mut problem.noise(), learner.online.masks(), problem.passes, problem.rows);
        let mut fused = Fused::new(settings, &learner.online).unwrap();
        let fused = Tensor::from_slice(fused.predict(&learner.online, &batch.observations, Some(&noise)).q);
        let mut autograd = Autograd::new(settings);
        let autograd =
            Tensor::from_slice(autograd.predict(&learner.online, &batch.observations, Some(&noise)).q);
        assert!(distance(&fused, &autograd) < 1e-5, "seed {seed}");
    }
}

#[test]
fn trainings_stay_together() {
    // Adam divides by the root of the second moment: where a gradient is nearly 0, rounding decides its sign and so the
    // whole step of a parameter, and after many steps two computations part. These few can't have yet.
    // Of the numbers of many groups most are logits, which are large and move slowly.
    for (groups, least) in [(DropoutGroups::Layer, 0.05), (DropoutGroups::Unit, 0.005)] {
        train_together(&Problem { groups, ..example() }, least);
    }
}

/// Trains with both engines, which must move the numbers by at least this share of their size.
fn train_together(problem: &Problem, least: f64) {
    let config = problem.config();
    let settings = LearnerSettings::from(&config);
    let fresh = || problem.learner(&config);
    let fused = Box::new(Fused::new(settings, &fresh().online).unwrap());
    let start = Trained::of(&fresh());
    let [fused, autograd] =
        [trained(problem, fused, fresh()), trained(problem, Box::new(Autograd::new(settings)), fresh())];
    assert!(fused.logits.min().double_value(&[]) < -0.1);
    let moved = distance(&fused.online, &start.online);
    assert!(moved > least, "they have moved: {moved}");
    fused.agrees(&autograd);
}

#[test]
#[ignore = "needs a GPU"]
fn a_training_on_a_gpu_stays_with_that_on_the_cpu() {
    for groups in [DropoutGroups::Layer, DropoutGroups::Unit] {
        let problem = Problem { groups, ..example() };
        let config = problem.config();
        let fresh = || problem.learner(&config);
        let autograd = || Box::new(Autograd::new(LearnerSettings::from(&config)));
        let on_gpu = trained(&problem, autograd(), problem.on_gpu(&config, &fresh()));
        on_gpu.agrees(&trained(&problem, autograd(), fresh()));
    }
}

/// The numbers of a learner.
struct Trained {
    online: Tensor,
    target: Tensor,
    logits: Tensor,
}

impl Trained {
    fn of(learner: &Learner) -> Self {
        let flat = |network: &QNetwork| {
            let named = network.parameters().named("");
            let values: Vec<f32> = named.iter().flat_map(|named| named.values.iter().copied()).collect();
            Tensor::from_slice(&values)
        };
        let logits = Tensor::from_slice(learner.online.local().unwrap().logits());
        Self { online: flat(&learner.online), target: flat(&learner.target), logits }
    }

    fn agrees(&self, other: &Self) {
        for (name, one, other) in [
            ("online", &self.online, &other.online),
            ("target", &self.target, &other.target),
            ("local", &self.logits, &other.logits),
        ] {
            let distance = distance(one, other);
            assert!(distance < 1e-4, "{name}: {distance:e}");
        }
    }
}

/// The learner after 50 steps.
fn trained(problem: &Problem, mut engine: Box<dyn Engine>, mut learner: Learner) -> Trained {
    let (mut noise, mut replay) = (problem.noise(), generator(9, Stream::Replay));
    for _ in 0..50 {
        let batch = problem.batch(&mut replay);
        // As the agent counts what its replay holds.
        for (observation, &action) in batch.observations.chunks_exact(problem.dimensions).zip(&batch.actions)
        {
            learner.online.count_local(observation, action as usize, true);
        }
        engine.learn(&mut learner, &batch, &problem.step(), &mut noise);
    }
    Trained::of(&learner)
}

#[test]
fn a_new_scale_of_returns_changes_neither_values_nor_precision() {
    for learned_precision in [true, false] {
        let problem = Problem { learned_precision, ..example() };
        let config = problem.config();
        let mut learner = problem.learner(&config);
        let mut engine = Autograd::new(LearnerSettings::from(&config));
        let (mut noise, mut replay) = (problem.noise(), generator(9, Stream::Replay));
        // The first scale is no other one: there was none.
        let before = learner.online.parameters().values().to_vec();
        learner.set_return_scale(2.0);
        assert_eq!(learner.online.parameters().values(), before);
        (0..5).for_each(|_| {
            engine.learn(&mut learner, &problem.batch(&mut replay), &problem.step(), &mut noise);
        });

        let batch = problem.batch(&mut replay);
        let mut of = |learner: &Learner| {
            let mut values = Vec::new();
            for network in [&learner.online, &learner.target] {
                let q = engine.predict(network, &batch.observations, None).q;
                let in_returns = |q: &f32| network.value_scale().to_return(NetworkUnits(f64::from(*q))).0;
                values.extend(q.iter().map(in_returns));
            }
            // The gradient of a value in network units with respect to the last weights is as it was, so that of the loss
            // grows as its errors and weights shrink: m with the factor, v with its square.
            let moments: Vec<f32> = learner
                .adam
                .named(learner.online.parameters())
                .into_iter()
                .filter(|named| named.name.ends_with("layers.2.weight"))
                .map(|named| named.values[0])
                .collect();
            (values, moments, learner.online.precision())
        };
        let (values, moments, precision) = of(&learner);
        learner.set_return_scale(8.0);
        let (same_values, scaled, scaled_precision) = of(&learner);
        for (value, same) in values.iter().zip(&same_values) {
            assert!((value - same).abs() < 1e-5 * (1.0 + value.abs()), "{value}, {same}");
        }
        assert_eq!([scaled[0], scaled[1]], [moments[0] * 4.0, moments[1] * 16.0]);
        // Errors are a quarter as large; but a precision that is held is held in network units.
        let expected = if learned_precision { 16.0 } else { 1.0 };
        assert!((scaled_precision / precision / expected - 1.0).abs() < 1e-5);
    }
}

#[test]
fn the_natural_gradient_takes_every_p_to_its_minimum() {
    let problem = Problem { dataset_size: 400.0, groups: DropoutGroups::Layer, ..example() };
    let config = problem.config();
    let settings = LearnerSettings::from(&config);
    let batch = problem.batch(&mut generator(problem.seed, Stream::Replay));
    let regularizer = problem.step().regularizer;
    let learner = || problem.learner(&config);
    let engines: [Box<dyn Engine>; 2] =
        [Box::new(Fused::new(settings, &learner().online).unwrap()), Box::new(Autograd::new(settings))];
    for mut engine in engines {
        let mut network = learner().online;
        for _ in 0..400 {
            engine.natural_step(&mut network, &batch.observations, &regularizer);
        }
        let some = &batch.observations[..NATURAL_ROWS * problem.dimensions];
        for group in engine.groups(&network, some) {
            let minimum = group.landscape(network.precision(), &regularizer).minimum().max(LEAST_LOGIT);
            assert!((logit(group.p) - minimum).abs() < 1e-3, "{group:?}, its minimum {minimum}");
        }
    }
}
