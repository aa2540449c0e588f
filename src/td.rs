//! TD targets: pure functions of slices, for every engine. No gradient flows through a target.

use serde::{Deserialize, Serialize};

/// The form of the TD targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Targets {
    /// Double Q-learning.
    DoubleQ,
    /// The same with the epistemic bonus.
    Optimistic,
}

/// What follows the transitions of a batch up to the next observation: `[rows]` each.
#[derive(Debug, Clone, Copy)]
pub struct Rewards<'a> {
    /// Discounted sums of the rewards up to the next observation.
    pub rewards: &'a [f32],
    /// Weight of the value of the next observation: gamma to the number of steps to it, 0 after a terminal state.
    pub discounts: &'a [f32],
}

/// The discounted rewards of successive steps and the weight of what follows them (n-step targets; Sutton 1988).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NStep {
    /// `r_1 + gamma r_2 + ... + gamma^(n-1) r_n`
    pub reward: f32,
    /// `gamma^n`, or 0 where the n-th step terminated the episode.
    pub discount: f32,
}

impl NStep {
    /// No step yet.
    pub const START: Self = Self { reward: 0.0, discount: 1.0 };

    /// With one step more.
    pub fn then(self, reward: f32, gamma: f32, terminated: bool) -> Self {
        Self {
            reward: self.reward + self.discount * reward,
            discount: if terminated { 0.0 } else { self.discount * gamma },
        }
    }
}

/// The targets of a batch: the online network chooses the next action, the target network values it (double
/// Q-learning; van Hasselt, Guez & Silver 2016), and the exploration bonus goes through the Bellman equation, since
/// uncertainty at the next state is worth visiting this one for (compare O'Donoghue et al. 2018, The Uncertainty
/// Bellman Equation).
///
/// ```text
/// y = r + discount * (mean_k Q_k(s', a*) + beta * std_k Q_k(s', a*))
/// a* = argmax_a (Q_online(s', a) + beta * std_k Q_k(s', a))
/// ```
///
/// over the noisy passes k of the target network, `samples` `[passes, rows, actions]`; the variance is the unbiased one (0
/// of a single pass), and to it comes that of local dropout, `local` `[rows, actions]`, where there is any. `online` is
/// the online network's mean pass, `[rows, actions]`; of equals the first action is the best. The best is among the
/// actions that are valid, as `valid` `[rows, actions]` says, or among all where it is empty. With beta = 0 these are
/// double-Q targets.
///
/// What is valued is the mean over noisy passes, because that is what a network under dropout is trained to predict.
/// The mean pass is another function: its distance, multiplied by `1 / (1 - gamma)`, would be the error of the fixed
/// point. What is only chosen by it has no such error, and it chooses without noise (`tests/fixed_point.rs`).
pub fn targets(
    rewards: Rewards<'_>,
    online: &[f32],
    samples: &[f32],
    local: &[f32],
    valid: &[bool],
    beta: f64,
    targets: &mut Vec<f32>,
) {
    let rows = rewards.rewards.len();
    let (actions, passes) = (online.len() / rows, samples.len() / online.len());
    let steps = rewards.rewards.iter().zip(rewards.discounts);
    targets.clear();
    targets.extend(online.chunks_exact(actions).zip(steps).enumerate().map(|(row, (online, step))| {
        let of = |action: usize| samples[row * actions + action..].iter().step_by(rows * actions).copied();
        let mean = |action| of(action).sum::<f32>() / passes as f32;
        let bonus = |action| {
            if beta == 0.0 {
                return 0.0;
            }
            let mean = mean(action);
            let squares: f32 = of(action).map(|q| (q - mean) * (q - mean)).sum();
            let local = local.get(row * actions + action).copied().unwrap_or(0.0);
            beta as f32 * (squares / (passes - 1).max(1) as f32 + local).sqrt()
        };
        let is_valid = |action: usize| valid.get(row * actions + action).copied().unwrap_or(true);
        let score =
            |action| if is_valid(action) { online[action] + bonus(action) } else { f32::NEG_INFINITY };
        let action = best(actions, score);
        let (reward, discount) = step;
        reward + discount * (mean(action) + bonus(action))
    }));
}

/// Clamps targets to the lowest and the highest value that is possible.
pub fn clamp(targets: &mut [f32], (lowest, highest): (f32, f32)) {
    targets.iter_mut().for_each(|target| *target = target.clamp(lowest, highest));
}

/// The action with the highest score; of equals, the first.
pub fn best(actions: usize, score: impl Fn(usize) -> f32) -> usize {
    let scored = (0..actions).map(|action| (action, score(action)));
    scored.fold((0, f32::NEG_INFINITY), |best, scored| if scored.1 > best.1 { scored } else { best }).0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(targets: &[f32], expected: &[f32]) {
        assert_eq!(targets.len(), expected.len());
        let near = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-6;
        assert!(targets.iter().zip(expected).all(near), "{targets:?} against {expected:?}");
    }

    fn of(rewards: &[f32], discounts: &[f32], online: &[f32], samples: &[f32], beta: f64) -> Vec<f32> {
        let mut all = Vec::new();
        targets(Rewards { rewards, discounts }, online, samples, &[], &[], beta, &mut all);
        all
    }

    #[test]
    fn double_q_by_hand() {
        // Row 0: online prefers action 1, which two passes of the target network value at 3 and 4. Row 1 has terminated.
        let (online, samples) = ([0.0, 1.0, 5.0, 2.0], [9.0, 3.0, 7.0, 8.0, 9.0, 4.0, 7.0, 8.0]);
        close(&of(&[1.0, -2.0], &[0.5, 0.0], &online, &samples, 0.0), &[2.75, -2.0]);
    }

    #[test]
    fn optimistic_by_hand() {
        // Action 0 is 1 and 3: mean 2, unbiased std sqrt(2). Action 1 is 2.5 twice. The online network prefers 1 by 1, the
        // bonus makes 0 the better one as soon as beta sqrt(2) > 1.
        let samples = [1.0, 2.5, 3.0, 2.5];
        let targets = |discount, beta| of(&[1.0], &[discount], &[1.0, 2.0], &samples, beta);
        close(&targets(0.5, 0.0), &[2.25]);
        close(&targets(0.5, 0.7), &[2.25]);
        close(&targets(0.5, 1.0), &[1.0 + 0.5 * (2.0 + 2.0_f32.sqrt())]);
        close(&targets(0.0, 1.0), &[1.0]);
    }

    #[test]
    fn optimistic_targets_are_double_q_targets_where_nothing_is_uncertain() {
        let (online, target) = ([0.0, 1.0, 5.0, 2.0], [9.0, 3.0, 7.0, 8.0]);
        let samples = [target, target, target].concat();
        let with = |beta| of(&[1.0, -2.0], &[0.9, 0.9], &online, &samples, beta);
        close(&with(3.0), &with(0.0));
        close(&with(0.0), &[1.0 + 0.9 * 3.0, -2.0 + 0.9 * 7.0]);
    }

    #[test]
    fn local_variance_adds_to_that_of_the_passes_by_hand() {
        // Of one pass the variance is 0; action 0 has a local one of 9.
        let mut all = Vec::new();
        let rewards = Rewards { rewards: &[1.0], discounts: &[0.5] };
        targets(rewards, &[1.0, 2.0], &[4.0, 5.0], &[9.0, 0.0], &[], 1.0, &mut all);
        close(&all, &[1.0 + 0.5 * (4.0 + 3.0)]);
        // Passes of 1 and 3 have a variance of 2, and 2 + 7 = 9.
        targets(rewards, &[1.0, 2.0], &[1.0, 5.0, 3.0, 5.0], &[7.0, 0.0], &[], 1.0, &mut all);
        close(&all, &[1.0 + 0.5 * (2.0 + 3.0)]);
    }

    #[test]
    fn actions_that_are_not_valid_are_not_valued_by_hand() {
        // Row 0: action 1 is best online and not valid, so the target is of action 0, at 9. Row 1: all are valid, and action
        // 0 is best online. Row 2: none is, as after a terminal state; nothing follows.
        let rewards = Rewards { rewards: &[1.0, 1.0, 3.0], discounts: &[0.5, 0.5, 0.0] };
        let (online, samples) = ([0.0, 1.0, 5.0, 2.0, 0.0, 0.0], [9.0, 3.0, 7.0, 8.0, 1.0, 1.0]);
        let valid = [true, false, true, true, false, false];
        let mut all = Vec::new();
        targets(rewards, &online, &samples, &[], &valid, 0.0, &mut all);
        close(&all, &[1.0 + 4.5, 1.0 + 3.5, 3.0]);
        // With a bonus too: action 1 of row 0 has one of 100, and still is not valid.
        targets(rewards, &online, &samples, &[0.0, 1e4, 0.0, 0.0, 0.0, 0.0], &valid, 1.0, &mut all);
        close(&all, &[1.0 + 4.5, 1.0 + 3.5, 3.0]);
    }

    #[test]
    fn clamped_and_n_step_by_hand() {
        let mut targets = [-2.0, 0.5, 3.0];
        clamp(&mut targets, (-1.0, 2.0));
        assert_eq!(targets, [-1.0, 0.5, 2.0]);
        // 1 + 2/2 + 4/4 = 3, what follows weighs 1/8; or nothing follows.
        let two = NStep::START.then(1.0, 0.5, false).then(2.0, 0.5, false);
        assert_eq!(two.then(4.0, 0.5, false), NStep { reward: 3.0, discount: 0.125 });
        assert_eq!(two.then(4.0, 0.5, true), NStep { reward: 3.0, discount: 0.0 });
    }
}
