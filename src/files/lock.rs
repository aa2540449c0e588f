//! One process at a time in a folder.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::error::Error;

/// The file that is locked, and not the folder itself, since across the machines of an NFS only a file that is open for
/// writing can be (flock(2), "NFS details").
const NAME: &str = ".lock";

/// How long another process may hold the lock to ask whether it is held: some microseconds.
const ASKING: Duration = Duration::from_millis(200);

/// A folder, locked for as long as this lives, and by the operating system no longer than the process lives.
#[derive(Debug)]
pub struct FolderLock {
    file: Option<File>,
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
            Err(error) if error.kind() == ErrorKind::ReadOnlyFilesystem => return Ok(Self { file: None }),
            file => file.map_err(Error::file("open", &path))?,
        };
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if begun.elapsed() < ASKING => thread::sleep(ASKING / 20),
                Err(TryLockError::WouldBlock) => return Err(Error::Busy(folder.to_owned())),
                // A file system without locks; nothing is to fail for it.
                Err(TryLockError::Error(error)) => {
                    tracing::warn!(
                        "{} could not be locked against other processes: {error}",
                        folder.display()
                    );
                    break;
                }
            }
        }
        Ok(Self { file: Some(file) })
    }

    /// Whether a process has locked the folder.
    pub fn is_held(folder: &Path) -> bool {
        is_locked(&folder.join(NAME))
    }
}

/// Whether a process has locked a file, which it has not where there is none.
pub fn is_locked(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    let asked = file.try_lock_shared();
    release(&file);
    matches!(asked, Err(TryLockError::WouldBlock))
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        if let Some(file) = &self.file {
            release(file);
        }
    }
}

/// Unlocks a file. Closing it is not enough: a program that another thread is just starting has the file open too until
/// it runs, and the lock lasts until the last of them has closed it (flock(2)).
fn release(file: &File) {
    if let Err(error) = file.unlock() {
        tracing::debug!("a lock could not be released: {error}");
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

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
    #[test]
    fn a_lock_ends_with_its_owner_whatever_programs_are_just_starting() {
        let folder = tempfile::tempdir().unwrap();
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !is_over.load(Relaxed) {
                        let _ = Command::new("true").status();
                    }
                });
            }
            let left = (0..20_000).filter(|_| {
                drop(FolderLock::acquire(folder.path()).unwrap());
                FolderLock::is_held(folder.path())
            });
            let left = left.count();
            is_over.store(true, Relaxed);
            assert_eq!(left, 0);
        });
    }
}
