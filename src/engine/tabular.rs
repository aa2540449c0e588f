//! A table of values with local dropout, and nothing else.

use super::fused::adam_step;
use super::{Engine, Learner, LearnerSettings, LearnerStep, LossStatistics, Precision, Prediction};
use crate::concrete::{LogisticNoise, gaussian_nll_at};
use crate::network::{MissingParameter, Parameter, PassNoise, QNetwork};
use crate::replay::Batch;
use crate::td;
use crate::units::NetworkUnits;

/// The engine for networks without layers. Nothing is drawn: the variance is known in closed form.
#[derive(Debug)]
pub struct Tabular {
    settings: LearnerSettings,
    log_precision: usize,
    q: Vec<f32>,
    next: Vec<f32>,
    local_variance: Vec<f32>,
    targets: Vec<f32>,
    gradient: Vec<f32>,
}

impl Tabular {
    /// An engine by these settings.
    ///
    /// # Errors
    /// Where the network lacks a parameter.
    pub fn new(settings: LearnerSettings, network: &QNetwork) -> Result<Self, MissingParameter> {
        Ok(Self {
            settings,
            log_precision: network.parameters().range(Parameter::LogPrecision)?.start,
            q: Vec::new(),
            next: Vec::new(),
            local_variance: Vec::new(),
            targets: Vec::new(),
            gradient: Vec::new(),
        })
    }
}

impl Engine for Tabular {
    fn predict(
        &mut self,
        network: &QNetwork,
        observations: &[f32],
        _noise: Option<&PassNoise>,
    ) -> Prediction<'_> {
        network.write_table(observations, false, &mut self.q);
        network.write_local_variance(observations, &mut self.local_variance);
        Prediction {
            q: &self.q,
            precision: Precision::Homoscedastic(network.precision()),
            local_variance: &self.local_variance,
            passes: 1,
            rows: observations.len() / network.inputs(),
            actions: network.actions(),
        }
    }

    fn sensitivity(&mut self, _network: &QNetwork, _observations: &[f32]) -> Vec<Vec<f64>> {
        Vec::new()
    }

    fn learn(
        &mut self,
        learner: &mut Learner,
        batch: &Batch,
        step: &LearnerStep,
        _noise: &mut LogisticNoise,
    ) -> LossStatistics {
        let online = &learner.online;
        online.write_table(&batch.next_observations, false, &mut self.next);
        online.write_table(&batch.next_observations, true, &mut self.q);
        online.write_local_variance(&batch.next_observations, &mut self.local_variance);
        let (local, beta) = (&self.local_variance, self.settings.target_beta);
        let valid = &batch.next_valid;
        td::targets(batch.rewards(), &self.next, &self.q, local, valid, beta, &mut self.targets);
        if let Some(bounds) = step.target_bounds {
            td::clamp(&mut self.targets, bounds);
        }

        online.write_table(&batch.observations, false, &mut self.q);
        online.write_local_variance(&batch.observations, &mut self.local_variance);
        let (rows, actions) = (batch.actions.len() as f64, online.actions());
        let (mut squares, mut absolute_error, mut q_sum) = (0.0, 0.0, 0.0);
        for (row, (&action, &target)) in batch.actions.iter().zip(&self.targets).enumerate() {
            let index = row * actions + action as usize;
            let error = self.q[index] - target;
            squares += f64::from(error * error + self.local_variance[index]);
            absolute_error += f64::from(error.abs());
            q_sum += f64::from(self.q[index]);
        }
        let log_precision = f64::from(online.parameters().values()[self.log_precision]);
        let likelihood = gaussian_nll_at(squares / rows, log_precision);
        let prior = self.settings.precision_prior.term_at(log_precision, step.regularizer.dataset_size);
        let slope = likelihood.derivative + prior.derivative;
        let statistics = LossStatistics {
            data_term: likelihood.value,
            weight_term: 0.0,
            entropy_term: 0.0,
            precision_term: prior.value,
            absolute_error: NetworkUnits(absolute_error / rows),
            q_mean: NetworkUnits(q_sum / rows),
            gradient_norm: slope.abs() / log_precision.exp(),
        };
        if !statistics.gradient_norm.is_finite() {
            return statistics;
        }
        let online = &mut learner.online;
        let precision = log_precision.exp();
        online.learn_local(&batch.observations, &batch.actions, |_| precision, Some(&self.targets));
        if self.settings.learned_precision {
            self.gradient.clear();
            self.gradient.resize(online.parameters().count(), 0.0);
            self.gradient[self.log_precision] = slope as f32;
            let adam = learner.adam.begin_step(step.schedule);
            adam_step(online.parameters_mut().values_mut(), &self.gradient, 1.0, adam);
            let bound = QNetwork::LOG_PRECISION_BOUND;
            let log_precision = &mut online.parameters_mut().values_mut()[self.log_precision];
            *log_precision = log_precision.clamp(-bound, bound);
        }
        if step.updates_target {
            online.follow_local(self.settings.target_lerp);
        }
        statistics
    }
}
