//! `SHA256SUMS`: what the files of a checkpoint must hash to.

use std::collections::HashMap;
use std::fmt::Write;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::Error;

/// Checksums by path, relative to the checkpoint's folder, in the format of `sha256sum`.
#[derive(Debug, Clone, Default)]
pub struct Manifest {
    folder: PathBuf,
    by_path: HashMap<String, String>,
}

impl Manifest {
    /// The file's name.
    pub const FILE: &'static str = "SHA256SUMS";

    /// Reads the file in a checkpoint's folder.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(Self::FILE);
        let text = String::from_utf8_lossy(&read_present(&path)?).into_owned();
        let by_path = text.lines().filter_map(|line| line.split_once("  "));
        let by_path = by_path.map(|(sum, path)| (path.to_owned(), sum.to_owned())).collect();
        Ok(Self { folder: folder.to_owned(), by_path })
    }

    /// The content of a file of the checkpoint, if its checksum is the right one.
    pub fn verified(&self, relative: &str) -> Result<Vec<u8>, Error> {
        let path = self.folder.join(relative);
        let content = read_present(&path)?;
        let problem = match self.by_path.get(relative) {
            Some(sum) if *sum == checksum(&content) => return Ok(content),
            Some(_) => format!(
                "its SHA-256 is not the one in {}, so it was changed or cut short after it had been written",
                Self::FILE
            ),
            None => format!("there is no checksum of it in {}", self.folder.join(Self::FILE).display()),
        };
        Err(Error::Content { path, problem })
    }
}

/// The lines of the file for these paths and checksums.
pub fn listing<'a>(sums: impl IntoIterator<Item = (String, &'a str)>) -> String {
    sums.into_iter().fold(String::new(), |mut text, (path, sum)| {
        let _ = writeln!(text, "{sum}  {path}");
        text
    })
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
        let sum = checksum(b"abc");
        let text = listing([("a".to_owned(), sum.as_str()), ("b".to_owned(), &sum)]);
        fs::write(folder.path().join(Manifest::FILE), text).unwrap();
        let sums = Manifest::read(folder.path()).unwrap();
        assert_eq!(sums.verified("a").unwrap(), b"abc");
        for (file, words) in [("b", "cut short"), ("c", "is missing")] {
            let problem = sums.verified(file).unwrap_err().to_string();
            assert!(problem.contains(words), "{problem}");
        }
    }
}
