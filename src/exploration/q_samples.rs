//! Samples of Q at one observation.

use tch::{Device, Tensor};

/// Q-values of every action under each of some passes, in network units.
#[derive(Debug, Clone, PartialEq)]
pub struct QSamples {
    values: Vec<f32>,
    actions: usize,
}

impl QSamples {
    /// Samples from `values`, row-major `[passes, actions]`, at least one of each.
    pub fn new(values: Vec<f32>, actions: usize) -> Self {
        debug_assert!(actions > 0 && !values.is_empty() && values.len().is_multiple_of(actions));
        Self { values, actions }
    }

    /// Samples from a tensor whose last dimension is the actions and whose others are passes; `None` if one of them is
    /// not finite.
    pub fn from_tensor(q: &Tensor) -> Option<Self> {
        let actions = *q.size().last()? as usize;
        let mut values = vec![0.0_f32; q.numel()];
        q.to_device(Device::Cpu).contiguous().copy_data(&mut values, q.numel());
        values.iter().all(|q| q.is_finite()).then(|| Self::new(values, actions))
    }

    /// Number of passes.
    pub fn passes(&self) -> usize {
        self.values.len() / self.actions
    }

    /// Mean over the passes.
    pub fn mean(&self, action: usize) -> f64 {
        self.of(action).sum::<f64>() / self.passes() as f64
    }

    /// Unbiased standard deviation over the passes: the epistemic one. 0 for a single pass.
    pub fn std(&self, action: usize) -> f64 {
        if self.passes() < 2 {
            return 0.0;
        }
        let mean = self.mean(action);
        let squares: f64 = self.of(action).map(|q| (q - mean).powi(2)).sum();
        (squares / (self.passes() - 1) as f64).sqrt()
    }

    /// The action with the highest score; of equals, the first.
    pub fn best_by(&self, score: impl Fn(usize) -> f64) -> usize {
        (1..self.actions).fold(0, |best, action| if score(action) > score(best) { action } else { best })
    }

    /// Number of actions.
    pub fn actions(&self) -> usize {
        self.actions
    }

    fn of(&self, action: usize) -> impl Iterator<Item = f64> {
        self.values.iter().skip(action).step_by(self.actions).map(|&q| f64::from(q))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_by_hand() {
        let samples = QSamples::new(vec![1.0, 5.0, 3.0, 5.0], 2);
        assert_eq!((samples.passes(), samples.mean(0), samples.mean(1)), (2, 2.0, 5.0));
        assert!((samples.std(0) - 2.0_f64.sqrt()).abs() < 1e-12);
        assert_eq!(samples.std(1), 0.0);
        assert_eq!(QSamples::new(vec![1.0], 1).std(0), 0.0);
    }

    #[test]
    fn ties_go_to_the_first() {
        assert_eq!(QSamples::new(vec![2.0, 2.0, 1.0], 3).best_by(|_| 0.0), 0);
    }
}
