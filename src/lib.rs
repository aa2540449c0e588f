//! An online reinforcement-learning agent whose dropout adapts while it learns.
//!
//! A DQN-style Q-network, held in libtorch through `tch`, has Concrete Dropout (Gal, Hron & Kendall 2017) in front of
//! every linear layer: the dropout probability p of each layer is learned by gradient descent. The number of
//! transitions in the replay buffer is the N of the variational objective; it is updated at every episode's end, so
//! the regularisers rescale and p adapts online, without retraining. The variance over Monte-Carlo passes is the
//! epistemic uncertainty, and it decides what the agent tries next.
//!
//! How one transition travels: [`training`] takes it from the environment, [`agent`] chooses the action by a rule of
//! [`exploration`] from samples of the [`network`], and remembers the outcome in its [`replay`]; a batch from there
//! becomes targets and a loss, defined in [`td`] and [`concrete`] and computed by an [`engine`]; [`run`] writes what happened,
//! a [`checkpoint`] all that is needed to go on, and an [`experiment`] sums up many runs.

pub mod agent;
pub mod calibration;
pub mod checkpoint;
pub mod cli;
pub mod concrete;
pub mod config;
pub mod engine;
mod error;
pub mod evaluation;
pub mod experiment;
pub mod exploration;
pub mod files;
pub mod logging;
pub mod network;
mod panics;
pub mod plot;
pub mod randomness;
pub mod replay;
pub mod rows;
pub mod run;
pub mod section;
mod simd;
pub mod statistics;
pub mod td;
mod tensors;
pub mod training;
pub mod units;
pub mod value_calibration;

pub use error::Error;
