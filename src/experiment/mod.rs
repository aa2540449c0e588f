//! Experiments: settings x environments x seeds, every cell an ordinary run, and what they come to together.
//!
//! A [`Plan`] is read from a file; a [`Store`] knows which of its cells have a finished run on disk; a [`Group`] holds
//! the runs of one variant in one environment, which [`Results`] and [`figures`] sum up with
//! [`statistics`](crate::statistics).

mod columns;
pub mod figures;
mod group;
mod plan;
mod results;
mod run_table;
mod search;
mod store;
mod table;

pub use columns::{Columns, Values};
pub use group::{Group, groups};
pub use plan::{Cell, Plan};
pub use results::{Improvement, Results, Row, Spread};
pub use run_table::run_table;
pub use search::{Domain, Range, Search, TRIAL};
pub use store::Store;
