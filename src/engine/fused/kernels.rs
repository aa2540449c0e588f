//! Loops over numbers, each made of what stands between two matrix products.
//!
//! A matrix of activations has a row for each pass and observation and a column for each unit, its rows padded to whole
//! [`LANES`]; a vector for its columns is as long as a row.

use super::columns::Columns;
use crate::simd::{BLOCK, LANES, exp, ln};

/// The exponent 1/t of a mask at temperature t.
#[derive(Debug, Clone, Copy)]
pub enum Power {
    /// A whole number up to 126, as for the authors' t = 0.1: some multiplications.
    Whole(u32),
    /// Any number: a logarithm and an exponential.
    Any(f32),
    /// That of temperature 0: the mask is hard.
    Infinite,
}

impl Power {
    /// The exponent at this temperature.
    pub fn of(temperature: f64) -> Self {
        let inverse = 1.0 / temperature;
        let is_whole = inverse.fract() == 0.0 && (1.0..=126.0).contains(&inverse);
        match temperature {
            0.0 => Self::Infinite,
            _ if is_whole => Self::Whole(inverse as u32),
            _ => Self::Any(inverse as f32),
        }
    }

    /// `keep = sigmoid(-(logit + ln u - ln(1-u)) / t)`, as `b^(1/t) / (a^(1/t) + b^(1/t))` with `a = odds u` and `b = 1-u`.
    #[inline(always)]
    fn keep<const N: usize>(self, odds: &[f32; N], u: &[f32; N]) -> [f32; N] {
        let (mut a, mut b) = ([0.0; N], [0.0; N]);
        for i in 0..N {
            (a[i], b[i]) = (odds[i] * u[i], 1.0 - u[i]);
        }
        match self {
            Self::Whole(power) => {
                for i in 0..N {
                    // Both over the power of 2 below the larger, which then lies from 1 to 2: no power of it up
                    // to the 126th is too large, nor is the sum of two, and one division is enough.
                    let exponent = a[i].max(b[i]).to_bits() & 0x7f80_0000;
                    let scale = f32::from_bits(0x7f00_0000 - exponent);
                    (a[i], b[i]) = (a[i] * scale, b[i] * scale);
                }
                whole_power(&mut a, power);
                whole_power(&mut b, power);
                for i in 0..N {
                    b[i] /= a[i] + b[i];
                }
            }
            Self::Any(power) => {
                for i in 0..N {
                    b[i] = 1.0 / (1.0 + exp(power * ln((a[i] / b[i]).max(f32::MIN_POSITIVE))));
                }
            }
            Self::Infinite => {
                for i in 0..N {
                    b[i] = if a[i] < b[i] { 1.0 } else { 0.0 };
                }
            }
        }
        b
    }
}

/// x to a power of at least 1, by squaring.
#[inline(always)]
fn whole_power<const N: usize>(x: &mut [f32; N], mut power: u32) {
    let mut square = *x;
    let mut product = [1.0; N];
    loop {
        if power & 1 == 1 {
            for i in 0..N {
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

/// Masks `x` in place and leaves the mask in `keep`: `x <- max(x, floor) * keep / (1-p)`, from uniforms of its shape.
///
/// As p goes to zero nearly everywhere no unit can be dropped, not even a little, and that costs no more than a
/// comparison.
#[pulp::with_simd(apply_mask = pulp::Arch::new())]
#[inline(always)]
pub fn apply_mask_with_simd<'a, S: pulp::Simd>(
    _: S,
    columns: &'a Columns,
    power: Power,
    x: &'a mut [f32],
    keep: &'a mut [f32],
    uniforms: &'a [f32],
    floor: f32,
) {
    let stride = columns.odds.len();
    let rows = x.chunks_exact_mut(stride).zip(keep.chunks_exact_mut(stride));
    for ((x, keep), uniforms) in rows.zip(uniforms.chunks_exact(stride)) {
        // Many at a time, and then what is left of the row.
        let done = mask_blocks::<BLOCK>(columns, power, x, keep, uniforms, floor, 0);
        mask_blocks::<LANES>(columns, power, x, keep, uniforms, floor, done);
    }
}

/// Masks a row from column `start` on as far as there are whole blocks of N, and returns where it has come to.
#[inline(always)]
fn mask_blocks<const N: usize>(
    columns: &Columns,
    power: Power,
    x: &mut [f32],
    keep: &mut [f32],
    uniforms: &[f32],
    floor: f32,
    start: usize,
) -> usize {
    let x = x[start..].as_chunks_mut::<N>().0;
    let end = start + N * x.len();
    let noise = keep[start..].as_chunks_mut::<N>().0.iter_mut().zip(uniforms[start..].as_chunks::<N>().0);
    let odds = columns.odds[start..].as_chunks::<N>().0;
    let scale = columns.scale[start..].as_chunks::<N>().0;
    let columns = odds.iter().zip(scale).zip(columns.certain[start..].as_chunks::<N>().0);
    for ((x, (keep, u)), ((odds, scale), certain)) in x.iter_mut().zip(noise).zip(columns) {
        let mut uncertain = false;
        for i in 0..N {
            uncertain |= u[i] >= certain[i];
        }
        *keep = if uncertain { power.keep(odds, u) } else { [1.0; N] };
        for i in 0..N {
            x[i] = x[i].max(floor) * (keep[i] * scale[i]);
        }
    }
    end
}

/// `x <- max(x, 0)`.
#[pulp::with_simd(rectify = pulp::Arch::new())]
#[inline(always)]
pub fn rectify_with_simd<S: pulp::Simd>(_: S, x: &mut [f32]) {
    x.iter_mut().for_each(|x| *x = x.max(0.0));
}

/// Back through a mask and the ReLU before it. `g` comes as the gradient with respect to the masked input and leaves as
/// the one with respect to the output of the layer before: `g <- g * keep / (1-p) * [masked > 0]`. Adds up, for every
/// column, `w g masked` and `w g masked (1 - keep)`, w a weight for each row, of which the gradient of the logit is made.
#[pulp::with_simd(mask_gradient = pulp::Arch::new())]
#[inline(always)]
pub fn mask_gradient_with_simd<'a, S: pulp::Simd>(
    _: S,
    g: &'a mut [f32],
    masked: &'a [f32],
    keep: &'a [f32],
    scale: &'a [f32],
    weights: &'a [f32],
    (products, dropped): (&'a mut [f32], &'a mut [f32]),
) {
    let stride = scale.len();
    let rows = g.chunks_exact_mut(stride).zip(masked.chunks_exact(stride)).zip(keep.chunks_exact(stride));
    for (((g, masked), keep), weight) in rows.zip(weights) {
        let columns = scale.iter().zip(products.iter_mut()).zip(dropped.iter_mut());
        for (((g, x), keep), ((scale, products), dropped)) in g.iter_mut().zip(masked).zip(keep).zip(columns)
        {
            let product = *g * x * weight;
            *products += product;
            *dropped = product.mul_add(1.0 - keep, *dropped);
            *g = if *x > 0.0 { *g * (scale * keep) } else { 0.0 };
        }
    }
}

/// Back through the ReLU before a layer of a mean pass: `g <- g * [x > 0]`. Adds up, for every column, `(g x)^2`.
#[pulp::with_simd(sensitivity_gradient = pulp::Arch::new())]
#[inline(always)]
pub fn sensitivity_gradient_with_simd<'a, S: pulp::Simd>(
    _: S,
    g: &'a mut [f32],
    x: &'a [f32],
    squares: &'a mut [f32],
) {
    for (g, x) in g.chunks_exact_mut(squares.len()).zip(x.chunks_exact(squares.len())) {
        for ((g, x), square) in g.iter_mut().zip(x).zip(squares.iter_mut()) {
            let product = *g * x;
            *square = product.mul_add(product, *square);
            *g = if *x > 0.0 { *g } else { 0.0 };
        }
    }
}

/// Adds the gradient of the weight term to that of a weight `[outputs, inputs]`, `g <- g + factor * w` with a factor for
/// every column, and adds up the squares of every column.
#[pulp::with_simd(regularize_weight = pulp::Arch::new())]
#[inline(always)]
pub fn regularize_weight_with_simd<'a, S: pulp::Simd>(
    _: S,
    g: &'a mut [f32],
    w: &'a [f32],
    factors: &'a [f32],
    squares: &'a mut [f32],
) {
    let inputs = factors.len();
    for (g, w) in g.chunks_exact_mut(inputs).zip(w.chunks_exact(inputs)) {
        for (((g, w), factor), square) in g.iter_mut().zip(w).zip(factors).zip(squares.iter_mut()) {
            *g = w.mul_add(*factor, *g);
            *square = w.mul_add(*w, *square);
        }
    }
}

/// `g <- g + w`.
#[pulp::with_simd(add_columns = pulp::Arch::new())]
#[inline(always)]
pub fn add_columns_with_simd<'a, S: pulp::Simd>(_: S, g: &'a mut [f32], w: &'a [f32]) {
    g.iter_mut().zip(w).for_each(|(g, w)| *g += w);
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
    // In f64, after sums over a lane each.
    let total: f64 = sums.iter().map(|&sum| f64::from(sum)).sum();
    total + rest.iter().map(|x| f64::from(x * x)).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::concrete::sigmoid;
    use crate::engine::fused::layout::LayerLayout;
    use crate::randomness::{Stream, UniformLanes, generator};

    fn uniforms(count: usize) -> Vec<f32> {
        let mut uniforms = vec![0.0; count];
        UniformLanes::new(generator(4, Stream::Noise)).fill(&mut uniforms);
        uniforms
    }

    /// Columns with these logits, one a column.
    fn columns(logits: &[f32], temperature: f64) -> Columns {
        let layer = LayerLayout {
            inputs: logits.len(),
            input_stride: logits.len().next_multiple_of(LANES),
            outputs: 0,
            output_stride: 0,
            weight: 0..0,
            bias: None,
            p_logits: 0..logits.len(),
        };
        let mut columns = Columns::default();
        columns.set(&layer, logits, temperature);
        columns
    }

    /// Masks x of one value everywhere; returns it and the masks.
    fn masked(columns: &Columns, temperature: f64, x: f32, uniforms: &[f32], floor: f32) -> [Vec<f32>; 2] {
        let (mut x, mut keep) = (vec![x; uniforms.len()], vec![0.5; uniforms.len()]);
        apply_mask(columns, Power::of(temperature), &mut x, &mut keep, uniforms, floor);
        [x, keep]
    }

    /// In f64, from the definition.
    fn keep(logit: f32, temperature: f64, u: f32) -> f64 {
        let u = f64::from(u);
        sigmoid(-(f64::from(logit) + u.ln() - (1.0 - u).ln()) / temperature)
    }

    #[test]
    fn masks_are_the_sigmoids_of_the_definition() {
        let uniforms = uniforms(256 * LANES);
        // A p of its own for every column.
        let logits: Vec<f32> = [-30.0, -12.0, -4.0, 0.0, 3.0, 50.0].into_iter().cycle().take(LANES).collect();
        for temperature in [0.001, 0.002, 0.005, 1.0 / 126.0, 0.01, 0.1, 0.15, 0.3, 1.0, 2.0] {
            let columns = columns(&logits, temperature);
            let [x, mask] = masked(&columns, temperature, -2.0, &uniforms, f32::NEG_INFINITY);
            for (index, (&u, (&mask, &x))) in uniforms.iter().zip(mask.iter().zip(&x)).enumerate() {
                let logit = logits[index % LANES];
                // Relative to the smaller of mask and 1 - mask a power costs an ulp or so a factor.
                let exact = keep(logit, temperature, u);
                let error = (f64::from(mask) - exact).abs();
                let scale = exact.min(1.0 - exact) / temperature.min(1.0) + 0.1;
                assert!(error < 3e-6 * scale, "t = {temperature}, logit {logit}, u = {u}: {mask}, {exact}");
                assert_eq!(x, -2.0 * (mask * (1.0 + logit.exp())));
            }
        }
    }

    #[test]
    fn at_temperature_zero_masks_are_hard() {
        let uniforms = uniforms(256 * LANES);
        for logit in [-4.0, 0.0, 3.0_f32] {
            let [x, mask] = masked(&columns(&[logit; LANES], 0.0), 0.0, 2.0, &uniforms, f32::NEG_INFINITY);
            let kept = uniforms.iter().map(|u| f64::from(*u) < sigmoid(-f64::from(logit)));
            for ((x, mask), kept) in x.iter().zip(&mask).zip(kept) {
                let expected = if kept { (2.0 * (1.0 + logit.exp()), 1.0) } else { (0.0, 0.0) };
                assert_eq!((*x, *mask), expected);
            }
        }
    }

    #[test]
    fn where_the_mask_is_skipped_it_would_be_1() {
        for logit in [-25.0, -19.0, -17.5, -12.0, -6.0] {
            let columns = columns(&[logit; LANES], 0.1);
            let mut ends = [0.5; LANES];
            // The largest uniforms below the bound.
            ends[0] = f32::from_bits(columns.certain[0].to_bits() - 1).min(1.0 - f32::EPSILON / 2.0);
            assert!(Power::of(0.1).keep(&[columns.odds[0]; LANES], &ends)[0] == 1.0, "logit {logit}");
        }
    }

    #[test]
    fn rectifying_comes_before_masking() {
        let columns = columns(&[-20.0; 3], 0.1);
        let uniforms = [0.5; LANES];
        assert_eq!(masked(&columns, 0.1, -1.0, &uniforms, 0.0), [vec![0.0; LANES], vec![1.0; LANES]]);
        assert_eq!(masked(&columns, 0.1, 2.0, &uniforms, 0.0)[0], [2.0; LANES]);
        let mut x = [-1.0, 2.0, 0.0];
        rectify(&mut x);
        assert_eq!(x, [0.0, 2.0, 0.0]);
    }

    #[test]
    fn gradients_through_masks_by_hand() {
        // Two rows; column 0 was masked to 3 and -1 by keeps of 1/2 and 1, with 1/(1-p) = 4.
        let (mut masked, mut keep, mut g) = ([0.0; 2 * LANES], [1.0; 2 * LANES], [1.0; 2 * LANES]);
        (masked[0], masked[LANES], keep[0], g[0], g[LANES]) = (3.0, -1.0, 0.5, 2.0, 5.0);
        let (mut products, mut dropped) = ([0.0; LANES], [0.0; LANES]);
        let mut passed = g;
        let weights = [1.0, 2.0];
        mask_gradient(&mut passed, &masked, &keep, &[4.0; LANES], &weights, (&mut products, &mut dropped));
        assert_eq!((products[0], dropped[0], products[1]), (6.0 - 10.0, 3.0, 0.0));
        assert_eq!((passed[0], passed[LANES], passed[1]), (4.0, 0.0, 0.0));
        let mut squares = [0.0; LANES];
        sensitivity_gradient(&mut g, &masked, &mut squares);
        assert_eq!((squares[0], squares[1], g[0], g[LANES]), (61.0, 0.0, 2.0, 0.0));
    }

    #[test]
    fn sums_and_scalings_by_hand() {
        let x: Vec<f32> = (0..2 * BLOCK + 3).map(|i| i as f32).collect();
        let expected: usize = (0..2 * BLOCK + 3).map(|i| i * i).sum();
        assert_eq!(squared_norm(&x), expected as f64);
        let (mut g, mut squares) = (vec![1.0; 6], vec![0.0; 3]);
        regularize_weight(&mut g, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[1.0, 10.0, 0.0], &mut squares);
        assert_eq!((g.clone(), squares), (vec![2.0, 21.0, 1.0, 5.0, 51.0, 1.0], vec![17.0, 29.0, 45.0]));
        add_columns(&mut g, &[1.0; 6]);
        assert_eq!(g, [3.0, 22.0, 2.0, 6.0, 52.0, 2.0]);
    }
}
