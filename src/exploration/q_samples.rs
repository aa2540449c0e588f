//! Samples of Q at one observation.

use crate::statistics::{mean, sample_std};

/// Q-values of every action under each of some passes at one observation, in network units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QSamples<'a> {
    /// The first action's value in the first pass, and all that follows.
    values: &'a [f32],
    actions: usize,
    /// From a pass to the next.
    stride: usize,
    /// Of each action, beside that of the passes; nothing where there is none.
    variance: &'a [f32],
    /// Which actions are valid; `None` where all are.
    valid: Option<&'a [bool]>,
}

impl<'a> QSamples<'a> {
    /// Samples from `values`, row-major `[passes, actions]`, at least one of each.
    pub fn new(values: &'a [f32], actions: usize) -> Self {
        Self::of_row(values, 1, actions, 0)
    }

    /// The samples of one row of `values`, `[passes, rows, actions]`, at least one of each.
    pub fn of_row(values: &'a [f32], rows: usize, actions: usize, row: usize) -> Self {
        let stride = rows * actions;
        debug_assert!(actions > 0 && row < rows && !values.is_empty() && values.len().is_multiple_of(stride));
        Self { values: &values[row * actions..], actions, stride, variance: &[], valid: None }
    }

    /// The same with a variance of each action that is not in the passes.
    pub fn with_variance(self, variance: &'a [f32]) -> Self {
        Self { variance, ..self }
    }

    /// The same where only some of the actions can be taken: those that are valid, if it is not `None`.
    pub fn among(self, valid: Option<&'a [bool]>) -> Self {
        Self { valid, ..self }
    }

    /// The actions that can be taken.
    pub fn valid_actions(&self) -> impl Iterator<Item = usize> + Clone + 'a {
        let valid = self.valid;
        (0..self.actions).filter(move |&action| valid.is_none_or(|valid| valid[action]))
    }

    /// Number of passes.
    pub fn passes(&self) -> usize {
        self.values.len().div_ceil(self.stride)
    }

    /// Mean over the passes.
    pub fn mean(&self, action: usize) -> f64 {
        mean(self.of(action))
    }

    /// The epistemic standard deviation: the unbiased one over the passes, 0 for a single pass, and what is not in the
    /// passes.
    pub fn std(&self, action: usize) -> f64 {
        let of_passes = sample_std(self.of(action)).unwrap_or(0.0);
        self.variance.get(action).map_or(of_passes, |variance| of_passes.hypot(f64::from(*variance).sqrt()))
    }

    /// The action with the highest score among those that can be taken; of equals, the first.
    pub fn best_by(&self, score: impl Fn(usize) -> f64) -> usize {
        let mut actions = self.valid_actions();
        let first = actions.next().unwrap_or(0);
        actions.fold(first, |best, action| if score(action) > score(best) { action } else { best })
    }

    /// The action with the highest mean among those that can be taken.
    pub fn greedy_action(&self) -> usize {
        self.best_by(|action| self.mean(action))
    }

    /// Number of actions.
    pub fn actions(&self) -> usize {
        self.actions
    }

    fn of(&self, action: usize) -> impl Iterator<Item = f64> + Clone + '_ {
        self.values[action..].iter().step_by(self.stride).map(|&q| f64::from(q))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_by_hand() {
        let samples = QSamples::new(&[1.0, 5.0, 3.0, 5.0], 2);
        assert_eq!((samples.passes(), samples.mean(0), samples.mean(1)), (2, 2.0, 5.0));
        assert!((samples.std(0) - 2.0_f64.sqrt()).abs() < 1e-12);
        assert_eq!((samples.std(1), samples.greedy_action()), (0.0, 1));
        assert_eq!(QSamples::new(&[1.0], 1).std(0), 0.0);
    }

    #[test]
    fn a_row_among_several() {
        // Two passes over two rows of two actions.
        let q = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
        let second = QSamples::of_row(&q, 2, 2, 1);
        assert_eq!((second.passes(), second.mean(0), second.mean(1)), (2, 5.0, 6.0));
    }

    #[test]
    fn actions_that_are_not_valid_are_never_best() {
        let samples = QSamples::new(&[2.0, 5.0, 1.0], 3);
        assert_eq!(samples.among(Some(&[true, false, true])).greedy_action(), 0);
        assert_eq!(samples.among(Some(&[false, false, true])).greedy_action(), 2);
        assert_eq!(samples.among(Some(&[false, true, true])).valid_actions().collect::<Vec<_>>(), [1, 2]);
        assert_eq!(samples.among(None).greedy_action(), 1);
    }

    #[test]
    fn ties_go_to_the_first() {
        assert_eq!(QSamples::new(&[2.0, 2.0, 1.0], 3).best_by(|_| 0.0), 0);
    }
}
