//! An online reinforcement-learning agent whose dropout adapts while it learns.
//!
//! A DQN-style Q-network, held in libtorch through `tch`, has Concrete Dropout (Gal, Hron & Kendall 2017) in
//! front of every linear layer: the dropout probability p of each layer is learned by gradient descent. The
//! number of transitions in the replay buffer is the N of the variational objective; it is updated at every
//! episode's end, so the regularisers rescale and p adapts online, without retraining. The variance over
//! Monte-Carlo passes is the epistemic uncertainty, and it decides what the agent tries next.
//!
//! # Train, evaluate, resume
//!
//! ```no_run
//! use concrete_dqn::{Config, Error, Session};
//! use control_envs::Registry;
//!
//! fn main() -> Result<(), Error> {
//!     let config = Config::for_env("CartPole-v1")?.with("steps = 20_000")?;
//!     let mut session = Session::new(&Registry::builtin(), config)?.in_folder("runs/mine")?;
//!     let summary = session.train(&mut ())?;
//!     let evaluation = session.evaluate(50)?;
//!     let values = session.predict(&[0.0, 0.0, 0.05, 0.0])?;
//!     println!("{} episodes; {evaluation}; Q {:?}", summary.episodes, values.mean);
//!     drop(session);
//!
//!     // Later, or after a power cut: from the newest checkpoint on.
//!     Session::resume("runs/mine", &Registry::builtin())?.train(&mut ())?;
//!     Ok(())
//! }
//! ```
//!
//! Without [`in_folder`](Session::in_folder) all of it stays in memory. An environment of one's own takes the
//! registry's place as a function, `Session::new(MyEnv::new, config)`; an [`Observer`](training::Observer)
//! watches, and ends the training where it wants to; a [`Policy`] is loaded from a folder and acts without
//! learning. [`cli::run`] is the whole command line over a registry of one's own.
//!
//! # The modules
//!
//! From the top down.
//!
//! | module | what it is |
//! |---|---|
//! | [`cli`] | the command line |
//! | [`session`] | training, evaluating and resuming in a few lines |
//! | [`experiment`] | settings x environments x seeds, summed up |
//! | [`run`], [`checkpoint`] | what a run leaves on the disk, and all that is needed to resume it |
//! | [`plot`], [`rows`] | figures of runs, and the rows of their tables |
//! | [`config`] | defaults, presets, files and flags |
//! | [`training`], [`evaluation`] | the loops of environment and agent |
//! | [`agent`] | acts, observes, learns, and tells the objective how much data there is |
//! | [`engine`], [`td`] | how a learner step is computed, and towards what |
//! | [`exploration`], [`replay`] | which action to try; what has been seen |
//! | [`network`] | the Q-network and its optimiser |
//! | [`concrete`] | Concrete Dropout: layers, regulariser, uncertainty; for any tch model, knows nothing of RL |
//! | [`calibration`], [`statistics`] | coverage of intervals; means, quantiles, statistics over few runs |
//! | [`randomness`], [`units`], [`files`] | named random streams, units of values, files that are whole |
//!
//! How one transition travels: [`training`] takes it from the environment, [`agent`] chooses the action by a
//! rule of [`exploration`] from samples of the [`network`], and remembers the outcome in its [`replay`]; a
//! batch from there becomes targets and a loss, defined in [`td`] and [`concrete`] and computed by an
//! [`engine`]; [`run`] writes what happened and a [`checkpoint`] all that is needed to resume.

pub mod agent;
pub mod calibration;
pub mod checkpoint;
pub mod cli;
pub mod concrete;
pub mod config;
pub mod dashboard;
pub mod engine;
mod error;
pub mod evaluation;
pub mod experiment;
pub mod exploration;
pub mod export;
pub mod files;
mod logging;
pub mod network;
mod numbers;
mod panics;
pub mod plot;
mod protobuf;
pub mod randomness;
pub mod recording;
pub mod replay;
pub mod report;
pub mod rows;
pub mod run;
mod section;
pub mod session;
mod simd;
pub mod state_grid;
pub mod statistics;
pub mod td;
mod tensorboard;
mod tensors;
pub mod training;
pub mod units;
mod value_calibration;

pub use config::Config;
pub use error::Error;
pub use session::{ActionValues, EnvSource, Policy, SavedRun, Session};

/// The programs in the README, which are compiled with the documentation's examples.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
