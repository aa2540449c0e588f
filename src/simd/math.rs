//! Elementary functions without branches, so that a loop over them is vectorised.
//!
//! Polynomials and the splitting of constants are those of Cephes (S. L. Moshier, `expf.c`, `logf.c`, `sinf.c`); the
//! tests hold them against f64.

/// Adding and subtracting it rounds an f32 below 2^22 in size to the nearest whole number.
const ROUND: f32 = 12_582_912.0;

/// ln 2 in two parts, the first of so few bits that its product with an exponent is exact.
const LN_2_HIGH: f32 = 355.0 / 512.0;
const LN_2_LOW: f32 = -2.121_944_4e-4;

/// `e^x`, within 2 units in the last place; 0 below -87.3, and at most e^88.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    let clamped = x.clamp(-87.3, 88.0);
    let shifted = clamped.mul_add(std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = n.mul_add(-LN_2_LOW, n.mul_add(-LN_2_HIGH, clamped));
    let mut y = 1.987_569_1e-4_f32;
    y = y.mul_add(r, 1.398_199_9e-3);
    y = y.mul_add(r, 8.333_452e-3);
    y = y.mul_add(r, 4.166_579_6e-2);
    y = y.mul_add(r, 1.666_666_5e-1);
    y = y.mul_add(r, 0.5);
    y = (r * r).mul_add(y, r) + 1.0;
    // 2^n from its exponent: the low bits of `shifted` are n.
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(1.0_f32.to_bits()));
    if x < -87.3 { 0.0 } else { y * power }
}

/// `ln x` of a positive normal number, within 2 units in the last place.
#[inline(always)]
pub fn ln(x: f32) -> f32 {
    const SQRT_HALF: u32 = 0x3f35_04f3;
    // x = m 2^e with m from sqrt(1/2) to sqrt(2).
    let bits = x.to_bits().wrapping_sub(SQRT_HALF);
    let e = ((bits as i32) >> 23) as f32;
    let r = f32::from_bits((bits & 0x007f_ffff) + SQRT_HALF) - 1.0;
    let mut y = 7.037_683_6e-2_f32;
    y = y.mul_add(r, -1.151_461e-1);
    y = y.mul_add(r, 1.167_699_9e-1);
    y = y.mul_add(r, -1.242_014_1e-1);
    y = y.mul_add(r, 1.424_932_3e-1);
    y = y.mul_add(r, -1.666_805_8e-1);
    y = y.mul_add(r, 2.000_071_5e-1);
    y = y.mul_add(r, -2.499_999_4e-1);
    y = y.mul_add(r, 3.333_333e-1);
    let square = r * r;
    let tail = (r * square).mul_add(y, e.mul_add(LN_2_LOW, -0.5 * square));
    e.mul_add(LN_2_HIGH, r + tail)
}

/// `(sin x, cos x)`, absolute error below 2e-7 for |x| up to 8,192; beyond, the error grows with x.
#[inline(always)]
pub fn sin_cos(x: f32) -> (f32, f32) {
    // pi/2 in three parts, the first ones short enough to be multiplied exactly.
    const HALF_PI: [f32; 3] = [1.570_312_5, 4.837_513e-4, 7.549_79e-8];
    let shifted = x.mul_add(std::f32::consts::FRAC_2_PI, ROUND);
    let (n, quadrant) = (shifted - ROUND, shifted.to_bits());
    let r = n.mul_add(-HALF_PI[2], n.mul_add(-HALF_PI[1], n.mul_add(-HALF_PI[0], x)));
    let square = r * r;
    let sin = (-1.951_529_6e-4_f32).mul_add(square, 8.332_161e-3).mul_add(square, -1.666_665_5e-1);
    let sin = (r * square).mul_add(sin, r);
    let cos = 2.443_315_7e-5_f32.mul_add(square, -1.388_731_6e-3).mul_add(square, 4.166_664_6e-2);
    let cos = (square * square).mul_add(cos, (-0.5_f32).mul_add(square, 1.0));
    let odd = quadrant & 1 == 1;
    let (s, c) = if odd { (cos, sin) } else { (sin, cos) };
    // Sine changes its sign in quadrants 2 and 3, cosine in 1 and 2.
    let sign = |bits: u32| bits << 30 & 0x8000_0000;
    (
        f32::from_bits(s.to_bits() ^ sign(quadrant)),
        f32::from_bits(c.to_bits() ^ sign(quadrant.wrapping_add(1))),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Largest distance from `exact`, in units in the last place of the result.
    fn worst_ulps(xs: impl Iterator<Item = f32>, f: fn(f32) -> f32, exact: fn(f64) -> f64) -> f64 {
        xs.map(|x| {
            let expected = exact(f64::from(x));
            let unit = f64::from(f32::EPSILON) * 2.0_f64.powi((expected.abs().log2()).floor() as i32);
            (f64::from(f(x)) - expected).abs() / unit
        })
        .fold(0.0, f64::max)
    }

    fn grid(low: f32, high: f32) -> impl Iterator<Item = f32> {
        (0..1_000_000).map(move |i| low + (high - low) * (i as f32 / 1e6))
    }

    #[test]
    fn exp_is_exact_to_two_units() {
        assert!(worst_ulps(grid(-87.0, 88.0), exp, f64::exp) < 2.0);
        assert_eq!((exp(0.0), exp(-1000.0), exp(f32::NEG_INFINITY)), (1.0, 0.0, 0.0));
        assert!(exp(1000.0).is_finite());
    }

    #[test]
    fn ln_is_exact_to_two_units() {
        // Every logistic argument u / (1 - u) that can occur lies between.
        assert!(worst_ulps(grid(-25.0, 25.0).map(f32::exp2), ln, f64::ln) < 2.0);
        assert!(worst_ulps(grid(0.5, 2.0).filter(|&x| x != 1.0), ln, f64::ln) < 2.0);
        assert_eq!(ln(1.0), 0.0);
    }

    #[test]
    fn sine_and_cosine_are_exact() {
        for x in grid(-100.0, 100.0).chain(grid(-8192.0, 8192.0)) {
            let ((s, c), (sin, cos)) = (sin_cos(x), f64::from(x).sin_cos());
            let error = (f64::from(s) - sin).abs().max((f64::from(c) - cos).abs());
            assert!(error < 2e-7, "{x}: {error}");
        }
    }
}
