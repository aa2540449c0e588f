//! TD targets and the loss: pure functions of tensors.

use tch::Tensor;

/// Double-Q targets (van Hasselt, Guez & Silver 2016): the online network chooses the next action, the target network
/// values it.
///
/// ```text
/// y = r + discount * Q_target(s', argmax_a Q_online(s', a))
/// ```
///
/// `online_next` and `target_next` are `[rows, actions]`, `rewards` and `discounts` `[rows]`: gamma to the
/// number of steps to s', 0 where the episode terminated.
pub fn double_q_targets(
    online_next: &Tensor,
    target_next: &Tensor,
    rewards: &Tensor,
    discounts: &Tensor,
) -> Tensor {
    let best = online_next.argmax(-1, true);
    rewards + target_next.gather(-1, &best, false).squeeze_dim(-1) * discounts
}

/// Optimistic targets: the exploration bonus goes through the Bellman equation, since uncertainty at the next state is
/// worth visiting this one for (compare O'Donoghue et al. 2018, The Uncertainty Bellman Equation).
///
/// ```text
/// y = r + discount * (mean_k Q_k(s', a*) + beta * std_k Q_k(s', a*))
/// a* = argmax_a (Q_online(s', a) + beta * std_k Q_k(s', a))
/// ```
///
/// over the noisy passes k of the target network, `samples` `[passes, rows, actions]`, at least two; the standard
/// deviation is the unbiased one. That the online network's mean pass, `online_next` `[rows, actions]`, has a say in the
/// action makes these the double-Q targets where nothing is uncertain: without it the maximum overestimates.
pub fn optimistic_targets(
    online_next: &Tensor,
    samples: &Tensor,
    rewards: &Tensor,
    discounts: &Tensor,
    beta: f64,
) -> Tensor {
    let (std, mean) = samples.std_mean_dim(0, true, false);
    let bonus = std * beta;
    double_q_targets(&(online_next + &bonus), &(mean + bonus), rewards, discounts)
}

/// Twice the Gaussian negative log-likelihood per datum, without its constant: `tau * mean((q - y)^2) - ln tau`.
///
/// `errors` is q - y, `[rows]`; `log_precision` is ln tau, one element; so is the result.
pub fn gaussian_nll(errors: &Tensor, log_precision: &Tensor) -> Tensor {
    errors.square().mean(errors.kind()) * log_precision.exp() - log_precision
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(values: &[f32], shape: &[i64]) -> Tensor {
        Tensor::from_slice(values).view(shape)
    }

    fn close(tensor: &Tensor, expected: &[f32]) {
        assert!(tensor.allclose(&Tensor::from_slice(expected), 1e-6, 1e-6, false), "{tensor:?}");
    }

    #[test]
    fn double_q_by_hand() {
        // Row 0: online prefers action 1, which the target values at 3. Row 1 has terminated.
        let y = double_q_targets(
            &rows(&[0.0, 1.0, 5.0, 2.0], &[2, 2]),
            &rows(&[9.0, 3.0, 7.0, 8.0], &[2, 2]),
            &rows(&[1.0, -2.0], &[2]),
            &rows(&[0.5, 0.0], &[2]),
        );
        close(&y, &[2.5, -2.0]);
    }

    #[test]
    fn optimistic_by_hand() {
        // Action 0 is 1 and 3: mean 2, unbiased std sqrt(2). Action 1 is 2.5 twice. The online network prefers 1 by 1, the
        // bonus makes 0 the better one as soon as beta sqrt(2) > 1.
        let samples = rows(&[1.0, 2.5, 3.0, 2.5], &[2, 1, 2]);
        let online = rows(&[1.0, 2.0], &[1, 2]);
        let (r, c) = (rows(&[1.0], &[1]), rows(&[0.5], &[1]));
        let targets = |beta| optimistic_targets(&online, &samples, &r, &c, beta);
        close(&targets(0.0), &[2.25]);
        close(&targets(0.7), &[2.25]);
        close(&targets(1.0), &[1.0 + 0.5 * (2.0 + 2.0_f32.sqrt())]);
        close(&optimistic_targets(&online, &samples, &r, &(&c * 0.0), 1.0), &[1.0]);
    }

    #[test]
    fn optimistic_targets_are_double_q_targets_where_nothing_is_uncertain() {
        let (online, target) = (rows(&[0.0, 1.0, 5.0, 2.0], &[2, 2]), rows(&[9.0, 3.0, 7.0, 8.0], &[2, 2]));
        let (r, c) = (rows(&[1.0, -2.0], &[2]), rows(&[0.9, 0.9], &[2]));
        let samples = Tensor::stack(&[&target, &target, &target], 0);
        let optimistic = optimistic_targets(&online, &samples, &r, &c, 3.0);
        assert!(optimistic.allclose(&double_q_targets(&online, &target, &r, &c), 1e-6, 1e-6, false));
    }

    #[test]
    fn likelihood_by_hand() {
        // Errors 1 and 3: mean square 5; tau = 2: 10 - ln 2.
        let loss = gaussian_nll(&rows(&[1.0, -3.0], &[2]), &rows(&[2.0_f32.ln()], &[1]));
        close(&loss, &[10.0 - 2.0_f32.ln()]);
    }
}
