//! `--name` of a run.

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

/// The folder of the run of this name, which must not exist yet.
pub fn named_folder(runs_dir: &Path, name: &str) -> Result<PathBuf, Error> {
    let folder = runs_dir.join(name);
    if folder.symlink_metadata().is_err() {
        return Ok(folder);
    }
    let shown = folder.display();
    Err(Error::Usage(format!(
        "--name {name}: {shown} exists already; give another name, or, where it is a run, let `resume {shown}` train on"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

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
