//! For loops over numbers that are compiled for the widest vector instructions the machine has.
//!
//! A kernel is a plain loop in a function marked `#[pulp::with_simd(name = pulp::Arch::new())]`: it is compiled once for each
//! level of instructions, and `name` calls the one that fits the machine. What a kernel calls has to be inlined to take part.

mod math;

pub use math::{exp, ln, sin_cos};

/// Elements that a kernel takes at a time. Buffers whose length is a multiple of it have no remainder.
pub const BLOCK: usize = 64;

/// The smallest multiple of [`BLOCK`] that is at least `count`.
pub const fn padded(count: usize) -> usize {
    count.next_multiple_of(BLOCK)
}
