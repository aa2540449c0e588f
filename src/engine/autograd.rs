//! libtorch differentiates the objective.

use tch::{Device, Kind, Tensor};

use super::{Engine, Learner, LearnerSettings, LearnerStep, LossStatistics, Precision, Prediction};
use crate::concrete::{LogisticNoise, gaussian_nll};
use crate::network::{Parameter, PassNoise, QNetwork};
use crate::replay::Batch;
use crate::td;
use crate::units::NetworkUnits;

/// The engine that spells the objective out in tensors.
#[derive(Debug)]
pub struct Autograd {
    settings: LearnerSettings,
    noise: PassNoise,
    q: Vec<f32>,
    log_precisions: Vec<f32>,
    online_next: Vec<f32>,
    local_variance: Vec<f32>,
    targets: Vec<f32>,
    /// tau of every row's action, where it depends on observation and action.
    taken_precisions: Vec<f32>,
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
    /// Has the gradient that [`data_term`](Self::data_term) is given for weights and biases.
    mean_term: Tensor,
    /// Mean of the taus of the batch.
    precision: f64,
}

impl Autograd {
    /// An engine by these settings.
    pub fn new(settings: LearnerSettings) -> Self {
        Self {
            settings,
            noise: PassNoise::default(),
            q: Vec::new(),
            log_precisions: Vec::new(),
            online_next: Vec::new(),
            local_variance: Vec::new(),
            targets: Vec::new(),
            taken_precisions: Vec::new(),
        }
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
        let regularization = &objective.weight_term + &objective.entropy_term + &objective.precision_term;
        let parameters = learner.online.parameters();
        let is_logit = |parameter| matches!(parameter, Parameter::DropoutLogit(_));
        let learned_dropout = self.settings.learned_dropout;
        let loss = &objective.mean_term + &regularization;
        let mut gradient = parameters.gradient_of(&loss, |part| !is_logit(part), learned_dropout);
        if learned_dropout {
            gradient += parameters.gradient_of(&(&objective.data_term + &regularization), is_logit, false);
        }
        for slot in self.settings.held(parameters) {
            let _ = gradient.narrow(0, slot.range.start as i64, slot.range.len() as i64).zero_();
        }
        let number = |tensor: &Tensor| tensor.mean(Kind::Float).double_value(&[]);
        let statistics = LossStatistics {
            data_term: number(&objective.data_term),
            weight_term: number(&objective.weight_term),
            entropy_term: number(&objective.entropy_term),
            precision_term: number(&objective.precision_term),
            absolute_error: NetworkUnits(number(&objective.errors.abs())),
            q_mean: NetworkUnits(number(&objective.q)),
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
        let (device, rows) = (online.device(), batch.actions.len());
        self.write_targets(learner, batch, step, noise);
        let targets = Tensor::from_slice(&self.targets).to_device(device);
        let actions = Tensor::from_slice(&batch.actions).to_device(device).unsqueeze(1);
        let taken = |values: &Tensor| values.squeeze_dim(0).gather(1, &actions, false).squeeze_dim(1);

        self.noise.draw(noise, online.masks(), 2, rows);
        let observations = matrix(&batch.observations, online);
        let of_pass = |index| online.forward(&observations, Some(&self.noise.pass(index)));
        let outputs = of_pass(0);
        let q = taken(&outputs.q);
        let errors = &q - &targets;
        let log_precisions = match online.is_heteroscedastic() {
            true => taken(&outputs.log_precisions),
            false => outputs.log_precisions,
        };
        self.taken_precisions.clear();
        if online.is_heteroscedastic() {
            copy(&log_precisions.detach().exp(), &mut self.taken_precisions);
        }
        let independent_errors = tch::no_grad(|| taken(&of_pass(1).q) - &targets);
        let slope = independent_errors * log_precisions.detach().exp() * 2.0;
        online.write_local_variance(&batch.observations, &mut self.local_variance);
        let local_term = if self.local_variance.is_empty() {
            Tensor::zeros([1], (Kind::Float, device))
        } else {
            // What its noise adds to the mean squared error, in closed form.
            let variances = Tensor::from_slice(&self.local_variance).to_device(device);
            let of_taken = variances.view([rows as i64, -1]).gather(1, &actions, false).squeeze_dim(1);
            (log_precisions.exp() * of_taken).mean(Kind::Float)
        };
        let (weight_term, entropy_term) = online.regularization(&step.regularizer);
        Objective {
            data_term: gaussian_nll(&errors, &log_precisions) + &local_term,
            mean_term: gaussian_nll(&errors.detach(), &log_precisions)
                + (slope * &q).mean(Kind::Float)
                + local_term,
            precision_term: self
                .settings
                .precision_prior
                .term(&log_precisions, step.regularizer.dataset_size),
            precision: log_precisions.exp().mean(Kind::Float).double_value(&[]),
            q,
            errors,
            weight_term,
            entropy_term,
        }
    }

    /// Writes the TD targets.
    fn write_targets(
        &mut self,
        learner: &Learner,
        batch: &Batch,
        step: &LearnerStep,
        noise: &mut LogisticNoise,
    ) {
        let Learner { online, target, .. } = learner;
        let LearnerSettings { target_beta, target_passes, .. } = self.settings;
        let next = &batch.next_observations;
        let _ = pass(online, next, None, &mut self.online_next);
        self.noise.draw(noise, target.masks(), target_passes, batch.actions.len());
        let _ = pass(target, next, Some(&self.noise), &mut self.q);
        online.write_local_variance(next, &mut self.local_variance);
        let (online_next, local) = (&self.online_next, &self.local_variance);
        let valid = &batch.next_valid;
        td::targets(batch.rewards(), online_next, &self.q, local, valid, target_beta, &mut self.targets);
        if let Some(bounds) = step.target_bounds {
            td::clamp(&mut self.targets, bounds);
        }
    }
}

/// Rows of observations on the network's device, `[rows, dimensions]`.
fn matrix(observations: &[f32], network: &QNetwork) -> Tensor {
    Tensor::from_slice(observations).view([-1, network.dimensions() as i64]).to_device(network.device())
}

/// Writes the Q-values of passes at some observations, and returns ln tau.
fn pass(network: &QNetwork, observations: &[f32], noise: Option<&PassNoise>, q: &mut Vec<f32>) -> Tensor {
    let outputs = tch::no_grad(|| network.forward(&matrix(observations, network), noise));
    copy(&outputs.q, q);
    outputs.log_precisions
}

/// Copies the numbers of a tensor.
fn copy(tensor: &Tensor, into: &mut Vec<f32>) {
    into.resize(tensor.numel(), 0.0);
    tensor.to_device(Device::Cpu).contiguous().copy_data(into, tensor.numel());
}

impl Engine for Autograd {
    fn predict(
        &mut self,
        network: &QNetwork,
        observations: &[f32],
        noise: Option<&PassNoise>,
    ) -> Prediction<'_> {
        let log_precisions = pass(network, observations, noise, &mut self.q);
        let precision = match network.is_heteroscedastic() {
            true => {
                copy(&log_precisions, &mut self.log_precisions);
                Precision::Heteroscedastic(&self.log_precisions)
            }
            false => Precision::Homoscedastic(network.precision()),
        };
        network.write_local_variance(observations, &mut self.local_variance);
        Prediction {
            local_variance: &self.local_variance,
            q: &self.q,
            precision,
            passes: noise.map_or(1, PassNoise::passes),
            rows: observations.len() / network.dimensions(),
            actions: network.actions(),
        }
    }

    fn sensitivity(&mut self, network: &QNetwork, observations: &[f32]) -> Vec<Vec<f64>> {
        network.sensitivity(&matrix(observations, network))
    }

    fn learn(
        &mut self,
        learner: &mut Learner,
        batch: &Batch,
        step: &LearnerStep,
        noise: &mut LogisticNoise,
    ) -> LossStatistics {
        let (gradient, statistics) = self.gradient(learner, batch, step, noise);
        if !statistics.gradient_norm.is_finite() {
            return statistics;
        }
        let gradient = gradient * self.settings.gradient_scale(statistics.gradient_norm);
        let Learner { online, target, adam, .. } = learner;
        online.descend(adam, &gradient, step.schedule);
        let precision = online.precision();
        let taus = &self.taken_precisions;
        let tau = |row: usize| taus.get(row).map_or(precision, |tau| f64::from(*tau));
        online.learn_local(&batch.observations, &batch.actions, tau, None);
        if step.updates_target {
            target.follow(online, self.settings.target_lerp);
        }
        statistics
    }
}

#[cfg(test)]
mod tests {
    use control_envs::{Dimension, EnvSpec};

    use super::*;
    use crate::concrete::{Regularizer, sigmoid, single_mask_minimum};
    use crate::config::Config;
    use crate::engine::LearnerSections;
    use crate::network::Slot;
    use crate::randomness::{Stream, generator};

    #[test]
    fn local_p_goes_by_the_precision_of_its_own_action() {
        let mut sections = LearnerSections::from(&Config::default());
        (sections.network.hidden, sections.network.biases) = (vec![8], true);
        (sections.precision.heteroscedastic, sections.precision.initial) = (true, 5.0);
        (sections.local.tilings, sections.local.rate) = (1, 1.0);
        (sections.optimizer.learning_rate, sections.optimizer.dropout_learning_rate) = (1e-9, 1e-9);
        let spec = EnvSpec::new("Test-v0", [Dimension::new("x", "", -1.0, 1.0)], ["a", "b"]);
        let mut learner = Learner::new(sections.clone(), &spec, Device::Cpu).unwrap();
        // Q is 0, and ln tau that of all more 0 and 3.
        let online = &mut learner.online;
        for Slot { parameter, range, .. } in online.parameters().slots().to_vec() {
            let values = &mut online.parameters_mut().values_mut()[range];
            match parameter {
                Parameter::Weight(1) => values.fill(0.0),
                Parameter::Bias(1) => values.copy_from_slice(&[0.0, 0.0, 0.0, 3.0]),
                _ => {}
            }
        }
        (0..2).for_each(|action| online.count_local(&[0.5], action, true));
        let batch = Batch {
            observations: vec![0.5; 2],
            actions: vec![0, 1],
            rewards: vec![0.0; 2],
            discounts: vec![0.0; 2],
            next_observations: vec![0.5; 2],
            next_valid: Vec::new(),
        };
        let step = LearnerStep {
            regularizer: Regularizer { length_scale: 0.1, precision: 1.0, dataset_size: 100.0 },
            schedule: 1.0,
            target_bounds: None,
            updates_target: false,
        };
        let mut noise = LogisticNoise::new(generator(1, Stream::Noise));
        Autograd::new(LearnerSettings::from(&sections)).learn(&mut learner, &batch, &step, &mut noise);
        let squared_weight = f64::from(learner.online.local().unwrap().squared_weight());
        for (action, tau) in [(0, 5.0), (1, 5.0 * 3.0_f64.exp())] {
            let minimum = single_mask_minimum((0.5 * tau * squared_weight) as f32);
            let p = learner.online.local_p(&[0.5], action).unwrap();
            assert!((p - sigmoid(f64::from(minimum))).abs() < 1e-5, "{p}, {minimum}");
        }
    }
}
