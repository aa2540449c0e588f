//! Tables that are on disk up to their last row.

use std::marker::PhantomData;
use std::path::Path;

use super::Row;
use super::number::rounded;
use crate::error::Error;
use crate::files::AppendedFile;

/// A table that is being written.
#[derive(Debug)]
pub struct RowWriter<R> {
    file: AppendedFile,
    rows: PhantomData<fn(R)>,
}

impl<R: Row> RowWriter<R> {
    /// Creates the table of a run with `layers` layers, with its header.
    ///
    /// # Errors
    /// Where the file exists or can't be written.
    pub fn create(path: &Path, layers: usize) -> Result<Self, Error> {
        Ok(Self { file: AppendedFile::create(path, header::<R>(layers).as_bytes())?, rows: PhantomData })
    }

    /// Opens the table as it was when it had `bytes` bytes: the rows after them are cut off.
    ///
    /// # Errors
    /// Where the file is shorter, has other columns, or can't be written.
    pub fn reopen(path: &Path, layers: usize, bytes: u64) -> Result<Self, Error> {
        let mut file = AppendedFile::open(path, bytes)?;
        let header = header::<R>(layers);
        if file.start(bytes.min(header.len() as u64))? != header.as_bytes() {
            let columns = header.trim_end();
            let problem = format!("its columns are not those that this program writes, {columns}");
            return Err(Error::Content { path: path.to_owned(), problem });
        }
        file.cut(bytes)?;
        Ok(Self { file, rows: PhantomData })
    }

    /// Appends rows, all of them in one write.
    ///
    /// # Errors
    /// Where they can't be written.
    pub fn append<'a>(&mut self, rows: impl IntoIterator<Item = &'a R>) -> Result<(), Error>
    where
        R: 'a,
    {
        let mut text = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
        let written = rows.into_iter().try_for_each(|row| {
            // As strings, since a number would be written with a fraction whether it has one or not.
            let of_layers: Vec<String> =
                row.of_layers().iter().map(|&value| rounded(value).to_string()).collect();
            text.serialize((row, of_layers)).map_err(std::io::Error::from)
        });
        let text = written.and_then(|()| text.into_inner().map_err(|error| error.into_error()));
        self.file.append(&text.map_err(Error::file("write", self.file.path()))?)
    }

    /// Waits until all rows are on the disk and returns how many bytes the file has.
    ///
    /// # Errors
    /// Where they can't be written.
    pub fn sync(&self) -> Result<u64, Error> {
        self.file.sync()
    }
}

fn header<R: Row>(layers: usize) -> String {
    format!("{}\n", R::columns(layers).join(","))
}
