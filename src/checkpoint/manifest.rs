//! `SHA256SUMS`: what the files of a checkpoint must hash to.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::Error;

/// The checksums of a checkpoint's files by path, relative to its folder, in the format of `sha256sum`.
#[derive(Debug, Clone)]
pub struct Manifest {
    folder: PathBuf,
    checksums: BTreeMap<String, String>,
}

impl Manifest {
    /// The file's name.
    pub const FILE: &'static str = "SHA256SUMS";

    /// Of a checkpoint in this folder, with no files so far.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), checksums: BTreeMap::new() }
    }

    /// Adds a file.
    pub fn add(&mut self, relative: String, checksum: String) {
        self.checksums.insert(relative, checksum);
    }

    /// Reads the manifest in a checkpoint's folder.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let text = String::from_utf8_lossy(&read_present(&folder.join(Self::FILE))?).into_owned();
        let lines = text.lines().filter_map(|line| line.split_once("  "));
        let checksums = lines.map(|(checksum, path)| (path.to_owned(), checksum.to_owned())).collect();
        Ok(Self { folder: folder.to_owned(), checksums })
    }

    /// The content of a file, if its checksum is the right one.
    pub fn verified(&self, relative: &str) -> Result<Vec<u8>, Error> {
        let path = self.folder.join(relative);
        let content = read_present(&path)?;
        let problem = match self.checksums.get(relative) {
            Some(expected) if *expected == checksum(&content) => return Ok(content),
            Some(_) => format!(
                "its SHA-256 is not the one in {}, so it was changed or cut short after it had been written",
                Self::FILE
            ),
            None => format!("there is no checksum of it in {}", self.folder.join(Self::FILE).display()),
        };
        Err(Error::Content { path, problem })
    }
}

impl fmt::Display for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.checksums.iter().try_for_each(|(path, checksum)| writeln!(f, "{checksum}  {path}"))
    }
}

/// The SHA-256 of some bytes, as hexadecimal digits.
pub fn checksum(content: &[u8]) -> String {
    Sha256::digest(content).iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A file that must be there; one that is not makes the checkpoint unusable rather than the disk.
fn read_present(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => Error::Content { path: path.to_owned(), problem: "it is missing".to_owned() },
        _ => Error::file("read", path)(error),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_standard() {
        // FIPS 180-4's example for one block.
        assert_eq!(checksum(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn only_what_has_its_checksum_is_read() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), "abc").unwrap();
        fs::write(folder.path().join("b"), "abd").unwrap();
        let mut written = Manifest::new(folder.path());
        written.add("a".to_owned(), checksum(b"abc"));
        written.add("b".to_owned(), checksum(b"abc"));
        fs::write(folder.path().join(Manifest::FILE), written.to_string()).unwrap();
        let manifest = Manifest::read(folder.path()).unwrap();
        assert_eq!(manifest.verified("a").unwrap(), b"abc");
        for (file, words) in [("b", "cut short"), ("c", "is missing")] {
            let problem = manifest.verified(file).unwrap_err().to_string();
            assert!(problem.contains(words), "{problem}");
        }
    }
}
