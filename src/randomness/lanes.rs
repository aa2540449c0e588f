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

    /// The next `STEPS` numbers of every lane, step by step.
    #[inline(always)]
    fn next_u64s<const STEPS: usize>(&mut self) -> [[u64; LANES]; STEPS] {
        let [a0, a1, a2, a3] = &mut self.state;
        let mut out = [[0; LANES]; STEPS];
        // Lanes are the outer loop, so that it is the one that is vectorised.
        for lane in 0..LANES {
            let (mut s0, mut s1, mut s2, mut s3) = (a0[lane], a1[lane], a2[lane], a3[lane]);
            for step in &mut out {
                step[lane] = s0.wrapping_add(s3).rotate_left(23).wrapping_add(s0);
                let shifted = s1 << 17;
                s2 ^= s0;
                s3 ^= s1;
                s1 ^= s2;
                s0 ^= s3;
                s2 ^= shifted;
                s3 = s3.rotate_left(45);
            }
            (a0[lane], a1[lane], a2[lane], a3[lane]) = (s0, s1, s2, s3);
        }
        out
    }
}

/// Steps taken at once: so many that a compiler does not unroll the loop over lanes, which it then vectorises, with AVX2
/// too.
const STEPS: usize = 8;

#[pulp::with_simd(fill = pulp::Arch::new())]
#[inline(always)]
fn fill_with_simd<'a, S: pulp::Simd>(_: S, lanes: &'a mut UniformLanes, out: &'a mut [f32]) {
    const BLOCK: usize = UniformLanes::BLOCK;
    let (chunks, rest) = out.as_chunks_mut::<{ STEPS * BLOCK }>();
    for chunk in chunks {
        let (blocks, _) = chunk.as_chunks_mut::<BLOCK>();
        for (block, bits) in blocks.iter_mut().zip(lanes.next_u64s::<STEPS>()) {
            *block = open_uniforms(bits);
        }
    }
    for block in rest.chunks_mut(BLOCK) {
        let [bits] = lanes.next_u64s();
        block.copy_from_slice(&open_uniforms(bits)[..block.len()]);
    }
}

/// A uniform of the lower half of every number, then one of every upper half.
#[inline(always)]
fn open_uniforms(bits: [u64; LANES]) -> [f32; UniformLanes::BLOCK] {
    let mut uniforms = [0.0; UniformLanes::BLOCK];
    for lane in 0..LANES {
        uniforms[lane] = open_uniform(bits[lane] as u32);
        uniforms[LANES + lane] = open_uniform((bits[lane] >> 32) as u32);
    }
    uniforms
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
            assert_eq!(lanes.next_u64s(), [expected.as_slice()]);
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
    fn a_stream_is_the_same_however_many_are_drawn_at_a_time() {
        const BLOCK: usize = UniformLanes::BLOCK;
        let mut lanes = UniformLanes::new(generator(7, Stream::Noise));
        let mut again = lanes.clone();
        // Some chunks, some blocks and a remainder, which costs a block.
        let mut long = vec![0.0; (2 * STEPS + 3) * BLOCK + 5];
        lanes.fill(&mut long);
        for expected in long.chunks(BLOCK) {
            let mut short = vec![0.0; expected.len()];
            again.fill(&mut short);
            assert_eq!(short, expected);
        }
        assert_eq!(lanes, again);
    }
}
