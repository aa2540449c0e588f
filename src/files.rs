//! Files that are whole and on the disk, and not only on their way to it.

mod appended;
mod lock;

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;

pub(crate) use appended::AppendedFile;
pub(crate) use lock::{FolderLock, is_locked};

/// Replaces a file, or makes a new one. Whatever happens meanwhile, a power cut included, what bears the name
/// is either the old content or the new one.
///
/// # Errors
/// Where it can't be written.
pub fn replace(path: &Path, content: &[u8]) -> Result<(), Error> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let replace = || {
        // In the same folder, since only within a file system a name changes at once. Of another name in each
        // process, since a run and a `plot` command may draw the same figure at the same time.
        let mut temporary = tempfile::Builder::new();
        let mut file =
            temporary.prefix(".").suffix(".partial").make_in(folder, |path| File::create_new(path))?;
        file.write_all(content)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        File::open(folder)?.sync_all()
    };
    replace().map_err(Error::file("write", path))
}

/// Replaces a file by a value as indented JSON.
///
/// # Errors
/// Where it can't be written.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<(), Error> {
    let mut text = serde_json::to_vec_pretty(value)
        .map_err(|error| Error::file("write", path)(io::Error::from(error)))?;
    text.push(b'\n');
    replace(path, &text)
}

/// Replaces a file by a value as JSON on one line.
///
/// # Errors
/// Where it can't be written.
pub fn write_compact_json(path: &Path, value: &impl Serialize) -> Result<(), Error> {
    let text =
        serde_json::to_vec(value).map_err(|error| Error::file("write", path)(io::Error::from(error)))?;
    replace(path, &text)
}

/// Replaces a file by rows as CSV, their fields as columns.
///
/// # Errors
/// Where it can't be written.
pub fn write_csv(path: &Path, rows: impl IntoIterator<Item: Serialize>) -> Result<(), Error> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    let written = rows.into_iter().try_for_each(|row| csv.serialize(row)).map_err(io::Error::from);
    let text = written.and_then(|()| csv.into_inner().map_err(|error| error.into_error()));
    replace(path, &text.map_err(Error::file("write", path))?)
}

/// Reads a JSON file.
///
/// # Errors
/// Where it can't be read, or holds something else.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let text = fs::read_to_string(path).map_err(Error::file("read", path))?;
    serde_json::from_str(&text)
        .map_err(|error| Error::Content { path: path.to_owned(), problem: error.to_string() })
}

/// Writes a new file, which is then on its way to the disk.
pub(crate) fn write(path: &Path, content: &[u8]) -> Result<File, Error> {
    let written = File::create(path).and_then(|mut file| file.write_all(content).map(|()| file));
    written.map_err(Error::file("write", path))
}

/// Writes a new folder of some files and waits until all of it is on the disk.
pub(crate) fn write_folder(folder: &Path, files: &[(&str, &[u8])]) -> Result<(), Error> {
    fs::create_dir_all(folder).map_err(Error::file("create the folder", folder))?;
    for (name, content) in files {
        let path = folder.join(name);
        write(&path, content)?.sync_all().map_err(Error::file("write", &path))?;
    }
    sync_folder(folder)
}

/// Waits until the names in a folder are on the disk.
pub(crate) fn sync_folder(path: &Path) -> Result<(), Error> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(Error::file("write to the folder", path))
}

/// Gives a file or a folder a new name in its folder, for good.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    fs::rename(from, to).map_err(Error::file("write", to))?;
    to.parent().map_or(Ok(()), sync_folder)
}

/// Gives a folder another name, in place of the folder that has it, if any: at every moment there is a whole one.
pub(crate) fn replace_folder(from: &Path, to: &Path) -> Result<(), Error> {
    if !to.exists() {
        return rename(from, to);
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        if renameat_with(CWD, from, CWD, to, RenameFlags::EXCHANGE).is_ok() {
            remove(from);
            return to.parent().map_or(Ok(()), sync_folder);
        }
    }
    // A file system that can't exchange two.
    remove(to);
    rename(from, to)
}

/// Removes a file or a folder that nobody needs. What can't be removed does no harm where it lies.
pub(crate) fn remove(path: &Path) {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    if let Err(error) = removed
        && error.kind() != ErrorKind::NotFound
    {
        tracing::debug!("could not remove {}: {error}", path.display());
    }
}

/// The names in a folder, sorted; none where there is no such folder.
pub(crate) fn names(folder: &Path) -> Result<Vec<String>, Error> {
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

/// Drops paths that lead where another one before them leads, by whatever name.
pub fn keep_distinct(paths: &mut Vec<PathBuf>) {
    let mut seen = HashSet::new();
    paths.retain(|path| seen.insert(fs::canonicalize(path).unwrap_or_else(|_| path.clone())));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_counts_once_by_whatever_name() {
        let folder = tempfile::tempdir().unwrap();
        let [one, two] = ["one", "two"].map(|name| folder.path().join(name));
        for path in [&one, &two] {
            fs::create_dir(path).unwrap();
        }
        let missing = folder.path().join("missing");
        let mut paths = vec![two.clone(), one.clone(), one.join("../two"), missing.clone(), one.join(".")];
        keep_distinct(&mut paths);
        assert_eq!(paths, [two, one, missing]);
    }

    #[test]
    fn a_file_is_replaced_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("summary.json");
        write_json(&path, &[1, 2]).unwrap();
        write_json(&path, &[3]).unwrap();
        assert_eq!(read_json::<Vec<u32>>(&path).unwrap(), [3]);

        // A folder of that name can't be replaced, and nothing half done stays beside it.
        let taken = folder.path().join("taken");
        fs::create_dir(&taken).unwrap();
        let problem = replace(&taken, b"half").unwrap_err().to_string();
        assert!(problem.starts_with("could not write") && problem.contains("taken"), "{problem}");
        assert_eq!(names(folder.path()).unwrap(), ["summary.json", "taken"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_may_be_read_by_whom_any_new_file_may_be_read() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let [plain, replaced] = ["plain", "replaced"].map(|name| folder.path().join(name));
        fs::write(&plain, "").unwrap();
        replace(&replaced, b"").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&plain), mode(&replaced));
    }
}
