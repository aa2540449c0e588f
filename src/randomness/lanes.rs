//! Uniform numbers in bulk.

use rand::Rng;
use serde::{Deserialize, Serialize};

use super::Generator;
/// Generators that run side by side.
const LANES: usize = 8;

/// Eight xoshiro256++ generators (Blackman & Vigna 2021) side by side, one a lane of a vector register, for the many
/// uniforms of dropout masks. It is a stream like any other: a function of the generator that seeded it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UniformLanes {
    state: [[u64; LANES]; 4],
}

impl UniformLanes {
    /// How many uniforms are drawn at a time: fill slices of a multiple of it and nothing is drawn in vain.
    pub const BLOCK: usize = 2 * LANES;

    /// Lanes whose states, 256 bits each, are drawn from `generator`.
    pub fn new(mut generator: Generator) -> Self {
        let mut state = [[0; LANES]; 4];
        for lane in 0..LANES {
            for word in &mut state {
                word[lane] = generator.next_u64();
            }
        }
        Self { state }
    }

    /// Fills `out` with independent uniforms on the open interval (0, 1): odd multiples of 2^-24, so that their
    /// complements to 1 are exact too.
    pub fn fill(&mut self, out: &mut [f32]) {
        fill(self, out);
    }

    #[inline(always)]
    fn next_block(&mut self) -> [f32; Self::BLOCK] {
        let bits = self.next_u64s();
        let mut uniforms = [0.0; Self::BLOCK];
        for lane in 0..LANES {
            uniforms[lane] = open_uniform(bits[lane] as u32);
            uniforms[LANES + lane] = open_uniform((bits[lane] >> 32) as u32);
        }
        uniforms
    }

    #[inline(always)]
    fn next_u64s(&mut self) -> [u64; LANES] {
        let [s0, s1, s2, s3] = &mut self.state;
        let mut out = [0; LANES];
        for lane in 0..LANES {
            out[lane] = s0[lane].wrapping_add(s3[lane]).rotate_left(23).wrapping_add(s0[lane]);
            let shifted = s1[lane] << 17;
            s2[lane] ^= s0[lane];
            s3[lane] ^= s1[lane];
            s1[lane] ^= s2[lane];
            s0[lane] ^= s3[lane];
            s2[lane] ^= shifted;
            s3[lane] = s3[lane].rotate_left(45);
        }
        out
    }
}

#[pulp::with_simd(fill = pulp::Arch::new())]
#[inline(always)]
fn fill_with_simd<'a, S: pulp::Simd>(_: S, lanes: &'a mut UniformLanes, out: &'a mut [f32]) {
    // A copy, which can live in registers.
    let mut running = lanes.clone();
    let (blocks, rest) = out.as_chunks_mut::<{ UniformLanes::BLOCK }>();
    for block in blocks {
        *block = running.next_block();
    }
    if !rest.is_empty() {
        rest.copy_from_slice(&running.next_block()[..rest.len()]);
    }
    *lanes = running;
}

/// From 23 of the bits: with 24 the largest would round to 1 in f32, and the logarithm of its complement be infinite.
#[inline(always)]
fn open_uniform(bits: u32) -> f32 {
    const UNIT: f32 = 1.0 / (1 << 23) as f32;
    // Through i32, which every vector unit converts at once.
    ((bits >> 9) as i32 as f32 + 0.5) * UNIT
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::randomness::{Stream, generator};

    #[test]
    fn every_lane_is_xoshiro() {
        let mut lanes = UniformLanes::new(generator(5, Stream::Noise));
        let mut twins: Vec<Generator> = (0..LANES)
            .map(|lane| {
                let bytes: Vec<u8> = lanes.state.iter().flat_map(|word| word[lane].to_le_bytes()).collect();
                Generator::from_seed(bytes.try_into().unwrap())
            })
            .collect();
        for _ in 0..100 {
            let expected: Vec<u64> = twins.iter_mut().map(Rng::next_u64).collect();
            assert_eq!(lanes.next_u64s().to_vec(), expected);
        }
    }

    #[test]
    fn uniforms_are_uniform_and_open() {
        // Chi-square over 64 cells, 2^20 draws: the 0.999 quantile for 63 degrees of freedom is 103.4.
        let mut out = vec![0.0; 1 << 20];
        UniformLanes::new(generator(6, Stream::Noise)).fill(&mut out);
        let mut counts = [0.0_f64; 64];
        out.iter().for_each(|u| counts[(u * 64.0) as usize] += 1.0);
        let expected = (1 << 20) as f64 / 64.0;
        let chi_square: f64 = counts.iter().map(|count| (count - expected).powi(2) / expected).sum();
        assert!(chi_square < 103.4, "{chi_square}");
        for u in [open_uniform(0), open_uniform(u32::MAX)] {
            assert!(u > 0.0 && u < 1.0 && 1.0 - u > 0.0, "{u}");
        }
    }

    #[test]
    fn a_remainder_costs_a_block_and_repeats() {
        let mut lanes = UniformLanes::new(generator(7, Stream::Noise));
        let mut again = lanes.clone();
        let (mut short, mut long) = ([0.0; 5], [0.0; 2 * UniformLanes::BLOCK]);
        lanes.fill(&mut short);
        lanes.fill(&mut short);
        again.fill(&mut long);
        assert_eq!(short, long[UniformLanes::BLOCK..][..5]);
    }
}
