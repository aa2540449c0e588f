//! Adam and the target network.

use crate::network::AdamStep;

/// One step of Adam down `gradient` times `scale`.
pub fn adam(parameters: &mut [f32], gradient: &[f32], scale: f32, step: AdamStep<'_>) {
    let AdamStep { learning_rates, first_moment, second_moment, rate, root_scale } = step;
    let (rate, root_scale) = (rate as f32, root_scale as f32);
    descend(parameters, gradient, scale, learning_rates, first_moment, second_moment, rate, root_scale);
}

#[pulp::with_simd(descend = pulp::Arch::new())]
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "the attribute takes a free function with plain arguments")]
fn descend_with_simd<'a, S: pulp::Simd>(
    _: S,
    parameters: &'a mut [f32],
    gradient: &'a [f32],
    scale: f32,
    learning_rates: &'a [f32],
    first_moment: &'a mut [f32],
    second_moment: &'a mut [f32],
    rate: f32,
    root_scale: f32,
) {
    const KEEP_1: f32 = AdamStep::BETA_1 as f32;
    const KEEP_2: f32 = AdamStep::BETA_2 as f32;
    const EPSILON: f32 = AdamStep::EPSILON as f32;
    const TAKE_1: f32 = (1.0 - AdamStep::BETA_1) as f32;
    const TAKE_2: f32 = (1.0 - AdamStep::BETA_2) as f32;
    let state = first_moment.iter_mut().zip(second_moment).zip(learning_rates);
    for ((p, g), ((m, v), learning_rate)) in parameters.iter_mut().zip(gradient).zip(state) {
        let g = g * scale;
        *m = m.mul_add(KEEP_1, g * TAKE_1);
        *v = v.mul_add(KEEP_2, g * g * TAKE_2);
        *p -= *m * (learning_rate * rate) / v.sqrt().mul_add(root_scale, EPSILON);
    }
}

/// `target <- target + weight (online - target)`.
pub fn follow(target: &mut [f32], online: &[f32], weight: f32) {
    if weight == 1.0 { target.copy_from_slice(online) } else { approach(target, online, weight) }
}

#[pulp::with_simd(approach = pulp::Arch::new())]
#[inline(always)]
fn approach_with_simd<'a, S: pulp::Simd>(_: S, target: &'a mut [f32], online: &'a [f32], weight: f32) {
    target.iter_mut().zip(online).for_each(|(target, online)| {
        *target = (online - *target).mul_add(weight, *target);
    });
}
