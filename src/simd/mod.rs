//! For loops over numbers that are compiled for the widest vector instructions the machine has.
//!
//! A kernel is a plain loop in a function marked `#[pulp::with_simd(name = pulp::Arch::new())]`: it is compiled once for each
//! level of instructions, and `name` calls the one that fits the machine. What a kernel calls has to be inlined to take part.

mod math;

pub use math::{exp, ln, sin_cos};

/// Numbers that a sum over many takes at a time.
pub const BLOCK: usize = 64;

/// Numbers that a kernel over the columns of a matrix takes at a time: a vector register of AVX2.
pub const LANES: usize = 8;

/// From a row of `columns` numbers to the next: whole [`LANES`], so that what belongs to a column (its odds, its sums) lines
/// up with every row.
pub const fn row_stride(columns: usize) -> usize {
    columns.next_multiple_of(LANES)
}
