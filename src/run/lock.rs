//! One process at a time in a run's folder.

use std::fs::{File, TryLockError};

use super::directory::RunDirectory;
use crate::error::Error;

/// A run's folder, locked for as long as this lives, and by the operating system no longer than the process
/// lives.
#[derive(Debug)]
pub struct RunLock {
    _folder: File,
}

impl RunDirectory {
    /// Locks the folder, so that no other training writes into it.
    ///
    /// # Errors
    /// [`Error::Busy`] where another one does.
    pub fn lock(&self) -> Result<RunLock, Error> {
        let folder = File::open(self.path()).map_err(Error::file("open the folder", self.path()))?;
        match folder.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::Busy(self.path().to_owned())),
            // A file system without locks; a run is not to fail for it.
            Err(TryLockError::Error(error)) => {
                tracing::warn!(
                    "{} could not be locked against other processes: {error}",
                    self.path().display()
                );
            }
        }
        Ok(RunLock { _folder: folder })
    }

    /// Whether another process is writing into it now.
    ///
    /// # Errors
    /// Where the folder can't be opened.
    pub fn is_busy(&self) -> Result<bool, Error> {
        let folder = File::open(self.path()).map_err(Error::file("open the folder", self.path()))?;
        Ok(matches!(folder.try_lock(), Err(TryLockError::WouldBlock)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn the_second_one_is_refused_until_the_first_is_gone() {
        let runs = tempfile::tempdir().unwrap();
        let directory = RunDirectory::create(runs.path(), "x", &Config::default()).unwrap();
        assert!(!directory.is_busy().unwrap());
        let first = directory.lock().unwrap();
        assert!(directory.is_busy().unwrap());
        let problem = directory.lock().unwrap_err().to_string();
        assert!(problem.contains("another process is writing"), "{problem}");
        // Nor does one that is to begin there write its settings over.
        std::fs::remove_file(directory.config()).unwrap();
        let begun = RunDirectory::create_at(directory.path(), &Config::default());
        assert!(matches!(begun, Err(Error::Busy(_))) && !directory.config().exists());
        drop(first);
        assert!(directory.lock().is_ok());
        assert!(RunDirectory::create_at(directory.path(), &Config::default()).is_ok());
    }
}
