//! libtorch differentiates the objective.

use tch::{Device, Kind, Tensor};

use super::{Engine, Learner, LearnerSettings, LearnerStep, LossStatistics};
use crate::concrete::{LogisticNoise, heteroscedastic_nll};
use crate::config::Targets;
use crate::network::{PassNoise, QNetwork};
use crate::replay::Batch;
use crate::td;

/// The engine that spells the objective out in tensors.
#[derive(Debug)]
pub struct Autograd {
    settings: LearnerSettings,
    noise: PassNoise,
    q: Vec<f32>,
}

/// A batch on the network's device. Shapes as in [`Batch`], but actions `[rows, 1]`.
struct BatchTensors {
    observations: Tensor,
    actions: Tensor,
    rewards: Tensor,
    discounts: Tensor,
    next_observations: Tensor,
}

impl BatchTensors {
    fn new(batch: &Batch, device: Device) -> Self {
        let vector = |values: &[f32]| Tensor::from_slice(values).to_device(device);
        let matrix = |values| vector(values).view([batch.actions.len() as i64, -1]);
        Self {
            observations: matrix(&batch.observations),
            actions: Tensor::from_slice(&batch.actions).to_device(device).unsqueeze(1),
            rewards: vector(&batch.rewards),
            discounts: vector(&batch.discounts),
            next_observations: matrix(&batch.next_observations),
        }
    }

    fn rows(&self) -> usize {
        self.rewards.numel()
    }
}

/// What a batch's loss is made of.
struct Objective {
    /// Q of the actions taken, `[rows]`.
    q: Tensor,
    /// Q less target, `[rows]`.
    errors: Tensor,
    data_term: Tensor,
    weight_term: Tensor,
    entropy_term: Tensor,
    precision_term: Tensor,
    /// Mean of the taus of the batch.
    precision: f64,
}

impl Autograd {
    /// An engine by these settings.
    pub fn new(settings: LearnerSettings) -> Self {
        Self { settings, noise: PassNoise::default(), q: Vec::new() }
    }

    /// The gradient of the loss with respect to the online network's flat tensor, and the loss.
    pub(super) fn gradient(
        &mut self,
        learner: &Learner,
        batch: &Batch,
        step: &LearnerStep,
        noise: &mut LogisticNoise,
    ) -> (Tensor, LossStatistics) {
        let objective = self.objective(learner, batch, step, noise);
        let likelihood = &objective.data_term + &objective.precision_term;
        let loss = likelihood + &objective.weight_term + &objective.entropy_term;
        let parameters = learner.online.parameters();
        let gradient = parameters.gradient(&loss);
        if !self.settings.learned_dropout {
            for (name, range) in parameters.ranges() {
                if name.ends_with(".p_logit") {
                    let _ = gradient.narrow(0, range.start as i64, range.len() as i64).zero_();
                }
            }
        }
        let number = |tensor: &Tensor| tensor.mean(Kind::Float).double_value(&[]);
        let statistics = LossStatistics {
            data_term: number(&objective.data_term),
            weight_term: number(&objective.weight_term),
            entropy_term: number(&objective.entropy_term),
            precision_term: number(&objective.precision_term),
            absolute_error: number(&objective.errors.abs()),
            q_mean: number(&objective.q),
            gradient_norm: gradient.norm().double_value(&[]) / objective.precision,
        };
        (gradient, statistics)
    }

    fn objective(
        &mut self,
        learner: &Learner,
        batch: &Batch,
        step: &LearnerStep,
        noise: &mut LogisticNoise,
    ) -> Objective {
        let online = &learner.online;
        let batch = BatchTensors::new(batch, online.device());
        let targets = tch::no_grad(|| self.targets(learner, &batch, step, noise));
        self.noise.draw(noise, online.inputs(), 1, batch.rows());
        let prediction = online.predict(&batch.observations, &self.noise);
        let taken = |values: &Tensor| values.squeeze_dim(0).gather(1, &batch.actions, false).squeeze_dim(1);
        let q = taken(&prediction.q);
        let errors = &q - &targets;
        let prior = self.settings.precision_prior;
        let dataset_size = step.regularizer.dataset_size;
        let (data_term, precision_term, precision) = match &prediction.log_precisions {
            None => {
                let log_precision = if self.settings.learned_precision {
                    online.log_precision().shallow_clone()
                } else {
                    online.log_precision().detach()
                };
                let data_term = td::gaussian_nll(&errors, &log_precision);
                (data_term, prior.term(&log_precision, dataset_size), online.precision())
            }
            Some(log_precisions) => {
                let log_precisions = taken(log_precisions);
                let data_term = heteroscedastic_nll(&errors, &log_precisions);
                let precision_term = prior.term(&log_precisions, dataset_size).mean(Kind::Float);
                let mean = log_precisions.exp().mean(Kind::Float).double_value(&[]);
                (data_term, precision_term, mean)
            }
        };
        let (weight_term, entropy_term) = online.regularization(&step.regularizer);
        Objective { q, errors, data_term, weight_term, entropy_term, precision_term, precision }
    }

    fn targets(
        &mut self,
        learner: &Learner,
        batch: &BatchTensors,
        step: &LearnerStep,
        noise: &mut LogisticNoise,
    ) -> Tensor {
        let Learner { online, target, .. } = learner;
        let LearnerSettings { target_beta, target_passes, .. } = self.settings;
        let BatchTensors { rewards, discounts, next_observations: next, .. } = batch;
        let online_next = online.mean(next);
        let targets = match self.settings.targets {
            Targets::DoubleQ => td::double_q_targets(&online_next, &target.mean(next), rewards, discounts),
            Targets::Optimistic => {
                self.noise.draw(noise, target.inputs(), target_passes, batch.rows());
                let samples = target.sample(next, &self.noise);
                td::optimistic_targets(&online_next, &samples, rewards, discounts, target_beta)
            }
        };
        match step.target_bounds {
            Some((lowest, highest)) => targets.clamp(f64::from(lowest), f64::from(highest)),
            None => targets,
        }
    }
}

impl Engine for Autograd {
    fn q_values(&mut self, network: &QNetwork, observations: &[f32], noise: Option<&PassNoise>) -> &[f32] {
        let dimensions = network.features().dimensions() as i64;
        let observations =
            Tensor::from_slice(observations).view([-1, dimensions]).to_device(network.device());
        let q = tch::no_grad(|| match noise {
            Some(noise) => network.sample(&observations, noise),
            None => network.mean(&observations),
        });
        self.q.resize(q.numel(), 0.0);
        q.to_device(Device::Cpu).contiguous().copy_data(&mut self.q, q.numel());
        &self.q
    }

    fn learn(
        &mut self,
        learner: &mut Learner,
        batch: &Batch,
        step: &LearnerStep,
        noise: &mut LogisticNoise,
    ) -> LossStatistics {
        let (mut gradient, statistics) = self.gradient(learner, batch, step, noise);
        if !statistics.gradient_norm.is_finite() {
            return statistics;
        }
        let scale = self.settings.gradient_scale(statistics.gradient_norm);
        tch::no_grad(|| {
            if scale < 1.0 {
                let _ = gradient.g_mul_scalar_(scale);
            }
            let Learner { online, target, adam } = learner;
            adam.step(online.parameters_mut().flat_mut().tensor_mut(), &gradient, step.schedule);
            online.bound_precision();
            if step.updates_target {
                target.parameters_mut().lerp(online.parameters(), self.settings.target_lerp);
            }
        });
        statistics
    }
}
