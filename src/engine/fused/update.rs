//! Adam and the target network.

use crate::network::{Adam, AdamStep};

/// One step of Adam down `gradient` times `scale`.
pub fn adam(parameters: &mut [f32], gradient: &[f32], scale: f32, step: AdamStep<'_>) {
    let AdamStep { segments, first_moment, second_moment, rate, root_scale } = step;
    for segment in segments {
        let range = || segment.range.clone();
        let numbers = (&mut parameters[range()], &mut first_moment[range()], &mut second_moment[range()]);
        let rate = segment.learning_rate * rate as f32;
        descend(numbers, &gradient[range()], scale, rate, root_scale as f32, segment.epsilon);
    }
}

#[pulp::with_simd(descend = pulp::Arch::new())]
#[inline(always)]
fn descend_with_simd<'a, S: pulp::Simd>(
    _: S,
    (parameters, first_moment, second_moment): (&'a mut [f32], &'a mut [f32], &'a mut [f32]),
    gradient: &'a [f32],
    scale: f32,
    rate: f32,
    root_scale: f32,
    epsilon: f32,
) {
    const KEEP_1: f32 = Adam::BETA_1 as f32;
    const KEEP_2: f32 = Adam::BETA_2 as f32;
    const TAKE_1: f32 = (1.0 - Adam::BETA_1) as f32;
    const TAKE_2: f32 = (1.0 - Adam::BETA_2) as f32;
    let state = first_moment.iter_mut().zip(second_moment);
    for ((p, g), (m, v)) in parameters.iter_mut().zip(gradient).zip(state) {
        let g = g * scale;
        *m = m.mul_add(KEEP_1, g * TAKE_1);
        *v = v.mul_add(KEEP_2, g * g * TAKE_2);
        *p -= *m * rate / v.sqrt().mul_add(root_scale, epsilon);
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
