//! Columns of one length, as CSV and as Parquet.

use std::error::Error as StdError;
use std::io;
use std::path::Path;
use std::sync::Arc;

use parquet::basic::{LogicalType, Repetition, Type as PhysicalType};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use crate::error::Error;

/// The values of a column, where there are any.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Text.
    Text(Vec<Option<String>>),
    /// Whole numbers.
    Whole(Vec<Option<i64>>),
    /// Numbers.
    Real(Vec<Option<f64>>),
}

impl Values {
    fn cells(&self) -> Vec<String> {
        fn shown<T: ToString>(values: &[Option<T>]) -> Vec<String> {
            values.iter().map(|value| value.as_ref().map_or_else(String::new, T::to_string)).collect()
        }
        match self {
            Self::Text(values) => shown(values),
            Self::Whole(values) => shown(values),
            Self::Real(values) => shown(values),
        }
    }

    fn parquet_type(&self, name: &str) -> Result<Type, ParquetError> {
        let (physical, logical) = match self {
            Self::Text(_) => (PhysicalType::BYTE_ARRAY, Some(LogicalType::String)),
            Self::Whole(_) => (PhysicalType::INT64, None),
            Self::Real(_) => (PhysicalType::DOUBLE, None),
        };
        Type::primitive_type_builder(name, physical)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(logical)
            .build()
    }
}

/// Columns of one length, each with its name.
#[derive(Debug, Default)]
pub struct Columns(Vec<(String, Values)>);

impl Columns {
    /// Adds a column on the right.
    pub fn add(&mut self, name: impl Into<String>, values: Values) {
        self.0.push((name.into(), values));
    }

    /// As CSV, every number in full.
    ///
    /// # Errors
    /// Never in practice: it is written to memory.
    pub fn csv(&self) -> Result<Vec<u8>, Error> {
        let columns: Vec<Vec<String>> = self.0.iter().map(|(_, values)| values.cells()).collect();
        let rows = columns.first().map_or(0, Vec::len);
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(self.0.iter().map(|(name, _)| name)).map_err(in_memory)?;
        for row in 0..rows {
            writer.write_record(columns.iter().map(|column| &column[row])).map_err(in_memory)?;
        }
        writer.into_inner().map_err(|error| in_memory(error.into_error()))
    }

    /// As Parquet.
    ///
    /// # Errors
    /// Never in practice: it is written to memory.
    pub fn parquet(&self) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        self.write_parquet(&mut bytes).map_err(in_memory)?;
        Ok(bytes)
    }

    fn write_parquet(&self, bytes: &mut Vec<u8>) -> Result<(), ParquetError> {
        let fields = self.0.iter().map(|(name, values)| values.parquet_type(name).map(Arc::new));
        let schema =
            Type::group_type_builder("runs").with_fields(fields.collect::<Result<_, _>>()?).build()?;
        let properties = Arc::new(WriterProperties::builder().build());
        let mut file = SerializedFileWriter::new(bytes, Arc::new(schema), properties)?;
        let mut group = file.next_row_group()?;
        for (_, values) in &self.0 {
            let Some(mut column) = group.next_column()? else { break };
            match values {
                Values::Text(values) => {
                    let (texts, levels) = levels(values, |text| ByteArray::from(text.as_str()));
                    column.typed::<ByteArrayType>().write_batch(&texts, Some(&levels), None)?;
                }
                Values::Whole(values) => {
                    let (numbers, levels) = levels(values, |number| *number);
                    column.typed::<Int64Type>().write_batch(&numbers, Some(&levels), None)?;
                }
                Values::Real(values) => {
                    let (numbers, levels) = levels(values, |number| *number);
                    column.typed::<DoubleType>().write_batch(&numbers, Some(&levels), None)?;
                }
            }
            column.close()?;
        }
        group.close()?;
        file.close().map(|_| ())
    }
}

/// The values that there are, and for every place whether it has one, as Parquet holds them.
fn levels<T, V>(values: &[Option<T>], value: impl Fn(&T) -> V) -> (Vec<V>, Vec<i16>) {
    let levels = values.iter().map(|value| i16::from(value.is_some())).collect();
    (values.iter().flatten().map(value).collect(), levels)
}

fn in_memory(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
    Error::file("write", Path::new("a table of runs"))(io::Error::other(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;

    fn written(columns: &Columns, name: &str) -> std::fs::File {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, columns.parquet().unwrap()).unwrap();
        std::fs::File::open(path).unwrap()
    }

    #[test]
    fn what_is_written_is_read_again() {
        let mut columns = Columns::default();
        columns.add("name", Values::Text(vec![Some("läufe, a".to_owned()), None]));
        columns.add("seed", Values::Whole(vec![Some(i64::MAX), Some(-3)]));
        columns.add("return", Values::Real(vec![None, Some(0.1)]));
        assert_eq!(
            String::from_utf8(columns.csv().unwrap()).unwrap(),
            "name,seed,return\n\"läufe, a\",9223372036854775807,\n,-3,0.1\n"
        );
        let reader = SerializedFileReader::new(written(&columns, "x")).unwrap();
        let rows: Vec<Vec<Field>> = reader
            .get_row_iter(None)
            .unwrap()
            .map(|row| row.unwrap().get_column_iter().map(|(_, field)| field.clone()).collect())
            .collect();
        assert_eq!(rows[0], [Field::Str("läufe, a".to_owned()), Field::Long(i64::MAX), Field::Null]);
        assert_eq!(rows[1], [Field::Null, Field::Long(-3), Field::Double(0.1)]);
        assert_eq!(columns.parquet().unwrap(), columns.parquet().unwrap());
    }

    #[test]
    fn no_rows_are_a_table_too() {
        let mut columns = Columns::default();
        columns.add("name", Values::Text(Vec::new()));
        assert_eq!(columns.csv().unwrap(), b"name\n");
        let reader = SerializedFileReader::new(written(&columns, "x")).unwrap();
        assert_eq!(reader.metadata().file_metadata().num_rows(), 0);
    }
}
