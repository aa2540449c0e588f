//! The engine with its gradients written out.
//!
//! Parameters are read and changed where libtorch holds them. Matrix products are `faer`'s; everything between two of
//! them is one loop over the numbers ([`kernels`]). Buffers are kept from step to step, so that nothing is allocated once
//! they have their size.

mod backward;
mod columns;
mod forward;
mod kernels;
mod layout;
mod matrix;
mod update;

use tch::Device;

use self::forward::Activations;
use self::layout::Layout;
pub(super) use self::update::adam as adam_step;
use super::{Engine, Learner, LearnerSettings, LearnerStep, LossStatistics, Precision, Prediction};
use crate::concrete::{LogisticNoise, gaussian_nll_at};
use crate::network::{MissingParameter, PassNoise, QNetwork};
use crate::replay::Batch;
use crate::td;
use crate::units::NetworkUnits;

/// The engine for the CPU.
#[derive(Debug)]
pub struct Fused {
    settings: LearnerSettings,
    layout: Layout,
    activations: Activations,
    noise: PassNoise,
    online_next: Vec<f32>,
    targets: Vec<f32>,
    /// Variance of local dropout, of what was computed last.
    local_variance: Vec<f32>,
    gradient: Vec<f32>,
    /// The error of each row over that of its other pass.
    row_weights: Vec<f32>,
    backward: backward::Buffers,
}

impl Fused {
    /// Whether it computes networks like this one: on the CPU, dense, and with one precision for all targets.
    pub fn computes(network: &QNetwork) -> bool {
        network.device() == Device::Cpu
            && network.is_dense()
            && !network.is_table()
            && !network.is_heteroscedastic()
    }

    /// An engine by these settings, for networks of this one's shape, which it [computes](Self::computes).
    ///
    /// # Errors
    /// Where the network lacks a parameter.
    pub fn new(settings: LearnerSettings, network: &QNetwork) -> Result<Self, MissingParameter> {
        Ok(Self {
            settings,
            layout: Layout::of(network)?,
            activations: Activations::default(),
            noise: PassNoise::default(),
            online_next: Vec::new(),
            targets: Vec::new(),
            local_variance: Vec::new(),
            gradient: Vec::new(),
            row_weights: Vec::new(),
            backward: backward::Buffers::default(),
        })
    }

    /// The gradient that was written last, flat.
    #[cfg(test)]
    pub(super) fn gradient(&self) -> &[f32] {
        &self.gradient
    }

    /// Writes the TD targets.
    fn write_targets(
        &mut self,
        learner: &Learner,
        batch: &Batch,
        step: &LearnerStep,
        noise: &mut LogisticNoise,
    ) {
        let (next, rows) = (&batch.next_observations, batch.rewards.len());
        let online_next = self.activations.forward(&learner.online, &self.layout, next, None);
        self.online_next.clear();
        self.online_next.extend_from_slice(online_next);
        self.noise.draw(noise, learner.target.masks(), self.settings.target_passes, rows);
        let samples = self.activations.forward(&learner.target, &self.layout, next, Some(&self.noise));
        learner.online.write_local_variance(next, &mut self.local_variance);
        let (online_next, beta) = (&self.online_next, self.settings.target_beta);
        let (local, valid) = (&self.local_variance, &batch.next_valid);
        td::targets(batch.rewards(), online_next, samples, local, valid, beta, &mut self.targets);
        if let Some(bounds) = step.target_bounds {
            td::clamp(&mut self.targets, bounds);
        }
    }

    /// Writes the gradient of the loss and returns the loss.
    pub(super) fn write_gradient(
        &mut self,
        learner: &Learner,
        batch: &Batch,
        step: &LearnerStep,
        noise: &mut LogisticNoise,
    ) -> LossStatistics {
        self.write_targets(learner, batch, step, noise);
        let rows = batch.rewards.len();
        let online = &learner.online;
        let parameters = online.parameters().values();
        self.noise.draw(noise, online.masks(), 2, rows);
        let q = self.activations.forward(online, &self.layout, &batch.observations, Some(&self.noise));

        let actions = q.len() / (2 * rows);
        let (q, independent) = q.split_at(rows * actions);
        let log_precision = f64::from(parameters[self.layout.log_precision]);
        let precision = log_precision.exp();
        let q_gradient = self.backward.q_gradient(q.len());
        online.write_local_variance(&batch.observations, &mut self.local_variance);
        self.row_weights.clear();
        let (mut squares, mut absolute_error, mut q_sum) = (0.0, 0.0, 0.0);
        for (row, (&action, &target)) in batch.actions.iter().zip(&self.targets).enumerate() {
            let index = row * actions + action as usize;
            let error = q[index] - target;
            let independent_error = distinct_from_zero(independent[index] - target);
            q_gradient[index] = (2.0 * precision / rows as f64) as f32 * independent_error;
            self.row_weights.push(error / independent_error);
            squares += f64::from(error * error + self.local_variance.get(index).copied().unwrap_or(0.0));
            absolute_error += f64::from(error.abs());
            q_sum += f64::from(q[index]);
        }
        self.gradient.resize(parameters.len(), 0.0);
        self.backward.data_term(
            &self.layout,
            parameters,
            online.temperature(),
            &self.activations,
            &self.row_weights,
            &mut self.gradient,
        );
        let (weight_term, entropy_term) =
            self.backward.regularize(&self.layout, parameters, &step.regularizer, &mut self.gradient);
        let likelihood = gaussian_nll_at(squares / rows as f64, log_precision);
        let prior = self.settings.precision_prior.term_at(log_precision, step.regularizer.dataset_size);
        self.gradient[self.layout.log_precision] = (likelihood.derivative + prior.derivative) as f32;
        for slot in self.settings.held(online.parameters()) {
            self.gradient[slot.range.clone()].fill(0.0);
        }
        LossStatistics {
            data_term: likelihood.value,
            weight_term,
            entropy_term,
            precision_term: prior.value,
            absolute_error: NetworkUnits(absolute_error / rows as f64),
            q_mean: NetworkUnits(q_sum / rows as f64),
            gradient_norm: kernels::squared_norm(&self.gradient).sqrt() / precision,
        }
    }
}

impl Engine for Fused {
    fn predict(
        &mut self,
        network: &QNetwork,
        observations: &[f32],
        noise: Option<&PassNoise>,
    ) -> Prediction<'_> {
        let rows = observations.len() / network.dimensions();
        // Asking libtorch for it takes longer than a pass of a small network.
        let log_precision = network.parameters().values()[self.layout.log_precision];
        network.write_local_variance(observations, &mut self.local_variance);
        Prediction {
            local_variance: &self.local_variance,
            q: self.activations.forward(network, &self.layout, observations, noise),
            precision: Precision::Homoscedastic(f64::from(log_precision).exp()),
            passes: noise.map_or(1, PassNoise::passes),
            rows,
            actions: network.actions(),
        }
    }

    fn sensitivity(&mut self, network: &QNetwork, observations: &[f32]) -> Vec<Vec<f64>> {
        let (rows, actions) = (observations.len() / network.dimensions(), network.actions());
        let q = self.activations.forward(network, &self.layout, observations, None);
        let gradient = self.backward.q_gradient(q.len());
        for (q, gradient) in q.chunks_exact(actions).zip(gradient.chunks_exact_mut(actions)) {
            gradient[td::best(actions, |action| q[action])] = 1.0;
        }
        let parameters = network.parameters().values();
        let mut all = self.backward.sensitivity(&self.layout, parameters, &self.activations, rows);
        all.iter_mut().flatten().for_each(|sum| *sum /= rows as f64);
        all
    }

    fn learn(
        &mut self,
        learner: &mut Learner,
        batch: &Batch,
        step: &LearnerStep,
        noise: &mut LogisticNoise,
    ) -> LossStatistics {
        let statistics = self.write_gradient(learner, batch, step, noise);
        if !statistics.gradient_norm.is_finite() {
            return statistics;
        }
        let scale = self.settings.gradient_scale(statistics.gradient_norm);
        let Learner { online, target, adam, .. } = learner;
        let parameters = online.parameters_mut().values_mut();
        update::adam(parameters, &self.gradient, scale as f32, adam.begin_step(step.schedule));
        let bound = QNetwork::LOG_PRECISION_BOUND;
        let log_precision = &mut parameters[self.layout.log_precision];
        *log_precision = log_precision.clamp(-bound, bound);
        let precision = f64::from(parameters[self.layout.log_precision]).exp();
        online.learn_local(&batch.observations, &batch.actions, |_| precision, None);
        if step.updates_target {
            let weight = self.settings.target_lerp as f32;
            update::follow(target.parameters_mut().values_mut(), online.parameters().values(), weight);
        }
        statistics
    }
}

/// An error that can be divided by.
fn distinct_from_zero(error: f32) -> f32 {
    const LEAST: f32 = 1e-20;
    if error.abs() < LEAST { LEAST } else { error }
}
