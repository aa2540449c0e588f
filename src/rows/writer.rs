//! Tables that are on disk up to their last row.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use super::Row;
use super::number::rounded;
use crate::error::Error;

/// A table that is being written.
#[derive(Debug)]
pub struct RowWriter<R> {
    path: PathBuf,
    file: File,
    rows: PhantomData<fn(R)>,
}

impl<R: Row> RowWriter<R> {
    /// Creates the table of a run with `layers` layers, with its header.
    ///
    /// # Errors
    /// Where the file exists or can't be written.
    pub fn create(path: &Path, layers: usize) -> Result<Self, Error> {
        let mut file = File::create_new(path).map_err(Error::file("create", path))?;
        let header = format!("{}\n", R::columns(layers).join(","));
        file.write_all(header.as_bytes()).map_err(Error::file("write", path))?;
        Ok(Self { path: path.to_owned(), file, rows: PhantomData })
    }

    /// Opens the table as it was when it had `bytes` bytes: the rows after them are cut off.
    ///
    /// # Errors
    /// Where the file is shorter, has other columns, or can't be written.
    pub fn reopen(path: &Path, layers: usize, bytes: u64) -> Result<Self, Error> {
        let content = |problem| Error::Content { path: path.to_owned(), problem };
        let file = File::options().read(true).write(true).open(path);
        let mut file = file.map_err(Error::file("open", path))?;
        let length = file.metadata().map_err(Error::file("read", path))?.len();
        if length < bytes {
            return Err(content(format!(
                "it has {length} bytes, but had {bytes} when the checkpoint was made; rows of it are lost"
            )));
        }
        let columns = R::columns(layers).join(",");
        let expected = format!("{columns}\n");
        let mut found = vec![0; expected.len().min(bytes as usize)];
        file.read_exact(&mut found).map_err(Error::file("read", path))?;
        if found != expected.as_bytes() {
            return Err(content(format!("its columns are not those that this program writes, {columns}")));
        }
        file.set_len(bytes).map_err(Error::file("cut", path))?;
        file.seek(SeekFrom::End(0)).map_err(Error::file("read", path))?;
        Ok(Self { path: path.to_owned(), file, rows: PhantomData })
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
        written
            .and_then(|()| text.into_inner().map_err(|error| error.into_error()))
            .and_then(|text| self.file.write_all(&text))
            .map_err(Error::file("write", &self.path))
    }

    /// Waits until all rows are on the disk and returns how many bytes the file has.
    ///
    /// # Errors
    /// Where they can't be written.
    pub fn sync(&self) -> Result<u64, Error> {
        let length = self.file.sync_data().and_then(|()| self.file.metadata());
        length.map(|metadata| metadata.len()).map_err(Error::file("write", &self.path))
    }
}
