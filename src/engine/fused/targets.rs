//! TD targets of a batch, as [`td`](crate::td) defines them, over slices.

use crate::replay::Batch;

/// Double-Q targets: of the next state's action that is best in `online`, the value in `target`, both
/// `[rows, actions]`.
pub fn double_q(batch: &Batch, online: &[f32], target: &[f32], targets: &mut Vec<f32>) {
    let actions = online.len() / batch.rewards.len();
    let values = online.chunks_exact(actions).zip(target.chunks_exact(actions));
    discount(batch, targets, values.map(|(online, target)| target[best(actions, |action| online[action])]));
}

/// Optimistic targets, from `samples` `[passes, rows, actions]` of the target network.
pub fn optimistic(batch: &Batch, online: &[f32], samples: &[f32], beta: f64, targets: &mut Vec<f32>) {
    let rows = batch.rewards.len();
    let (actions, passes) = (online.len() / rows, samples.len() / online.len());
    let values = online.chunks_exact(actions).enumerate().map(|(row, online)| {
        let of = |action: usize| samples[row * actions + action..].iter().step_by(rows * actions).copied();
        let mean = |action| of(action).sum::<f32>() / passes as f32;
        let bonus = |action, mean: f32| {
            let squares: f32 = of(action).map(|q| (q - mean) * (q - mean)).sum();
            beta as f32 * (squares / (passes - 1) as f32).sqrt()
        };
        let action = best(actions, |action| online[action] + bonus(action, mean(action)));
        mean(action) + bonus(action, mean(action))
    });
    discount(batch, targets, values);
}

/// The action with the highest score; of equals, the first.
fn best(actions: usize, score: impl Fn(usize) -> f32) -> usize {
    let scored = (0..actions).map(|action| (action, score(action)));
    scored.fold((0, f32::NEG_INFINITY), |best, scored| if scored.1 > best.1 { scored } else { best }).0
}

/// `y = r + discount * value of the next state`.
fn discount(batch: &Batch, targets: &mut Vec<f32>, values: impl Iterator<Item = f32>) {
    targets.clear();
    let steps = batch.rewards.iter().zip(&batch.discounts);
    targets.extend(steps.zip(values).map(|((reward, discount), value)| reward + value * discount));
}
