//! A file that grows, and that a resumed run goes on with from where a checkpoint was made.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::error::Error;

/// A file that only grows. What was appended is read by whoever opens the file, and after
/// [`sync`](Self::sync) it outlives a power cut too.
#[derive(Debug)]
pub(crate) struct AppendedFile {
    path: PathBuf,
    file: File,
}

impl AppendedFile {
    /// Creates the file with what it starts with.
    pub fn create(path: &Path, start: &[u8]) -> Result<Self, Error> {
        let file = File::create_new(path).map_err(Error::file("create", path))?;
        let mut created = Self { path: path.to_owned(), file };
        created.append(start)?;
        Ok(created)
    }

    /// Opens the file, to be cut to what it was when it had `bytes` bytes, unless it has fewer by now.
    pub fn open(path: &Path, bytes: u64) -> Result<Self, Error> {
        let file = File::options().read(true).write(true).open(path).map_err(Error::file("open", path))?;
        let length = file.metadata().map_err(Error::file("read", path))?.len();
        if length < bytes {
            let problem = format!(
                "it has {length} bytes, but had {bytes} when the checkpoint was made; rows of it are lost"
            );
            return Err(Error::Content { path: path.to_owned(), problem });
        }
        Ok(Self { path: path.to_owned(), file })
    }

    /// Its first bytes, `bytes` of them or as many as there are.
    pub fn start(&mut self, bytes: u64) -> Result<Vec<u8>, Error> {
        let mut start = Vec::new();
        let read = self.file.rewind().and_then(|()| (&self.file).take(bytes).read_to_end(&mut start));
        read.map(|_| start).map_err(Error::file("read", &self.path))
    }

    /// Cuts off what comes after its first `bytes` bytes.
    pub fn cut(&mut self, bytes: u64) -> Result<(), Error> {
        self.file.set_len(bytes).map_err(Error::file("cut", &self.path))?;
        self.file.seek(SeekFrom::End(0)).map(|_| ()).map_err(Error::file("read", &self.path))
    }

    /// Appends all of the bytes in one write.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file.write_all(bytes).map_err(Error::file("write", &self.path))
    }

    /// Waits until all of it is on the disk and returns how many bytes it has.
    pub fn sync(&self) -> Result<u64, Error> {
        let length = self.file.sync_data().and_then(|()| self.file.metadata());
        length.map(|metadata| metadata.len()).map_err(Error::file("write", &self.path))
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
