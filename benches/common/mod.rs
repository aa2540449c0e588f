//! What the benchmarks share: the clock, agents to measure, and the matrix products that are their floor.

mod agent;
mod products;
mod rounds;

pub use agent::{environment_step, learner};
pub use products::Products;
pub use rounds::{Rounds, human};
