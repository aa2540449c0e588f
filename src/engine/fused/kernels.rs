//! Loops over numbers, each made of what stands between two matrix products.

use crate::concrete::sigmoid;
use crate::simd::{BLOCK, exp, ln};

/// The mask of a layer's input, made from uniforms: `keep = sigmoid(-(logit + ln u - ln(1-u)) / t)`.
#[derive(Debug, Clone, Copy)]
pub struct Mask {
    /// p / (1 - p)
    odds: f32,
    power: Power,
    /// For every uniform below it the keep mask rounds to 1.
    certain: f32,
}

/// 1/t as an exponent.
#[derive(Debug, Clone, Copy)]
enum Power {
    /// A whole number, as for the authors' t = 0.1: some multiplications.
    Whole(u32),
    /// Any number: a logarithm and an exponential.
    Any(f32),
    /// That of temperature 0: the mask is hard.
    Infinite,
}

impl Mask {
    /// The mask for this logit of p and temperature.
    pub fn new(logit: f32, temperature: f64) -> Self {
        // 1 / (1 + e^z) rounds to 1 in f32 from z = -16.64 down, where e^z is 2^-24.
        const CERTAIN: f64 = -16.7;
        let inverse = 1.0 / temperature;
        let is_whole = inverse.fract() == 0.0 && (1.0..=1000.0).contains(&inverse);
        Self {
            odds: logit.min(60.0).exp(),
            power: match temperature {
                0.0 => Power::Infinite,
                _ if is_whole => Power::Whole(inverse as u32),
                _ => Power::Any(inverse as f32),
            },
            certain: sigmoid(CERTAIN * temperature - f64::from(logit)) as f32,
        }
    }

    /// Masks `x` in place and leaves the mask in `keep`: `x <- x * keep`, of max(x, 0) if `rectify`. Whole blocks.
    ///
    /// As p goes to zero nearly every block is one in which no unit can be dropped, not even a little, and costs no more
    /// than a comparison.
    pub fn apply(self, x: &mut [f32], keep: &mut [f32], uniforms: &[f32], rectify: bool) {
        apply_mask(self, x, keep, uniforms, if rectify { 0.0 } else { f32::NEG_INFINITY });
    }

    /// The masks of a block: `1 / (1 + (odds u / (1-u))^(1/t))`, which is the sigmoid above.
    #[inline(always)]
    fn keep(self, u: &[f32; BLOCK]) -> [f32; BLOCK] {
        let mut x = [0.0; BLOCK];
        for i in 0..BLOCK {
            x[i] = self.odds * u[i] / (1.0 - u[i]);
        }
        match self.power {
            Power::Whole(power) => whole_power(&mut x, power),
            Power::Any(power) => {
                for x in &mut x {
                    *x = exp(power * ln(x.max(f32::MIN_POSITIVE)));
                }
            }
            Power::Infinite => {
                for x in &mut x {
                    *x = if *x < 1.0 { 0.0 } else { f32::INFINITY };
                }
            }
        }
        for x in &mut x {
            *x = 1.0 / (1.0 + *x);
        }
        x
    }
}

/// x to a power of at least 1, by squaring.
#[inline(always)]
fn whole_power(x: &mut [f32; BLOCK], mut power: u32) {
    let mut square = *x;
    let mut product = [1.0; BLOCK];
    loop {
        if power & 1 == 1 {
            for i in 0..BLOCK {
                product[i] *= square[i];
            }
        }
        power >>= 1;
        if power == 0 {
            break;
        }
        for square in &mut square {
            *square *= *square;
        }
    }
    *x = product;
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
        *keep = if uncertain { mask.keep(u) } else { [1.0; BLOCK] };
        x.iter_mut().zip(keep).for_each(|(x, keep)| *x = x.max(floor) * *keep);
    }
}

/// `x <- max(x, 0)`.
#[pulp::with_simd(rectify = pulp::Arch::new())]
#[inline(always)]
pub fn rectify_with_simd<S: pulp::Simd>(_: S, x: &mut [f32]) {
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
pub fn squared_norm_with_simd<S: pulp::Simd>(_: S, x: &[f32]) -> f64 {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::randomness::{Stream, UniformLanes, generator};

    fn uniforms(count: usize) -> Vec<f32> {
        let mut uniforms = vec![0.0; count];
        UniformLanes::new(generator(4, Stream::Noise)).fill(&mut uniforms);
        uniforms
    }

    /// In f64, from the definition.
    fn keep(logit: f32, temperature: f64, u: f32) -> f64 {
        let u = f64::from(u);
        sigmoid(-(f64::from(logit) + u.ln() - (1.0 - u).ln()) / temperature)
    }

    #[test]
    fn masks_are_the_sigmoids_of_the_definition() {
        let uniforms = uniforms(64 * BLOCK);
        for temperature in [0.01, 0.1, 0.15, 0.3, 1.0, 2.0] {
            for logit in [-30.0, -12.0, -4.0, 0.0, 3.0, 100.0] {
                let (mut x, mut mask) = (vec![-2.0; uniforms.len()], vec![0.0; uniforms.len()]);
                Mask::new(logit, temperature).apply(&mut x, &mut mask, &uniforms, false);
                for ((&u, &mask), &x) in uniforms.iter().zip(&mask).zip(&x) {
                    // Relative to the smaller of mask and 1 - mask a power costs an ulp or so a factor.
                    let exact = keep(logit, temperature, u);
                    let error = (f64::from(mask) - exact).abs();
                    let scale = exact.min(1.0 - exact) / temperature.min(1.0) + 0.1;
                    assert!(
                        error < 3e-6 * scale,
                        "t = {temperature}, logit {logit}, u = {u}: {mask}, {exact}"
                    );
                    assert_eq!(x, -2.0 * mask);
                }
            }
        }
    }

    #[test]
    fn at_temperature_zero_masks_are_hard() {
        let uniforms = uniforms(64 * BLOCK);
        for logit in [-4.0, 0.0, 3.0] {
            let (mut x, mut mask) = (vec![2.0; uniforms.len()], vec![0.5; uniforms.len()]);
            Mask::new(logit, 0.0).apply(&mut x, &mut mask, &uniforms, false);
            let kept = uniforms.iter().map(|u| f64::from(*u) < sigmoid(-f64::from(logit)));
            for ((x, mask), kept) in x.iter().zip(&mask).zip(kept) {
                assert_eq!((*x, *mask), if kept { (2.0, 1.0) } else { (0.0, 0.0) });
            }
        }
    }

    #[test]
    fn where_the_mask_is_skipped_it_would_be_1() {
        let mut ends = [0.5; BLOCK];
        for logit in [-25.0, -19.0, -17.5, -12.0, -6.0] {
            let mask = Mask::new(logit, 0.1);
            // The largest uniforms below the bound.
            ends[0] = f32::from_bits(mask.certain.to_bits() - 1).min(1.0 - f32::EPSILON / 2.0);
            assert!(mask.keep(&ends)[0] == 1.0, "logit {logit}");
        }
    }

    #[test]
    fn rectifying_comes_before_masking() {
        let uniforms = [0.5; BLOCK];
        let (mut x, mut keep) = ([-1.0; BLOCK], [0.0; BLOCK]);
        x[3] = 2.0;
        Mask::new(-20.0, 0.1).apply(&mut x, &mut keep, &uniforms, true);
        assert_eq!((x[2], x[3], keep[2]), (0.0, 2.0, 1.0));
        let mut x = [-1.0, 2.0, 0.0];
        rectify(&mut x);
        assert_eq!(x, [0.0, 2.0, 0.0]);
    }

    #[test]
    fn sums_and_scalings_by_hand() {
        let x: Vec<f32> = (0..2 * BLOCK + 3).map(|i| i as f32).collect();
        let expected: usize = (0..2 * BLOCK + 3).map(|i| i * i).sum();
        assert_eq!(squared_norm(&x), expected as f64);
        let mut g = vec![1.0; x.len()];
        add_scaled(&mut g, &x, 2.0);
        assert_eq!((g[0], g[5], g[130]), (1.0, 11.0, 261.0));
    }
}
