//! Adam over one flat tensor.

use tch::Tensor;

use super::flat_tensor::FlatTensor;

/// Adam (Kingma & Ba 2015, algorithm 1) with PyTorch's defaults, a learning rate for each parameter, and state that is
/// two tensors and a counter, so that it can be saved (`tch`'s own optimisers keep theirs to themselves).
#[derive(Debug)]
pub struct Adam {
    /// Learning rate of each parameter, before the schedule.
    learning_rates: FlatTensor,
    first_moment: FlatTensor,
    second_moment: FlatTensor,
    steps: i32,
}

/// What one step of Adam goes by: `p -= rate * learning_rate * m / (root_scale * sqrt(v) + epsilon)` after the moments
/// m and v have taken the gradient in.
#[derive(Debug)]
pub struct AdamStep<'a> {
    /// Learning rate of each parameter.
    pub learning_rates: &'a [f32],
    /// m
    pub first_moment: &'a mut [f32],
    /// v
    pub second_moment: &'a mut [f32],
    /// The schedule, corrected for the bias of m.
    pub rate: f64,
    /// Corrects for the bias of v.
    pub root_scale: f64,
}

impl AdamStep<'_> {
    /// What stays of m.
    pub const BETA_1: f64 = 0.9;
    /// What stays of v.
    pub const BETA_2: f64 = 0.999;
    /// Keeps the denominator from 0.
    pub const EPSILON: f64 = 1e-8;
}

impl Adam {
    /// Adam for as many parameters as there are learning rates, all moments zero.
    pub fn new(learning_rates: FlatTensor) -> Self {
        let (first_moment, second_moment) = (learning_rates.zeros_like(), learning_rates.zeros_like());
        Self { learning_rates, first_moment, second_moment, steps: 0 }
    }

    /// Steps so far.
    pub fn steps(&self) -> i32 {
        self.steps
    }

    /// Goes on as after so many steps. The moments are restored through [`moments`](Self::moments).
    pub fn set_steps(&mut self, steps: i32) {
        self.steps = steps;
    }

    /// Its moments m and v by name, sharing their memory.
    pub fn moments(&self) -> [(&'static str, &FlatTensor); 2] {
        [("first_moment", &self.first_moment), ("second_moment", &self.second_moment)]
    }

    /// Counts a step and lends what it needs, for a loop over the numbers. The state must be on the CPU.
    pub fn begin_step(&mut self, schedule: f64) -> AdamStep<'_> {
        self.steps += 1;
        let (rate, root_scale) = self.bias_corrections(schedule);
        AdamStep {
            learning_rates: self.learning_rates.values(),
            first_moment: self.first_moment.values_mut(),
            second_moment: self.second_moment.values_mut(),
            rate,
            root_scale,
        }
    }

    fn bias_corrections(&self, schedule: f64) -> (f64, f64) {
        let bias_1 = 1.0 - AdamStep::BETA_1.powi(self.steps);
        let bias_2 = 1.0 - AdamStep::BETA_2.powi(self.steps);
        (schedule / bias_1, 1.0 / bias_2.sqrt())
    }

    /// One step down `gradient`, every learning rate multiplied by `schedule`.
    pub fn step(&mut self, parameters: &mut Tensor, gradient: &Tensor, schedule: f64) {
        self.steps += 1;
        let (rate, root_scale) = self.bias_corrections(schedule);
        let (first, second) = (self.first_moment.tensor_mut(), self.second_moment.tensor_mut());
        let _ = first.lerp_(gradient, 1.0 - AdamStep::BETA_1);
        let _ = second.lerp_(&gradient.square(), 1.0 - AdamStep::BETA_2);
        let mut denominator = second.sqrt();
        let _ = denominator.g_mul_scalar_(root_scale).g_add_scalar_(AdamStep::EPSILON);
        let mut update = &*first * self.learning_rates.tensor();
        let _ = update.g_div_(&denominator).g_mul_scalar_(rate);
        let _ = parameters.g_sub_(&update);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, Kind, nn, nn::OptimizerConfig};

    #[test]
    fn steps_equal_those_of_libtorch() {
        let start: Vec<f32> = (0..50).map(|i| (i as f32 * 0.7).sin()).collect();
        let store = nn::VarStore::new(Device::Cpu);
        let mut reference = store.root().var_copy("x", &Tensor::from_slice(&start));
        let mut optimizer = nn::Adam::default().build(&store, 0.01).unwrap();

        let mut ours = Tensor::from_slice(&start);
        let mut adam = Adam::new(FlatTensor::new(&[0.01; 50], Device::Cpu));
        for k in 0..200 {
            // A gradient that changes with the parameters and over time, with entries from tiny to large.
            let gradient = |x: &Tensor| (x.shallow_clone() * (k as f64 * 0.1).cos()).exp() * x;
            let g = gradient(&reference.detach());
            reference.zero_grad();
            (&reference * &g).sum(Kind::Float).backward();
            optimizer.step();
            let g = gradient(&ours);
            adam.step(&mut ours, &g, 1.0);
            assert!(ours.allclose(&reference, 1e-5, 1e-6, false), "step {k}");
        }
    }

    #[test]
    fn the_first_step_is_the_learning_rate_times_the_schedule() {
        let mut x = Tensor::from_slice(&[1.0_f32, 1.0]);
        Adam::new(FlatTensor::new(&[0.1, 0.2], Device::Cpu)).step(
            &mut x,
            &Tensor::from_slice(&[5.0_f32, -0.01]),
            0.5,
        );
        assert!(x.allclose(&Tensor::from_slice(&[0.95_f32, 1.1]), 1e-5, 1e-6, false));
    }
}
