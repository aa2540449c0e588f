//! Files that are on the disk, and not only on their way to it.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::Path;

use crate::error::Error;

/// Writes a new file, which is then on its way to the disk.
pub fn write(path: &Path, content: &[u8]) -> Result<File, Error> {
    let written = File::create(path).and_then(|mut file| file.write_all(content).map(|()| file));
    written.map_err(Error::file("write", path))
}

/// Writes a new file and waits until it is on the disk.
pub fn write_durably(path: &Path, content: &[u8]) -> Result<(), Error> {
    write(path, content)?.sync_all().map_err(Error::file("write", path))
}

/// Waits until the names in a folder are on the disk.
pub fn sync_folder(path: &Path) -> Result<(), Error> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(Error::file("write to the folder", path))
}

/// Gives a file or a folder a new name, for good.
pub fn rename_durably(from: &Path, to: &Path) -> Result<(), Error> {
    fs::rename(from, to).map_err(Error::file("write", to))?;
    to.parent().map_or(Ok(()), sync_folder)
}

/// Removes a file or a folder that nobody needs. What can't be removed does no harm where it lies.
pub fn remove(path: &Path) {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    if let Err(error) = removed.or_else(|error| match error.kind() {
        ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    }) {
        tracing::debug!("could not remove {}: {error}", path.display());
    }
}

/// The names in a folder, sorted; none where there is no such folder.
pub fn names(folder: &Path) -> Result<Vec<String>, Error> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(Error::file("read the folder", folder))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(Error::file("read the folder", folder))?;
        // Names of our own are all ASCII.
        names.extend(entry.file_name().into_string());
    }
    names.sort();
    Ok(names)
}
