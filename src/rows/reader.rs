//! Tables, read while another process may still be writing them.

use std::path::Path;

use csv::{DeserializeErrorKind, ErrorKind, Position, StringRecord};

use super::{Row, RowError};

/// The whole rows of a table. What follows its last line end is a row in the middle of being written.
///
/// # Errors
/// Where the file can't be read, lacks a column, or holds a row that is none of this table.
pub fn read<R: Row>(path: &Path) -> Result<Vec<R>, RowError> {
    let text = std::fs::read(path).map_err(RowError::file("read", path))?;
    let Some(end) = text.iter().rposition(|byte| *byte == b'\n') else { return Ok(Vec::new()) };
    let mut reader = csv::Reader::from_reader(&text[..end]);
    let header = reader.headers().map_err(|error| unreadable(path, None, &error))?.clone();
    if let Some(column) = R::columns(0).into_iter().find(|column| !header.iter().any(|name| name == column)) {
        return Err(RowError::MissingColumn { path: path.to_owned(), column });
    }
    let of_layers: Vec<usize> = R::LAYER_COLUMNS
        .into_iter()
        .flat_map(|prefix| (0..).map(move |layer| format!("{prefix}{layer}")))
        .map_while(|column| header.iter().position(|name| name == column))
        .collect();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| unreadable(path, None, &error))?;
        let mut row: R = record
            .deserialize(Some(&header))
            .map_err(|error| unreadable(path, Some((&header, &record)), &error))?;
        let values = of_layers.iter().map(|&column| {
            let cell = &record[column];
            cell.parse().map_err(|_| invalid(path, record.position(), &header[column], cell))
        });
        row.set_of_layers(values.collect::<Result<_, _>>()?);
        rows.push(row);
    }
    Ok(rows)
}

fn unreadable(path: &Path, row: Option<(&StringRecord, &StringRecord)>, error: &csv::Error) -> RowError {
    let problem = match error.kind() {
        ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("it has {len} cells where the header has {expected_len}")
        }
        ErrorKind::Utf8 { .. } => "it is not text in UTF-8".to_owned(),
        ErrorKind::Deserialize { err, .. } => {
            let column = err.field().map(|field| field as usize);
            match (row, column, err.kind()) {
                (_, _, DeserializeErrorKind::UnexpectedEndOfRow) | (None, ..) | (_, None, _) => {
                    err.to_string()
                }
                (Some((header, record)), Some(column), _) => {
                    return invalid(path, record.position(), &header[column], &record[column]);
                }
            }
        }
        _ => error.to_string(),
    };
    let line = error.position().map_or(1, Position::line);
    RowError::Row { path: path.to_owned(), line, problem }
}

fn invalid(path: &Path, position: Option<&Position>, column: &str, cell: &str) -> RowError {
    RowError::Row {
        path: path.to_owned(),
        line: position.map_or(1, Position::line),
        problem: format!("column `{column}` holds `{cell}`, which is not of its kind"),
    }
}
