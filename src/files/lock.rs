//! One process at a time in a folder.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::Path;

use crate::error::Error;

/// The file that is locked, and not the folder itself, since across the machines of an NFS only a file that is open for
/// writing can be (flock(2), "NFS details").
const NAME: &str = ".lock";

/// A folder, locked for as long as this lives, and by the operating system no longer than the process lives.
#[derive(Debug)]
pub struct FolderLock {
    _file: Option<File>,
}

impl FolderLock {
    /// Locks a folder that exists.
    ///
    /// # Errors
    /// [`Error::Busy`] where another process has locked it, and where it can't be written into.
    pub fn acquire(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(NAME);
        let file = match File::options().read(true).write(true).create(true).truncate(false).open(&path) {
            // Nobody writes there, and a run that is finished can be told to be.
            Err(error) if error.kind() == ErrorKind::ReadOnlyFilesystem => return Ok(Self { _file: None }),
            file => file.map_err(Error::file("open", &path))?,
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::Busy(folder.to_owned())),
            // A file system without locks; nothing is to fail for it.
            Err(TryLockError::Error(error)) => {
                tracing::warn!("{} could not be locked against other processes: {error}", folder.display());
            }
        }
        Ok(Self { _file: Some(file) })
    }

    /// Whether a process has locked the folder.
    pub fn is_held(folder: &Path) -> bool {
        // Where there is no such file, none ever has.
        let file = File::open(folder.join(NAME));
        file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_one_is_refused_until_the_first_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!FolderLock::is_held(folder.path()));
        let first = FolderLock::acquire(folder.path()).unwrap();
        assert!(FolderLock::is_held(folder.path()));
        let problem = FolderLock::acquire(folder.path()).unwrap_err().to_string();
        assert!(problem.contains("another process is writing"), "{problem}");
        drop(first);
        assert!(!FolderLock::is_held(folder.path()));
        assert!(FolderLock::acquire(folder.path()).is_ok());
        assert!(matches!(FolderLock::acquire(&folder.path().join("none")), Err(Error::File { .. })));
    }
}
