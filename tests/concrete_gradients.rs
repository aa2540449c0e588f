//! Gradients of the whole objective against central finite differences, in f64.

use concrete_dqn::concrete::{ConcreteDropout, ConcreteLinear, LogisticNoise, Regularizer, gaussian_nll};
use concrete_dqn::randomness::{Stream, generator};
use tch::{Device, Kind, Tensor};

/// A small problem: two rows through one layer of three inputs and two outputs.
struct Problem {
    x: Tensor,
    y: Tensor,
    noise: Tensor,
    regularizer: Regularizer,
}

impl Problem {
    fn new(seed: u64) -> Self {
        let mut noise = LogisticNoise::new(generator(seed, Stream::Noise));
        let mut draw = |shape: &[i64]| noise.sample(shape, Device::Cpu).to_kind(Kind::Double);
        Self {
            x: draw(&[2, 3]),
            y: draw(&[2, 2]),
            noise: draw(&[2, 3]),
            regularizer: Regularizer { length_scale: 0.7, precision: 1.0, dataset_size: 9.0 },
        }
    }

    /// The objective of weights (6), p logit and ln tau, in this order.
    fn loss(&self, parameters: &Tensor) -> Tensor {
        let layer = ConcreteLinear {
            weight: parameters.narrow(0, 0, 6).view([2, 3]),
            dropout: ConcreteDropout::from_logit(parameters.narrow(0, 6, 1), 0.5),
            bias: None,
        };
        let errors = layer.forward(&self.x, &self.noise) - &self.y;
        let data_term = gaussian_nll(&errors, &parameters.narrow(0, 7, 1));
        (data_term + layer.regularization(&self.regularizer)).sum(Kind::Double)
    }
}

#[test]
fn gradients_of_weight_p_and_tau_agree_with_finite_differences() {
    for (seed, logit, log_tau) in [(1, -2.0, 1.0), (2, 0.0, -1.0), (3, 1.5, 2.0), (4, -4.0, 0.0)] {
        let problem = Problem::new(seed);
        let at = [0.3, -0.8, 0.5, 1.1, -0.2, 0.4, logit, log_tau];
        let leaf = Tensor::from_slice(&at).set_requires_grad(true);
        problem.loss(&leaf).backward();
        for index in 0..at.len() {
            let moved = |by: f64| {
                let mut moved = at;
                moved[index] += by;
                problem.loss(&Tensor::from_slice(&moved)).double_value(&[])
            };
            let step = 1e-5;
            let numeric = (moved(step) - moved(-step)) / (2.0 * step);
            let analytic = leaf.grad().double_value(&[index as i64]);
            let error = (numeric - analytic).abs() / (1.0 + numeric.abs());
            assert!(error < 1e-7, "parameter {index} of seed {seed}: {analytic} against {numeric}");
        }
    }
}

#[test]
fn more_data_regularise_less() {
    let problem = Problem::new(5);
    let layer = ConcreteLinear {
        weight: Tensor::ones([2, 3], (Kind::Double, Device::Cpu)),
        dropout: ConcreteDropout::from_logit(Tensor::from_slice(&[0.3]), 0.1),
        bias: None,
    };
    let penalty = |dataset_size| {
        let regularizer = Regularizer { dataset_size, ..problem.regularizer };
        layer.regularization(&regularizer).double_value(&[])
    };
    assert!((penalty(9.0) / penalty(90.0) - 10.0).abs() < 1e-12);
}
