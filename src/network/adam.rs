//! Adam over one flat tensor.

use std::ops::Range;

use tch::{Device, Tensor};

use super::flat_tensor::FlatTensor;
use super::parameters::{Fill, NamedValues, Parameters};

/// Learning rate and epsilon of some neighbouring parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Where they lie in the flat tensor.
    pub range: Range<usize>,
    /// Learning rate, before the schedule.
    pub learning_rate: f32,
    /// What keeps the denominator from 0.
    pub epsilon: f32,
}

/// Adam (Kingma & Ba 2015, algorithm 1) with PyTorch's betas, a learning rate and an epsilon for each parameter, and
/// state that is two tensors and a counter, so that it can be saved (`tch`'s own optimisers keep theirs to themselves).
#[derive(Debug)]
pub struct Adam {
    /// One after the other, they cover all parameters.
    segments: Vec<Segment>,
    learning_rates: FlatTensor,
    epsilons: FlatTensor,
    first_moment: FlatTensor,
    second_moment: FlatTensor,
    steps: i32,
}

/// What one step of Adam goes by: `p -= rate * learning_rate * m / (root_scale * sqrt(v) + epsilon)` after the moments
/// m and v have taken the gradient in.
#[derive(Debug)]
pub struct AdamStep<'a> {
    /// Learning rates and epsilons.
    pub segments: &'a [Segment],
    /// m
    pub first_moment: &'a mut [f32],
    /// v
    pub second_moment: &'a mut [f32],
    /// The schedule, corrected for the bias of m.
    pub rate: f64,
    /// Corrects for the bias of v.
    pub root_scale: f64,
}

impl Adam {
    /// What stays of m.
    pub const BETA_1: f64 = 0.9;
    /// What stays of v.
    pub const BETA_2: f64 = 0.999;
    /// PyTorch's epsilon.
    pub const EPSILON: f32 = 1e-8;

    /// Adam for the parameters that the segments cover, all moments zero.
    pub fn new(segments: impl IntoIterator<Item = Segment>, device: Device) -> Self {
        let mut merged: Vec<Segment> = Vec::new();
        for segment in segments {
            match merged.last_mut() {
                Some(last)
                    if (last.learning_rate, last.epsilon) == (segment.learning_rate, segment.epsilon) =>
                {
                    last.range.end = segment.range.end;
                }
                _ => merged.push(segment),
            }
        }
        let each = |number: fn(&Segment) -> f32| {
            let values: Vec<f32> = merged
                .iter()
                .flat_map(|segment| std::iter::repeat_n(number(segment), segment.range.len()))
                .collect();
            FlatTensor::new(&values, device)
        };
        let learning_rates = each(|segment| segment.learning_rate);
        Self {
            epsilons: each(|segment| segment.epsilon),
            first_moment: learning_rates.zeros_like(),
            second_moment: learning_rates.zeros_like(),
            learning_rates,
            segments: merged,
            steps: 0,
        }
    }

    /// Steps so far.
    pub fn steps(&self) -> i32 {
        self.steps
    }

    /// Goes on as after `steps` steps. The moments are restored through [`restore`](Self::restore).
    pub fn set_steps(&mut self, steps: i32) {
        self.steps = steps;
    }

    /// Its moments m and v, with the names of the `parameters` that it is for.
    pub fn named<'a>(&'a self, parameters: &'a Parameters) -> Vec<NamedValues<'a>> {
        let mut named = parameters.named_as(&self.first_moment, FIRST);
        named.extend(parameters.named_as(&self.second_moment, SECOND));
        named
    }

    /// Lets `fill` write the moments.
    ///
    /// # Errors
    /// The first that `fill` returns.
    pub fn restore<E>(&mut self, parameters: &Parameters, fill: &mut Fill<'_, E>) -> Result<(), E> {
        parameters.restore_as(&mut self.first_moment, FIRST, fill)?;
        parameters.restore_as(&mut self.second_moment, SECOND, fill)
    }

    /// Multiplies the gradients that were taken in by `factor`, as far as they are in one of the `ranges`.
    pub fn rescale(&mut self, ranges: &[Range<usize>], factor: f32) {
        for range in ranges {
            self.first_moment.multiply(range.clone(), factor);
            self.second_moment.multiply(range.clone(), factor * factor);
        }
    }

    /// Counts a step and lends what it needs, for a loop over the numbers. The state must be on the CPU.
    pub fn begin_step(&mut self, schedule: f64) -> AdamStep<'_> {
        self.steps += 1;
        let (rate, root_scale) = self.bias_corrections(schedule);
        AdamStep {
            segments: &self.segments,
            first_moment: self.first_moment.values_mut(),
            second_moment: self.second_moment.values_mut(),
            rate,
            root_scale,
        }
    }

    fn bias_corrections(&self, schedule: f64) -> (f64, f64) {
        let bias_1 = 1.0 - Self::BETA_1.powi(self.steps);
        let bias_2 = 1.0 - Self::BETA_2.powi(self.steps);
        (schedule / bias_1, 1.0 / bias_2.sqrt())
    }

    /// One step of `parameters` down the flat `gradient`, every learning rate multiplied by `schedule`.
    pub fn step(&mut self, parameters: &mut Parameters, gradient: &Tensor, schedule: f64) {
        self.steps += 1;
        let (rate, root_scale) = self.bias_corrections(schedule);
        let (first, second) = (self.first_moment.tensor_mut(), self.second_moment.tensor_mut());
        let _ = first.lerp_(gradient, 1.0 - Self::BETA_1);
        let _ = second.lerp_(&gradient.square(), 1.0 - Self::BETA_2);
        let mut denominator = second.sqrt();
        let _ = denominator.g_mul_scalar_(root_scale).g_add_(self.epsilons.tensor());
        let mut update = &*first * self.learning_rates.tensor();
        let _ = update.g_div_(&denominator).g_mul_scalar_(rate);
        let _ = parameters.flat_mut().tensor_mut().g_sub_(&update);
    }
}

const FIRST: &str = "adam.first_moment.";
const SECOND: &str = "adam.second_moment.";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Initial, Parameter};
    use tch::{Kind, nn, nn::OptimizerConfig};

    fn parameters(values: &[f32]) -> Parameters {
        let shape = vec![values.len() as i64];
        let initial = Initial { parameter: Parameter::Weight(0), shape, values: values.to_vec() };
        Parameters::new(&[initial], false, Device::Cpu)
    }

    fn segment(range: Range<usize>, learning_rate: f32) -> Segment {
        Segment { range, learning_rate, epsilon: Adam::EPSILON }
    }

    #[test]
    fn steps_equal_those_of_libtorch() {
        let start: Vec<f32> = (0..50).map(|i| (i as f32 * 0.7).sin()).collect();
        let store = nn::VarStore::new(Device::Cpu);
        let mut reference = store.root().var_copy("x", &Tensor::from_slice(&start));
        let mut optimizer = nn::Adam::default().build(&store, 0.01).unwrap();

        let mut ours = parameters(&start);
        let mut adam = Adam::new([segment(0..50, 0.01)], Device::Cpu);
        for k in 0..200 {
            // A gradient that changes with the parameters and over time, with entries from tiny to large.
            let gradient = |x: &Tensor| (x.shallow_clone() * (k as f64 * 0.1).cos()).exp() * x;
            let g = gradient(&reference.detach());
            reference.zero_grad();
            (&reference * &g).sum(Kind::Float).backward();
            optimizer.step();
            let g = gradient(&Tensor::from_slice(ours.values()));
            adam.step(&mut ours, &g, 1.0);
            assert!(Tensor::from_slice(ours.values()).allclose(&reference, 1e-5, 1e-6, false), "step {k}");
        }
    }

    #[test]
    fn the_first_step_is_the_learning_rate_times_the_schedule() {
        let mut x = parameters(&[1.0, 1.0, 1.0]);
        let last = Segment { epsilon: 0.01, ..segment(2..3, 0.2) };
        let mut adam = Adam::new([segment(0..1, 0.1), segment(1..2, 0.2), last], Device::Cpu);
        adam.step(&mut x, &Tensor::from_slice(&[5.0_f32, -0.01, -0.01]), 0.5);
        // The last one's epsilon is as large as its gradient, and halves its step.
        for (value, expected) in x.values().iter().zip([0.95, 1.1, 1.05]) {
            assert!((value - expected).abs() < 1e-5, "{value} against {expected}");
        }
    }

    #[test]
    fn neighbours_with_the_same_rates_are_one_segment() {
        let adam = Adam::new([segment(0..3, 0.1), segment(3..5, 0.1), segment(5..6, 0.2)], Device::Cpu);
        assert_eq!(adam.segments, [segment(0..5, 0.1), segment(5..6, 0.2)]);
        assert_eq!(adam.learning_rates.values(), [0.1, 0.1, 0.1, 0.1, 0.1, 0.2]);
    }
}
