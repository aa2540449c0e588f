//! Environments for reinforcement learning with discrete actions: the [`Env`] trait to bring one's own, and the
//! classic-control tasks [`CartPole`], [`MountainCar`] and [`Acrobot`] with the dynamics of
//! [Gymnasium](https://gymnasium.farama.org) 1.4.0, [`Catch`], seen as an image, with the rules of bsuite, and three
//! that an agent can't learn without exploring on purpose, [`DeepSea`] and [`CartPoleSwingup`] of bsuite and
//! [`SparseMountainCar`].
//!
//! An environment says what it is in its [`EnvSpec`], starts an episode in [`Env::reset`] and answers an action in
//! [`Env::step`]. What every environment needs besides is a wrapper or a check, so that none has to bring it along:
//!
//! - [`TimeLimit`] truncates an episode at the spec's limit; an environment never counts steps.
//! - [`Wrappers`] are more of them: stacked observations, repeated and sticky actions, clipped rewards, another limit.
//! - [`Checked`] turns NaNs, wrong sizes, actions out of range and steps outside an episode into an [`EnvError`].
//! - [`Registry`] finds environments by name and hands them out in both wrappers.
//! - [`Argument`]s let one environment be many, such as [`DeepSea`] of any size; [`EnvArgs`] checks what is given.
//! - [`Gymnasium`] are the environments of Python, which a registry has as `gym:ID`.
//! - [`Drawing`] is what a state looks like, where an environment says so in [`Env::drawing`].
//! - [`contract::check`] tests, in one line, that an environment keeps its promises.
//!
//! All randomness comes from the generator given to [`Env::reset`], so a trajectory is a function of seed and
//! actions.
//!
//! # An environment of one's own
//!
//! ```
//! use control_envs::rand::{Rng, RngExt};
//! use control_envs::{Dimension, Env, EnvError, EnvSpec, Registry, Step, contract};
//!
//! /// Ten cells in a row; every step costs 1 until the last cell is reached.
//! struct Corridor {
//!     spec: EnvSpec,
//!     position: f32,
//! }
//!
//! impl Corridor {
//!     fn new() -> Self {
//!         let position = Dimension::new("position", "cells", 0.0, 9.0);
//!         let spec = EnvSpec::new("Corridor-v0", [position], ["left", "right"]).with_max_episode_steps(100);
//!         Self { spec, position: 0.0 }
//!     }
//! }
//!
//! impl Env for Corridor {
//!     fn spec(&self) -> &EnvSpec {
//!         &self.spec
//!     }
//!     fn reset(&mut self, rng: &mut dyn Rng) -> Result<Vec<f32>, EnvError> {
//!         self.position = f32::from(rng.random_range(0..5u8));
//!         Ok(vec![self.position])
//!     }
//!     fn step(&mut self, action: usize) -> Result<Step, EnvError> {
//!         let direction = if action == 1 { 1.0 } else { -1.0 };
//!         self.position = (self.position + direction).max(0.0);
//!         Ok(Step::new(vec![self.position], -1.0, self.position == 9.0))
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! contract::check(Corridor::new, 1, 1_000)?;
//!
//! let mut registry = Registry::builtin();
//! registry.register("corridor", Corridor::new)?;
//! let env = registry.make("corridor")?;
//! assert_eq!(env.spec().id, "Corridor-v0");
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

pub use rand;

mod about;
mod acrobot;
mod arguments;
mod cartpole;
mod cartpole_swingup;
mod catch;
mod checked;
pub mod contract;
mod deep_sea;
mod drawing;
mod env;
mod error;
#[cfg(unix)]
mod gymnasium;
mod mersenne_twister;
mod mountain_car;
mod python;
mod registry;
mod saved;
mod space;
mod sparse_mountain_car;
mod spec;
mod wrappers;

pub use about::About;
pub use acrobot::Acrobot;
pub use arguments::{ArgRange, ArgValue, Argument, EnvArgs, FromArg};
pub use cartpole::CartPole;
pub use cartpole_swingup::CartPoleSwingup;
pub use catch::Catch;
pub use checked::Checked;
pub use deep_sea::DeepSea;
pub use drawing::{Drawing, Ink, Shape};
pub use env::{Env, Step};
pub use error::EnvError;
#[cfg(unix)]
pub use gymnasium::Gymnasium;
pub use mountain_car::MountainCar;
pub use python::python_interpreter;
pub use registry::{Entry, Registry};
pub use space::{BoxSpace, Dimension, ImageShape};
pub use sparse_mountain_car::SparseMountainCar;
pub use spec::EnvSpec;
pub use wrappers::{
    ActionRepeat, ClipRewards, EpisodeStatistics, FrameStack, RecordEpisodeStatistics, StickyActions,
    TimeLimit, Wrappers,
};
