//! `--name` of a run.

use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// Most bytes of a name, so that a seed can follow it.
const LONGEST: usize = 200;

/// The name of a run, which its folder gets: what every file system takes.
pub fn run_name(text: &str) -> Result<String, String> {
    let is_allowed = |c: char| !c.is_control() && !"/\\<>:\"|?*".contains(c);
    let ends_well = !text.starts_with(['.', '-', ' ']) && !text.ends_with(['.', ' ']);
    if text.is_empty() || text.len() > LONGEST || !ends_well || !text.chars().all(is_allowed) {
        return Err(format!(
            "it must be the name of a folder: up to {LONGEST} bytes, with none of / \\ < > : \" | ? *, no dot, hyphen or \
             space first and no dot or space last"
        ));
    }
    Ok(text.to_owned())
}

/// The folder of the run of this name, in which there must be nothing yet.
pub fn named_folder(runs_dir: &Path, name: &str) -> Result<PathBuf, Error> {
    let folder = runs_dir.join(name);
    if folder.symlink_metadata().is_err() || is_unused(&folder) {
        return Ok(folder);
    }
    let shown = folder.display();
    Err(Error::Usage(format!(
        "--name {name}: {shown} exists already; give another name, or, where it is a run, let `resume {shown}` train on"
    )))
}

/// Whether a folder holds nothing but what a run leaves that was ended before it had written its settings.
fn is_unused(folder: &Path) -> bool {
    let is_hidden = |entry: io::Result<DirEntry>| {
        entry.is_ok_and(|entry| entry.file_name().as_encoded_bytes().starts_with(b"."))
    };
    fs::read_dir(folder).is_ok_and(|mut entries| entries.all(is_hidden))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_ended_before_its_settings_were_written_is_in_nobodys_way() {
        let runs = tempfile::tempdir().unwrap();
        let folder = runs.path().join("x");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join(".lock"), "").unwrap();
        assert_eq!(named_folder(runs.path(), "x").unwrap(), folder);
        fs::write(folder.join("notes.txt"), "").unwrap();
        assert!(named_folder(runs.path(), "x").unwrap_err().to_string().contains("exists already"));
    }

    #[test]
    fn names_of_folders_are_taken_and_others_refused() {
        for name in ["first try", "läufe-2", "gamma=0.98", "a.b"] {
            assert_eq!(run_name(name), Ok(name.to_owned()));
        }
        for name in ["", "a/b", "..", ".hidden", "-q", "a\nb", "a:b", "a ", "a.", &"a".repeat(201)] {
            assert!(run_name(name).unwrap_err().starts_with("it must be the name of a folder"), "{name}");
        }
    }
}
