//! Named streams of random numbers, all derived from one seed.
//!
//! libtorch's global generator is never used: it cannot be saved and is shared between threads. Every stochastic
//! choice draws from a generator of its own stream, so that, say, more evaluation episodes do not change the training.

mod lanes;

use rand::SeedableRng;
pub use rand_xoshiro::Xoshiro256PlusPlus as Generator;

pub use lanes::UniformLanes;

/// What a generator is for. The numbers are how far a stream starts from the seed: a new stream takes a new number, and no
/// number changes or is used again, so that the other streams stay as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Initial weights and Fourier frequencies.
    Initialisation = 0,
    /// Resets of the training environment.
    Environment = 1,
    /// Random actions of the exploration rule.
    Exploration = 2,
    /// Dropout noise of the exploration rule.
    ExplorationNoise = 3,
    /// Which transitions make a batch.
    Replay = 4,
    /// Dropout noise of the learner: predictions and targets.
    Noise = 5,
    /// Dropout noise of the epistemic std of an episode, which is only measured.
    EpisodeDiagnostics = 6,
    /// Dropout noise of the epistemic std of a batch, which is only measured.
    UpdateDiagnostics = 7,
    /// Resets of an evaluation's environment.
    Evaluation = 8,
    /// Dropout noise of an evaluation.
    EvaluationNoise = 9,
    /// Resamples of the runs of an experiment.
    Bootstrap = 10,
    /// Resets of the environment of the evaluations while training.
    PeriodicEvaluation = 11,
    /// Dropout noise of these evaluations.
    PeriodicEvaluationNoise = 12,
    /// Offsets of the tilings.
    Places = 13,
    /// Observations at which an exported network is checked.
    Examples = 14,
}

/// The generator of `stream` under `seed`: streams of one seed start 2^128 draws apart and so never overlap.
pub fn generator(seed: u64, stream: Stream) -> Generator {
    let mut generator = Generator::seed_from_u64(seed);
    for _ in 0..stream as usize {
        generator.jump();
    }
    generator
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    #[test]
    fn streams_and_seeds_differ_and_repeat() {
        let first = |seed, stream| generator(seed, stream).next_u64();
        assert_eq!(first(1, Stream::Noise), first(1, Stream::Noise));
        assert_ne!(first(1, Stream::Noise), first(1, Stream::Replay));
        assert_ne!(first(1, Stream::Noise), first(2, Stream::Noise));
        // A stream that moves changes every run.
        assert_eq!((Stream::Initialisation as usize, Stream::Noise as usize), (0, 5));
        assert_eq!((Stream::EvaluationNoise as usize, Stream::Bootstrap as usize), (9, 10));
    }
}
