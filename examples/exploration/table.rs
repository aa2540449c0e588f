//! The numbers of a picture as a CSV file.

use std::path::Path;

use concrete_dqn::Error;
use concrete_dqn::files;

/// Writes a header and rows, whole or not at all.
///
/// # Errors
/// Where the file can't be written.
pub fn write(path: &Path, header: &str, rows: &[String]) -> Result<(), Error> {
    let lines = std::iter::once(header).chain(rows.iter().map(String::as_str));
    let text: String = lines.flat_map(|line| [line, "\n"]).collect();
    files::replace(path, text.as_bytes())
}

/// A number that comes from f32 arithmetic, in the six significant digits that it is good for.
pub fn single(value: f64) -> String {
    format!("{value:.5e}")
}
