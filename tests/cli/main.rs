//! The real program, run as a user runs it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod environments;
mod evaluation;
mod figures;
mod interrupts;
mod mistakes;
#[path = "../program/mod.rs"]
mod program;
mod runs;
