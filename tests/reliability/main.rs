//! What a run outlives: it is killed, its disk fills up, its files are damaged, its folder goes away, it is asked the
//! impossible. The quick form of each is an ordinary test; the long ones print the rows of the table in
//! docs/reliability.md:
//!
//! ```sh
//! cargo test --release --test reliability -- --ignored --nocapture --test-threads=1
//! ```
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod damage;
mod determinism;
mod disk;
mod input;
mod kills;
mod memory;
mod numbers;
#[path = "../program/mod.rs"]
mod program;
mod python;
mod runs;
mod signals;
mod stall;

/// Prints a row of the table in docs/reliability.md.
fn row(what: &str, tried: impl std::fmt::Display, outcome: impl std::fmt::Display) {
    println!("| {what} | {tried} | {outcome} |");
}
