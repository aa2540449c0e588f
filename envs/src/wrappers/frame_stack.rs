//! Observations that are stacked.

use rand::Rng;

use super::forwarded;
use crate::{BoxSpace, Dimension, Env, EnvError, EnvSpec, ImageShape, Step, saved};

/// Makes the last observations one, the oldest first, so that what moves can be seen to. An episode starts with its first
/// observation as often. An image becomes one of as many times the channels.
#[derive(Debug, Clone)]
pub struct FrameStack<E: Env> {
    env: E,
    spec: EnvSpec,
    /// `[frames, dimensions of the environment]`, the oldest first.
    frames: Vec<f32>,
}

impl<E: Env> FrameStack<E> {
    /// Wraps `env`. An observation is `frames` of its observations, at least one.
    pub fn new(env: E, frames: usize) -> Self {
        Self { spec: Self::spec_of(env.spec(), frames.max(1)), env, frames: Vec::new() }
    }

    /// The spec of an environment of this spec within it.
    pub(super) fn spec_of(spec: &EnvSpec, frames: usize) -> EnvSpec {
        let space = &spec.observation_space;
        let of_frame = |age: usize| {
            let aged = move |dimension: &Dimension| match age {
                0 => dimension.clone(),
                1 => Dimension { name: format!("{}, 1 step ago", dimension.name), ..dimension.clone() },
                _ => Dimension { name: format!("{}, {age} steps ago", dimension.name), ..dimension.clone() },
            };
            space.dimensions.iter().map(aged)
        };
        let channels = |image: ImageShape| ImageShape { channels: frames * image.channels, ..image };
        EnvSpec {
            observation_space: BoxSpace {
                dimensions: (0..frames).rev().flat_map(of_frame).collect(),
                image: space.image.map(channels),
                one_hot: space.one_hot && frames == 1,
            },
            // Of the newest.
            plane: spec
                .plane
                .or((space.len() > 1).then_some([0, 1]))
                .map(|plane| plane.map(|index| (frames - 1) * space.len() + index)),
            ..spec.clone()
        }
    }
}

impl<E: Env> Env for FrameStack<E> {
    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn reset(&mut self, rng: &mut dyn Rng) -> Result<Vec<f32>, EnvError> {
        let first = self.env.reset(rng)?;
        let frames = self.spec.observation_space.len() / self.env.spec().observation_space.len();
        self.frames = first.repeat(frames);
        Ok(self.frames.clone())
    }

    fn step(&mut self, action: usize) -> Result<Step, EnvError> {
        let step = self.env.step(action)?;
        let size = self.env.spec().observation_space.len();
        self.frames.drain(..size.min(self.frames.len()));
        self.frames.extend_from_slice(&step.observation);
        Ok(Step { observation: self.frames.clone(), ..step })
    }

    fn save_state(&self) -> Option<Vec<u8>> {
        let frames: Vec<u8> = self.frames.iter().flat_map(|value| value.to_le_bytes()).collect();
        Some(saved::both(&frames, self.env.save_state()?))
    }

    fn restore_state(&mut self, state: &[u8]) -> Result<(), EnvError> {
        let (own, inner) = saved::read_both(state, &self.spec)?;
        let (values, rest) = own.as_chunks::<4>();
        if values.len() != self.spec.observation_space.len() || !rest.is_empty() {
            return Err(EnvError::NotRestored { env: self.spec.id.clone() });
        }
        self.env.restore_state(inner)?;
        self.frames = values.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        Ok(())
    }

    forwarded!(begin_step, drawing, action_mask, episode);
}
