//! Tables, read while another process may still be writing them.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use csv::{DeserializeErrorKind, ErrorKind, Position, StringRecord};

use super::Row;
use crate::error::Error;

/// The whole rows of a table. What follows its last line end is a row in the middle of being written.
///
/// # Errors
/// Where the file can't be read, lacks a column, or holds something else than such rows.
pub fn read<R: Row>(path: &Path) -> Result<Vec<R>, Error> {
    let text = std::fs::read(path).map_err(Error::file("read", path))?;
    let Some(end) = text.iter().rposition(|byte| *byte == b'\n') else { return Ok(Vec::new()) };
    parse(path, &text[..end])
}

/// The whole rows that a table has after its first `bytes` bytes, and at how many bytes the last of them ends: where the
/// next call goes on. From 0 on they are those of [`read`]. `None` where no row ends at `bytes`, so that the table is
/// not the one of which they were read.
///
/// # Errors
/// As for [`read`].
pub fn read_after<R: Row>(path: &Path, bytes: u64) -> Result<Option<(Vec<R>, u64)>, Error> {
    let lines = lines_after(path, bytes).map_err(Error::file("read", path))?;
    lines.map(|(text, end)| Ok((parse(path, &text)?, end))).transpose()
}

/// The header, the whole lines after the first `bytes` bytes, and where they end.
fn lines_after(path: &Path, bytes: u64) -> io::Result<Option<(Vec<u8>, u64)>> {
    let mut file = BufReader::new(File::open(path)?);
    let mut header = Vec::new();
    file.read_until(b'\n', &mut header)?;
    if header.last() != Some(&b'\n') {
        // It is being made.
        return Ok((bytes == 0).then(|| (Vec::new(), 0)));
    }
    let start = if bytes == 0 { header.len() as u64 } else { bytes };
    // With the line end before.
    file.seek(SeekFrom::Start(start - 1))?;
    let mut lines = Vec::new();
    file.read_to_end(&mut lines)?;
    if lines.first() != Some(&b'\n') {
        return Ok(None);
    }
    let end = lines.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
    header.extend_from_slice(&lines[1..=end]);
    Ok(Some((header, start + end as u64)))
}

/// The rows of a table's text.
fn parse<R: Row>(path: &Path, text: &[u8]) -> Result<Vec<R>, Error> {
    let mut reader = csv::Reader::from_reader(text);
    let invalid = |position: Option<&Position>, problem: String| {
        let line = position.map_or(1, Position::line);
        Error::Row { path: path.to_owned(), line, problem }
    };
    let unreadable = |error: csv::Error| invalid(error.position(), damage(&error));
    let header = reader.headers().map_err(unreadable)?.clone();
    let of_layers: Vec<usize> = R::LAYER_COLUMNS
        .into_iter()
        .flat_map(|prefix| (0..).map(move |layer| format!("{prefix}{layer}")))
        .map_while(|column| header.iter().position(|name| name == column))
        .collect();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(unreadable)?;
        let wrong_cell = |column: usize, right: &str| {
            let (name, cell) = (&header[column], &record[column]);
            invalid(record.position(), format!("column `{name}` holds `{cell}`, which is not {right}"))
        };
        let mut row: R = record.deserialize(Some(&header)).map_err(|error| {
            if let Some(column) = missing_column::<R>(&header, &error) {
                let problem = format!(
                    "it has no column `{column}`; the runs of this version of the program have it, and those of an \
                     earlier one are read by the version that wrote them"
                );
                return Error::Content { path: path.to_owned(), problem };
            }
            match kind_of_cell(&error) {
                Some((column, right)) => wrong_cell(column, right),
                None => invalid(record.position(), error.to_string()),
            }
        })?;
        let values = of_layers.iter().map(|&column| {
            record[column].parse().map_err(|_: std::num::ParseFloatError| wrong_cell(column, NUMBER))
        });
        row.set_of_layers(values.collect::<Result<_, _>>()?);
        rows.push(row);
    }
    Ok(rows)
}

const NUMBER: &str = "a number";

/// What is wrong with a line that is no row at all.
fn damage(error: &csv::Error) -> String {
    match error.kind() {
        ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("it has {len} cells where the header has {expected_len}")
        }
        ErrorKind::Utf8 { .. } => "it is not text in UTF-8".to_owned(),
        _ => error.to_string(),
    }
}

/// The column for lack of which a row can't be read. serde names it in its message and nowhere else.
fn missing_column<R: Row>(header: &StringRecord, error: &csv::Error) -> Option<String> {
    let ErrorKind::Deserialize { err, .. } = error.kind() else { return None };
    let DeserializeErrorKind::Message(message) = err.kind() else { return None };
    let is_missing = |column: &String| {
        message.contains(&format!("`{column}`")) && !header.iter().any(|name| name == column)
    };
    R::columns(0).into_iter().find(is_missing)
}

/// The column whose cell can't be read, and what it should be.
fn kind_of_cell(error: &csv::Error) -> Option<(usize, &'static str)> {
    let ErrorKind::Deserialize { err, .. } = error.kind() else { return None };
    let right = match err.kind() {
        DeserializeErrorKind::ParseBool(_) => "true or false",
        DeserializeErrorKind::ParseInt(_) => "a whole number of 0 or more",
        DeserializeErrorKind::ParseFloat(_) => NUMBER,
        _ => return None,
    };
    Some((err.field()? as usize, right))
}
