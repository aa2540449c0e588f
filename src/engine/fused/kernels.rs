//! Loops over numbers, each made of what stands between two matrix products.

use crate::concrete::sigmoid;
use crate::simd::{BLOCK, exp, ln};

/// The mask of a layer's input, made from uniforms.
#[derive(Debug, Clone, Copy)]
pub struct Mask {
    logit: f32,
    inverse_temperature: f32,
    /// For every uniform below it the keep mask rounds to 1.
    certain: f32,
}

impl Mask {
    /// The mask for this logit of p and temperature.
    pub fn new(logit: f32, temperature: f64) -> Self {
        // 1 / (1 + e^z) rounds to 1 in f32 from z = -16.64 down, where e^z is 2^-24.
        const CERTAIN: f64 = -16.7;
        Self {
            logit,
            inverse_temperature: (1.0 / temperature) as f32,
            certain: sigmoid(CERTAIN * temperature - f64::from(logit)) as f32,
        }
    }

    /// `keep = sigmoid(-(logit + ln u - ln(1-u)) / t)`.
    #[inline(always)]
    fn keep(self, u: f32) -> f32 {
        let z = (self.logit + ln(u / (1.0 - u))) * self.inverse_temperature;
        1.0 / (1.0 + exp(z))
    }

    /// Masks `x` in place and leaves the mask in `keep`: `x <- x * keep`, of max(x, 0) if `rectify`. Whole blocks.
    ///
    /// As p goes to zero nearly every block is one in which no unit can be dropped, not even a little, and costs no more
    /// than a comparison.
    pub fn apply(self, x: &mut [f32], keep: &mut [f32], uniforms: &[f32], rectify: bool) {
        apply_mask(self, x, keep, uniforms, if rectify { 0.0 } else { f32::NEG_INFINITY });
    }
}

#[pulp::with_simd(apply_mask = pulp::Arch::new())]
#[inline(always)]
fn apply_mask_with_simd<'a, S: pulp::Simd>(
    _: S,
    mask: Mask,
    x: &'a mut [f32],
    keep: &'a mut [f32],
    uniforms: &'a [f32],
    floor: f32,
) {
    let blocks = x.as_chunks_mut::<BLOCK>().0.iter_mut();
    let noise = uniforms.as_chunks::<BLOCK>().0;
    for ((x, keep), u) in blocks.zip(keep.as_chunks_mut::<BLOCK>().0).zip(noise) {
        let uncertain = u.iter().fold(false, |any, &u| any | (u >= mask.certain));
        if uncertain {
            for ((x, keep), &u) in x.iter_mut().zip(keep).zip(u) {
                *keep = mask.keep(u);
                *x = x.max(floor) * *keep;
            }
        } else {
            *keep = [1.0; BLOCK];
            x.iter_mut().for_each(|x| *x = x.max(floor));
        }
    }
}

/// `x <- max(x, 0)`.
#[pulp::with_simd(rectify = pulp::Arch::new())]
#[inline(always)]
pub fn rectify_with_simd<'a, S: pulp::Simd>(_: S, x: &'a mut [f32]) {
    x.iter_mut().for_each(|x| *x = x.max(0.0));
}

/// Back through a mask and the ReLU before it. `g` comes as the gradient with respect to the scaled masked input and
/// leaves as the one with respect to the output of the layer before: `g <- g * scale * keep * [masked > 0]`. Returns
/// the sums of `g masked` and of `g masked (1 - keep)`, of which the gradient of the logit is made. Whole blocks.
#[pulp::with_simd(mask_gradient = pulp::Arch::new())]
#[inline(always)]
pub fn mask_gradient_with_simd<'a, S: pulp::Simd>(
    _: S,
    g: &'a mut [f32],
    masked: &'a [f32],
    keep: &'a [f32],
    scale: f32,
) -> (f64, f64) {
    let (mut sums, mut dropped_sums) = ([0.0_f32; BLOCK], [0.0_f32; BLOCK]);
    let blocks = g.as_chunks_mut::<BLOCK>().0.iter_mut();
    for ((g, x), keep) in blocks.zip(masked.as_chunks::<BLOCK>().0).zip(keep.as_chunks::<BLOCK>().0) {
        for i in 0..BLOCK {
            let product = g[i] * x[i];
            sums[i] += product;
            dropped_sums[i] = product.mul_add(1.0 - keep[i], dropped_sums[i]);
            g[i] = if x[i] > 0.0 { g[i] * (scale * keep[i]) } else { 0.0 };
        }
    }
    (total(&sums), total(&dropped_sums))
}

/// `g <- g + factor * w`.
#[pulp::with_simd(add_scaled = pulp::Arch::new())]
#[inline(always)]
pub fn add_scaled_with_simd<'a, S: pulp::Simd>(_: S, g: &'a mut [f32], w: &'a [f32], factor: f32) {
    g.iter_mut().zip(w).for_each(|(g, w)| *g = w.mul_add(factor, *g));
}

/// The sum of squares.
#[pulp::with_simd(squared_norm = pulp::Arch::new())]
#[inline(always)]
pub fn squared_norm_with_simd<'a, S: pulp::Simd>(_: S, x: &'a [f32]) -> f64 {
    let mut sums = [0.0_f32; BLOCK];
    let (blocks, rest) = x.as_chunks::<BLOCK>();
    for x in blocks {
        for i in 0..BLOCK {
            sums[i] = x[i].mul_add(x[i], sums[i]);
        }
    }
    total(&sums) + rest.iter().map(|x| f64::from(x * x)).sum::<f64>()
}

/// In f64, after sums over a lane each.
#[inline(always)]
fn total(sums: &[f32; BLOCK]) -> f64 {
    sums.iter().map(|&sum| f64::from(sum)).sum()
}
